#!/bin/bash
# restore --swap under load, kura undo, prune --old-databases: what is kept comes back, nothing else changes, and a kill
# at any moment leaves either the old state or the new one.
. "$(dirname "$0")/lib.sh"

start 15 main -c wal_level=logical -c max_prepared_transactions=5
sql postgres 'CREATE ROLE app LOGIN; CREATE ROLE ro LOGIN; CREATE ROLE maker LOGIN CREATEDB; CREATE ROLE other LOGIN'
createdb_as site 'OWNER app'
createdb_as bystander 'OWNER other'
sql bystander "CREATE TABLE keep (id int); INSERT INTO keep VALUES (1); COMMENT ON DATABASE bystander IS 'kura kept nothing'"
sql site "SET ROLE app; CREATE TABLE note (id int PRIMARY KEY, t text); INSERT INTO note SELECT i, 'old' FROM generate_series(1, 1000) i;
    GRANT SELECT ON note TO ro"
sql postgres "COMMENT ON DATABASE site IS E'the site\n''s own \\\\ comment'; ALTER DATABASE site SET statement_timeout TO '10s';
    ALTER DATABASE site SET search_path TO app, public; ALTER ROLE ro IN DATABASE site SET work_mem TO '8MB';
    ALTER DATABASE site CONNECTION LIMIT 90; GRANT CONNECT ON DATABASE site TO ro; REVOKE TEMPORARY ON DATABASE site FROM PUBLIC"
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
check 'backup' status_is 0 kura backup --repo "$repo" --db "$(conn site)"
id=$(latest "$repo")

