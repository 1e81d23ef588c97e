#!/bin/bash
# What a whole rehearsal costs beside the restore alone, on the same server, interleaved: about 1.9 GB of rows and 500 MiB
# of files. Prints medians, the ratio and the goals. Needs tests/packages.sh bench and 8 GB of disk.
#
#   rehearse.sh [--dir DIR] [--keep] [--rounds N] [--jobs N] [--scale S]
#
# DIR and --keep as for db.sh, whose data is used when it is there.
. "$(dirname "$0")/lib.sh"

scale=1 jobs=1
bench_options 'scale jobs' '' "$@"
bench_begin

bench_database "$dir" "$work" "$scale"
bench_media "$dir" "$work" 5000 500
repo=$work/repo
"$KURA" init --repo "$repo" >/dev/null || exit 1
"$KURA" backup --repo "$repo" --db "$(conn bench)" --files "media=$dir/media" --no-progress >/dev/null || exit 1
echo "database: $(sql bench "SELECT pg_size_pretty(pg_database_size('bench'))"), $(nproc) cores, $rounds rounds, --jobs $jobs; medians below"
for _ in $(seq "$rounds"); do
    timed restore "$KURA" restore latest --repo "$repo" --db "$(conn copy)" --jobs "$jobs" --no-progress
    sql postgres 'DROP DATABASE copy'
    timed rehearse "$KURA" rehearse latest --repo "$repo" --server "$(conn postgres)" --jobs "$jobs" --nice 1 --no-progress
done
cat "$TIMES/out"
print_times
goal 'rehearse / restore' "$(ratio "$(median rehearse)" "$(median restore)")" 1.5 ''
goal 'peak memory of a rehearsal' "$(peak_mib rehearse)" 256 MiB
