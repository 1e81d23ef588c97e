# shellcheck shell=bash
# Clocks that are wrong, and clocks that jump: to be sourced by torture.sh after rounds.sh.

. "$TOP/tests/tools/clock.sh"

# backup_at OFFSET STATUS PATTERN: a backup by that clock, whole, with that status; it says PATTERN.
backup_at() {
    prepare_backup $((RANDOM % 1000)) || return 1
    at "$1" kura_begin "${command[@]}"
    kura_end
    local status=$?
    [ $status = "$2" ] || wrong $status '' || return 1
    grep -qE "$3" "$WORK/err" "$WORK/out" || wrong $status "without $3" || return 1
    judge_backup $status && settle_backup
}
latest_is() { [ "$(ids "$REPO" | tail -n 1)" = "$1" ] || { ids "$REPO"; echo "the latest should be $1"; return 1; }; }

# meanwhile STATUS COMMAND...: what happens while a backup runs, whose clock is that of the file $WORK/clock, and which is
# held up by a lock on a table; it ends with that status, and the next one is right.
meanwhile() {
    local status
    prepare_backup $((RANDOM % 1000)) || return 1
    echo +0 >"$WORK/clock"
    hold site 'LOCK TABLE note' || return 1
    FAKETIME_TIMESTAMP_FILE=$WORK/clock FAKETIME_NO_CACHE=1 faked kura_begin "${command[@]}"
    eventually has_lock && "${@:2}" || status=wrong
    unhold
    kura_end
    status=${status:-$?}
    [[ "|$1|" == *"|$status|"* ]] || wrong $status '' || return 1
    judge_backup $status && again backup
}
has_lock() { objects locks/ | grep .; }
jump() { echo "$1" >"$WORK/clock"; }
# A prune by another clock, which may not take the lock of a run that is alive for a stale one.
prune_at() {
    local repo
    of "$REPO"
    at "$1" status_is 11 kura prune "${repo[@]}" --keep-last 1 --grace 0h >"$WORK/prune" || { cat "$WORK/prune"; return 1; }
}

clocks() {
    local newest
    REPO=$WORK/repo
    scene_backup || die 'no scene'
    check 'clock 2 minutes behind: backup' backup_at -2m 0 ''
    newest=$(tail -n 1 <<<"$known")
    check 'clock 2 minutes behind: it is the latest all the same' latest_is "$newest"
    check 'clock 5 hours ahead: backup' backup_at +5h 0 ''
    newest=$(tail -n 1 <<<"$known")
    check 'clock right again: backup, and what is ahead is told' backup_at +0 3 'from the future'
    check 'clock right again: the one ahead is the latest' latest_is "$newest"
    check 'it restores as it was' restores "$REPO" "$newest"
    check 'clock 5 hours behind: backup' backup_at -5h 3 'from the future'
    scene_backup || die 'no scene'
    check 'clock jumps 3 days back in the midst of a backup' meanwhile '0|3' jump -3d
    check 'clock jumps 1 hour ahead in the midst of a backup' meanwhile '0|3' jump +1h
    check 'clock jumps 3 hours ahead in the midst of a backup: its lock has expired' meanwhile '11|0|3' jump +3h
    check 'a prune 5 hours ahead leaves a running backup alone' meanwhile '0|3' prune_at +5h
    check 'a prune 5 hours behind leaves a running backup alone' meanwhile '0|3' prune_at -5h
}
