#!/bin/bash
# kura against pg_dump and pg_restore of the same major with many tables, side by side, interleaved. Prints medians, peak
# memory, ratios and the goals.
#
#   manytables.sh [--dir DIR] [--keep] [--rounds N] [--tables N]
#
# See db.sh for DIR and --keep; with another count of tables DIR must be another one too.
. "$(dirname "$0")/lib.sh"

tables=10000
bench_options tables '' "$@"
bench_begin

[ -d "$dir/data" ] || cluster_init 15 "$dir" || exit 1
cluster_run 15 bench "$dir" -c shared_buffers=512MB -c max_wal_size=4GB -c max_locks_per_transaction=1024 || exit 1
use bench
if [ "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname = 'many'")" = 0 ]; then
    echo "making $tables tables (once with --keep)"
    sql postgres 'CREATE DATABASE making'
    psql -XqAt -v ON_ERROR_STOP=1 -v "tables=$tables" -d making -f "$BENCH/../it/sql/manytables.sql" >/dev/null || exit 1
    sql making 'VACUUM ANALYZE'
    sql postgres 'ALTER DATABASE making RENAME TO many'
    sql postgres CHECKPOINT
fi
bin=$(pg_bindir 15) repo=$work/repo
echo "$(sql many "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384") tables, $(nproc) cores, $rounds rounds; medians below"

fresh_database() {
    psql -Xqd postgres -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS copy'
    [ "${1:-}" = none ] || sql postgres 'CREATE DATABASE copy TEMPLATE template0'
    sql postgres CHECKPOINT
}
for ((round = 1; round <= rounds; round++)); do
    echo "round $round"
    rm -rf "$work/fd" "$repo"
    "$KURA" init --repo "$repo" >/dev/null || exit 1
    timed 'kura backup' "$KURA" -q backup --repo "$repo" --db "$(conn many)" --jobs 2
    first=$(find "$repo/blobs" -type f | wc -l)
    timed 'pg_dump -Fd -j2' "$bin/pg_dump" -Fd -j2 -f "$work/fd" many
    timed 'kura backup, nothing changed' "$KURA" -q backup --repo "$repo" --db "$(conn many)" --jobs 2
    second=$(($(find "$repo/blobs" -type f | wc -l) - first))
    timed 'kura list' "$KURA" list --repo "$repo"
    timed 'kura show --tables' "$KURA" show latest --tables --repo "$repo"
    timed 'kura verify --read-data' "$KURA" -q verify --read-data --repo "$repo"
    fresh_database
    timed 'pg_restore -j2' "$bin/pg_restore" -j2 -d "$(conn copy)" "$work/fd"
    fresh_database none
    timed 'kura restore --no-verify' "$KURA" -q restore latest --repo "$repo" --db "$(conn copy)" --jobs 2 --no-verify
    fresh_database none
    timed 'kura restore' "$KURA" -q restore latest --repo "$repo" --db "$(conn copy)" --jobs 2
    timed 'kura audit' "$KURA" -q audit --repo "$repo" --backup latest --db "$(conn copy)"
    fresh_database none
    timed 'kura rehearse' "$KURA" -q rehearse latest --repo "$repo" --server "$(conn postgres)" --jobs 2
    timed 'kura verify' "$KURA" -q verify --repo "$repo"
    timed 'kura prune' "$KURA" -q prune --keep-last 1 --grace 0 --repo "$repo"
done
fresh_database none
echo
print_times
echo
echo "blobs: $first the first night, $second more the second; $(find "$work/fd" -type f | wc -l) files of pg_dump"
goal 'kura backup / pg_dump -Fd -j2' "$(ratio "$(median 'kura backup')" "$(median 'pg_dump -Fd -j2')")" 1.2 x
goal 'kura restore, rows read back, ANALYZE, audit / pg_restore -j2' "$(ratio "$(median 'kura restore')" "$(median 'pg_restore -j2')")" 1.2 x
goal 'kura restore --no-verify / pg_restore -j2' "$(ratio "$(median 'kura restore --no-verify')" "$(median 'pg_restore -j2')")" 1.2 x
for name in 'kura backup' 'kura restore' 'kura list' 'kura show --tables' 'kura verify --read-data' 'kura audit' 'kura rehearse' 'kura verify' \
    'kura prune'; do
    goal "$name, peak memory" "$(peak_mib "$name")" 256 MiB
done
