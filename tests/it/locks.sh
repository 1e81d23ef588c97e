#!/bin/bash
# Locks: one backup of an application at a time, whoever starts it, on whatever host; others beside it; a holder that died
# holds nobody up. On a directory and on S3, encrypted and not.
. "$(dirname "$0")/lib.sh"

STARTS=${KURA_LOCK_STARTS:-20}

mkdir -p "$WORK/media"
for n in $(seq 1 40); do head -c 20000 /dev/urandom >"$WORK/media/file-$n"; done
# A fileset that takes some time, in which its reader can be stopped.
mkdir "$WORK/large"
truncate -s 1500M "$WORK/large/zeros"
s3_start rgw ceph || die 'no S3 server'
s3_bucket ceph locks || die 'no bucket'

# backup APP [OPTION...]: a backup of a few files, wherever KURA_REPO is.
backup() { kura backup --app "$1" --files "media=$WORK/media" --no-cache "${@:2}"; }
slow=(env HOME="$WORK" TMPDIR="$WORK/tmp" "$KURA" backup --app site --files "media=$WORK/large" --no-cache)
# elsewhere HOST COMMAND...: on a host of another name, whose processes are others.
# shellcheck disable=SC2016
elsewhere() { unshare --uts --pid --fork --mount-proc --kill-child sh -c 'hostname "$0" && exec "$@"' "$@"; }
# count_locks: of the repository in use
count_locks() {
    case $KURA_REPO in
    s3:*) s3_client list locks "${KURA_REPO#s3://locks/}/locks/" | wc -l ;;
    *) find "$KURA_REPO/locks" -type f -name '[0-9a-f]*' 2>/dev/null | wc -l ;;
    esac
}
until_locked() { # until_locked COUNT: so many locks
    local deadline=$((SECONDS + PATIENCE))
    until [ "$(count_locks)" -ge "$1" ]; do
        [ $SECONDS -lt $deadline ] || return 1
    done
}
# begin NAME COMMAND...: in the background.
declare -A JOB
begin() {
    "${@:2}" >"$WORK/$1.out" 2>&1 &
    JOB[$1]=$!
}
ended() { # ended NAME STATUS
    wait "${JOB[$1]}"
    local status=$?
    cat "$WORK/$1.out"
    echo "exit status $status, wanted $2"
    [ $status = "$2" ]
}

# one_of_many NAME: of so many starts at once exactly one runs; the others say who.
one_of_many() {
    local i status ran=0 refused=0 pids=()
    for i in $(seq 1 "$STARTS"); do
        backup crowd >"$WORK/crowd-$i.out" 2>&1 &
        pids+=($!)
    done
    for i in $(seq 1 "$STARTS"); do
        wait "${pids[i - 1]}"
        status=$?
        case $status in
        0) ran=$((ran + 1)) ;;
        11) grep -q 'application "crowd" is locked .* by .* (process [0-9]*) since' "$WORK/crowd-$i.out" && refused=$((refused + 1)) ;;
        *) cat "$WORK/crowd-$i.out" ;;
        esac
    done
    echo "$ran ran, $refused were refused"
    [ $((ran + refused)) = "$STARTS" ] && [ $ran -ge 1 ] && [ "$(count_locks)" = 0 ] && overlap_free
}
# overlap_free: no two backups of the crowd were made at the same time, as far as whole seconds tell.
overlap_free() {
    kura list --app crowd --json "${identity[@]}" | jq -e '[.backups[] | {started, finished}] | sort_by([.started, .finished])
        | [.[1:], .[:-1]] | transpose | all(.[0].started >= .[1].finished)'
}

# The whole on one repository. A run is held up by SIGSTOP once it has its lock.
scenario() { # scenario NAME
    local pid
    check "$1: init" status_is 0 kura init "${init[@]}"
    begin first elsewhere red "${slow[@]}"
    pid=${JOB[first]}
    until_locked 1 || die 'no lock was taken'
    freeze "$pid"
    check "$1: a second backup of the application" status_is 11 backup site
    check "$1: is told who holds it" says 'application "site" is locked .* for "backup" by root on red \(process [0-9]+\) since 20'
    check "$1: on another host, too" status_is 11 elsewhere blue "${slow[@]}"
    check "$1: another application goes beside it" status_is 0 backup beside
    check "$1: so does a reader" status_is '0|3' kura verify "${identity[@]}"
    check "$1: doctor tells" bash -c "'$KURA' doctor ${identity[*]:-} | grep -q 'for \"backup\" of site is held by root on red'"
    begin waiting backup site --lock-wait 60
    thaw "$pid"
    check "$1: the first ends well" ended first 0
    check "$1: who waits gets it then" ended waiting 0
    check "$1: nobody holds it any more" test "$(count_locks)" = 0
    check "$1: $STARTS starts at once" one_of_many
}
# All processes below one, itself too.
family() { echo "$1" && for child in $(pgrep -P "$1"); do family "$child"; done; }
freeze() { family "$1" | xargs kill -STOP; }
thaw() { family "$1" | xargs kill -CONT; }

KURA_REPO=$WORK/repo init=() identity=()
export KURA_REPO
scenario directory

# A holder that was killed: at once on its own host, by expiry elsewhere.
begin killed "${slow[@]}"
until_locked 1 || die 'no lock was taken'
kill -KILL "${JOB[killed]}"
wait "${JOB[killed]}" 2>/dev/null
check 'a killed holder leaves its lock' test "$(count_locks)" = 1
check 'which holds nobody up on its host' status_is 0 backup site
check 'and is gone' test "$(count_locks)" = 0
foreign() { # foreign AGE [EXPIRES [EXCLUSIVE APP]]: a lock of somebody elsewhere, put so long ago
    printf '{"kura": "lock", "version": 1, "exclusive": %s, "purpose": "backup", "app": %s, "host": "far", "user": "u", "pid": 1,
        "process": "x/1", "created": "%s", "expires": "%s"}' "${3:-false}" "${4:-\"site\"}" "$(date -u -d '-3 hours' +%FT%TZ)" \
        "$(date -u -d "${2:-+1 hour}" +%FT%TZ)" >"$KURA_REPO/locks/feed.json"
    touch -d "$1" "$KURA_REPO/locks/feed.json"
}
foreign '-1 hour'
check 'one elsewhere may live' status_is 11 backup site
check 'other applications do not care' status_is 0 backup beside
foreign '-1 minute' '-5 hours'
check 'a clock that is far behind shortens no lock' status_is 11 backup site
foreign '-3 hours' '+5 hours'
check 'one that is ahead prolongs none' status_is 0 backup site
check 'an expired one is taken away' test "$(count_locks)" = 0
foreign '-1 hour' '+1 hour' true null
check 'an exclusive one is against all' status_is 11 backup beside
check 'who waits in vain' status_is 11 backup beside --lock-wait 1
rm "$KURA_REPO/locks/feed.json"

KURA_REPO=s3://locks/open KURA_S3_ENDPOINT=$S3_ENDPOINT
export KURA_S3_ENDPOINT
scenario S3
KURA_REPO=s3://locks/sealed init=(--encrypt --identity-out "$WORK/identity") identity=(--identity "$WORK/identity")
export KURA_KEY_FILE=$WORK/host.key
scenario 'encrypted on S3'
check 'no lock tells the application' status_is 0 backup plainname
finish
