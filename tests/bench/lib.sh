# shellcheck shell=bash
# Measuring side by side: interleaved rounds, medians, ratios. To be sourced.
set -u
BENCH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$BENCH/../.." && pwd)
. "$BENCH/../tools/pg.sh"
KURA=${KURA_BUILD:-$TOP/build}/cmd/kura/kura
[ -x "$KURA" ] || { echo "\"$KURA\" is not built" >&2; exit 1; }

compile_generator() { gcc -O2 -o "$1" "$BENCH/generate.c" -lm; }

# timed NAME COMMAND...: adds a line "seconds KiB" to $TIMES/NAME; the peak is that of the largest process. The disk's
# queue is emptied first, so that nobody pays for what ran before.
timed() {
    local name=$1 status
    shift
    sync
    /usr/bin/time -o "$TIMES/last" -f '%e %M' "$@" >"$TIMES/out" 2>&1
    status=$?
    if [ $status != 0 ] && [ $status != 3 ]; then # 3: kura is done, and has something to tell
        echo "$name failed:" >&2
        tail -n 20 "$TIMES/out" >&2
        exit 1
    fi
    grep -E '^[0-9.]+ [0-9]+$' "$TIMES/last" >>"$TIMES/$name"
    printf '  %-34s %8s s\n' "$name" "$(tail -n 1 "$TIMES/$name" | cut -d ' ' -f 1)"
}

median() { cut -d ' ' -f 1 "$TIMES/$1" | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
peak_mib() { cut -d ' ' -f 2 "$TIMES/$1" | sort -n | tail -n 1 | awk '{ print int($1 / 1024 + 0.5) }'; }

# goal WHAT VALUE WANTED UNIT: VALUE should be at most WANTED.
goal() { awk -v what="$1" -v value="$2" -v wanted="$3" -v unit="$4" 'BEGIN { printf "%-66s %8.2f %-4s goal %6.2f  %s\n", what, value, unit, wanted, value <= wanted ? "met" : "MISSED" }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { print a / b }'; }