restore() { kura restore "$id" --repo "$repo" --db "$(conn site)" --swap --jobs 2 "$@"; }
restore_as() { kura restore "$id" --repo "$repo" --db "$(conn "$1")" --swap; }
undo() { kura undo --db "$(conn site)" "$@"; }
prune() { kura prune --old-databases --db "$(conn site)" "$@"; }
rows() { sql site 'SELECT count(*) FROM note'; }
kept() { sql postgres "SELECT datname FROM pg_database WHERE datname LIKE 'site\\_before\\_%' ORDER BY oid"; }
comment() { sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$1'"; }
others() { pg_dumpall -h "$PGHOST" -U postgres --globals-only | sed '/^\\\(un\)\?restrict /d'; dump bystander -C; dump postgres -C; }
whole() { dump "${1:-site}" -C | sed "s/${1:-site}/DATABASE/g"; }
is() { # is FILE COMMAND...: whether it prints just that
    "${@:2}" >"$WORK/is" 2>&1
    same "$1" "$WORK/is"
}
others >"$WORK/others.sql"
whole >"$WORK/site.sql"

# --- the plain way, and back, and forth again
sql site "INSERT INTO note SELECT i, 'new' FROM generate_series(1001, 1500) i"
whole >"$WORK/later.sql"
check 'undo without a kept database fails' status_is 1 undo
check 'and says so' says 'kura keeps no database that was called "site"'
check 'restore --swap' status_is 0 restore
check 'the restored one is the backup, comment and settings too' is "$WORK/site.sql" whole
check 'one is kept' test "$(kept)" = "site_before_$id"
check 'its comment tells what it is' test "$(comment "site_before_$id" | head -n 1 | cut -d ' ' -f 1-5)" = "kura kept \"site\" as \"site_before_$id\""
printf '%s\n' 'the site' "'s own \\ comment" >"$WORK/comment"
own_comment() { comment "$1" | tail -n +2; }
check 'and keeps its own' is "$WORK/comment" own_comment "site_before_$id"
check 'undo --plan' status_is 0 undo --plan
check 'names both' says "would undo +site"
check 'and changes nothing' test "$(rows)" = 1000
check 'undo' status_is 0 undo
check 'the old one is back as it was' is "$WORK/later.sql" whole
replaced=$(kept)
check 'the other one is kept' test "$replaced" = "$(kept | grep before_undo)"
check 'undo of the undo' status_is 0 undo --json
check 'tells it as JSON' jq -e --arg from "$replaced" '.undo | .database == "site" and .from.name == $from and .from.state == "kept" and .replaced != null' "$WORK/out"
check 'the restored one is back' is "$WORK/site.sql" whole
check 'and undo by name' status_is 0 undo "$(kept)"
check 'brings the old one' is "$WORK/later.sql" whole
check 'a name that is not kept' status_is 1 undo bystander
check 'is refused, with those that are' says "These are there for it: \"$(kept)\""
check 'nothing else has changed' is "$WORK/others.sql" others

# --- properties that were changed since the backup
sql postgres "ALTER DATABASE site SET statement_timeout TO '20s'; ALTER DATABASE site RESET search_path; ALTER ROLE ro IN DATABASE site SET work_mem TO '9MB';
    ALTER DATABASE site CONNECTION LIMIT 91; REVOKE CONNECT ON DATABASE site FROM PUBLIC; GRANT CONNECT ON DATABASE site TO other"
whole >"$WORK/later.sql"
check 'swap when properties differ' status_is 3 restore
for told in 'ALTER DATABASE site CONNECTION LIMIT 91' 'GRANT CONNECT ON DATABASE site TO other' 'REVOKE CONNECT ON DATABASE site FROM PUBLIC' \
    "ALTER DATABASE site SET statement_timeout TO '20s'" 'ALTER DATABASE site RESET search_path' "ALTER ROLE ro IN DATABASE site SET work_mem TO '9MB'"; do
    check "tells: $told" says "replaced one had: $told"
done
grep -o 'replaced one had: .*' "$WORK/err" | sed 's/replaced one had: //' >"$WORK/back.sql"
check 'they are six' test "$(wc -l <"$WORK/back.sql")" = 6
check 'undo' status_is 0 undo
check 'brings properties, too' is "$WORK/later.sql" whole
check 'and forth' status_is 0 undo
sql postgres "$(sed 's/$/;/' "$WORK/back.sql")"
grep -a DATABASE "$WORK/later.sql" >"$WORK/later.properties"
properties() { whole | grep -a DATABASE; }
check 'the statements make it as before' is "$WORK/later.properties" properties
check 'and back' status_is 0 undo

# --- sessions that come again at once
hammer() { # connects, works, connects again
    while [ ! -e "$WORK/stop" ]; do
        psql -Xq -d "host=$PGHOST user=$1 dbname=site" -c 'SELECT pg_sleep(0.05) FROM note LIMIT 20' >/dev/null 2>>"$WORK/hammer.err"
    done
}
hammers=()
for role in postgres app app ro ro; do
    hammer "$role" &
    hammers+=($!)
done
psql -Xq -d "$(conn site)" -c 'BEGIN' -c 'UPDATE note SET t = t WHERE id = 1' -c 'SET statement_timeout = 0' -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
hammers+=($!)
sql postgres "GRANT CONNECT ON DATABASE site TO PUBLIC; ALTER ROLE ro IN DATABASE site SET work_mem TO '8MB'"
works() { [ "$(sql postgres "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = 'site'")" = t ]; }
check 'the application works' eventually works
for round in 1 2 3 4 5; do
    before=$(sql postgres "SELECT oid FROM pg_database WHERE datname = 'site'")
    check "undo $round while the application works" status_is 0 undo
    check "undo $round: tells who was ended" says 'sessions? of database "site" (was|were) ended: .*(app|ro|postgres)'
    check "undo $round: another database has the name" test "$(sql postgres "SELECT oid FROM pg_database WHERE datname = 'site'")" != "$before"
    check "undo $round: the application works" eventually works
done
check 'swap while the application works' status_is '0|3' restore
check 'the kept ones have no sessions' test "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'site\\_%'")" = 0
touch "$WORK/stop"
wait "${hammers[@]}" 2>/dev/null
check 'the application saw nothing but ended sessions and a database that was renamed' bash -c "! grep -vE 'terminating connection|server closed|before or while|connection to server was lost|just been dropped or renamed|does not exist|This probably means|^\$' '$WORK/hammer.err'"

