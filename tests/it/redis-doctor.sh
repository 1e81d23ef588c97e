#!/bin/bash
# What doctor says of Redis: each check fires where something is wrong, and is silent where all is well.
. "$(dirname "$0")/lib.sh"

doctor() { kura doctor --redis "$1" --json; }
# findings URL: the ids of what is wrong, in order.
findings() { doctor "$1" 2>/dev/null | jq -r '[.doctor.findings[] | select(.severity != "note") | .id] | join(" ")'; }
evidence() { doctor "$1" 2>/dev/null | jq -r '.doctor.findings[].evidence'; }
finds() { # finds URL IDS
    local got
    got=$(findings "$1")
    echo "found \"$got\", wanted \"$2\""
    evidence "$1"
    [ "$got" = "$2" ]
}
tells() { evidence "$1" | grep -E -e "$2"; }

redis_run site --save '3600 1' --maxmemory 100mb --enable-debug-command yes
url=unix://${REDIS_SOCKET[site]}
now=$(date +%s)

# A server that is well: Sidekiq with both forms of a moment, BullMQ with a prefix, jobs just put there.
{
    echo 'SADD queues default push'
    echo "LPUSH queue:default '{\"class\":\"A\",\"enqueued_at\":$now.25}' '{\"class\":\"B\",\"enqueued_at\":${now}500}'"
    echo 'HSET example.com:queue:deliver:deliver:meta opts.maxLenEvents 10000'
    echo 'LPUSH example.com:queue:deliver:deliver:wait 1'
    echo "HSET example.com:queue:deliver:deliver:1 timestamp ${now}000"
    echo 'SET some:meta text'
} | redis site >/dev/null
check 'a server that is well' status_is 0 kura doctor --redis "$url"
check 'nothing is found' finds "$url" ''
silent() { [ "$(doctor "$url" | jq -r --arg id "$1" '.doctor.checks[] | select(.id == $id) | "\(.outcome) \(.findings)"')" = 'ran 0' ]; }
for id in REDIS-01 REDIS-02 REDIS-03 REDIS-04; do
    check "$id was looked at and is silent" silent "$id"
done

# REDIS-01
check 'a server that is not there' finds "unix://$WORK/nobody" REDIS-01
port=$(s3_free_ports 1)
redis_run locked --port "$port" --requirepass right
check 'a wrong password' finds "redis://:wrong@127.0.0.1:$port" REDIS-01
check 'is not shown' test "$(doctor "redis://:wrong@127.0.0.1:$port" 2>&1 | grep -c wrong)" = 0
check 'no password' finds "redis://127.0.0.1:$port" REDIS-01
check 'the right one' finds "redis://:right@127.0.0.1:$port" ''
check 'a server without queues may be without persistence' test "$(redis locked -a right --no-auth-warning CONFIG GET save | tail -n 1)" = ''

# REDIS-02: by age, by number, of either kind.
redis site RPUSH queue:push "{\"enqueued_at\":$((now - 19 * 86400))}" >/dev/null
check 'an old job of Sidekiq' finds "$url" REDIS-02
check 'its age and queue are told' tells "$url" '^4 jobs wait .* the oldest for 19 days in "push"'
redis site LPOP queue:push >/dev/null
redis site HSET example.com:queue:deliver:deliver:1 timestamp $(((now - 7300) * 1000)) >/dev/null
check 'an old job of BullMQ' finds "$url" REDIS-02
check 'its queue is told' tells "$url" 'the oldest for 2 h 0. min in "deliver"'
redis site HSET example.com:queue:deliver:deliver:1 timestamp "${now}000" >/dev/null
check 'then all is well' finds "$url" ''
seq -f 'LPUSH example.com:queue:deliver:deliver:wait %.0f' 2 10001 | redis site >/dev/null
check 'many jobs' finds "$url" REDIS-02
check 'are counted' tells "$url" '^10,003 jobs wait'
redis site LTRIM example.com:queue:deliver:deliver:wait -1 -1 >/dev/null
redis site ZADD example.com:queue:deliver:deliver:delayed 1 7 2 8 3 9 >/dev/null
redis site LPUSH queue:push 'no json' '{"enqueued_at":"yesterday"}' '{"enqueued_at":-1e300}' >/dev/null
check 'jobs that tell no moment are counted, and no more' finds "$url" ''

# REDIS-03
redis site CONFIG SET maxmemory-policy allkeys-lru >/dev/null
check 'a server that throws queues away' finds "$url" REDIS-03
check 'its policy is told' tells "$url" 'maxmemory-policy allkeys-lru'
redis site CONFIG SET maxmemory 0 >/dev/null
check 'not without a limit' finds "$url" ''
redis site CONFIG SET maxmemory 100mb maxmemory-policy noeviction >/dev/null

# REDIS-04
redis site CONFIG SET save '' >/dev/null
check 'a server that forgets' finds "$url" REDIS-04
redis site CONFIG SET appendonly yes >/dev/null
check 'not with an append-only file' finds "$url" ''
redis site CONFIG SET appendonly no save '3600 1' >/dev/null
mkdir "$WORK/site/dump.rdb"
redis site BGSAVE >/dev/null
saved() { redis site INFO persistence | tr -d '\r' | grep -x "rdb_last_bgsave_status:$1"; }
check 'a save fails' eventually saved err
check 'and is found' finds "$url" REDIS-04
check 'as what it is' tells "$url" 'the last dump of .* failed'
rmdir "$WORK/site/dump.rdb"
redis site BGSAVE >/dev/null
check 'the next one succeeds' eventually saved ok
check 'then all is well again' finds "$url" ''
check 'every check is explained' status_is 0 kura doctor --explain redis-03
check 'with what to do' says 'noeviction'
finish
