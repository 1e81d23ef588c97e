#!/bin/bash
# kura rehearse: what is proven, and that nothing is left and nothing of the site is touched, on any way out.
# KURA_KILLS: how many rehearsals are killed outright at random moments (default 6).
. "$(dirname "$0")/lib.sh"

start 15 main -c wal_level=logical
install_extension 15
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
server="host=$PGHOST user=postgres"
RANDOM=4711
rehearse() { kura rehearse latest --repo "$repo" --server "$server" "$@"; }
roles() { sql postgres "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"; }
remember() { # remember DATABASE: what a rehearsal must not change
    site=$1 databases_before=$(databases) roles_before=$(roles)
    dump "$site" -C >"$WORK/site.sql"
}
unchanged() {
    nothing_left "$databases_before" "$repo" && [ "$(roles)" = "$roles_before" ] && dump "$site" -C >"$WORK/site.now" && same "$WORK/site.sql" "$WORK/site.now"
}
proof() { # proof NAME CONDITION: of the last --json
    cat "$WORK/out" "$WORK/err"
    jq -e --arg name "$1" ".rehearsal.proofs[] | select(.name == \$name) | $2" "$WORK/out"
}

# --- one of every kind of object, whose owners have hostile names
createdb_as zoodb
sql_file zoodb zoo.sql >"$WORK/log" 2>&1 || { cat "$WORK/log"; die 'zoo.sql failed'; }
check 'zoo: backup' status_is '0|3' kura backup --repo "$repo" --db "$(conn zoodb)" --app zoo
remember zoodb
check 'zoo: rehearse' status_is 3 rehearse --app zoo
check 'zoo: says what was proven' says 'every row of every table.* proven'
check 'zoo: nothing is left, nothing has changed' unchanged
check 'zoo: the same as JSON' status_is 3 rehearse --app zoo --json
for name in rows schema owners grants default-privileges; do
    check "zoo: no false alarm: $name" proof "$name" '.checked > 0 and .failed == 0'
done
check 'zoo: no secret in it' bash -c '! grep -e mapping-secret -e subscription-secret "$0"/out "$0"/err' "$WORK"
check 'zoo: roles are called as in the backup' bash -c '! grep kura_rehearsal_ "$0"/out "$0"/err' "$WORK"
sql zoodb 'ALTER SUBSCRIPTION fed DISABLE; ALTER SUBSCRIPTION fed SET (slot_name = NONE); DROP SUBSCRIPTION fed' && sql postgres 'DROP DATABASE zoodb'

# --- a site
createdb_as site
sql_file site site.sql -v scale=0.3 || die 'site.sql failed'
check 'backup' status_is '0|3' kura backup --repo "$repo" --db "$(conn site)" --app site
remember site
check 'rehearse' status_is 0 rehearse --app site --json
check 'the verdict' jq -e '.rehearsal | .verdict == "passed" and .error == null' "$WORK/out"
check 'nothing is left, nothing has changed' unchanged
seconds() { jq '[.rehearsal.phases[] | select(.name == "rows") | .seconds] | add' "$WORK/out"; }
takes_its_time() { # against one that does not, side by side; something else may slow down either
    local quick slow attempt
    for attempt in 1 2 3 4; do
        status_is 0 rehearse --app site --json && quick=$(seconds) &&
            status_is 0 rehearse --app site --json --low-cost && slow=$(seconds) || return 1
        echo "attempt $attempt: $quick s, $slow s"
        jq -ne --argjson quick "$quick" --argjson slow "$slow" '$slow > 1.3 * $quick' && return 0
    done
    return 1
}
check '--low-cost takes its time' takes_its_time
check 'too large' status_is 1 rehearse --app site --max-size 1M
check 'says how large' says 'would take about [0-9.]+ MiB of disk, --max-size allows 1.0 MiB'
check 'no server' status_is 2 kura rehearse latest --repo "$repo" --app site
check 'a server that is not there' status_is 1 kura rehearse latest --repo "$repo" --app site --server 'host=/nonexistent'

# --- ways out
mark=KURA_TEST_MARK=$$.$RANDOM
in_background() { # in_background OPTION..: its process id in $pid
    HOME=$WORK TMPDIR=$WORK/tmp env --default-signal=INT,TERM "$mark" "$KURA" rehearse latest --repo "$repo" --server "$server" --app site "$@" >"$WORK/out.$1" 2>"$WORK/err.$1" &
    pid=$!
}
scratch() { databases | grep '^kura_rehearsal_'; }
for signal in INT TERM; do
    in_background --json
    check "$signal: it is at work" eventually scratch
    kill -"$signal" "$pid"
    wait "$pid"
    status=$?
    check "$signal: its exit status" test "$status" = "$([ $signal = INT ] && echo 130 || echo 143)"
    check "$signal: nothing is left" eventually unchanged
done
in_background --json
check 'the server ends the sessions: while rows are loaded' \
    sees "(SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE datname ~ '^kura_rehearsal' AND query ~ '^COPY' AND state = 'active')"
sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ 'kura|pg_restore|pg_dump'" >/dev/null
wait "$pid"
status=$?
check 'the server ends the sessions: it has failed' test "$status" = 1
check 'the server ends the sessions: nothing is left' eventually unchanged

in_background --json
first=$pid
in_background --nice=11
second=$pid
wait "$first"
status=$?
wait "$second"
check 'two at once both pass' test "$status$?" = 00
check 'two at once: nothing is left' unchanged

in_background --json
check 'killed: it is at work' eventually scratch
kill -KILL "$pid"
wait "$pid" 2>/dev/null
left=$(scratch)
check 'killed: a database is left' test -n "$left"
quiet() { [ "$(sql postgres "SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') + (SELECT count(*) FROM pg_stat_activity WHERE datname ~ '^kura')")" = 0 ]; }
check 'killed: the server has noticed' eventually quiet
in_background --json # one that lives meanwhile
living=$pid
check 'killed: the next one' status_is 0 rehearse --app site
cp "$WORK/err" "$WORK/err.next"
wait "$living"
check 'killed: the living one is not disturbed' test $? = 0
check 'killed: one of them tells what was dropped' grep "$left.*, which a rehearsal had left that was killed, was dropped" "$WORK/err.next" "$WORK/err.--json"
rm -rf "$WORK"/tmp/kura-* # what pg_restore reads: a killed kura cannot remove it
check 'killed: nothing is left' unchanged

started=$(date +%s%3N)
rehearse --app site >/dev/null 2>&1
length=$(($(date +%s%3N) - started))
for i in $(seq "${KURA_KILLS:-6}"); do
    in_background --json
    sleep "$(printf '0.%03d' $((RANDOM % (length > 999 ? 999 : length))))"
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
done
rm -rf "$WORK"/tmp/kura-*
check 'after many kills' status_is 0 rehearse --app site
check 'after many kills: nothing is left' eventually unchanged
finish