# --- what forbids or goes along
sql site "BEGIN; INSERT INTO note VALUES (5000, 'x'); PREPARE TRANSACTION 'two-phase'"
check 'plan tells of a prepared transaction' status_is 3 undo --plan
check 'by name' says 'prepared transaction "two-phase"'
before=$(databases)
check 'undo fails for it' status_is 1 undo
check 'and names it' says 'in use: prepared transaction "two-phase"'
check 'nothing has changed' test "$(databases)" = "$before"
check 'a swap fails for it' status_is 1 restore
check 'and tells that the restored one is complete' says 'is complete and is called "site_kura_....".*kura undo'
complete=$(databases | grep site_kura_)
check 'prune lists it' status_is '0|3' prune
check 'as complete' says "$complete +complete"
sql site "ROLLBACK PREPARED 'two-phase'"
check 'undo puts it in place' status_is 0 undo "$complete"
check 'with its own comment' is "$WORK/comment" comment site
check 'no mark is left' test "$(databases | grep -c site_kura_)" = 0
sql site "SELECT pg_create_logical_replication_slot('feed', 'pgoutput')" >/dev/null
check 'a slot goes with its database' status_is 3 undo
check 'and is told' says 'slot "feed" of database "site" belongs to "site_before_undo'
check 'prune would leave that one' status_is 3 prune --older-than 0
check 'and tells why' says 'stays: it holds replication slot "feed"'
sql postgres "SELECT pg_drop_replication_slot('feed')"

# --- rights
check 'a role that does not own it is refused' status_is 1 kura undo --db "host=$PGHOST user=maker dbname=site"
check 'and told why' says 'role "maker" may not rename database "site" of role "app"'
sql postgres 'GRANT app TO maker'
psql -Xq -d "host=$PGHOST user=other dbname=site" -c 'SET statement_timeout = 0' -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
sleeper=$!
check 'somebody is connected' eventually bash -c "[ \$(psql -XqAtc \"SELECT count(*) FROM pg_stat_activity WHERE usename = 'other'\") = 1 ]"
check 'sessions that we may not end are in the way' status_is 1 kura undo --db "host=$PGHOST user=maker dbname=site"
check 'and named' says 'in use: process [0-9]+ of role "other" .*we may not end'
sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'other'" >/dev/null
wait $sleeper
check 'then the owner may' status_is 0 kura undo --db "host=$PGHOST user=maker dbname=site"

# --- killed in the middle: somebody holds a lock that the renaming waits for
hold_name() { hold postgres "COMMENT ON DATABASE \"$1\" IS 'held'"; } # a lock that ALTER DATABASE waits for
waiting() { [ "$(sql postgres "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted AND locktype = 'object'")" = 1 ]; }
state() { sql postgres "SELECT oid, datname, datallowconn, datconnlimit, shobj_description(oid, 'pg_database') FROM pg_database ORDER BY 1"; }
for which in name kept; do
    at=site
    [ $which = name ] || at=$(undo --plan --json 2>/dev/null | jq -r .plan.from.name)
    state >"$WORK/state.before"
    hold_name "$at"
    HOME=$WORK TMPDIR=$WORK/tmp "$KURA" undo --db "$(conn site)" >/dev/null 2>&1 &
    pid=$!
    check "kura waits in the middle, at \"$at\"" eventually waiting
    kill -9 $pid
    wait $pid 2>/dev/null
    unhold
    state >"$WORK/state.after"
    check 'killed there, nothing has changed' same "$WORK/state.before" "$WORK/state.after"
    check 'the site is up' test "$(rows)" -ge 1000
    check 'and undo works' status_is 0 undo
done

