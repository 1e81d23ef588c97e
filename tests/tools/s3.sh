# shellcheck shell=bash
# S3 servers for tests and benchmarks: two real ones, from Debian's packages. To be sourced by a bash script, as root.
#
#   rgw    the gateway of Ceph 16, with a monitor and one OSD of its own
#   swift  OpenStack Swift 2.30 with its s3api: signatures, regions and limits are stricter, conditional PUT is missing
#
# They are unpacked into $KURA_TEST_CACHE once (see debroot.sh). Each process is a child of the script, in a chroot and a
# mount namespace of its own, and dies with the script however that ends. A server keeps its data in a directory of
# its own, listens on ports of 127.0.0.1 that were free, and knows the key $S3_ACCESS, $S3_SECRET.
KURA_TEST_CACHE=${KURA_TEST_CACHE:-/var/cache/kura-tests}
S3_OWNER_SECRET=testsecret-$$-of-the-owner # of this script alone: it is in arguments of programs that make the key
S3_TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

declare -A S3_KIND S3_DIR S3_ADDRESS S3_PORT S3_TLS_PORT S3_GATEWAY S3_OTHERS FAULTY_PID

# shellcheck disable=SC2086
s3_client() { ${HOST_EXEC:-} python3 "$S3_TOOLS/s3client.py" "$@"; }

