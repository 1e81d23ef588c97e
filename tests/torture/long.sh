#!/bin/bash
# The long torture: every writing call of every command fails in every way, hundreds of kills, in a directory and on S3,
# power failures, wrong clocks, plain and encrypted. Some hours on two cores; the last line is the verdict.
#
#   bash tests/torture/long.sh [PART...]
#
# KURA_BUILD is the build directory (default build), KURA_TEST_JOBS how many parts run at a time (default 2). What a part
# printed is in the build directory, torture-PART.log.
set -u
cd "$(dirname "$0")/../.." || exit 1
export KURA_BUILD=${KURA_BUILD:-$PWD/build}

# NAME: the counts of tests/it/torture.sh; what is not named is not done. The longest come first.
declare -A part=(
    [faults-prune]='FAULTS=all COMMANDS=prune'
    [faults-backup]='FAULTS=all COMMANDS=backup'
    [faults-copy]='FAULTS=all COMMANDS=copy'
    [faults-repair]='FAULTS=all COMMANDS=repair'
    [kills]='KILLS=150'
    [s3]='S3=30 REFUSALS=all'
    [power]='POWER=60'
    [sealed-kills]='SEALED=1 KILLS=60'
    [sealed-faults]='SEALED=1 FAULTS=200'
    [sealed-s3]='SEALED=1 S3=15'
    [sealed-power]='SEALED=1 POWER=20'
    [clocks]='CLOCKS=1'
)
parts='faults-prune faults-backup kills faults-copy s3 faults-repair power sealed-kills sealed-faults sealed-s3 sealed-power clocks'

run_part() {
    local setting settings=(KURA_TORTURE_{KILLS,S3,FAULTS,REFUSALS,POWER,CLOCKS}"=0") log=$KURA_BUILD/torture-$1.log
    for setting in $2; do settings+=("KURA_TORTURE_$setting"); done
    if env "${settings[@]}" bash tests/it/torture.sh >"$log" 2>&1; then
        echo "ok - $1: $(sed -n 's/^# torture: //p' "$log" | head -n 1)"
    else
        echo "not ok - $1: see $log"
        return 1
    fi
}

# shellcheck disable=SC2086
[ $# != 0 ] || set -- $parts
failed=0 running=0
for name; do
    [ -n "${part[$name]:-}" ] || { echo "long.sh: there is no part \"$name\"; there are $parts" >&2; exit 2; }
    [ $running -lt "${KURA_TEST_JOBS:-2}" ] || { wait -n || failed=$((failed + 1)); running=$((running - 1)); }
    run_part "$name" "${part[$name]}" &
    running=$((running + 1))
done
for ((; running > 0; running--)); do wait -n || failed=$((failed + 1)); done
echo "torture: $(($# - failed)) of $# parts held, $failed did not"
[ $failed = 0 ]
