#!/bin/bash
# Every major: backup with kura's workers and from pg_dump's own stream, both with the digests that pg_dump's rows have;
# restore into the same major; and from the oldest to a newer one.
. "$(dirname "$0")/lib.sh"

one_major() { # one_major VERSION SCALE
    local version=$1 repo=$WORK/repo-$1 bin db id stream
    bin=$(pg_bindir "$version")
    start "$version" "pg$version" -c wal_level=logical
    install_extension "$version"
    kura init --repo "$repo" >/dev/null || die 'no repository'
    for db in zoo site; do
        createdb_as "${db}db"
        sql_file "${db}db" "$db.sql" -v scale="$2" >"$WORK/$db.log" 2>&1 || { cat "$WORK/$db.log"; die "$db.sql failed on $version"; }
        check "$version: backup of the $db" status_is '0|3' kura backup --repo "$repo" --pg-bindir "$bin" --db "$(conn ${db}db)" --app "$db" --jobs 2
        id=$(latest_of "$repo" "$db")
        check "$version: digests of the $db are those of pg_dump" digests_agree "$repo" "$id" "${db}db"
        check "$version: backup of the $db from pg_dump's stream" status_is '0|3' kura backup --repo "$repo" --pg-bindir "$bin" --db "$(conn ${db}db)" --app "$db-stream" --pg-dump-stream
        stream=$(latest_of "$repo" "$db-stream")
        check "$version: digests of the stream's $db are the same" digests_agree "$repo" "$stream" "${db}db"
        check "$version: restore of the $db" status_is '0|3' kura restore "$id" --repo "$repo" --pg-bindir "$bin" --db "$(conn ${db}copy)" --jobs 2
        whole "${db}db" >"$WORK/original.sql"
        whole "${db}copy" >"$WORK/copy.sql"
        check "$version: the $db's copy is the original" same "$WORK/original.sql" "$WORK/copy.sql"
        check "$version: restore of the stream's $db" status_is '0|3' kura restore "$stream" --repo "$repo" --pg-bindir "$bin" --db "$(conn ${db}copy2)" --jobs 2
        whole "${db}copy2" >"$WORK/copy.sql"
        check "$version: the $db's copy from the stream is the original" same "$WORK/original.sql" "$WORK/copy.sql"
    done
}

latest_of() { basename "$(find "$1/backups" -name "*Z-$2-????.json" | sort | tail -n 1)" .json; }

# Rows of a table may come back in another order: several workers load a large one. Hash partitions by an enum are not
# comparable leaf by leaf. pg_dump 13 does not record the owner of the schema public.
whole() {
    dump "$1" -s -C | sed "s/$1/DATABASE/g; /^-- Name: SCHEMA public;/d"
    dump "$1" -a -T 'zoo.by_mood*' | LC_ALL=C sort
}

one_major 13 0.1
one_major 15 1
one_major 17 0.1
one_major 18 0.1

# upward FROM TO: what was backed up from one major, restored into a newer one; every digest is read back on the way.
upward() {
    local from=$1 to=$2 db id
    use "pg$to"
    install_extension "$to"
    for db in zoo site; do
        id=$(latest_of "$WORK/repo-$from" "$db")
        check "$from to $to: restore of the $db" status_is '0|3' kura restore "$id" --repo "$WORK/repo-$from" --pg-bindir "$(pg_bindir "$to")" --db "$(conn "from${from}_$db")"
        check "$from to $to: every table of the $db was compared" compared
    done
    check "$from to $to: as many rows in the zoo" test "$(sql "from${from}_zoo" 'SELECT (SELECT count(*) FROM zoo.everything), (SELECT count(*) FROM zoo.by_time), (SELECT count(*) FROM zoo.by_mood)')" = '2007|1000|400'
    use "pg$from"
    contents sitedb >"$WORK/original.txt"
    use "pg$to"
    contents "from${from}_site" >"$WORK/copy.txt"
    check "$from to $to: same owners, grants and rows of the site" same "$WORK/original.txt" "$WORK/copy.txt"
}
compared() { # the last restore's own count, of all tables
    says 'digests +([0-9,]+) of \1 tables read back, count and digest equal'
}
# What majors write in the same words: owners, grants, columns, rows.
contents() {
    sql "$1" "SELECT c.oid::regclass, c.relkind, pg_get_userbyid(c.relowner), c.relacl FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace ORDER BY c.oid::regclass::text COLLATE \"C\"" | sed 's/m\(\/\|\*\)/\1/g'
    sql "$1" "SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND attnum > 0 ORDER BY attrelid::regclass::text COLLATE \"C\", attnum"
    sql "$1" "SELECT d.datdba::regrole, s.setconfig FROM pg_database d LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid AND s.setrole = 0
        WHERE datname = current_database()"
    sql "$1" 'SELECT md5(string_agg(n::text, E'"'\n'"' ORDER BY n.id)) FROM note n'
}
upward 13 15
upward 13 17
upward 13 18
upward 15 17
upward 15 18
upward 17 18

