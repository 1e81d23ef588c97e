#!/bin/bash
# A cluster that is home to many: whatever a command does to the database it names, nothing else in the cluster changes.
# Everything that is not that database is drawn before and after each command, whether it succeeds, fails, is
# interrupted or is killed.
. "$(dirname "$0")/lib.sh"

version=${KURA_TEST_PG:-15}
bin=$(pg_bindir "$version")
start "$version" main -c wal_level=logical -c max_prepared_transactions=5
cd "$WORK" || die "no $WORK"
as() { printf "host=%s user=%s dbname='%s'" "$PGHOST" "$1" "$2"; }
statements() { psql -XqAt -v ON_ERROR_STOP=1 -d "$(conn "$1")"; }

# The neighbourhood -------------------------------------------------------------------------------------------------------
mkdir main/spare main/other
chown postgres: main/spare main/other
createdb_as site
sql_file site site.sql -v scale=0.3 || die 'site.sql failed'
# Twins of the site: the same roles own and may do the same things in them.
for twin in second Site 'si te' site_before_mine site_kura_beef; do
    createdb_as "$twin"
    sql_file "$twin" site.sql -v scale=0.001 || die 'site.sql failed'
done
statements postgres <<SQL || die 'the cluster'
CREATE ROLE keeper LOGIN PASSWORD 'pw-of-keeper' VALID UNTIL '2099-01-01'; CREATE ROLE crew; CREATE ROLE "Mis ""key""" LOGIN CONNECTION LIMIT 3;
CREATE ROLE maker LOGIN CREATEDB; CREATE ROLE bystander;
GRANT crew TO keeper WITH ADMIN OPTION; GRANT crew TO reader; GRANT misskey TO keeper; GRANT pg_read_all_data TO crew;
ALTER ROLE misskey SET work_mem = '5MB'; ALTER ROLE misskey IN DATABASE second SET work_mem = '6MB'; ALTER ROLE reader SET search_path = 'x', 'public';
ALTER ROLE ALL SET lock_timeout = '1h';
CREATE TABLESPACE spare OWNER misskey LOCATION '$WORK/main/spare'; GRANT CREATE ON TABLESPACE spare TO reader;
CREATE TABLESPACE other LOCATION '$WORK/main/other'; ALTER TABLESPACE other SET (seq_page_cost = 2);
COMMENT ON TABLESPACE spare IS 'of the site'; COMMENT ON ROLE misskey IS 'owns it all';
ALTER DATABASE "Site" SET TABLESPACE other; ALTER DATABASE "si te" CONNECTION LIMIT 5; ALTER DATABASE second ALLOW_CONNECTIONS true;
GRANT ALL ON DATABASE "si te" TO keeper, reader WITH GRANT OPTION; GRANT CREATE ON DATABASE postgres TO misskey;
ALTER DATABASE template1 SET work_mem = '7MB'; GRANT CREATE ON DATABASE template1 TO misskey;
COMMENT ON DATABASE site_before_mine IS E'kura kept "site" as "site_before_other" oid "1" at "2020-01-01T00:00:00Z" by "x"';
SQL
[ "$version" -lt 15 ] || sql postgres 'GRANT SET ON PARAMETER log_min_duration_statement TO misskey; GRANT ALTER SYSTEM ON PARAMETER log_statement TO reader WITH GRANT OPTION' || die 'parameters'
statements second <<'SQL' || die 'second'
CREATE SCHEMA extra AUTHORIZATION reader; CREATE SCHEMA "public " AUTHORIZATION misskey; CREATE TABLE extra.note (id int) TABLESPACE spare; ALTER TABLE extra.note OWNER TO misskey;
ALTER DEFAULT PRIVILEGES FOR ROLE misskey GRANT ALL ON SEQUENCES TO reader; ALTER DEFAULT PRIVILEGES FOR ROLE reader IN SCHEMA extra GRANT SELECT ON TABLES TO misskey;
SELECT lo_from_bytea(424243, 'x') \g /dev/null
ALTER LARGE OBJECT 424243 OWNER TO misskey; GRANT UPDATE ON LARGE OBJECT 424243 TO reader;
CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION notes FOR TABLE extra.note; ALTER PUBLICATION notes OWNER TO misskey;
SELECT pg_create_logical_replication_slot('feed', 'pgoutput') \g /dev/null
SET client_min_messages = error;
CREATE SUBSCRIPTION nowhere CONNECTION 'dbname=nowhere password=pw-of-nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE); ALTER SUBSCRIPTION nowhere OWNER TO postgres;
CREATE FUNCTION extra.definer() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user::text';
GRANT UPDATE (id) ON extra.note TO reader WITH GRANT OPTION;
CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER far FOREIGN DATA WRAPPER nothing; CREATE USER MAPPING FOR misskey SERVER far OPTIONS (password 'pw-of-far');
SQL
sql postgres 'CREATE EXTENSION pg_trgm; CREATE TABLE own (id int); ALTER TABLE own OWNER TO misskey; GRANT SELECT ON own TO reader'
sql template1 'CREATE TABLE every (id int); ALTER TABLE every OWNER TO misskey'
# Here, too, something is wrong: what repairs the site must not repair this.
sql second 'ALTER TABLE note OWNER TO postgres; REVOKE ALL ON note FROM reader; GRANT DELETE ON "user" TO bystander'
sql second "SELECT pg_replication_origin_create('origin_of_second')" >/dev/null
sql "si te" "BEGIN; INSERT INTO migrations (\"timestamp\", name) VALUES (1, 'prepared'); PREPARE TRANSACTION 'open in si te'"
neighbours=$(sql postgres "SELECT string_agg(oid::text, ',') FROM pg_database WHERE datname <> 'site'")

