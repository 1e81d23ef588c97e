# shellcheck shell=bash
# Hosts on one machine: each a network namespace with an address on a switch that is a namespace, too, and in it a /home
# and a host name of its own. To be sourced by a bash script, as root. The machine's own network is not touched.
#
#   host_add NAME ADDRESS [RATE]   10.99.0.0/24; a RATE as tc(8) takes it is that of its line, either way
#   on NAME COMMAND...             runs it there, its /home being $WORK/NAME/home
#   HOST_EXEC                      set to (host_exec NAME), the servers that pg.sh and s3.sh start run there
declare -gA HOST_NAMESPACE=() HOST_ADDRESS=()
HOST_EXEC=

hosts_begin() {
    HOST_NAMESPACE[switch]=kura-$$-switch
    ip netns add "${HOST_NAMESPACE[switch]}" &&
        ip -n "${HOST_NAMESPACE[switch]}" link add bridge type bridge &&
        ip -n "${HOST_NAMESPACE[switch]}" link set bridge up
}

host_add() {
    local name=$1 address=$2 rate=${3:-} namespace=kura-$$-$1 switch=${HOST_NAMESPACE[switch]}
    ip netns add "$namespace" || return 1
    HOST_NAMESPACE[$name]=$namespace HOST_ADDRESS[$name]=$address
    ip -n "$switch" link add "$name" type veth peer name eth0 netns "$namespace" &&
        ip -n "$switch" link set "$name" master bridge up &&
        ip -n "$namespace" address add "$address/24" dev eth0 &&
        ip -n "$namespace" link set eth0 up && ip -n "$namespace" link set lo up || return 1
    mkdir -p "$WORK/$name/home"
    [ -z "$rate" ] || {
        tc -n "$namespace" qdisc add dev eth0 root tbf rate "$rate" burst 1mb latency 50ms &&
            tc -n "$switch" qdisc add dev "$name" root tbf rate "$rate" burst 1mb latency 50ms
    }
}

host_exec() { echo "ip netns exec ${HOST_NAMESPACE[$1]}"; }

on() { (on_exec "$@"); }
on_exec() { # the same in the place of this process
    # shellcheck disable=SC2016
    exec ip netns exec "${HOST_NAMESPACE[$1]}" unshare --uts --mount --propagation private sh -euc '
        hostname "$1.example.test"
        mount --bind "$2" /home
        shift 2
        exec "$@"' sh "$1" "$WORK/$1/home" "${@:2}"
}

hosts_end() {
    local name
    for name in "${!HOST_NAMESPACE[@]}"; do
        ip netns delete "${HOST_NAMESPACE[$name]}" 2>/dev/null
    done
}