# A site that has lived through all of them: what each major restores is what the next one gets, row by row.
digests() { jq -r '.database.tables[] | [.schema, .name, (.rows, .raw | tostring), .digest] | join("\t")' "$(manifest "$1" "$2")" | sort; }
chain() { # chain FIRST NEXT...
    local from=$1 to repo=$WORK/repo-$1 id
    id=$(latest_of "$repo" site)
    digests "$repo" "$id" >"$WORK/first.digests"
    use "pg$from"
    contents sitedb >"$WORK/original.txt"
    shift
    for to; do
        use "pg$to"
        check "chain, $from to $to: restore" status_is '0|3' kura restore "$id" --repo "$repo" --pg-bindir "$(pg_bindir "$to")" --db "$(conn chain)"
        contents chain >"$WORK/copy.txt"
        check "chain, $from to $to: same owners, grants and rows" same "$WORK/original.txt" "$WORK/copy.txt"
        repo=$WORK/repo-$to
        check "chain, $to: backup" status_is '0|3' kura backup --repo "$repo" --pg-bindir "$(pg_bindir "$to")" --db "$(conn chain)" --app chain
        id=$(latest_of "$repo" chain)
        check "chain, $to: its digests are those of pg_dump" digests_agree "$repo" "$id" chain
        digests "$repo" "$id" >"$WORK/now.digests"
        check "chain, $to: and those of the first backup" same "$WORK/first.digests" "$WORK/now.digests"
        from=$to
    done
}
chain 13 15 17 18

# Owners on every major: the naive restore is found out, repaired, taken back; a swap is undone.
owners() {
    local version=$1 bin
    bin=$(pg_bindir "$version")
    use "pg$version"
    "$bin/pg_dump" -Fc -d "$(conn sitedb)" -f "$WORK/site.dump"
    createdb_as naive 'TEMPLATE template0'
    "$bin/pg_restore" --no-owner --no-acl -d "$(conn naive)" "$WORK/site.dump" || die "pg_restore $version failed"
    dump naive -C >"$WORK/naive.sql"
    check "$version: audit by role" status_is 3 kura audit --db "$(conn naive)" --app-role misskey
    check "$version: finds all objects" says '16 objects belong to superuser "postgres", expected "misskey"'
    check "$version: and the database" says 'database-owner'
    check "$version: and the function" says 'security-definer'
    [ "$version" = 13 ] || check "$version: and the schema public" says 'schema-create'
    check "$version: repair" status_is '0|3' kura repair --db "$(conn naive)" --app-role misskey --apply --undo-file "$WORK/undo-$version.sql"
    check "$version: the application works" psql -XqAt -v ON_ERROR_STOP=1 -d "host=$PGHOST user=misskey dbname=naive" -c 'SELECT count(*) FROM note; CREATE TABLE later (a int); DROP TABLE later; REFRESH MATERIALIZED VIEW instance_summary'
    check "$version: audit is clean" status_is 0 kura audit --db "$(conn naive)" --app-role misskey
    check "$version: repair taken back" status_is 0 kura repair --db "$(conn naive)" --undo "$WORK/undo-$version.sql" --apply
    dump naive -C >"$WORK/undone.sql"
    check "$version: it is what it was" same "$WORK/naive.sql" "$WORK/undone.sql"
    check "$version: repair by the archive" status_is 0 kura repair --db "$(conn naive)" --backup "$WORK/site.dump" --apply --undo-file "$WORK/undo-$version-2.sql"
    dump sitedb >"$WORK/original.sql"
    dump naive >"$WORK/repaired.sql"
    check "$version: it is the original" same "$WORK/original.sql" "$WORK/repaired.sql"
    sql naive 'TRUNCATE note_reaction'
    check "$version: swap" status_is '0|3' kura restore "$WORK/site.dump" --db "$(conn naive)" --pg-bindir "$bin" --swap
    check "$version: the rows are back" test "$(sql naive 'SELECT count(*) > 0 FROM note_reaction')" = t
    check "$version: undo" status_is '0|3' kura undo --db "$(conn naive)"
    check "$version: and gone" test "$(sql naive 'SELECT count(*) FROM note_reaction')" = 0
    check "$version: undo of the undo" status_is '0|3' kura undo --db "$(conn naive)"
    check "$version: and back again" test "$(sql naive 'SELECT count(*) > 0 FROM note_reaction')" = t
    check "$version: prune" status_is 0 kura prune --old-databases --db "$(conn naive)" --older-than 0 --drop
    check "$version: nothing is kept" bash -c "! psql -XqAtl | grep -q '^naive_'"
}
for version in 13 15 17 18; do
    owners "$version"