# s3_start KIND NAME [OPTION...]: a new, empty server, and the environment set to it (see s3_use). Options:
#   dir=DIR         where its data goes; default $WORK/NAME
#   bluestore=SIZE  rgw: objects in a sparse file of SIZE bytes instead of memory, which does for less than 1 GiB
#   tls             rgw: also listens with TLS, a certificate for localhost, its address and *.s3.test, by a CA of its own
#   names=DOMAIN    rgw: BUCKET.DOMAIN is a bucket's host name; default localhost
#   address=ADDRESS rgw: where it listens, on the host that $HOST_EXEC tells (hosts.sh); default 127.0.0.1
#   conf=LINE       rgw: one more line of the gateway's configuration
s3_start() {
    local kind=$1 name=$2 option
    shift 2
    local dir=$WORK/$name store=memstore size=0 tls=0 names=localhost conf='' address=127.0.0.1
    for option; do
        case $option in
        dir=*) dir=${option#*=} ;;
        bluestore=*) store=bluestore size=${option#*=} ;;
        tls) tls=1 ;;
        names=*) names=${option#*=} ;;
        address=*) address=${option#*=} ;;
        conf=*) conf+=${option#*=}$'\n' ;;
        *) echo "s3_start: what is \"$option\"?" >&2 && return 1 ;;
        esac
    done
    mkdir -p "$dir/log" || return 1
    S3_KIND[$name]=$kind S3_DIR[$name]=$dir S3_ADDRESS[$name]=$address S3_OTHERS[$name]=''
    s3_bring_up "$name" && return 0
    echo "the S3 server \"$name\" ($kind) did not start:" >&2
    tail -n 5 "$dir"/log/* >&2
    s3_stop "$name"
    return 1
}

# One at a time on this machine: a port that was found free is another's until a server listens at it.
s3_bring_up() {
    local lock status
    mkdir -p "$KURA_TEST_CACHE"
    exec {lock}<"$KURA_TEST_CACHE" && flock "$lock" || return 1
    "s3_start_$kind" "$1" && s3_again "$1" && "s3_key_$kind" "$1"
    status=$?
    flock -u "$lock" # the servers have it, too
    exec {lock}<&-
    return $status
}

# s3_use NAME: S3_ENDPOINT, S3_REGION, S3_ACCESS and S3_SECRET (for s3_client), their namesakes for kura, and with TLS
# S3_TLS_ENDPOINT and S3_CA_FILE, are this server's from now on.
s3_use() {
    export S3_ENDPOINT=http://${S3_ADDRESS[$1]}:${S3_PORT[$1]} S3_REGION=us-east-1
    S3_TLS_ENDPOINT=${S3_TLS_PORT[$1]:+https://${S3_ADDRESS[$1]/127.0.0.1/localhost}:${S3_TLS_PORT[$1]}}
    S3_CA_FILE=${S3_DIR[$1]}/ca.pem
    case ${S3_KIND[$1]} in
    rgw) s3_as testkey "$S3_OWNER_SECRET" ;;
    swift) s3_as test:tester "$S3_OWNER_SECRET" ;;
    esac
}
s3_as() { # s3_as ACCESS SECRET
    export S3_ACCESS=$1 S3_SECRET=$2 AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2
}

s3_bucket() { # s3_bucket NAME BUCKET
    (s3_use "$1" && s3_client make "$2")
}

# s3_drop NAME BUCKET: a bucket of rgw and all that is in it, whose space is free at once.
s3_drop() {
    s3_tool "$1" radosgw-admin -c /mnt/ceph.conf bucket rm --bucket="$2" --purge-objects --bypass-gc
}

# s3_append_only NAME BUCKET: a second key, s3_as appendkey appendsecret, that may read, list and put in a bucket, and
# delete nothing.
s3_append_only() {
    s3_tool "$1" radosgw-admin -c /mnt/ceph.conf user create --uid=append --display-name=append \
        --access-key=appendkey --secret-key=appendsecret || return 1
    cat >"${S3_DIR[$1]}/policy.json" <<POLICY
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam:::user/append"}, "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
   "Resource": ["arn:aws:s3:::$2", "arn:aws:s3:::$2/*"]},
  {"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam:::user/append"}, "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::$2/*"}]}
POLICY
    (s3_use "$1" && s3_client policy "$2" "${S3_DIR[$1]}/policy.json")
}

# The gateway alone: killed at once, started again with all it had, frozen (it accepts and does not answer), thawed.
s3_kill() {
    kill -KILL "${S3_GATEWAY[$1]}"
    wait "${S3_GATEWAY[$1]}" 2>/dev/null
    S3_GATEWAY[$1]=''
}
s3_again() {
    "s3_gateway_${S3_KIND[$1]}" "$1"
    S3_GATEWAY[$1]=$!
    s3_use "$1"
    s3_answers "$1"
}
s3_freeze() { kill -STOP "${S3_GATEWAY[$1]}"; }
s3_thaw() { kill -CONT "${S3_GATEWAY[$1]}"; }

s3_stop() {
    local pid
    for pid in ${S3_GATEWAY[$1]:-} ${S3_OTHERS[$1]:-}; do
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    unset "S3_KIND[$1]" "S3_GATEWAY[$1]" "S3_OTHERS[$1]"
}
s3_stop_all() {
    local name
    faulty_stop_all
    for name in "${!S3_KIND[@]}"; do
        s3_stop "$name"
    done
}

# faulty_start NAME PROXY: a faulty proxy (tools/faulty) before a server; FAULTY_ENDPOINT is where it listens. Each PROXY
# has rules and a log of its own, in $WORK/PROXY.rules and .log.
faulty_start() {
    local deadline=$((SECONDS + 60))
    setpriv --pdeathsig KILL "$BUILD/tests/tools/faulty/faulty" "${S3_PORT[$1]}" "$WORK/$2.rules" "$WORK/$2.log" \
        >"$WORK/$2.port" 2>"$WORK/$2.err" </dev/null &
    FAULTY_PID[$2]=$!
    until [ -s "$WORK/$2.port" ]; do
        if [ $SECONDS -ge $deadline ] || ! kill -0 "${FAULTY_PID[$2]}" 2>/dev/null; then
            cat "$WORK/$2.err" >&2
            return 1
        fi
        sleep 0.02
    done
    FAULTY_ENDPOINT=http://127.0.0.1:$(cat "$WORK/$2.port")
}
# faulty_rules PROXY [RULE]...: these from now on, and an empty log.
faulty_rules() {
    printf '%s\n' "${@:2}" >"$WORK/$1.new"
    mv "$WORK/$1.new" "$WORK/$1.rules"
    : >"$WORK/$1.log"
}
faulty_stop_all() {
    local pid
    for pid in "${FAULTY_PID[@]}"; do
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    FAULTY_PID=()
}

# Free ports of 127.0.0.1, below those that outgoing connections get.
s3_free_ports() {
    python3 -c '
import random, socket, sys
found = []
while len(found) < int(sys.argv[1]):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randrange(12000, 32000)))
        found.append(s)
    except OSError:
        s.close()
print(*(s.getsockname()[1] for s in found))' "$1"
}

# Waits until anything answers HTTP at the port, at most three minutes.
s3_answers() {
    local deadline=$((SECONDS + 180))
    # shellcheck disable=SC2086
    until ${HOST_EXEC:-} python3 -c 'import http.client, sys
c = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=5)
c.request("GET", "/healthcheck"), c.getresponse()' "${S3_ADDRESS[$1]}" "${S3_PORT[$1]}" 2>/dev/null; do
        if [ $SECONDS -ge $deadline ] || ! kill -0 "${S3_GATEWAY[$1]}" 2>/dev/null; then
            return 1
        fi
        sleep 0.05
    done
}

# s3_exec NAME PROGRAM ARG...: replaces this process by a server's program, which sees the server's directory as /mnt. It
# must not change its user: the system would forget to end it with the script. Swift's programs start three times as fast
# once Python has kept what it compiled.
s3_exec() {
    local root=$KURA_TEST_CACHE/${S3_KIND[$1]} dir=${S3_DIR[$1]}
    shift
    # shellcheck disable=SC2016
    exec ${HOST_EXEC:-} env -u PYTHONDONTWRITEBYTECODE setpriv --pdeathsig KILL unshare --mount --propagation private sh -euc '
        root=$1 dir=$2
        shift 2
        mount --rbind /dev "$root/dev"
        mount --rbind /proc "$root/proc"
        mount --bind /etc/hosts "$root/etc/hosts"
        mount -t tmpfs tmpfs "$root/run"
        mount -t tmpfs tmpfs "$root/tmp"
        mount --bind "$dir" "$root/mnt"
        cd "$root/mnt"
        exec chroot "$root" "$@"' sh "$root" "$dir" "$@"
}
# s3_daemon NAME LOG PROGRAM ARG...: the same in the background.
s3_daemon() {
    (s3_exec "$1" "${@:3}") >>"${S3_DIR[$1]}/log/$2" 2>&1 </dev/null &
}
# s3_tool NAME PROGRAM ARG...: the same, waiting for its end.
s3_tool() {
    (s3_exec "$1" timeout --foreground 300 "${@:2}") >>"${S3_DIR[$1]}/log/setup" 2>&1 </dev/null
}

# s3_unpack KIND PACKAGE...: what chroot needs and maintainer scripts would have made.
s3_unpack() {
    local root=$KURA_TEST_CACHE/$1
    mkdir -p "$KURA_TEST_CACHE"
    "$S3_TOOLS/debroot.sh" bookworm "$root" "${@:2}" || return 1
    mkdir -p "$root/mnt"
    [ -e "$root/etc/hosts" ] || : >"$root/etc/hosts"
    [ -s "$root/etc/passwd" ] || printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
    [ -s "$root/etc/group" ] || printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
}

. "$S3_TOOLS/s3-rgw.sh"
. "$S3_TOOLS/s3-swift.sh"
