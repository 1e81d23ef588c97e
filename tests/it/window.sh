#!/bin/bash
# Between the snapshot and pg_dump's table of contents, somebody truncates or rewrites a table. pg_dump alone would then
# dump it empty, without an error.
. "$(dirname "$0")/lib.sh"

start 15 main
createdb_as site
sql site 'CREATE TABLE victim AS SELECT n, n::text AS t FROM generate_series(1, 1000) n; CREATE TABLE other AS SELECT 1 AS a'
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'

# A pg_dump that lets something happen first; its connection waits at most a second for a lock.
mkdir "$WORK/bin"
cat >"$WORK/bin/pg_dump" <<END
#!/bin/sh
case " \$* " in
*' --version '* | *' -V '*) ;;
*) env PGHOST='$PGHOST' PGUSER=postgres PGOPTIONS='-c lock_timeout=1s' psql -Xq -d site -f '$WORK/meanwhile.sql' >>'$WORK/meanwhile.log' 2>&1 ;;
esac
exec '$(pg_bindir 15)/pg_dump' "\$@"
END
ln -s "$(pg_bindir 15)/pg_restore" "$(pg_bindir 15)/psql" "$WORK/bin/"
chmod 755 "$WORK/bin/pg_dump"

rows() { jq -r ".database.tables[] | select(.name == \"$1\") | .rows" "$(manifest "$repo" "$(latest "$repo")")"; }
during() { # during NAME STATEMENT TABLE [OPTION]: backup while STATEMENT runs; TABLE must be there with its 1,000 rows
    echo "$2" >"$WORK/meanwhile.sql"
    : >"$WORK/meanwhile.log"
    check "$1: backup" status_is '0|3' kura backup --repo "$repo" --db "$(conn site)" --pg-bindir "$WORK/bin" --app "$1" "${@:4}"
    check "$1: something did happen" test -s "$WORK/meanwhile.log"
    check "$1: all rows are in the backup" test "$(rows "$3")" = 1000
    check "$1: restore" status_is '0|3' kura restore latest --repo "$repo" --app "$1" --db "$(conn copy)"
    check "$1: all rows came back" test "$(sql copy "SELECT count(*) FROM $3")" = 1000
    sql postgres 'DROP DATABASE copy'
    sql site 'DROP TABLE victim; CREATE TABLE victim AS SELECT n, n::text AS t FROM generate_series(1, 1000) n'
}
during truncate '\echo here
TRUNCATE victim;' victim
check 'the lock that kura holds kept the TRUNCATE out' grep -q 'lock timeout' "$WORK/meanwhile.log"
during rewrite '\echo here
ALTER TABLE victim ALTER t TYPE integer USING t::integer;' victim
during stream '\echo here
TRUNCATE victim;' victim --pg-dump-stream

# A table that appears in this window is in the snapshot or is not; one that is both new and truncated is found out by
# its file. Tables come and go all the time here, in later rounds more slowly, so that one of the backups succeeds; a log
# in the same transaction tells which are empty by right.
psql -Xq -v ON_ERROR_STOP=1 -d site <<'SQL' || die 'the churn could not be prepared'
CREATE TABLE made (name text);
CREATE TABLE emptied (name text);
CREATE PROCEDURE churn(round integer) LANGUAGE plpgsql AS $$
DECLARE
    n integer := 0;
BEGIN
    LOOP
        n := n + 1;
        PERFORM pg_sleep((round - 1) * 0.2);
        EXECUTE format('CREATE TABLE churn_%s_%s AS SELECT generate_series(1, 1000) AS i', round, n);
        INSERT INTO made VALUES (format('churn_%s_%s', round, n));
        COMMIT;
        BEGIN
            EXECUTE format('TRUNCATE churn_%s_%s', round, greatest(n - 4, 1));
            INSERT INTO emptied VALUES (format('churn_%s_%s', round, greatest(n - 4, 1)));
        EXCEPTION WHEN lock_not_available THEN NULL;
        END;
        COMMIT;
        CONTINUE WHEN n <= 40;
        BEGIN
            EXECUTE format('DROP TABLE churn_%s_%s', round, n - 40);
            DELETE FROM made WHERE name = format('churn_%s_%s', round, n - 40);
        EXCEPTION WHEN lock_not_available OR undefined_table THEN NULL;
        END;
        COMMIT;
    END LOOP;
END $$;
SQL
echo 'SELECT pg_sleep(0.3);' >"$WORK/meanwhile.sql"
wrongly_empty() { # tables of the restored database whose rows or existence the log does not explain
    sql copy "SELECT relname FROM pg_class c LEFT JOIN made m ON m.name = relname WHERE relname LIKE 'churn%' AND (m.name IS NULL OR
                  (xpath('/row/c/text()', query_to_xml('SELECT count(*) AS c FROM ' || relname, false, true, '')))[1]::text::int
                  <> CASE WHEN relname IN (SELECT name FROM emptied) THEN 0 ELSE 1000 END)
              UNION ALL SELECT name FROM made WHERE to_regclass(name) IS NULL"
}
for round in 1 2 3 4; do
    PGOPTIONS='-c lock_timeout=100ms' PGAPPNAME=churn psql -Xq -d site -c "CALL churn($round)" >/dev/null 2>&1 &
    # A backup that gives up because the tables never stop moving is right as well; one that lies is not.
    check "tables come and go, round $round: backup, or a clear refusal" status_is '0|1|3' \
        kura backup --repo "$repo" --db "$(conn site)" --pg-bindir "$WORK/bin" --app "churn$round"
    sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'churn'" >/dev/null
    wait %%
    [ -e "$(manifest "$repo" "-churn$round-")" ] || continue
    check "round $round: restore" status_is '0|3' kura restore latest --repo "$repo" --app "churn$round" --db "$(conn copy)"
    check "round $round: no table is empty without right" test -z "$(wrongly_empty)"
    sql postgres 'DROP DATABASE IF EXISTS copy'
done
check 'at least one backup was made beside the churn' test -n "$(find "$repo/backups" -name '*-churn*')"

finish
