#!/bin/bash
# One of every kind of object, backed up and restored with every role renamed: the copy is the original, but for names.
. "$(dirname "$0")/lib.sh"

start 15 main -c wal_level=logical
install_extension 15
createdb_as zoodb1
sql_file zoodb1 zoo.sql >"$WORK/zoo.log" 2>&1 || { cat "$WORK/zoo.log"; die 'zoo.sql failed'; }
repo=$WORK/repo

check 'init' status_is 0 kura init --repo "$repo"
check 'backup' status_is '0|3' kura backup --repo "$repo" --db "$(conn zoodb1)"
check 'backup prints no secret of the TOC' bash -c '! grep -e mapping-secret -e subscription-secret "$0"/out "$0"/err' "$WORK"
check 'digests equal those of pg_dump' digests_agree "$repo" "$(latest "$repo")" zoodb1

# The original's dump, as the copy's should look: every role begins with "kq", and nothing else contains these letters.
dump_of() { dump "$1" -C -T 'zoo.by_mood*' | sed "s/$1/DATABASE/g"; }
renamed() { sed 's/kq/mq/g; s/KQ/MQ/g'; }
new_names="regexp_replace(regexp_replace(rolname, '^kq', 'mq'), '^KQ', 'MQ')"
map=$(sql zoodb1 "SELECT string_agg(quote_ident(rolname) || '=' || quote_ident($new_names), ',') FROM pg_roles WHERE rolname ~* '^kq'")
# pg_dump lists the roles of a policy in the order in which the roles were created.
sql zoodb1 "SELECT string_agg(format('CREATE ROLE %I %s', $new_names, CASE WHEN rolsuper THEN 'SUPERUSER' END), ';' ORDER BY oid) FROM pg_roles WHERE rolname ~* '^kq'" |
    psql -Xq -v ON_ERROR_STOP=1 || die 'the new roles could not be created'

check 'restore with every role renamed' status_is '0|3' kura restore latest --repo "$repo" --db "$(conn zoodb2)" --map "$map" --app-role mq_owner
check 'restore prints no secret of the TOC' bash -c '! grep -e mapping-secret -e subscription-secret "$0"/out "$0"/err' "$WORK"
dump_of zoodb1 >"$WORK/zoo.1"
dump_of zoodb2 >"$WORK/zoo.2"
renamed <"$WORK/zoo.1" >"$WORK/zoo.1.renamed"
check 'dump of the copy equals that of the original with names replaced' same "$WORK/zoo.1.renamed" "$WORK/zoo.2"

references() { # references DATABASE PATTERN: things in a database that refer to roles
    sql "$1" "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid AND d.refclassid = 'pg_authid'::regclass
              WHERE rolname ~* '$2' AND (d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                 OR d.classid = 'pg_database'::regclass AND d.objid = (SELECT oid FROM pg_database WHERE datname = current_database()))"
}
settings() { sql "$1" "SELECT count(*) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = setrole JOIN pg_database d ON d.oid = setdatabase AND datname = '$1' WHERE rolname ~* '$2'"; }
check 'no old role is left in the copy' test "$(references zoodb2 '^kq')$(settings zoodb2 '^kq')" = 00
# pg_dump 14 to 16 do not record who owns a multirange type made by its range: the restoring superuser does.
multiranges=$(sql zoodb1 "SELECT count(*) FROM pg_type t JOIN pg_roles r ON r.oid = typowner WHERE typtype = 'm' AND rolname ~* '^kq'")
check 'every reference has its new role' test "$(references zoodb2 '^mq')" = $(($(references zoodb1 '^kq') - multiranges))
check 'hash partitions by enum have all rows' test "$(sql zoodb2 'SELECT count(*), sum(n) FROM zoo.by_mood')" = "$(sql zoodb1 'SELECT count(*), sum(n) FROM zoo.by_mood')"

check 'restore without a map' status_is '0|3' kura restore latest --repo "$repo" --db "$(conn zoodb3)" --app-role kq_owner
dump_of zoodb3 >"$WORK/zoo.3"
check 'dump of that copy equals the original' same "$WORK/zoo.1" "$WORK/zoo.3"

# Everybody becomes one role; grants that become equal are merged.
sql postgres 'CREATE ROLE mq_all SUPERUSER' # event triggers and foreign-data wrappers can belong to no other
check 'all roles become one' status_is '0|3' kura restore latest --repo "$repo" --db "$(conn zoodb4)" --map '*=mq_all' --app-role mq_all
check 'one role owns and is granted all' test "$(references zoodb4 '^kq|^mq_(?!all)')" = 0

# A role without a rule keeps its name; one dropped loses its grants.
check 'grants of one role dropped' status_is '0|3' kura restore latest --repo "$repo" --db "$(conn zoodb5)" --map 'kq_default=@drop' --app-role kq_owner
check 'the dropped role has nothing' test "$(references zoodb5 '^kq_default$')" = 0
# One goes with it: the entry of kq_owner's default privileges that said nothing else.
check 'the others have all of theirs' test "$(references zoodb5 '^kq')" = $(($(references zoodb1 '^kq') - $(references zoodb1 '^kq_default$') - multiranges - 1))
check 'dropping an owner is refused' status_is 1 kura restore latest --repo "$repo" --db "$(conn zoodb6)" --map '"kq we ird"=@drop'
check 'and named' says 'kq we ird'

# A name inside a string or a function body is reported, never rewritten.
createdb_as mentions
sql mentions "GRANT ALL ON SCHEMA public TO kq_owner; CREATE TABLE m (a text DEFAULT 'kq_owner'); ALTER TABLE m OWNER TO kq_owner;
    CREATE FUNCTION who() RETURNS boolean LANGUAGE sql AS 'SELECT pg_has_role(''kq_owner'', ''USAGE'')'; ALTER FUNCTION who() OWNER TO kq_owner"
check 'backup of a database that mentions a role' status_is 0 kura backup --repo "$repo" --db "$(conn mentions)" --app mentions
check 'restore of it has a finding' status_is 3 kura restore "$(basename "$(manifest "$repo" -mentions-)" .json)" --repo "$repo" --db "$(conn mentions2)" --map kq_owner=mq_owner
check 'which names the function' says 'who\(\)'
check 'and the body is untouched' test "$(sql mentions2 "SELECT prosrc LIKE '%kq_owner%' FROM pg_proc WHERE proname = 'who'")" = t

# A schema public that has another name: pg_dump tells its grants as what differs from initdb's.
createdb_as moved
sql moved "ALTER SCHEMA public RENAME TO old; ALTER SCHEMA old OWNER TO kq_owner; REVOKE USAGE ON SCHEMA old FROM PUBLIC; GRANT CREATE ON SCHEMA old TO kq_chain;
    CREATE SCHEMA mine AUTHORIZATION kq_owner; REVOKE USAGE ON SCHEMA mine FROM kq_owner"
check 'backup of a database whose schema public has another name' status_is 0 kura backup --repo "$repo" --db "$(conn moved)" --app moved
moved=$(basename "$(manifest "$repo" -moved-)" .json)
check 'restore of it' status_is 0 kura restore "$moved" --repo "$repo" --db "$(conn moved2)" --map kq_owner=mq_owner
check 'the schemas have their grants' test "$(sql moved2 "SELECT string_agg(nspname || nspacl::text, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname IN ('old', 'mine')")" = \
    'mine{mq_owner=C/mq_owner} old{mq_owner=UC/mq_owner,kq_chain=C/mq_owner}'
check 'audit of it is clean' status_is 0 kura audit --repo "$repo" --backup "$moved" --db "$(conn moved2)" --map kq_owner=mq_owner

finish