done

use pg15
check '17 to 15 is refused' status_is 1 kura restore "$(latest_of "$WORK/repo-17" site)" --repo "$WORK/repo-17" --db "$(conn older)"
check 'and said to be older' says 'older|15'
check 'and leaves nothing' bash -c "! psql -XqAtl | grep -q ^older"

# Downward where it is asked for: what cannot be is listed first, what remains is done.
down() { # down FROM TO BACKUP: into a server that is older
    use "pg$2"
    kura restore "$3" --repo "$WORK/repo-$1" --pg-bindir "$(pg_bindir 17)" --db "$(conn down)" --allow-downgrade "${@:4}"
}
use pg18
createdb_as modern "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' TEMPLATE template0"
sql modern "CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE NULLS NOT DISTINCT, b int GENERATED ALWAYS AS (a * 2) VIRTUAL, r int4range);
    CREATE TABLE c (id int REFERENCES t ON DELETE SET NULL (id) NOT ENFORCED); CREATE TYPE span AS RANGE (subtype = int);
    CREATE VIEW v WITH (security_invoker = true) AS SELECT * FROM t;
    CREATE VIEW w AS SELECT * FROM json_table('[1]'::jsonb, '\$[*]' COLUMNS (x int PATH '\$'));
    CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; GRANT MAINTAIN ON t TO pg_monitor; GRANT SELECT ON t TO pg_maintain"
check 'backup of what only 18 has' status_is '0|3' kura backup --repo "$WORK/repo-18" --pg-bindir "$(pg_bindir 18)" --db "$(conn modern)" --app modern
modern=$(latest_of "$WORK/repo-18" modern)
use pg15
before=$(databases)
check '18 to 15 is listed' status_is 1 down 18 15 "$modern"
for what in 'virtual generated columns' 'NOT ENFORCED' 'JSON_TABLE' 'locale of the builtin provider' 'privilege MAINTAIN' 'role pg_maintain'; do
    check "18 to 15 lists: $what" says "PostgreSQL 15 does not have .*$what"
done
check '18 to 15 does not list what 15 has' bash -c "! grep -E 'security_invoker|NULLS NOT|multirange|body in SQL' '$WORK/err'"
check 'nothing was made' test "$(databases)" = "$before"
check '18 to 13 lists' status_is 3 down 18 13 "$modern" --plan
for what in 'security_invoker' 'NULLS NOT DISTINCT' 'multirange' 'functions with a body in SQL' 'SET NULL'; do
    check "18 to 13 lists: $what" says "PostgreSQL 13 does not have .*$what"
done
check 'the preamble is told' says 'transaction_timeout, which PostgreSQL 13 does not know'
use pg17
site=$(latest_of "$WORK/repo-17" site)
contents sitedb >"$WORK/original.txt"
check '17 to 15 with --allow-downgrade' status_is '0|3' down 17 15 "$site"
check 'tells what it sets aside' says 'transaction_timeout, which PostgreSQL 15 does not know'
contents down >"$WORK/copy.txt"
check '17 to 15: same owners, grants and rows' same "$WORK/original.txt" "$WORK/copy.txt"
check '17 to 13 with --allow-downgrade' status_is '0|3' down 17 13 "$site"
contents down >"$WORK/copy.txt"
check '17 to 13: same owners, grants and rows' same "$WORK/original.txt" "$WORK/copy.txt"

