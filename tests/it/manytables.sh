#!/bin/bash
# Many tables, and odd ones: little memory, few objects in the repository, and a lock table that is too small is told
# beforehand, with the figure to set.
#
# KURA_TABLES=10000 for the full count.
. "$(dirname "$0")/lib.sh"

tables=${KURA_TABLES:-1500}
# 10 makes room for 10 * 60 locks, and for some more as long as memory lasts. The full count meets PostgreSQL's own
# settings, 64 * 122.
small=(-c max_connections=40 -c max_wal_senders=8 -c max_worker_processes=8 -c max_locks_per_transaction=10)
[ "$tables" -gt 5000 ] && locks=() || locks=("${small[@]}")
start 15 main "${locks[@]}"
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
createdb_as many
sql_file many manytables.sql -v "tables=$tables" >"$WORK/many.log" 2>&1 || { tail "$WORK/many.log"; die 'the tables could not be made'; }
all=$(sql many "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384")
setting() { sql postgres 'SHOW max_locks_per_transaction'; }
wanted() { sed -nE 's/.*max_locks_per_transaction to at least ([0-9]+) .*/\1/p' "$WORK/err" | head -n 1; }
restart() { # restart: with the figure that kura gave
    wanted=$(wanted)
    cluster_stop main
    cluster_run 15 main "$WORK/main" -c fsync=off -c full_page_writes=off -c max_wal_size=4GB "${locks[@]}" -c "max_locks_per_transaction=$wanted" ||
        die 'the server could not be started again'
}
within() { # within MIB COMMAND...: at most so much memory
    /usr/bin/time -o "$WORK/time" -f %M env HOME="$WORK" TMPDIR="$WORK/tmp" timeout --foreground -k 60 1800 "$KURA" "${@:2}" >"$WORK/out" 2>"$WORK/err"
    local status=$?
    cat "$WORK/out" "$WORK/err" "$WORK/time"
    { [ $status = 0 ] || [ $status = 3 ]; } && [ "$(tail -n 1 "$WORK/time")" -lt $(($1 * 1024)) ]
}

# ---- a lock table that is too small ----
check 'backup: locks that do not fit are told before it starts' status_is 1 kura backup --repo "$repo" --db "$(conn many)"
check 'with what to set' says "ALTER SYSTEM SET max_locks_per_transaction = [0-9]+"
check 'nothing was stored' test -z "$(find "$repo/blobs" "$repo/backups" -type f 2>/dev/null)"
check 'and what it is now' says "\(now $(setting)\)"
restart
check "the figure is enough ($wanted)" within 256 backup --repo "$repo" --db "$(conn many)" --jobs 2
check 'without a warning' test -z "$(wanted)"
id=$(latest "$repo")

# ---- as they were ----
check 'digests equal those of pg_dump' digests_agree "$repo" "$id" many
check 'the manifest has every table' test "$(jq '.database.tables | length' "$(manifest "$repo" "$id")")" -ge $((tables - tables / 100))
objects=$(find "$repo/blobs" -type f | wc -l)
echo "# $all tables, $objects blobs"
check 'a blob holds some thirty tables' test "$objects" -lt $((all / 20))
check 'an empty table has none' test "$(jq '[.database.tables[] | select(.rows == 0) | .segments[]] | length' "$(manifest "$repo" "$id")")" = 0
check 'a night without changes' within 256 backup --repo "$repo" --db "$(conn many)" --jobs 2
check 'adds nothing but the table of contents' test "$(find "$repo/blobs" -type f | wc -l)" -le $((objects + 2))
sql many 'INSERT INTO part_0.table_1 (id, name) VALUES (1000, 1000)'
check 'a night with a row' within 256 backup --repo "$repo" --db "$(conn many)" --jobs 2
check 'adds one bundle' test "$(find "$repo/blobs" -type f | wc -l)" -le $((objects + 4))
check 'list' within 256 list --repo "$repo"
check 'show' within 256 show "$id" --tables --repo "$repo"
check 'verify reads all of it' within 256 verify --repo "$repo" --read-data --json
check 'every table is proven' jq -e '.verify | .tables == .tables_proven and .missing + .damaged == 0' "$WORK/out"