# The server crashes at that point: one of its processes is killed, it ends all others and recovers.
state >"$WORK/state.before"
hold_name "$(undo --plan --json 2>/dev/null | jq -r .plan.from.name)"
HOME=$WORK TMPDIR=$WORK/tmp "$KURA" undo --db "$(conn site)" >"$WORK/out" 2>"$WORK/err" &
pid=$!
check 'kura waits again' eventually waiting
kill -9 "$(sql postgres "SELECT pid FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted AND locktype = 'object'")"
unhold 2>/dev/null
wait $pid
check 'kura fails when the server crashes' test $? = 1
check 'the server recovers' eventually sql postgres 'SELECT 1'
state >"$WORK/state.after"
check 'and nothing has changed' same "$WORK/state.before" "$WORK/state.after"
check 'undo works after that' status_is 0 undo

# --- restores killed at any moment, kura or the server: the next run heals
mark=KURA_TEST_MARK=$$.$RANDOM
RANDOM=1122
gone() { [ -z "$(left_running)" ]; }
restart() { # what is left of the killed one ends when it notices
    local deadline=$((SECONDS + PATIENCE))
    wait "${CLUSTER_PID[main]}" 2>/dev/null
    until cluster_run 15 main "$WORK/main" -c fsync=off -c wal_level=logical -c max_prepared_transactions=5 2>/dev/null; do
        [ $SECONDS -lt $deadline ] || die 'the server does not start again'
        sleep 0.2
    done
}
timed_restore() { # its length is in $length
    local started status
    started=$(milliseconds)
    restore
    status=$?
    length=$(($(milliseconds) - started))
    return $status
}
check 'a restore, for its length' status_is '0|3' timed_restore
unfinished() { databases | grep site_kura_; }
complete() { sql postgres "SELECT datname FROM pg_database WHERE datname LIKE 'site_kura_%' AND shobj_description(oid, 'pg_database') LIKE 'kura complete %' LIMIT 1"; }
: >"$WORK/killed" >"$WORK/unfinished"
enough() { [ "$(wc -l <"$WORK/killed")" -ge 4 ] && [ "$(wc -l <"$WORK/unfinished")" -ge 2 ]; }
round=0
until [ $round -ge 8 ] && { enough || [ $round -ge 40 ]; }; do # how long it takes changes with what else runs
    round=$((round + 1))
    delay=$((length * (3 + (round - 1) % 8) / 11 + RANDOM % (length / 10 + 1)))
    before=$(sql postgres "SELECT oid FROM pg_database WHERE datname = 'site'")
    HOME=$WORK TMPDIR=$WORK/tmp env "$mark" "$KURA" restore "$id" --repo "$repo" --db "$(conn site)" --swap --jobs 2 >/dev/null 2>&1 &
    pid=$!
    sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
    if [ $((round % 4)) = 3 ]; then
        kill -9 "${CLUSTER_PID[main]}"
        wait $pid
        restart
    fi
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    check 'nothing of it runs on' eventually gone
    unfinished >>"$WORK/unfinished"
    if [ "$before" = "$(sql postgres "SELECT oid FROM pg_database WHERE datname = 'site'")" ]; then
        echo old >>"$WORK/killed"
    fi
    check "killed after $delay ms: the site is whole" test "$(rows)" -ge 1000
    check "killed after $delay ms: undo works" status_is '0|3' undo
    rm -rf "$WORK"/tmp/*
    check "killed after $delay ms: the next restore works" status_is '0|3' timed_restore
    complete=$(complete)
    if [ -n "$complete" ]; then # killed while it got its name
        check "killed after $delay ms: the next restore tells of the one that is complete" says "database \"$complete\" is a complete restore"
        sql postgres "DROP DATABASE \"$complete\""
    fi
    check "killed after $delay ms: and leaves nothing unfinished" test -z "$(unfinished)"
    check "killed after $delay ms: the restored one is the backup" is "$WORK/site.sql" whole
done
check 'some were really killed in the middle, some left an unfinished database' enough

# --- two at a time
hold_name site
HOME=$WORK TMPDIR=$WORK/tmp "$KURA" undo --db "$(conn site)" >"$WORK/first" 2>&1 &
pid=$!
check 'a first one is at work' eventually waiting
check 'a second one is told' status_is 11 restore
check 'who is there' says 'another kura is at work on database "site"'
unhold
wait $pid
check 'the first one ends well' test $? = 0

# --- a site that is gone
check 'undo brings the backup' status_is 0 undo
sql postgres 'DROP DATABASE site'
check 'undo when nothing has the name' status_is 0 undo
check 'brings it back' test "$(rows)" -ge 1000

# --- prune
n=$(kept | wc -l)
createdb_as site_before_mine
sql postgres "COMMENT ON DATABASE site_before_mine IS E'kura kept \"site\" as \"site_before_mine\" oid \"1\" at \"2020-01-01T00:00:00Z\" by \"x\"'"
createdb_as site_before_yours
stranger=$(kept | head -n 1)
sql postgres "ALTER DATABASE \"$stranger\" RENAME TO site_by_hand"
n=$((n - 1))
check 'prune needs to be told what' status_is 2 kura prune --db "$(conn site)"
check 'prune --drop needs to be told which' status_is 2 prune --drop
check 'prune lists' status_is 0 prune --json
check 'all that are kept, and no other' jq -e --argjson n "$n" '(.databases | length) == $n and all(.databases[]; .verdict == "stays" and .state == "kept")' "$WORK/out"
check 'a dry run' status_is 0 prune --keep-databases 2 --json
check 'chooses all but two' jq -e --argjson n "$n" '[.databases[].verdict] == ["stays", "stays"] + [range(2; $n) | "would be dropped"]' "$WORK/out"
check 'and drops nothing' test "$(kept | wc -l)" = $((n + 2))
check 'nothing is old enough' status_is 0 prune --older-than 1 --drop
check 'so nothing goes' test "$(kept | wc -l)" = $((n + 2))
newest=$(jq -r '.databases[0].name' <(kura prune --old-databases --db "$(conn site)" --json 2>/dev/null))
oldest=$(jq -r '.databases[-1].name' <(kura prune --old-databases --db "$(conn site)" --json 2>/dev/null))
psql -Xq -d "$(conn "$oldest")" -c 'SET statement_timeout = 0' -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
sleeper=$!
check 'somebody is in the oldest' eventually bash -c "[ \$(psql -XqAtc \"SELECT count(*) FROM pg_stat_activity WHERE datname = '$oldest'\") = 1 ]"
whole >"$WORK/site.now"
check 'prune to one' status_is 3 prune --keep-databases 1 --older-than 0 --drop
check 'spares the one in use, and says so' says "\"$oldest\" stays: it has 1 session"
printf '%s\n' "$oldest" site_before_mine site_before_yours "$newest" | sort >"$WORK/left"
left() { kept | sort; }
check 'the rest is gone' is "$WORK/left" left
sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$oldest'" >/dev/null
wait $sleeper
check 'prune all' status_is 0 prune --older-than 0 --drop
check 'what kura did not make, or a person renamed, stays' test "$(databases | grep '^site' | sort | tr '\n' ' ')" = 'site site_before_mine site_before_yours site_by_hand '
check 'the site is as it was' is "$WORK/site.now" whole
sql postgres 'REVOKE app FROM maker'
check 'nothing else has changed after all that' is "$WORK/others.sql" others

# --- names that bite
for name in $'o"ne; DROP DATABASE site\n--' "$(printf '蔵%.0s' {1..21})" '--swap' 'select'; do
    before=$(sql postgres 'SELECT count(*) FROM pg_database')
    check "restore as $name" status_is 0 kura restore "$id" --repo "$repo" --db "$(conn "$name")"
    check "swap $name" status_is 0 restore_as "$name"
    check "undo $name" status_is 0 kura undo --db "$(conn "$name")"
    check "two are left of $name" test "$(sql postgres 'SELECT count(*) FROM pg_database')" = $((before + 2))
    check "prune $name" status_is 0 kura prune --old-databases --db "$(conn "$name")" --older-than 0 --drop
    check "one is left of $name" test "$(sql postgres 'SELECT count(*) FROM pg_database')" = $((before + 1))
    check "it is whole: $name" test "$(psql -XqAt -d "$(conn "$name")" -c 'SELECT count(*) FROM note')" = 1000
done

finish
