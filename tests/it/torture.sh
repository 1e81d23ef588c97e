#!/bin/bash
# Backups, copies, prunes and repairs that are killed, starved of space, that meet failing disks, power failures and clocks
# that jump: what is in the repository stays whole, what was promised is there, the next run works, and nothing is left
# behind. The last line but one tells how much of that there was; tests/torture/long.sh runs all of it.
#
# How many rounds of each, by environment (0: none of that kind):
#   KURA_TORTURE_KILLS      random instants of each command, in a directory
#   KURA_TORTURE_S3         the same on S3
#   KURA_TORTURE_FAULTS     calls of each command that fail, by chance; "all": each one, in each way
#   KURA_TORTURE_WAYS       in which ways of those below
#   KURA_TORTURE_REFUSALS   requests to S3 that are refused
#   KURA_TORTURE_POWER      power failures during each command
#   KURA_TORTURE_CLOCKS     1: clocks that jump
#   KURA_TORTURE_COMMANDS   which commands
#   KURA_TORTURE_SEALED     1: all repositories are encrypted
#   KURA_TORTURE_SEED       where chance begins
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/torture/site.sh"
. "$TOP/tests/torture/rounds.sh"
. "$TOP/tests/torture/power.sh"
. "$TOP/tests/torture/clocks.sh"
RANDOM=${KURA_TORTURE_SEED:-4711}
TORMENT=$BUILD/tests/torture/libtorment.so
RESTORE_EVERY=10 RESET_EVERY=20
read -ra commands <<<"${KURA_TORTURE_COMMANDS:-backup copy prune repair}"

RECIPIENT=''
if [ "${KURA_TORTURE_SEALED:-0}" = 1 ]; then
    (umask 077 && "$BUILD/tests/tools/age-tool" keygen >"$WORK/identity" && : >"$WORK/kura.conf") || die 'no identity'
    RECIPIENT=$("$BUILD/tests/tools/age-tool" recipient "$WORK/identity")
    export KURA_CONFIG=$WORK/kura.conf
fi
start 15 main
site_make || die 'no site'
mkdir "$WORK/states"
REPO=$WORK/repo ROOTS=$WORK/repo:$WORK/from:$WORK/.cache:$KURA_STATE_DIR
files=(--files "media=$WORK/media")
site=(--db "$(conn site)" "${files[@]}" --app-dir "$WORK/app" --secrets always --redis "unix://${REDIS_SOCKET[cache]}")
SOURCE=("${site[@]}")

check 'three backups' scene_backup
check 'restore as they were' restores_some "$REPO"

# rounds NUMBER NAME: killed at that many instants. A run that ended before its instant came is judged, but is none of them.
rounds() {
    local n
    : >"$WORK/killed"
    for ((n = 0; $(wc -l <"$WORK/killed") < $1; n++)); do
        [ $n -lt $(($1 * 5 + 20)) ] || { echo "of $n, only $(wc -l <"$WORK/killed") were killed in their midst"; return 1; }
        if [ $((n % RESET_EVERY)) = 0 ]; then
            "scene_$2" && "prepare_$2" 99 || return 1
            [ $n != 0 ] || unset "LENGTH[${command[0]}]"
            again "$2" || return 1
        fi
        killed "$2" $((n + 100)) || return 1
        [ $(((n + 1) % RESTORE_EVERY)) != 0 ] || [ "$2" = repair ] || restores_some "$REPO" || return 1
    done
}
number=${KURA_TORTURE_KILLS:-3}
for name in "${commands[@]}"; do
    [ "$number" = 0 ] || check "$name killed at $number random instants" rounds "$number" "$name"
done

# Each call that changes something, or as many as wanted, fails in each way, or is the last one. What is left before a call
# is what is left after the one before: of all of them "killed" would tell nothing new.
read -ra ways <<<"${KURA_TORTURE_WAYS:-ENOSPC ENOSPC+ EDQUOT+ EIO EIO+ short kill killed}"
# fault NAME N HOW
fault() {
    rm -rf "$REPO" && cp -al "$WORK/faults.base" "$REPO" && known=$(<"$WORK/faults.known") && "command_$1" && tormented "$@" && return
    echo ---
    bad=$((bad + 1))
}
faults() { # faults NAME NUMBER|all
    local n how total bad=0 SOURCE=("${files[@]}")
    "scene_$1" && "prepare_$1" 500 && rm -rf "$WORK/faults.base" && cp -al "$REPO" "$WORK/faults.base" || return 1
    echo "$known" >"$WORK/faults.known"
    tormented "$1" 1000000 none || return 1
    total=$(grep -aE '^[1-9][0-9]* [a-z0-9]+ [0-9]+ ' "$WORK/journal" | tail -n 1 | cut -d ' ' -f 1)
    : >"$WORK/torments"
    if [ "$2" = all ]; then
        for how in "${ways[@]}"; do
            [ "$how" != killed ] || continue
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
    echo "$bad of $(wc -l <"$WORK/torments") went wrong; a run makes $total calls"
    [ $bad = 0 ]
}
number=${KURA_TORTURE_FAULTS:-8}
for name in "${commands[@]}"; do
    [ "$number" = 0 ] || check "$name with $number failing calls" faults "$name" "$number"
