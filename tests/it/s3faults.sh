#!/bin/bash
# Trouble of every kind between kura and the S3 server: what passes is waited for or tried again, and the backup and the
# restore end complete, with nothing sent twice that had arrived; what will not pass ends them at once, with the
# provider's words.
#
# Most of this is waiting, so that runs go on side by side, each with a proxy, a prefix and a directory of its own.
. "$(dirname "$0")/lib.sh"

start 15 main
createdb_as site
sql site "CREATE TABLE post (id bigint PRIMARY KEY, body text); CREATE TABLE account (id bigint PRIMARY KEY, name text);
    INSERT INTO post SELECT n, md5(n::text) || repeat(md5((-n)::text), 3) FROM generate_series(1, 60000) n;
    INSERT INTO account SELECT n, md5(n::text) FROM generate_series(1, 2000) n"
dump site >"$WORK/site.sql"
mkdir "$WORK/media"
for n in 1 2 3 4 5; do
    head -c $((n * 700000)) /dev/urandom >"$WORK/media/file-$n"
done
s3_start rgw ceph || die 'no S3 server'
s3_bucket ceph faults || die 'no bucket'
declare -A JOB

# begin NAME COMMAND...: runs it in the background, with everything it prints in $WORK/NAME.out.
begin() {
    "${@:2}" >"$WORK/$1.out" 2>&1 &
    JOB[$1]=$!
}
# ended NAME: whether it succeeded, once it has ended.
ended() {
    wait "${JOB[$1]}"
    local status=$?
    cat "$WORK/$1.out"
    return $status
}

quick() { # quick ARG...: kura without a cache of another run; 0 and 3 are fine
    HOME=$WORK TMPDIR=$WORK/tmp timeout --foreground -k 10 300 "$KURA" "$@" || [ $? = 3 ]
}
database=site
try_backup() { # try_backup NAME ENDPOINT [OPTION...]
    quick backup --repo "s3://faults/$1" --s3-endpoint "$2" --db "$(conn "$database")" --files "media=$WORK/media" --app site --no-cache --jobs 2 "${@:3}"
}
try_init() { quick init --repo "s3://faults/$1" --s3-endpoint "$2"; }
try_restore() { # try_restore NAME ENDPOINT: into a database and a directory of that name, which must be as the originals
    quick restore latest --repo "s3://faults/$1" --s3-endpoint "$2" --db "$(conn "$1")" --files "media=$WORK/$1.media" --jobs 2 &&
        diff <(dump "$1") "$WORK/site.sql" && diff -r "$WORK/media" "$WORK/$1.media"
}
try_verify() { quick verify --read-data --repo "s3://faults/$1" --s3-endpoint "$S3_ENDPOINT"; }

# Whether no object was sent again after the server had said that it has it.
sent_once() { # sent_once LOG
    awk -F '\t' '$1 == "PUT" && $2 ~ /\/(blobs|backups)\// && $5 ~ /^2/ { n[$2]++ }
        END { for (key in n) if (n[key] > 1) { print n[key], key; bad = 1 } exit bad }' "$1"
}
faulty_requests() { awk -F '\t' '$6 != "-"' "$1"; }
had_faults() { # had_faults LOG...: in each of them
    local log
    for log; do
        echo "$(faulty_requests "$log" | wc -l) faults among $(wc -l <"$log") requests in $log"
        [ -n "$(faulty_requests "$log")" ] || return 1
    done
}

# backed_up NAME RULE...: a backup under these rules; it is complete, and nothing was sent twice.
backed_up() {
    faulty_start ceph "$1" || return 1
    try_init "$1" "$S3_ENDPOINT" || return 1
    faulty_rules "$@"
    try_backup "$1" "$FAULTY_ENDPOINT" || return 1
    cp "$WORK/$1.log" "$WORK/$1.backup.log"
    had_faults "$WORK/$1.backup.log" && sent_once "$WORK/$1.backup.log" && try_verify "$1"
}
# and_restored NAME RULE...: a restore of that backup, under these rules.
and_restored() {
    faulty_rules "$@"
    try_restore "$1" "$FAULTY_ENDPOINT" && had_faults "$WORK/$1.log"
}
through() { backed_up "$@" && and_restored "$@"; }

