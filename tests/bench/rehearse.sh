#!/bin/bash
# What a whole rehearsal costs beside the restore alone, on the same server, interleaved: about 1.9 GB of rows and 500 MiB
# of files. Prints medians, the ratio and the goals. Needs tests/packages.sh bench and 8 GB of disk.
#
#   rehearse.sh [--dir DIR] [--keep] [--rounds N] [--jobs N] [--scale S]
#
# DIR and --keep as for db.sh, whose data is used when it is there.
. "$(dirname "$0")/lib.sh"

dir='' keep=0 rounds=3 scale=1 jobs=1
while [ $# -gt 0 ]; do
    case $1 in
    --dir) dir=$2 && shift ;;
    --keep) keep=1 ;;
    --rounds) rounds=$2 && shift ;;
    --jobs) jobs=$2 && shift ;;
    --scale) scale=$2 && shift ;;
    *) echo "rehearse.sh: what is \"$1\"?" >&2 && exit 2 ;;
    esac
    shift
done
[ -n "$dir" ] || dir=$(mktemp -d /tmp/kura-bench.XXXXXX)
mkdir -p "$dir"
chmod 755 "$dir"
TIMES=$(mktemp -d)
work=$dir/work
finish() {
    clusters_stop
    rm -rf "$TIMES" "$work"
    [ $keep = 1 ] || rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
rm -rf "$work"
mkdir "$work"

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
