# shellcheck shell=bash
# Redis servers for tests: `. redis.sh`, then `redis_run NAME [OPTION...]`, which sets REDIS_SOCKET[NAME]; in the end
# `redis_stop_all`. Each works in $WORK/NAME, and listens on a socket there alone unless told otherwise.
declare -gA REDIS_PID=() REDIS_SOCKET=()

redis_run() {
    local name=$1 dir=$WORK/$1
    shift
    mkdir -p "$dir"
    REDIS_SOCKET[$name]=$dir/socket
    # The program is the same file; the package of its name would also start a service.
    (exec -a redis-server redis-check-rdb --port 0 --unixsocket "$dir/socket" --dir "$dir" --save '' \
        --repl-diskless-sync-delay 0 --repl-ping-replica-period 1 "$@") >"$dir/log" 2>&1 &
    REDIS_PID[$name]=$!
    eventually redis_answers "$name" || { cat "$dir/log"; die "Redis could not be started"; }
}
redis_answers() { redis-cli -s "${REDIS_SOCKET[$1]}" PING 2>&1 | grep -qE 'PONG|NOAUTH'; }

redis_stop() { # redis_stop NAME [SIGNAL]
    { kill "-${2:-TERM}" "${REDIS_PID[$1]}" && wait "${REDIS_PID[$1]}"; } 2>/dev/null
    unset "REDIS_PID[$1]"
}
redis_stop_all() {
    local name
    for name in "${!REDIS_PID[@]}"; do redis_stop "$name"; done
}

redis() { redis-cli -s "${REDIS_SOCKET[$1]}" "${@:2}"; } # redis NAME COMMAND...

# One digest of all keys of all databases with what they hold, and how many there are. Needs --enable-debug-command.
redis_content() {
    redis "$1" DEBUG DIGEST
    redis "$1" INFO keyspace | sed -n 's/^\(db[0-9]*:keys=[0-9]*\),.*/\1/p'
}
