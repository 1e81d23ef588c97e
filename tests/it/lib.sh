# shellcheck shell=bash
# What every integration test script starts with: `. "$(dirname "$0")/lib.sh"`, and ends with: `finish`.
#
# A script runs the built program ($KURA) against real servers. It works in $WORK, a directory of its own that is removed
# with everything started, on every way out. `check` counts; a script that ends without `finish` counts as a failure.
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
. "$HERE/../tools/pg.sh"
. "$HERE/../tools/s3.sh"
. "$HERE/../tools/redis.sh"
. "$HERE/../tools/hosts.sh"

BUILD=${KURA_BUILD:-$TOP/build}
KURA=$BUILD/cmd/kura/kura
DIGEST=$BUILD/tests/tools/archive-digest
SQL=$HERE/sql
TOPIC=$(basename "$0" .sh)
RESULTS=${KURA_TEST_RESULTS:-/dev/null} # one line a check: "pass" or "fail"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/kura-$TOPIC.XXXXXX")
chmod 755 "$WORK"
mkdir "$WORK/tmp" # where kura makes its temporary files
passed=0 failed=0 finished=0
declare -A extension_dirs=() # the descriptor that holds a lock on it: the directory
at_end=()                    # functions that take away what else a script leaves
unset "${!AWS_@}" "${!KURA_S3_@}"
export PGCONNECT_TIMEOUT=10 LC_ALL=C.UTF-8 AWS_EC2_METADATA_DISABLED=true KURA_STATE_DIR=$WORK/run-state