# What takes long by itself begins now. A stalled request costs half a minute: one of each kind, at the same time.
begin stall-lock backed_up stall-lock 'PUT */locks/* nth:1 stall'
begin stall-list backed_up stall-list 'GET *list-type* nth:1 stall'
begin stall-blob through stall-blob 'PUT|GET */blobs/* nth:3 stall'
begin stall-manifest backed_up stall-manifest 'PUT */backups/* nth:1 freeze'
begin freeze-blob through freeze-blob '* */blobs/*.bin nth:2 freeze'
begin slow through slow '* */blobs/*.bin nth:1 slow 300000'
network_gone() { # network_gone NAME FAULT: for 20 s, in the middle of the backup and of the restore
    backed_up "$1" "PUT */blobs/* nth:4 $2 20" && and_restored "$1" "GET */blobs/* nth:4 $2 20"
}
begin dark network_gone dark dark
begin refuse network_gone refuse refuse
unreachable() { # nobody listens at port 1
    local begin=$SECONDS
    ! try_init unreachable http://127.0.0.1:1 && [ $((SECONDS - begin)) -lt 60 ]
}
begin unreachable unreachable

# Faults of the first attempt of every single request, then of every seventh request.
faults=('status 500 InternalError' 'status 503 SlowDown' 'status 429 TooManyRequests' 'status 408 RequestTimeout' 'close' 'eat' 'lose'
    'reset' 'cut' "redirect 307 $S3_ENDPOINT")