# The picture ---------------------------------------------------------------------------------------------------------------
cluster_rows() {
    statements postgres <<SQL
SELECT 'database', d.xmin, to_jsonb(d) - ARRAY['datfrozenxid', 'datminmxid'] FROM pg_database d WHERE oid IN ($neighbours) ORDER BY oid;
SELECT 'setting', setdatabase, setrole, setconfig FROM pg_db_role_setting WHERE setdatabase IN ($neighbours, 0) ORDER BY 2, 3;
SELECT 'shdepend', pg_get_userbyid(refobjid), to_jsonb(s) FROM pg_shdepend s
    WHERE dbid IN ($neighbours) OR dbid = 0 AND (classid <> 'pg_database'::regclass OR objid IN ($neighbours)) ORDER BY s::text;
SELECT 'shdescription', to_jsonb(s) FROM pg_shdescription s WHERE classoid <> 'pg_database'::regclass OR objoid IN ($neighbours) ORDER BY s::text;
SELECT 'member', roleid::regrole, member::regrole, grantor::regrole, to_jsonb(m) - ARRAY['oid', 'roleid', 'member', 'grantor'] FROM pg_auth_members m ORDER BY 2, 3, 4;
SELECT 'role', to_jsonb(r) FROM pg_authid r ORDER BY oid;
SELECT 'tablespace', t.xmin, to_jsonb(t) FROM pg_tablespace t ORDER BY oid;
SELECT 'slot', slot_name, plugin, database, active, temporary FROM pg_replication_slots ORDER BY 2;
SELECT 'subscription', to_jsonb(s) FROM pg_subscription s ORDER BY oid;
SELECT 'origin', o.* FROM pg_replication_origin o ORDER BY 2;
SELECT 'prepared', gid, owner, database FROM pg_prepared_xacts ORDER BY 2;
SELECT 'seclabel', to_jsonb(s) FROM pg_shseclabel s;
SELECT 'file setting', name, setting, applied FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf' ORDER BY 2;
SQL
    [ "$version" -lt 15 ] || sql postgres "SELECT 'parameter', to_jsonb(p) FROM pg_parameter_acl p ORDER BY oid"
}
# Rows of catalogues that somebody has written again, even to the same end, have another xmin.
catalogue_rows() {
    local list
    list=$(printf "SELECT '%s', count(*), md5(string_agg(ctid || ' ' || xmin, ',' ORDER BY ctid)) FROM %s UNION ALL " \
        pg_{class,attribute,proc,type,namespace,default_acl,largeobject_metadata,policy,publication,extension,init_privs,depend,description}{,})
    sql "$1" "${list% UNION ALL }"
}
picture() {
    local db
    [ "$version" -gt 15 ] || pg_dumpall -h "$PGHOST" -U postgres --globals-only | sed '/^\\\(un\)\?restrict /d'
    cluster_rows
    for db in second Site 'si te' site_before_mine site_kura_beef postgres template1; do
        echo "--- $db"
        dump "$db" -C
        catalogue_rows "$db"
    done
}
names() { sql postgres "SELECT datname FROM pg_database WHERE oid NOT IN ($neighbours) ORDER BY 1" | tr '\n' ' '; }
untouched() {
    picture >now.txt
    same before.txt now.txt
}
# step NAME STATUS COMMAND...: what it ends with, and that the neighbours do not notice.
step() {
    check "$1" status_is "${@:2}"
    check "$1: the neighbours are as they were" untouched
}
# killed NAME SIGNAL MOMENT ARG...: kura, which gets the signal when the query gives a row.
killed() {
    local name=$1 signal=$2 moment=$3 pid
    shift 3
    HOME=$WORK TMPDIR=$WORK/tmp env --default-signal=INT,TERM "$KURA" "$@" >out 2>err &
    pid=$!
    sees "EXISTS ($moment)"
    kill -"$signal" $pid 2>/dev/null
    wait $pid 2>/dev/null
    check "$name" test $? = $((128 + $(kill -l "$signal")))
    rm -rf tmp/*
}
hit() {
    killed "$@"
    check "$1: the neighbours are as they were" untouched
}
in_scratch="SELECT FROM pg_stat_activity WHERE datname ~ '_kura_....\$' AND datname <> 'site_kura_beef' AND query"
picture >before.txt
check 'the picture shows what there is' bash -c "for what in misskey pw-of-nowhere 'si te' feed origin_of_second 'open in si te' 424243 CREATE.TABLESPACE; do grep -q \"\$what\" before.txt || { echo \"\$what\"; exit 1; }; done"
check 'and is the same twice' untouched

# Backup and restore -------------------------------------------------------------------------------------------------------
repo=$WORK/repo
mkdir media && echo picture >media/a.webp
kura init --repo "$repo" >/dev/null || die 'no repository'
step 'backup' 0 kura backup --repo "$repo" --db "$(conn site)" --pg-bindir "$bin" --files "media=$WORK/media"
id=$(latest "$repo")
"$bin/pg_dump" -Fc -f site.dump -d "$(conn site)"
restore() { kura restore "$id" --repo "$repo" --pg-bindir "$bin" --jobs 2 "$@"; }
gone() { sql postgres "DROP DATABASE IF EXISTS \"$1\"" 2>/dev/null; }
step 'restore into a new name' 0 restore --db "$(conn copy)"
gone copy
step 'restore whose roles exist' 0 restore --db "$(conn copy)" --create-roles
gone copy
step 'restore of the database only, all to another role' '0|3' restore --db "$(conn copy)" --only db --map '*=keeper' --files media=copied
gone copy
step 'restore of the files only' 0 restore --db "$(conn copy)" --only files --files media=copied
check 'makes no database' test "$(names)" = 'site '
step 'restore of an archive' '0|3' kura restore site.dump --db "$(conn copy)" --pg-bindir "$bin" --map misskey=keeper
gone copy
check 'restore that makes roles' status_is '0|3' restore --db "$(conn copy)" --map 'reader=kura_new' --create-roles
picture >now.txt
diff before.txt now.txt | grep '^[<>]' >new.txt
check 'of the role' grep -q 'role.*kura_new' new.txt
check 'and its memberships' grep -q 'member|crew|kura_new' new.txt
check 'nothing else is new' bash -c "! grep -v '^> .*kura_new' new.txt"
gone copy
sql postgres 'DROP ROLE kura_new'
for name in Site 'si te' second postgres; do
    step "restore as \"$name\", which is there" 1 restore --db "$(conn "$name")"
done

# Swap, undo, prune ----------------------------------------------------------------------------------------------------------
step 'restore --swap' '0|3' restore --db "$(conn site)" --swap
check 'keeps one' test "$(names)" = "site site_before_$id "
step 'undo' '0|3' kura undo --db "$(conn site)"
step 'undo of the undo' '0|3' kura undo --db "$(conn site)"
step 'undo to what a person called so' 1 kura undo --db "$(conn site)" site_before_mine
step 'undo of a neighbour' 1 kura undo --db "$(conn Site)"
step 'undo of another neighbour' 1 kura undo --db "$(conn 'si te')"
step 'prune, looking' '0|3' kura prune --old-databases --db "$(conn site)"
step 'prune of a neighbour' '0|3' kura prune --old-databases --db "$(conn Site)" --older-than 0 --drop
step 'prune' '0|3' kura prune --old-databases --db "$(conn site)" --older-than 0 --drop
check 'leaves the site' test "$(names)" = 'site '

# Audit and repair -----------------------------------------------------------------------------------------------------------
naive() {
    sql site "SELECT format('ALTER TABLE %s OWNER TO postgres;', oid::regclass) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'" |
        statements site
    sql site 'REVOKE ALL ON note FROM reader; ALTER DATABASE site OWNER TO postgres'
}
naive
audit() { kura audit --db "$(conn site)" --repo "$repo" "$@"; }
repair() { kura repair --db "$(conn site)" --repo "$repo" "$@"; }
step 'audit by role' 3 audit --app-role misskey
step 'audit by backup' 3 audit --backup "$id"
step 'audit by a neighbour' 3 audit --like "$(conn Site)"
step 'repair, looking' 3 repair --app-role misskey
step 'repair by role' '0|3' repair --app-role misskey --apply --undo-file undo.sql
step 'repair taken back' 0 kura repair --db "$(conn site)" --undo undo.sql --apply
step 'repair by backup' 0 repair --backup "$id" --apply
step 'repair that gives all to another role' '0|3' repair --map 'misskey=keeper,reader=bystander' --apply --undo-file map.sql
check 'which owns it now' test "$(sql site "SELECT relowner::regrole FROM pg_class WHERE relname = 'note'")" = keeper
step 'and back' 0 kura repair --db "$(conn site)" --undo map.sql --apply
naive
step 'repair after a neighbour' '0|3' repair --like "$(conn Site)" --apply
step 'repair by a role that is not there' 1 repair --app-role nobody_here --apply
check 'the site is as it should be' status_is 0 audit --backup "$id"

# What fails --------------------------------------------------------------------------------------------------------------------
step 'a rule that matches nothing' 1 restore --db "$(conn copy)" --map 'nobody_here=keeper'
step 'a role that is not there' 1 restore --db "$(conn site)" --swap --map 'misskey=nobody_here'
cp -a "$repo" broken
blob=$(jq -r '[.database.tables[] | select(.name == "note").segments[].blob][-1]' "$(manifest "$repo" "$id")")
truncate -s -20 "broken/blobs/${blob:0:2}/$blob"* || die 'no blob'
step 'a broken blob' 1 kura restore "$id" --repo broken --pg-bindir "$bin" --db "$(conn copy)" --create-roles
step 'a broken blob, swapping' 1 kura restore "$id" --repo broken --pg-bindir "$bin" --db "$(conn site)" --swap
check 'leaves the site alone' test "$(names)" = 'site '

# What is interrupted ---------------------------------------------------------------------------------------------------------
at_copy=(restore "$id" --repo "$repo" --pg-bindir "$bin" --jobs 2 --db "$(conn copy)")
at_site=(restore "$id" --repo "$repo" --pg-bindir "$bin" --jobs 2 --db "$(conn site)" --swap)
for moment in CREATE COPY ANALYZE; do
    hit "SIGINT at $moment" INT "$in_scratch ILIKE '$moment %'" "${at_site[@]}"
    check "SIGINT at $moment: the site alone is left" test "$(names)" = 'site '
    hit "SIGKILL at $moment" KILL "$in_scratch ILIKE '$moment %'" "${at_copy[@]}"
    step "the next run after $moment" '0|3' kura "${at_copy[@]}"
    check "leaves nothing of the killed one, $moment" test "$(names)" = 'copy site '
    gone copy
done

# Without superuser: what is borrowed is given back, by the next run at the latest -----------------------------------------------
idle() { [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname ~ '_kura_....\$'")" = 0 ]; }
as_maker=(restore "$id" --repo "$repo" --pg-bindir "$bin" --jobs 2 --db "$(as maker copy)" --admin-db "$(conn postgres)")
step 'restore without superuser' '0|3' kura "${as_maker[@]}"
check 'borrowed' says 'maker.* is made a member of role .misskey. by .postgres.'
sql postgres 'DROP DATABASE copy'
hit 'SIGINT without superuser' INT "$in_scratch ILIKE 'COPY %'" "${as_maker[@]}"
lent() { sql postgres "SELECT count(*) FROM pg_auth_members WHERE member = 'maker'::regrole"; }
killed 'SIGKILL without superuser' KILL "$in_scratch ILIKE 'ANALYZE %'" "${as_maker[@]}"
check 'what was borrowed is still lent' test "$(lent)" -ge 1
step 'the next run gives it back' '0|3' kura "${as_maker[@]}"
gone copy
killed 'SIGKILL without superuser, again' KILL "$in_scratch ILIKE 'COPY %'" "${as_maker[@]}"
killed 'and the next run, too' KILL "$in_scratch ILIKE 'ANALYZE %'" "${as_maker[@]}"
check 'it is still lent' test "$(lent)" -ge 1
step 'a run of the superuser gives it back' '0|3' kura "${at_copy[@]}"
gone copy
killed 'SIGKILL a third time' KILL "$in_scratch ILIKE 'COPY %'" "${as_maker[@]}"
eventually idle
step 'prune gives it back' '0|3' kura prune --old-databases --db "$(conn copy)" --older-than 0 --drop
check 'and drops what was left' test "$(names)" = 'site '
sql postgres 'GRANT crew TO maker'
picture >before.txt
killed 'SIGKILL of one who is a member of something' KILL "$in_scratch ILIKE 'COPY %'" "${as_maker[@]}"
step 'which he stays' '0|3' kura "${as_maker[@]}"
gone copy

finish
