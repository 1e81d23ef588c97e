#!/bin/bash
# Restores that used to end badly in small ways: what stands at the edge of a section, of a time zone, of a name.
. "$(dirname "$0")/lib.sh"

start 15 main -c timezone=Asia/Tokyo
createdb_as site
sql postgres 'CREATE ROLE app LOGIN'
sql site "SET ROLE app; RESET ROLE;
    CREATE TABLE big (id int CONSTRAINT big_key PRIMARY KEY, t text);
    INSERT INTO big SELECT i, repeat('x', 990) FROM generate_series(1, 40000) i;
    COMMENT ON CONSTRAINT big_key ON big IS 'kept';
    CREATE INDEX big_t ON big (left(t, 8), id);
    COMMENT ON INDEX big_t IS 'kept, too';
    CREATE TABLE days (at timestamptz, day date, CHECK (day = at::date));
    INSERT INTO days SELECT at, at::date FROM generate_series('2026-01-01'::timestamptz, '2026-01-31', '1 hour') at;
    ALTER TABLE big OWNER TO app; ALTER TABLE days OWNER TO app;
    GRANT CREATE ON SCHEMA public TO app;
    ALTER DATABASE site IS_TEMPLATE true;
    ALTER DATABASE site CONNECTION LIMIT 7"
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
check 'backup' status_is 0 kura backup --repo "$repo" --db "$(conn site)"
before=$(databases)

check 'a mistyped role for the probe is found first' status_is 1 kura restore latest --repo "$repo" --db "$(conn copy)" --app-role ap
check 'and named' says '"ap".*does not exist'
check 'and nothing is left' nothing_left "$before"
long=$(printf 'x%.0s' {1..64})
check 'a name that PostgreSQL would cut is refused' status_is 2 kura restore latest --repo "$repo" --db "dbname=$long host=$PGHOST user=$PGUSER"

check 'restore' status_is 0 kura restore latest --repo "$repo" --db "$(conn copy)" --app-role app --jobs 2
dump site >"$WORK/site.sql"
dump copy >"$WORK/copy.sql"
check 'the copy is the original, comments of early indexes too' same "$WORK/site.sql" "$WORK/copy.sql"
check 'template and limit came along' test "$(sql postgres "SELECT datistemplate, datconnlimit FROM pg_database WHERE datname = 'copy'")" = 't|7'

# A database that is called like the one that kura would connect to.
check 'restore as postgres' status_is '0|3' kura restore latest --repo "$repo" --db "$(conn postgres)" --app-role app
check 'it has the rows' test "$(PGDATABASE=template1 psql -XqAt -d "$(conn postgres)" -c 'SELECT count(*) FROM big')" = 40000
check 'what was there is kept' test "$(psql -XqAt -d "$(conn template1)" -c "SELECT count(*) FROM pg_database WHERE datname LIKE 'postgres_before_%'")" = 1

# A pg_restore that dies behind an error that is known to be harmless.
mkdir "$WORK/bin"
cat >"$WORK/bin/pg_restore" <<END
#!/bin/sh
case " \$* " in
*' --section=post-data '*) echo 'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"' >&2; kill -9 \$\$ ;;
esac
exec '$(pg_bindir 15)/pg_restore' "\$@"
END
chmod 755 "$WORK/bin/pg_restore"
ln -s "$(pg_bindir 15)/pg_dump" "$WORK/bin/pg_dump"
before=$(databases)
check 'a killed pg_restore is a failure' status_is 1 kura restore latest --repo "$repo" --db "$(conn dead)" --pg-bindir "$WORK/bin"
check 'that leaves nothing' nothing_left "$before"

# A role that may not give objects to others learns so before anything is made.
sql postgres 'CREATE ROLE maker LOGIN CREATEDB'
check 'restore by a role without rights on the owner' status_is 1 kura restore latest --repo "$repo" --db "host=$PGHOST user=maker dbname=made"
check 'tells so' says 'maker.*may not give objects to role "app"'
check 'and leaves nothing' nothing_left "$before"
finish