done

# Power failures: one after all was done, the others at any instant.
modes=(lost random names zeros)
power() { # power NAME NUMBER
    local n size SOURCE=("${files[@]}")
    size=$(powerloss size "$WORK/power.journal")
    power_lost "$1" "$size" lost || return 1
    for ((n = 1; n < $2; n++)); do
        power_lost "$1" $((RANDOM % size + 1)) "${modes[n % ${#modes[@]}]}" || return 1
    done
}
number=${KURA_TORTURE_POWER:-3}
# In their midst: a blob has its name, a manifest is gone, and the directory was not written through.
declare -A middle=([backup]="$((3 + RANDOM % 6)) rename" [copy]="$((3 + RANDOM % 6)) rename" [prune]='2 unlink')
for name in "${commands[@]}"; do
    if [ "$number" = 0 ] || [ "$name" = repair ]; then continue; fi
    # shellcheck disable=SC2086
    check "power fails, $name: runs are recorded" recording "$name" ${middle[$name]} || continue
    check "power fails, $name: the record is complete" complete
    check "power fails, $name: at $number instants" power "$name" "$number"
done

[ "${KURA_TORTURE_CLOCKS:-1}" = 0 ] || clocks

# On S3.
number=${KURA_TORTURE_S3:-2} refusals=${KURA_TORTURE_REFUSALS:-2}
if [ "$number$refusals" != 00 ]; then
    s3_start rgw ceph bluestore=4000000000 || die 'no S3 server'
    s3_bucket ceph torture || die 'no bucket'
    export KURA_S3_ENDPOINT=$S3_ENDPOINT
    REPO=s3://torture/0
    RESET_EVERY=50
    for name in "${commands[@]}"; do
        [ "$name" != repair ] || continue # what it damages are files
        [ "$number" = 0 ] || check "on S3, $name killed at $number random instants" rounds "$number" "$name"
    done
    faulty_start ceph proxy || die 'no proxy'
    # refused NAME N: the Nth request of a run is refused, and those of its kind after it; so does the run, or it did not need it.
    refused() {
        local status
        "prepare_$1" $(($2 + 600)) || return 1
        faulty_rules proxy "* * nth:$2 status 403 AccessDenied"
        KURA_S3_ENDPOINT=$FAULTY_ENDPOINT kura_begin "${command[@]}"
        kura_end
        status=$?
        echo "$1, request $2: status $status: $(awk -F '\t' '$6 != "-" { print $1, $2 }' "$WORK/proxy.log")"
        case $status in
        1) grep -q 'error:.*AccessDenied' "$WORK/err" && grep -q '^hint: ' "$WORK/err" || { cat "$WORK/err"; return 1; } ;;
        0 | 3) ;;
        *) cat "$WORK/err"; return 1 ;;
        esac
        "judge_$1" $status && again "$1" && count "refused requests of $1"
    }
    refusals() { # refusals NAME NUMBER|all
        local n total
        "scene_$1" && "prepare_$1" 599 && faulty_rules proxy && KURA_S3_ENDPOINT=$FAULTY_ENDPOINT run "${command[@]}" && "judge_$1" 0 || return 1
        total=$(wc -l <"$WORK/proxy.log")
        if [ "$2" = all ]; then
            for ((n = 1; n <= total; n++)); do refused "$1" $n || return 1; done
        else
            for ((n = 0; n < $2; n++)); do refused "$1" $((RANDOM % total + 1)) || return 1; done
        fi
    }
    for name in "${commands[@]}"; do
        [ "$refusals" = 0 ] || [ "$name" = repair ] || check "on S3, $name with $refusals refused requests" refusals "$name" "$refusals"
    done
fi

echo "# torture: $(sort "$WORK/counts" | uniq -c | sed 's/^ *//' | paste -sd , | sed 's/,/, /g')"
finish
