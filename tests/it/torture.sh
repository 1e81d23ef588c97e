#!/bin/bash
# Backups that are killed, starved of space, that meet failing disks, power failures and clocks that jump: what is in the
# repository stays whole, what was promised is there, the next run works, and nothing is left behind.
#
# How many rounds of each, by environment (0: none of that kind):
#   KURA_TORTURE_KILLS    random instants of each command, in a directory
#   KURA_TORTURE_S3       the same on S3
#   KURA_TORTURE_FAULTS   calls that fail, by chance; "all": each one, in each way
#   KURA_TORTURE_POWER    power failures
#   KURA_TORTURE_SEED     where chance begins
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/torture/site.sh"
. "$TOP/tests/torture/rounds.sh"
. "$TOP/tests/torture/power.sh"
RANDOM=${KURA_TORTURE_SEED:-4711}
TORMENT=$BUILD/tests/torture/libtorment.so
RESTORE_EVERY=10 RESET_EVERY=25

start 15 main
site_make || die 'no site'
mkdir "$WORK/states"
REPO=$WORK/repo ROOTS=$WORK/repo:$WORK/.cache
files=(--files "media=$WORK/media") site=(--db "$(conn site)" "${files[@]}")
SOURCE=("${site[@]}")

# earlier: three backups that must survive everything.
earlier() {
    local n
    kura init --repo "$REPO" || return 1
    for n in 1 2 3; do
        prepare_backup $n && run "${command[@]}" && judge_backup 0 || return 1
        sleep 1.01 # ids of one second have no order
    done
    cp -al "$REPO" "$WORK/base"
}
reset() { rm -rf "$REPO" && cp -al "$WORK/base" "$REPO" && known=$(ids "$REPO"); }

check 'three backups' earlier
check 'restore as they were' restores_some "$REPO"

# rounds NUMBER NAME: killed at that many instants.
rounds() {
    local n
    for ((n = 1; n <= $1; n++)); do
        killed "$2" $((n + 100)) || return 1
        [ $((n % RESTORE_EVERY)) != 0 ] || restores_some "$REPO" || return 1
        [ $((n % RESET_EVERY)) != 0 ] || reset || return 1
    done
    echo "$(sort "$WORK/killed" | uniq -c) were killed in their midst"
    [ "$(wc -l <"$WORK/killed")" -ge $(($1 / 2)) ]
}
kills=${KURA_TORTURE_KILLS:-8}
[ "$kills" = 0 ] || check "backup killed at $kills random instants" rounds "$kills" backup

# Each call that changes something, or as many as wanted, fails in each way, or is the last one.
ways=(ENOSPC ENOSPC+ EDQUOT+ EIO EIO+ short kill killed)
# fault NAME N HOW
fault() { reset && tormented "$@" || { echo ---; bad=$((bad + 1)); }; }
faults() { # faults NAME NUMBER|all
    local n how total bad=0
    local SOURCE=("${files[@]}")
    reset && "prepare_$1" 500 || return 1
    tormented "$1" 1000000 none || return 1
    total=$(grep -aE '^[1-9][0-9]* [a-z0-9]+ ' "$WORK/journal" | tail -n 1 | cut -d ' ' -f 1)
    : >"$WORK/torments"
    if [ "$2" = all ]; then
        for how in "${ways[@]}"; do
            for ((n = 1; n <= total; n++)); do
                fault "$1" $n "$how"
            done
        done
    else
        for ((n = 0; n < $2; n++)); do
            fault "$1" $((RANDOM % total + 1)) "${ways[n % ${#ways[@]}]}"
        done
    fi
    sort "$WORK/torments" | uniq -c
    echo "$bad of $(wc -l <"$WORK/torments") went wrong"
    [ $bad = 0 ]
}
number=${KURA_TORTURE_FAULTS:-16}
[ "$number" = 0 ] || check "backup with $number failing calls" faults backup "$number"

# Power failures.
modes=(lost random names zeros)
power() {
    local n size SOURCE=("${files[@]}")
    size=$(powerloss size "$WORK/power.journal")
    power_lost "$size" lost || return 1
    for ((n = 0; n < $1; n++)); do
        power_lost $((RANDOM % size + 1)) "${modes[n % ${#modes[@]}]}" || return 1
    done
}
number=${KURA_TORTURE_POWER:-12}
if [ "$number" != 0 ]; then
    reset
    check 'backups are recorded' record_backup
    check 'the record is complete' complete
    check "the power fails at $number instants of backups" power "$number"
fi

finish