# Locales: one that the target lacks, and libraries that may sort in another way.
use pg15
"$(pg_bindir 15)/pg_dump" -Fc -Z0 -d "$(conn sitedb)" | sed "s/LOCALE = 'C.UTF-8'/LOCALE = 'x.UTF-8'/" >"$WORK/x.dump"
before=$(databases)
check 'a locale that the target lacks is found first' status_is 1 kura restore "$WORK/x.dump" --db "$(conn strange)"
check 'and named' says 'does not have the locale of the database, x.UTF-8 \(libc\)'
check 'and nothing was made' test "$(databases)" = "$before"
createdb_as other "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
sql other 'CREATE TABLE t (id int)'
check 'encoding and collation of a database to be swapped are compared' status_is 3 kura restore "$(latest_of "$WORK/repo-15" site)" --repo "$WORK/repo-15" --pg-bindir "$(pg_bindir 15)" --db "$(conn other)" --swap --plan
check 'the encoding is told' says 'the encoding of database "other" is LATIN1 now, and UTF8 in the restored one'
check 'the collation is told' says 'the collation of database "other" is C now, and C.UTF-8 in the restored one'
use pg17
createdb_as icu "LOCALE_PROVIDER icu ICU_LOCALE 'sv-SE' TEMPLATE template0"
sql icu "CREATE TABLE t (name text PRIMARY KEY); INSERT INTO t VALUES ('a'), ('ä'), ('z')"
check 'backup of a database with an ICU locale' status_is '0|3' kura backup --repo "$WORK/repo-17" --pg-bindir "$(pg_bindir 17)" --db "$(conn icu)" --app icu
icu=$(latest_of "$WORK/repo-17" icu)
use pg18
check 'ICU, 17 to 18' status_is '0|3' kura restore "$icu" --repo "$WORK/repo-17" --pg-bindir "$(pg_bindir 18)" --db "$(conn icu)"
check 'provider and locale are the same' test "$(sql icu "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'icu'")" = 'i|sv-SE'
check 'its sorting, too' test "$(sql icu "SELECT string_agg(name, '' ORDER BY name) FROM t")" = 'azä'
from=$(jq -r '.database.facts.collation_version' "$(manifest "$WORK/repo-17" "$icu")")
to=$(sql icu 'SELECT datcollversion FROM pg_database WHERE datname = current_database()')
if [ "$from" != "$to" ]; then
    check 'another version of the library is told' says "sorts by version $to of the icu collations on the target, it did by version $from"
else
    check 'nothing is told about the same version' bash -c "! grep 'collations on the target' '$WORK/err'"
fi
use pg13
check 'ICU to 13 is listed' status_is 1 kura restore "$icu" --repo "$WORK/repo-17" --pg-bindir "$(pg_bindir 17)" --db "$(conn icu)" --allow-downgrade
check 'as impossible' says 'PostgreSQL 13 does not have databases with a locale of ICU'

# ICU takes any name for a locale unless it is told to be strict; then what it does not know is found first.
use pg17
"$(pg_bindir 17)/pg_dump" -Fc -Z0 -d "$(conn icu)" | sed "s/ICU_LOCALE = 'sv-SE'/ICU_LOCALE = 'xq-XX'/; s/LOCALE = 'sv-SE'/LOCALE = 'xq-XX'/" >"$WORK/icu.dump"
use pg18
sql postgres "ALTER SYSTEM SET icu_validation_level = error"
sql postgres 'SELECT pg_reload_conf()' >/dev/null
before=$(databases)
check 'an ICU locale that the library does not know' status_is 1 kura restore "$WORK/icu.dump" --pg-bindir "$(pg_bindir 18)" --db "$(conn strange)"
check 'is named' says 'does not have the locale of the database, xq-XX \(icu\)'
check 'with a remedy that fits' says 'hint: .*icu_validation_level'
check 'and nothing was made' test "$(databases)" = "$before"
sql postgres "ALTER SYSTEM RESET icu_validation_level"
sql postgres 'SELECT pg_reload_conf()' >/dev/null