check 'restore' within 256 restore "$id" --repo "$repo" --db "$(conn copy)" --jobs 2
check 'all rows are read back' says "$(jq '.database.tables | length' "$(manifest "$repo" "$id")" | sed 's/\B[0-9]\{3\}$/,&/') of [0-9,]+ tables read back"
sql many 'DELETE FROM part_0.table_1 WHERE id = 1000'
dump many >"$WORK/a"
dump copy >"$WORK/b"
check 'the copy is the original' same "$WORK/a" "$WORK/b"
check 'audit' within 256 audit --repo "$repo" --backup "$id" --db "$(conn copy)"
sql postgres 'DROP DATABASE copy'
check 'rehearse' within 256 rehearse latest --repo "$repo" --server "$(conn postgres)" --jobs 2
check 'export' within 256 export "$id" "$WORK/out.d" --repo "$repo"
check 'pg_restore reads it' "$(pg_bindir 15)/pg_restore" -l "$WORK/out.d/database"
rm -rf "$WORK/out.d" "$WORK/a" "$WORK/b"

# ---- a table that somebody is about to change, in the middle of a bundle ----
psql -Xq -d "$(conn many)" -c 'BEGIN' -c 'LOCK TABLE part_0.table_7 IN ROW EXCLUSIVE MODE' -c "INSERT INTO part_0.table_7 (id, name) VALUES (999, 'x')" -c 'SELECT pg_sleep(2)' -c COMMIT >/dev/null &
holder=$!
check 'while a table is written to' status_is '0|3' kura backup --repo "$repo" --db "$(conn many)" --jobs 2
wait $holder

# ---- restore into a server whose lock table is too small ----
start 15 small "${small[@]}"
before=$(databases)
check 'restore: locks that do not fit are told before it starts' status_is 1 kura restore "$id" --repo "$repo" --db "$(conn copy)"
check 'with what to set there' says 'ALTER SYSTEM SET max_locks_per_transaction = [0-9]+'
check 'nothing was made' nothing_left "$before"
check 'a plan tells it too' status_is '0|1|3' kura restore "$id" --repo "$repo" --db "$(conn copy)" --plan
check 'with the same figure' test -n "$(wanted)$(sed -nE 's/.*max_locks_per_transaction to at least ([0-9]+) .*/\1/p' "$WORK/out")"
cluster_stop small

# ---- names that differ in case or quotes alone, many schemas, many columns ----
use main
createdb_as odd
psql -Xq -v ON_ERROR_STOP=1 -d "$(conn odd)" >/dev/null <<'SQL' || die 'the odd tables could not be made'
SET client_min_messages = warning;
SELECT format('CREATE TABLE %s (a text); INSERT INTO %1$s VALUES (%L)', t, t) FROM unnest(ARRAY['site', '"Site"', '"SITE"', '"""site"""',
    '"si.te"', '"''site''"', '"site "', '" site"', '"sit\e"', '"sité"', '"s""i""t""e"', '"site
e"', '"%s"', '"select"']) t \gexec
SELECT format('CREATE TABLE wide (%s)', string_agg(format('c%s int', n), ', ')) FROM generate_series(1, 1600) n \gexec
SELECT format('INSERT INTO wide VALUES (%s)', string_agg(n::text, ', ')) FROM generate_series(1, 1600) n \gexec
SELECT format('CREATE SCHEMA "schema %s"; CREATE TABLE "schema %1$s".t (a int); INSERT INTO "schema %1$s".t VALUES (%1$s)', n) FROM generate_series(1, 1000) n \gexec
CREATE SCHEMA a; CREATE TABLE a."b.c" (x text); INSERT INTO a."b.c" VALUES ('a."b.c"');
CREATE SCHEMA "a.b"; CREATE TABLE "a.b".c (x text); INSERT INTO "a.b".c VALUES ('"a.b".c');
SQL
check 'odd: backup' within 256 backup --repo "$repo" --db "$(conn odd)" --jobs 2 --app odd
odd=$(latest "$repo")
check 'odd: every row is in the backup' test "$(jq '[.database.tables[].rows] | add' "$(manifest "$repo" "$odd")")" = 1017
check 'odd: restore' within 256 restore "$odd" --repo "$repo" --db "$(conn odd2)" --jobs 2
dump odd >"$WORK/a"
dump odd2 >"$WORK/b"
check 'odd: the copy is the original' same "$WORK/a" "$WORK/b"

# A database without a table is in empty.sh.
finish
