# shellcheck shell=bash
# Measuring side by side: interleaved rounds, medians, ratios. To be sourced.
set -u
BENCH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$BENCH/../.." && pwd)
. "$BENCH/../tools/pg.sh"
BUILD=${KURA_BUILD:-$TOP/build}
KURA=$BUILD/cmd/kura/kura
export KURA_STATE_DIR=$KURA_TEST_CACHE/bench-run-state # and not that of this host
[ -x "$KURA" ] || { echo "\"$KURA\" is not built" >&2; exit 1; }

dir='' keep=0 rounds=3 parts=()

# bench_options NAMES PARTS ARG...: --dir DIR, --keep and --rounds N, which every benchmark takes; --NAME VALUE for each of
# NAMES, variables that hold their defaults; and any of PARTS, which go into `parts`: all of them when none is named.
bench_options() {
    local names=" dir rounds $1 " all=$2
    shift 2
    while [ $# -gt 0 ]; do
        if [ "$1" = --keep ]; then
            keep=1
        elif [[ $1 == --* && "$names" == *" ${1#--} "* && $# -gt 1 ]]; then
            printf -v "${1#--}" %s "$2"
            shift
        elif [[ " $all " == *" $1 "* ]]; then
            parts+=("$1")
        else
            echo "$(basename "$0"): what is \"$1\"?" >&2
            exit 2
        fi
        shift
    done
    [ ${#parts[@]} -gt 0 ] || read -ra parts <<<"$all"
}

# Makes $dir, $TIMES and an empty $work, which go, with the servers, on every way out; $dir stays with --keep.
bench_begin() {
    [ -n "$dir" ] || dir=$(mktemp -d /tmp/kura-bench.XXXXXX)
    mkdir -p "$dir"
    chmod 755 "$dir"
    TIMES=$(mktemp -d)
    work=$dir/work
    trap bench_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    rm -rf "$work"
    mkdir "$work"
}
bench_end() {
    bench_stop
    clusters_stop
    rm -rf "$TIMES" "$work"
    [ $keep = 1 ] || rm -rf "$dir"
}
bench_stop() { :; } # a benchmark that has started more redefines it

compile_generator() { gcc -O2 -o "$1" "$BENCH/generate.c" -lm; }

conn() { echo "host=$PGHOST user=$PGUSER dbname=$1"; }
sql() { psql -XqAt -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }

# bench_database DIR WORK SCALE: PostgreSQL 15 with settings near Debian's on the cluster in DIR, and a database "bench" in
# it. What is there already is used as it is.
bench_database() {
    local table
    [ -d "$1/data" ] || cluster_init 15 "$1" || exit 1
    cluster_run 15 bench "$1" -c shared_buffers=512MB -c max_wal_size=4GB || exit 1
    use bench
    if [ "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname = 'bench'")" = 0 ]; then
        echo "making the data (once with --keep)"
        compile_generator "$2/generate" || exit 1
        sql postgres 'CREATE DATABASE making'
        psql -Xq -v ON_ERROR_STOP=1 -d making -f "$BENCH/tables.sql" || exit 1
        for table in accounts statuses favourites deliveries; do
            "$2/generate" $table "$3" | psql -Xq -v ON_ERROR_STOP=1 -d making -c "\\copy $table from stdin" || exit 1
        done
        psql -Xq -v ON_ERROR_STOP=1 -d making -f "$BENCH/indexes.sql" >/dev/null || exit 1
        sql postgres 'ALTER DATABASE making RENAME TO bench'
    fi
}

# bench_media DIR WORK FILES MIB: the files of DIR/media, unless they are there.
bench_media() {
    [ ! -d "$1/media" ] || return 0
    echo 'making the files (once with --keep)'
    compile_generator "$2/generate" || exit 1
    rm -rf "$1/media.new"
    mkdir "$1/media.new"
    "$2/generate" media "$1/media.new" "$3" "$4" || exit 1
    mv "$1/media.new" "$1/media"
}

# timed NAME COMMAND...: adds a line "seconds KiB CPU-seconds" to $TIMES/NAME; the peak is that of the largest process. The disk's
# queue is emptied first, so that nobody pays for what ran before.
timed() {
    local name=$1 status
    shift
    sync
    /usr/bin/time -o "$TIMES/last" -f '%e %M %U %S' "$@" >"$TIMES/out" 2>&1
    status=$?
    if [ $status != 0 ] && [ $status != 3 ]; then # 3: kura is done, and has something to tell
        echo "$name failed:" >&2
        tail -n 20 "$TIMES/out" >&2
        exit 1
    fi
    awk 'NF == 4 && /^[0-9. ]+$/ { print $1, $2, $3 + $4 }' "$TIMES/last" >>"$TIMES/$name"
    printf '  %-34s %8s s\n' "$name" "$(tail -n 1 "$TIMES/$name" | cut -d ' ' -f 1)"
}

# Everything that was timed, a line each.
print_times() {
    local name
    for name in "$TIMES"/*; do
        [ "${name##*/}" = last ] || [ "${name##*/}" = out ] || printf '%-36s %8.2f s  %8.2f s of CPU  %5d MiB\n' "${name##*/}" "$(median "${name##*/}")" "$(median "${name##*/}" 3)" "$(peak_mib "${name##*/}")"
    done
}

# median NAME [FIELD]
median() { cut -d ' ' -f "${2:-1}" "$TIMES/$1" | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
peak_mib() { cut -d ' ' -f 2 "$TIMES/$1" | sort -n | tail -n 1 | awk '{ print int($1 / 1024 + 0.5) }'; }

# goal WHAT VALUE WANTED UNIT: VALUE should be at most WANTED.
goal() { awk -v what="$1" -v value="$2" -v wanted="$3" -v unit="$4" 'BEGIN { printf "%-66s %8.2f %-4s goal %6.2f  %s\n", what, value, unit, wanted, value <= wanted ? "met" : "MISSED" }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { print a / b }'; }