# Encodings: a database keeps its own, whatever the cluster's is; digests are of the bytes.
encodings() { # encodings FROM TO: names of clusters
    local name
    for name in latin ascii utf; do
        use "$2"
        check "$name, $1 to $2" status_is 0 kura restore "$(latest_of "$WORK/repo-enc" "$name")" --repo "$WORK/repo-enc" --db "$(conn "copy_$name")" --create-roles
        check "$name, $1 to $2: every table was compared" compared
        check "$name, $1 to $2: audit" status_is 0 kura audit --repo "$WORK/repo-enc" --backup "$(latest_of "$WORK/repo-enc" "$name")" --db "$(conn "copy_$name")"
        dump "copy_$name" >"$WORK/copy.sql"
        encoding=$(sql "copy_$name" 'SHOW server_encoding')
        use "$1"
        dump "$name" >"$WORK/original.sql"
        check "$name, $1 to $2: a copy" same "$WORK/original.sql" "$WORK/copy.sql"
        check "$name, $1 to $2: of the same encoding" test "$(sql "$name" 'SHOW server_encoding')" = "$encoding"
    done
}
use pg15
kura init --repo "$WORK/repo-enc" >/dev/null || die 'no repository'
sql postgres 'CREATE ROLE enc LOGIN'
createdb_as latin "OWNER enc ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
createdb_as ascii "OWNER enc ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
createdb_as utf 'OWNER enc'
for name in latin ascii utf; do
    PGCLIENTENCODING=UTF8 sql "$name" "SET ROLE enc; CREATE SCHEMA s; CREATE TABLE s.\"tëst\" (v text); INSERT INTO s.\"tëst\" VALUES ('é'); COMMENT ON TABLE s.\"tëst\" IS 'ü'"
    [ "$name" != ascii ] || sql ascii "INSERT INTO s.\"tëst\" VALUES (E'\\xe9\\xff')"
    check "$name: backup" status_is 0 kura backup --repo "$WORK/repo-enc" --db "$(conn "$name")" --app "$name"
done
cluster_init 15 "$WORK/bytes" -E SQL_ASCII --locale=C && cluster_run 15 bytes "$WORK/bytes" -c fsync=off || die 'no cluster of another encoding'
encodings pg15 bytes
encodings pg15 pg15
check 'a backup in UTF8 names what a database in LATIN1 has' status_is 0 kura audit --repo "$WORK/repo-enc" --backup "$(latest_of "$WORK/repo-enc" utf)" --db "$(conn latin)" --json
check 'all of it' jq -e '.audit.missing == []' "$WORK/out"
check 'so does another database' status_is 0 kura audit --like "$(conn utf)" --db "$(conn latin)" --json
check 'in one direction' jq -e '.audit.missing == []' "$WORK/out"
check 'and the other' bash -c "timeout --foreground 60 '$KURA' audit --like '$(conn latin)' --db '$(conn utf)' --json | jq -e '.audit.missing == []'"
check 'a backup in LATIN1' status_is 0 kura audit --repo "$WORK/repo-enc" --backup "$(latest_of "$WORK/repo-enc" latin)" --db "$(conn utf)"
check 'tells that its names cannot be compared' says 'names in LATIN1 are compared with names in UTF8'
PGCLIENTENCODING=UTF8 sql latin 'ALTER TABLE s."tëst" OWNER TO postgres'
dump latin >"$WORK/before.sql"
check 'repair of names in another encoding' status_is 0 kura repair --like "$(conn utf)" --db "$(conn latin)" --apply --undo-file "$WORK/undo-enc.sql"
check 'and back' status_is 0 kura repair --undo "$WORK/undo-enc.sql" --db "$(conn latin)" --apply
dump latin >"$WORK/after.sql"
check 'to what was' same "$WORK/before.sql" "$WORK/after.sql"

# What may rightly be written in another way, and only that, does not fail a restore.
use pg13
sql postgres 'CREATE ROLE teller'
createdb_as told "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
sql told "CREATE TABLE letters (a \"char\"); INSERT INTO letters VALUES (E'\\351'::\"char\");
    CREATE TABLE tellers (a regrole); INSERT INTO tellers VALUES ('teller'); CREATE TABLE same (a integer); INSERT INTO same VALUES (1)"
check 'types whose text may change: backup' status_is 0 kura backup --repo "$WORK/repo-13" --pg-bindir "$(pg_bindir 13)" --db "$(conn told)" --app told
told=$(latest_of "$WORK/repo-13" told)
use pg15
sql postgres 'CREATE ROLE teller'
check '"char" from 13 to 15' status_is '0|3' kura restore "$told" --repo "$WORK/repo-13" --db "$(conn told)" --json
check 'is told' jq -e '[.findings[] | select(.code == "digest-not-compared" and .severity == "note")] | length == 1 and (.[0].message | test("letters.*beyond ASCII"))' "$WORK/out"
check 'the others are compared' jq -e '.restore.proven.tables_verified == 2' "$WORK/out"

finish
