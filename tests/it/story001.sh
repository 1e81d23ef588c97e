#!/bin/bash
# The reason for kura: a site moves to another server, restored by the superuser, and must belong to its application.
# Beside it what people do instead, and how that ends.
. "$(dirname "$0")/lib.sh"

start 15 old
createdb_as misskey
sql_file misskey site.sql -v scale=0.3 || die 'site.sql failed'
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
check 'backup' status_is 0 kura backup --repo "$repo" --db "$(conn misskey)" --app misskey
dump misskey >"$WORK/misskey.sql"
"$(pg_bindir 15)/pg_dump" -Fc -d "$(conn misskey)" -f "$WORK/misskey.dump"

start 15 new
before=$(databases)
check 'plan names both new roles' status_is '0|3' kura restore latest --repo "$repo" --db "$(conn mk)" --map misskey=mk_prod,reader=ro2 --create-roles --plan
check 'plan says mk_prod' says mk_prod
check 'plan changes nothing' test "$(databases)" = "$before"
check 'restore as superuser, roles mapped and created' status_is 0 \
    kura --json restore latest --repo "$repo" --db "$(conn mk)" --map misskey=mk_prod,reader=ro2 --create-roles
check 'its report is one JSON document' jq -e . "$WORK/out"
sql mk 'ALTER ROLE mk_prod LOGIN; ALTER ROLE ro2 LOGIN'

not_owned() {
    sql mk "SELECT c.oid::regclass, relowner::regrole FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relowner <> 'mk_prod'::regrole
            UNION ALL SELECT p.oid, proowner::regrole FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND proowner <> 'mk_prod'::regrole
                AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
            UNION ALL SELECT t.oid, typowner::regrole FROM pg_type t WHERE typnamespace = 'public'::regnamespace AND typowner <> 'mk_prod'::regrole AND typcategory <> 'A'
                AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = t.oid AND deptype = 'e')
            UNION ALL SELECT oid, lomowner::regrole FROM pg_largeobject_metadata WHERE lomowner <> 'mk_prod'::regrole
            UNION ALL SELECT oid, datdba::regrole FROM pg_database WHERE datname = 'mk' AND datdba <> 'mk_prod'::regrole"
}
empty_output() { ! "$@" | grep .; }
as() { PGUSER=$1 psql -XqAt -v ON_ERROR_STOP=1 -d mk -c "$2"; }
refused() { # refused ROLE STATEMENT: permission denied, and nothing else
    ! as "$1" "$2" >"$WORK/refused" 2>&1 && cat "$WORK/refused" && grep -q 'permission denied\|must be owner\|read-only' "$WORK/refused"
}
check 'everything belongs to mk_prod' empty_output not_owned
check 'mk_prod reads' test "$(as mk_prod 'SELECT count(*) FROM note')" = 45000
check 'mk_prod writes, calls and creates' as mk_prod "INSERT INTO \"user\" (id, username) VALUES ('new', 'New'); SELECT purge_user('new'); CREATE TABLE later (a integer); REFRESH MATERIALIZED VIEW instance_summary; ALTER TABLE note ADD x integer; ALTER TABLE note DROP x"
check 'ro2 reads, also tables made later' as ro2 'SELECT count(*) FROM note; SELECT * FROM later; SELECT lo_get(424242)'
check 'ro2 sees what the policy lets it see' test "$(as ro2 'SELECT bool_or("storedInternal") FROM drive_file')" = f
check 'ro2 does not write' refused ro2 'DELETE FROM note'
check 'ro2 does not call the definer function' refused ro2 "SELECT purge_user('u')"
check 'settings of database and role came along' test "$(as mk_prod 'SHOW statement_timeout') $(as ro2 'SHOW default_transaction_read_only')" = '10min on'
check 'strangers may not connect' bash -c "psql -XqAtd mk -c 'CREATE ROLE stranger LOGIN' && ! PGUSER=stranger psql -d mk -c ''"
sql mk 'DROP TABLE later; DROP ROLE stranger'
dump mk | sed 's/mk_prod/misskey/g; s/ro2/reader/g' >"$WORK/mk.sql"
check 'the copy is the original' same "$WORK/misskey.sql" "$WORK/mk.sql"

# What people do instead: --no-owner --no-acl as postgres, into a database that the application owns.
sql postgres 'CREATE DATABASE naive OWNER mk_prod TEMPLATE template0'
"$(pg_bindir 15)/pg_restore" --no-owner --no-acl -d "$(conn naive)" "$WORK/misskey.dump" >"$WORK/naive.log" 2>&1
check 'the naive restore has all rows' test "$(sql naive 'SELECT count(*) FROM note')" = 45000
check 'but the application is shut out' bash -c "! PGUSER=mk_prod psql -XqAt -d naive -c 'SELECT count(*) FROM note' 2>'$WORK/naive.err' && grep -q 'permission denied for table note' '$WORK/naive.err'"
check 'and a definer function runs as the superuser, for anybody' test "$(sql naive "SELECT prosecdef AND proowner = 'postgres'::regrole AND has_function_privilege('ro2', oid, 'EXECUTE') FROM pg_proc WHERE proname = 'purge_user'")" = t

finish