cleanup() {
    local status=$? fd end
    trap - EXIT
    trap '' INT TERM
    for end in jobs_end clusters_stop s3_stop_all redis_stop_all hosts_end "${at_end[@]}"; do
        "$end"
    done
    for fd in "${!extension_dirs[@]}"; do
        remove_extension "$fd"
    done
    cd / && rm -rf "$WORK"
    if [ "$finished" = 0 ]; then
        echo "not ok - $TOPIC: ended early with status $status"
        echo fail >>"$RESULTS"
        [ "$status" != 0 ] || status=1
    fi
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What a script that ends early leaves running in the background, other than servers, and what bears its $mark.
jobs_end() {
    local pid
    for pid in $(jobs -p); do
        [[ " ${CLUSTER_PID[*]} " == *" $pid "* ]] || kill -KILL "$pid" 2>/dev/null
    done
    [ -z "${mark:-}" ] || left_running | sed -n 's/^still running: \([0-9]*\) .*/\1/p' | xargs -r kill -KILL 2>/dev/null
}

die() {
    echo "$TOPIC: $*" >&2
    exit 1
}

record() { # record pass|fail NAME [OUTPUT-FILE]
    echo "$1" >>"$RESULTS"
    if [ "$1" = pass ]; then
        passed=$((passed + 1))
        echo "ok - $TOPIC: $2"
    else
        failed=$((failed + 1))
        echo "not ok - $TOPIC: $2"
        [ -z "${3:-}" ] || tail -n 40 "$3" | cut -c -400 | sed 's/^/#   /'
    fi
}

# check NAME COMMAND...: passes when the command succeeds; shows what it printed when it does not.
check() {
    local name=$1
    shift
    if "$@" >"$WORK/check.out" 2>&1; then
        record pass "$name"
    else
        record fail "$name" "$WORK/check.out"
        return 1
    fi
}

# eventually COMMAND...: polls until it succeeds, $PATIENCE seconds at most: servers notice a lost client a little later.
PATIENCE=60
eventually() {
    local deadline=$((SECONDS + PATIENCE))
    until "$@" >"$WORK/eventually" 2>&1; do
        [ $SECONDS -lt $deadline ] || { cat "$WORK/eventually"; return 1; }
        sleep 0.02
    done
}

# signalled SIGNAL MILLISECONDS COMMAND...: the command, which gets the signal after that time unless it has ended.
signalled() {
    local after=$(($2 > 0 ? $2 : 1))
    env --default-signal=INT,TERM timeout --foreground --preserve-status -s "$1" "$(printf '%d.%03d' $((after / 1000)) $((after % 1000)))" "${@:3}"
}
milliseconds() { date +%s%3N; }

# The processes that bear $mark, an assignment, in their environment.
left_running() {
    local file pid
    for file in $(grep -slzxF "$mark" /proc/[0-9]*/environ); do
        pid=${file#/proc/}
        echo "still running: ${pid%/*} $(tr '\0' ' ' <"/proc/${pid%/*}/cmdline")"
    done
}

# Ends the script: fails when a check failed or none ran, or when kura left a temporary file.
finish() {
    finished=1
    if [ -n "$(ls -A "$WORK/tmp")" ]; then
        find "$WORK/tmp" >"$WORK/check.out"
        record fail 'kura left temporary files' "$WORK/check.out"
    fi
    echo "# $TOPIC: $passed passed, $failed failed"
    if [ $((passed + failed)) = 0 ]; then
        record fail "ran no check"
    fi
    [ "$failed" = 0 ] || exit 1
    exit 0
}

# start VERSION NAME [OPTION...]: a new cluster, and libpq's environment set to it. Durability is off: it is thrown away.
start() {
    local version=$1 name=$2
    shift 2
    cluster_init "$version" "$WORK/$name" &&
        cluster_run "$version" "$name" "$WORK/$name" -c fsync=off -c full_page_writes=off -c max_wal_size=4GB "$@" ||
        die "PostgreSQL $version could not be started"
    use "$name"
}

# conn DATABASE: a connection string for the cluster in use.
conn() { # whatever the names
    local user=${PGUSER//\\/\\\\} database=${1//\\/\\\\}
    printf "host=%s user='%s' dbname='%s'" "$PGHOST" "${user//\'/\\\'}" "${database//\'/\\\'}"
}

# sql DATABASE STATEMENT: unaligned, tuples only; stops at the first error.
sql() { psql -XqAt -v ON_ERROR_STOP=1 -d "$(conn "$1")" -c "$2"; }
sql_file() { psql -Xq -v ON_ERROR_STOP=1 -d "$(conn "$1")" -f "$SQL/$2" "${@:3}"; }

# sees CONDITION: the same for what the server knows, which looks every millisecond: for what lasts a moment.
sees() {
    sql postgres "DO \$\$ BEGIN
        FOR i IN 1..${PATIENCE}000 LOOP
            IF $1 THEN RETURN; END IF;
            PERFORM pg_stat_clear_snapshot(), pg_sleep(0.001);
        END LOOP;
        RAISE 'it was not seen'; END \$\$"
}

# hold DATABASE STATEMENT: runs it in a transaction that stays open, with all that it has locked, until `unhold`.
hold() {
    coproc HOLDER { psql -Xq -d "$(conn "$1")" 2>/dev/null; }
    echo "BEGIN; $2; SELECT 1 AS held;" >&"${HOLDER[1]}" && grep -q -m 1 held <&"${HOLDER[0]}"
}
unhold() { echo 'ROLLBACK; \q' >&"${HOLDER[1]}"; wait "$HOLDER_PID"; }

createdb_as() { sql postgres "CREATE DATABASE \"$1\" ${2:-}"; }
has_db() { [ "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname = '$1'")" = 1 ]; }
databases() { sql postgres 'SELECT datname FROM pg_database ORDER BY 1'; }

# The extension kura_test, where servers of a major look for it, until the script ends. Scripts that run at the same time
# share it: each holds a shared lock on the directory, and the one that can have it for itself is the last.
install_extension() {
    local dir file fd
    dir=$(pg_sharedir "$1")/extension
    exec {fd}<"$dir" && flock -s "$fd" || die "cannot lock $dir"
    extension_dirs[$fd]=$dir
    for file in "$SQL"/extension/*; do
        cp "$file" "$dir/.$$" && mv "$dir/.$$" "$dir/$(basename "$file")" || die "cannot install the test extension in $dir"
    done
}
remove_extension() { # remove_extension DESCRIPTOR
    local file
    flock -xn "$1" || return
    for file in "$SQL"/extension/*; do
        rm -f "${extension_dirs[$1]}/$(basename "$file")"
    done
}

# kura ARG...: the program under test, with a deadline and without the caller's configuration.
kura() { HOME=$WORK TMPDIR=$WORK/tmp timeout --foreground -k 10 300 "$KURA" "$@"; }

# status_is WANTED COMMAND...: runs it and compares its exit status ("0|3": either); keeps stdout and stderr in $WORK/out and $WORK/err.
status_is() {
    local wanted=$1 status
    shift
    "$@" >"$WORK/out" 2>"$WORK/err"
    status=$?
    cat "$WORK/out" "$WORK/err"
    echo "exit status $status, wanted $wanted"
    [[ "|$wanted|" == *"|$status|"* ]]
}

# says PATTERN: whether the last status_is printed something like it (extended regular expression, any case).
says() {
    cat "$WORK/out" "$WORK/err"
    grep -qaiE -e "$1" "$WORK/out" "$WORK/err"
}

same() { # same FILE FILE: equal, and not empty
    diff -a "$1" "$2" | head -n 30
    [ -s "$1" ] && cmp "$1" "$2"
}

# A plain dump without what differs between two dumps of equal databases. One that failed equals no other.
dump() ( # dump DATABASE [OPTION...]
    set -o pipefail
    "$(pg_bindir "${CLUSTER_VERSION[$(basename "$PGHOST")]}")/pg_dump" -d "$(conn "$1")" "${@:2}" 2>"$WORK/dump.err" |
        sed '/^\\\(un\)\?restrict /d' || { cat "$WORK/dump.err"; echo "no dump of $1: $RANDOM$SECONDS"; }
)

manifest() { echo "$1"/backups/*"$2"*.json; } # manifest REPOSITORY ID
latest() { # of those that were begun in one second the one that was ended last, whatever its application is called
    find "$1/backups" \( -name '*.json' -o -name '*.json.age' \) -printf '%f %T@\n' |
        awk '{ print substr($1, 1, 16), $2, $1 }' | sort -k 1,1 -k 2,2n | awk 'END { sub(/\.json(\.age)?$/, "", $3); print $3 }'
}
repo_bytes() { du -sb "$1" | cut -f 1; }

# One line for everything in a directory that a restore must bring back, and a hash for every content.
tree() {
    (
        cd "$1" || exit 1
        find . -mindepth 1 \( -type f -printf 'f %m %U:%G %n %s %T@ %p\0' -o -type l -printf 'l %U:%G %l %p\0' \
            -o -printf '%y %m %U:%G %T@ %p\0' \) | sort -z | tr '\0\n' '\n?'
        find . -type f -print0 | sort -z | xargs -0r sha256sum
    )
}
same_tree() { # same_tree DIR DIR
    tree "$1" >"$WORK/tree.1"
    tree "$2" >"$WORK/tree.2"
    same "$WORK/tree.1" "$WORK/tree.2"
}

# Whether a tool's digest of what pg_dump itself reads equals the manifest's, table by table.
digests_agree() { # digests_agree REPOSITORY ID DATABASE
    local dump
    dump=$(pg_bindir "${CLUSTER_VERSION[$(basename "$PGHOST")]}")/pg_dump
    "$dump" -Fc -Z0 -d "$(conn "$3")" | "$DIGEST" | grep -av "^<lo>" | sort >"$WORK/digest.dump" || return 1
    jq -r '.database.tables[] | [.schema, .name, (.rows, .raw | tostring), .digest] | join("\t")' "$(manifest "$1" "$2")" | sort >"$WORK/digest.manifest"
    [ -s "$WORK/digest.manifest" ] && same "$WORK/digest.dump" "$WORK/digest.manifest"
}

# Databases and temporary files that an ended kura must not leave; BEFORE is the list from `databases`.
nothing_left() { # nothing_left BEFORE [REPOSITORY]
    local now
    now=$(databases)
    if [ "$now" != "$1" ]; then
        echo "databases were: $1; are: $now"
        return 1
    fi
    if [ -n "${2:-}" ] && find "$2" -type f | grep -vE '/(kura\.json|blobs/[0-9a-f]{2}/[0-9a-f]{64}\.(zst|tar|bin)(\.age)?|(backups|rehearsals)/[^/]+\.json(\.age)?)$'; then
        echo "these files are none of a repository's: temporary ones, or a lock"
        return 1
    fi
    if [ -n "$(ls -A "$WORK/tmp")" ]; then
        find "$WORK/tmp"
        return 1
    fi
    if [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")" != 0 ]; then
        sql postgres "SELECT datname, application_name, state, query FROM pg_stat_activity WHERE backend_type = 'client backend'"
        return 1
    fi
}

[ -x "$KURA" ] || die "\"$KURA\" is not built"
