#!/bin/bash
# kura against pg_dump and pg_restore, side by side on the same server, interleaved: about 1.9 GB of rows in PostgreSQL
# 15 with settings near Debian's. Prints medians, ratios and the goals. Needs tests/packages.sh bench and 12 GB of disk.
#
#   db.sh [--dir DIR] [--keep] [--rounds N] [backup|restore|night]...
#
# The cluster is made in DIR (default: a temporary directory); with --keep it stays there, stopped, and the next run
# uses its data again. --scale S makes S times the rows, for trying this script out.
. "$(dirname "$0")/lib.sh"

scale=1
bench_options scale 'backup restore night' "$@"
bench_begin

pg_prepare 17 || exit 1
bench_database "$dir" "$work" "$scale"
bin15=$(pg_bindir 15) bin17=$(pg_bindir 17)
echo "database: $(sql bench "SELECT pg_size_pretty(pg_database_size('bench'))"), $(nproc) cores, $rounds rounds; medians below"

repo=$work/repo
fresh_repo() { rm -rf "$repo" && "$KURA" init --repo "$repo" >/dev/null; }
kura_backup() { timed "$1" "$KURA" -q backup --repo "$repo" --db "$(conn "$2")" --jobs 2 --app "$2"; }

# Files of the last round stay, for the restores.
backups() {
    rm -rf "$work/fc" "$work/fd-gzip" "$work/fd-zstd"
    fresh_repo
    kura_backup 'kura backup' bench
    timed 'pg_dump -Fc' "$bin15/pg_dump" -Fc -f "$work/fc" bench
    timed 'pg_dump -Fd -j2 -Z1' "$bin15/pg_dump" -Fd -j2 -Z1 -f "$work/fd-gzip" bench
    timed 'pg_dump 17 -Fd -j2 zstd:1' "$bin17/pg_dump" -Fd -j2 --compress=zstd:1 -f "$work/fd-zstd" bench
}

fresh_database() {
    psql -Xqd postgres -c 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS $1"
    [ "${2:-}" = none ] || sql postgres "CREATE DATABASE $1 TEMPLATE template0"
    sql postgres CHECKPOINT
}
# On a server of 15 pg_restore 17 always has an error that is none: it sets transaction_timeout.
restore17='"$1"/pg_restore -j2 -d "$2" "$3" 2>"$4" || ! grep "error:" "$4" | grep -v transaction_timeout'
restores() {
    fresh_database copy
    timed 'pg_restore -j2' "$bin15/pg_restore" -j2 -d "$(conn copy)" "$work/fd-gzip"
    timed 'ANALYZE' psql -Xqd copy -c ANALYZE
    fresh_database copy none
    timed 'kura restore --no-verify' "$KURA" -q restore latest --repo "$repo" --db "$(conn copy)" --no-verify
    fresh_database copy
    timed 'pg_restore 17 -j2 (zstd)' sh -c "$restore17" sh "$bin17" "$(conn copy)" "$work/fd-zstd" "$work/errors"
    fresh_database copy none
    timed 'kura restore, rows read back' "$KURA" -q restore latest --repo "$repo" --db "$(conn copy)"
    fresh_database copy none
}

nights() {
    local first second
    fresh_repo
    fresh_database night none
    sql postgres 'CREATE DATABASE night TEMPLATE bench'
    kura_backup 'night one' night
    psql -Xq -v ON_ERROR_STOP=1 -d night -f "$BENCH/night.sql" || exit 1
    kura_backup 'night two' night
    sql postgres 'DROP DATABASE night'
    first=$(stored 1) second=$(stored 2)
    echo
    echo "night one stored $((first / 1048576)) MiB, night two $((second / 1048576)) MiB (1 % of rows appended, 1 % changed, 0.2 % deleted)"
    goal 'stored on night two / night one' "$(ratio "$((second * 100))" "$first")" 12 '%'
    goal 'time of night two / night one' "$(ratio "$(median 'night two')" "$(median 'night one')")" 1 x
}
stored() { find "$repo/backups" -name '*.json' | sort | sed -n "$1p" | xargs jq .stored_new; }

has() { [[ " ${parts[*]} " == *" $1 "* ]]; }
if has backup || has restore; then
    for ((round = 1; round <= rounds; round++)); do
        echo "round $round"
        if has backup || [ $round = 1 ]; then
            backups
        fi
        if has restore; then
            restores
        fi
    done
    echo
    print_times
    echo
    # shellcheck disable=SC2046,SC2183
    printf 'sizes in MiB: kura %s, -Fc %s, -Fd -Z1 %s, -Fd zstd:1 %s\n\n' $(du -sm "$repo" "$work/fc" "$work/fd-gzip" "$work/fd-zstd" | cut -f 1)
    kura=$(median 'kura backup')
    goal 'kura backup / pg_dump -Fc' "$(ratio "$kura" "$(median 'pg_dump -Fc')")" 0.25 x
    goal 'kura backup / pg_dump -Fd -j2 -Z1' "$(ratio "$kura" "$(median 'pg_dump -Fd -j2 -Z1')")" 0.65 x
    goal 'kura backup / pg_dump 17 -Fd -j2 --compress=zstd:1' "$(ratio "$kura" "$(median 'pg_dump 17 -Fd -j2 zstd:1')")" 0.9 x
    goal 'kura backup, peak memory' "$(peak_mib 'kura backup')" 256 MiB
fi
if has restore; then
    kura=$(median 'kura restore --no-verify')
    best=$(printf '%s\n' "$(median 'pg_restore -j2')" "$(median 'pg_restore 17 -j2 (zstd)')" | sort -n | head -n 1)
    both=$(awk -v a="$best" -v b="$(median ANALYZE)" 'BEGIN { print a + b }')
    checked=$(median 'kura restore, rows read back')
    goal 'kura restore, with ANALYZE and all rows read back / best pg_restore -j2' "$(ratio "$checked" "$best")" 0.9 x
    goal 'kura restore --no-verify, with ANALYZE / best pg_restore -j2' "$(ratio "$kura" "$best")" 0.9 x
    goal 'kura restore --no-verify, with ANALYZE / best pg_restore -j2 and ANALYZE' "$(ratio "$kura" "$both")" 0.9 x
    goal 'kura restore, peak memory' "$(peak_mib 'kura restore, rows read back')" 256 MiB
fi
if has night; then
    nights
fi