for fault in "${faults[@]}"; do
    name=every-${fault//[^a-z0-9]/}
    name=${name:0:20}
    check "first attempts: $fault" through "$name" "* * once $fault"
done
# What a client that never heard of the server must take for a wrong address, and what only an answer with a body can have.
check 'first attempts: garbage' through garbage '* */blobs/* once garbage' '* */backups/* once garbage'
check 'first attempts: more bytes claimed than sent' through longer 'GET * once claim 7'
check 'Retry-After is respected' through later 'PUT|GET */blobs/* nth:2 status 503 SlowDown 3'
check 'every 7th request fails: 503' through seventh '* * every:7 status 503 SlowDown'
check 'every 7th request fails: reset' through seventh-reset '* * every:7 reset'

# Lessons: learned once, and kept to.
check 'clock skew is corrected' backed_up skew '* * first:1 skew 600'
corrected() { # the second request is signed with the time of the first answer, 600 s from the first
    awk -F '\t' 'NR <= 2 { t = $8; gsub(/[TZ]/, "", t); print substr(t, 1, 4), substr(t, 5, 2), substr(t, 7, 2), substr(t, 9, 2), substr(t, 11, 2), substr(t, 13, 2) }' \
        "$WORK/skew.backup.log" | while read -r y mo d h mi s; do date -u -d "$y-$mo-$d $h:$mi:$s" +%s; done | {
        read -r first && read -r second
        echo "$first $second" && [ $((second - first)) -ge 595 ] && [ $((second - first)) -le 630 ]
    }
}
check 'by the answer' corrected
check 'a wrong region is corrected' backed_up region '* * first:1 region eu-west-7'
check 'once, for all requests after it' test "$(tail -n +2 "$WORK/region.backup.log" | cut -f 7 | sort -u)" = eu-west-7

# What will not pass: the provider's code and request id, a hint, at once.
faulty_start ceph never || die 'no proxy'
try_init never "$S3_ENDPOINT" >/dev/null
try_backup never "$S3_ENDPOINT" >"$WORK/never.out" 2>&1 || die 'no backup'
at_once() { # at_once WHAT PATTERN RULE COMMAND...; exit status $ends, asked at most $attempts times
    local begin
    faulty_rules never "$3"
    begin=$(date +%s%3N)
    check "$1: ends" status_is "$ends" "${@:4}"
    check "$1: at once" test $(($(date +%s%3N) - begin)) -lt 20000
    check "$1: asked once" test "$(faulty_requests "$WORK/never.log" | cut -f 2 | sort | uniq -c | awk '{ print $1 }' | sort -n | tail -n 1)" -le "$attempts"
    check "$1: the provider's words" says "$2.*faulty-request"
    check "$1: a hint" says '^ *hint: .*\.$'
}
backup=(kura backup --repo s3://faults/never --s3-endpoint "$FAULTY_ENDPOINT" --db "$(conn other)" --app other --no-cache)
restore=(kura restore latest --repo s3://faults/never --s3-endpoint "$FAULTY_ENDPOINT" --db "$(conn never)" --files "media=$WORK/never.media")
createdb_as other # with blobs that are not there yet
sql other 'CREATE TABLE account AS SELECT n AS id, md5((n * 7)::text) AS name FROM generate_series(1, 2000) n'
ends=1 attempts=1
at_once 'no right to read' '403 AccessDenied' '* * always status 403 AccessDenied' "${backup[@]}"
at_once 'no right to write blobs' '403 AccessDenied' 'PUT */blobs/* always status 403 AccessDenied' "${backup[@]}"
at_once 'no right to write the manifest' '403 AccessDenied' 'PUT */backups/* always status 403 AccessDenied' "${backup[@]}"
at_once 'an unknown key' '403 InvalidAccessKeyId' '* * always status 403 InvalidAccessKeyId' "${backup[@]}"
at_once 'a wrong secret' '403 SignatureDoesNotMatch' '* * always status 403 SignatureDoesNotMatch' "${backup[@]}"
at_once 'an account in arrears' '403 AllAccessDisabled' '* * always status 403 AllAccessDisabled' "${restore[@]}"
sql other "INSERT INTO account VALUES (0, 'a blob that no run before has left there')"
at_once 'a full bucket' '403 QuotaExceeded' 'PUT */blobs/* always status 403 QuotaExceeded' "${backup[@]}"
at_once 'no right to read blobs' '403 AccessDenied' 'GET */blobs/* always status 403 AccessDenied' "${restore[@]}"
attempts=2 # once more with what was learned
at_once 'an expired token' '400 ExpiredToken' '* * always status 400 ExpiredToken' "${backup[@]}"
at_once 'a clock that stays wrong' '403 RequestTimeTooSkewed' '* * always skew 3600' "${backup[@]}"
ends=2
at_once 'a region that stays wrong' '400 AuthorizationHeaderMalformed' '* * always region eu-west-7' "${backup[@]}"
faulty_rules never '* * always status 404 NoSuchBucket'
check 'a bucket that is gone: exit status' status_is 10 "${backup[@]}"
check 'a bucket that is gone: said' says 'NoSuchBucket'
faulty_rules never 'GET */blobs/* always claim -5'
check 'answers that end early by their own account: refused' status_is 1 "${restore[@]}"
check 'answers that end early by their own account: the object is named' says 'blobs/.* is damaged'
faulty_rules never
check 'nothing of all that is left of the database' bash -c "! psql -XqAtl | grep -q never"
check 'after all that: verify' try_verify never

# The server itself: killed in the middle and started again; frozen for a while. It is a second one, for the others' sake.
s3_start rgw mortal || die 'no S3 server'
s3_bucket mortal faults || die 'no bucket'
faulty_start mortal mortal || die 'no proxy'
mortal=$FAULTY_ENDPOINT
try_init mortal "$mortal" >/dev/null
puts() { awk -F '\t' -v told="$1" '$1 == "PUT" && $2 ~ /blobs/ && (told == "-") == ($5 == "-")' "$WORK/mortal.log" | wc -l; }
wait_for_puts() { # wait_for_puts TOLD COUNT: until so many blobs were acknowledged ("2xx") or not ("-")
    local deadline=$((SECONDS + PATIENCE))
    until [ "$(puts "$1")" -ge "$2" ]; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.05
    done
}
faulty_rules mortal
begin killed try_backup mortal "$mortal" --limit-upload 3M
check 'server killed: in the middle of a backup' wait_for_puts 2xx 4
s3_kill mortal
check 'server killed: it was noticed' wait_for_puts - 2
check 'server killed: it comes back' s3_again mortal
check 'server killed: the backup is completed' ended killed
check 'server killed: nothing is sent twice that was there' sent_once "$WORK/mortal.log"
check 'server killed: verify' try_verify mortal
faulty_rules mortal
begin killed try_restore mortal "$mortal"
s3_kill mortal
check 'server killed at the start of a restore: it comes back' s3_again mortal
check 'server killed at the start of a restore: the restore is completed' ended killed
faulty_rules mortal
sql other "INSERT INTO account SELECT n, md5((-n)::text) || random() FROM generate_series(1, 100000) n"
database=other
begin frozen try_backup mortal "$mortal" --limit-upload 2M
check 'server frozen: in the middle of a backup' wait_for_puts 2xx 1
s3_freeze mortal
unanswered() { ! timeout --foreground 3 python3 "$S3_TOOLS/s3client.py" list faults; }
check 'server frozen: it does not answer' unanswered
s3_thaw mortal
check 'server frozen: the backup is completed' ended frozen
check 'server frozen: nothing failed' test -z "$(faulty_requests "$WORK/mortal.log")"
s3_use ceph

for name in stall-lock stall-list stall-blob stall-manifest freeze-blob slow; do
    check "$name: backup and restore end well" ended $name
done
check 'the network is gone for 20 s: backup and restore end well' ended dark
check 'connections are refused for 20 s: backup and restore end well' ended refuse
check 'nobody listens: given up in less than a minute' ended unreachable
check 'nobody listens: it says how often it tried' grep -E 'tried [0-9]+ times' "$WORK/unreachable.out"
check 'nobody listens: one message, with a hint' test "$(grep -c 'error:' "$WORK/unreachable.out") $(grep -c 'hint:' "$WORK/unreachable.out")" = '1 1'

finish
