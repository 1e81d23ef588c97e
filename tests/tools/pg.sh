# shellcheck shell=bash
# PostgreSQL servers and clients of several majors for tests and benchmarks. To be sourced by a bash script.
#
# The major that is installed runs as it is; others are unpacked from their Debian suites into $KURA_TEST_CACHE (once;
# see debroot.sh). Their servers run as user postgres in a chroot, in a mount namespace of their own that ends with them;
# their clients run through their own loader, by wrappers that `--pg-bindir` can name. Servers listen on Unix sockets only, and run on
# this host unless $HOST_EXEC tells another (hosts.sh).

KURA_TEST_CACHE=${KURA_TEST_CACHE:-/var/cache/kura-tests}
TEST_TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

declare -A CLUSTER_PID CLUSTER_DIR CLUSTER_VERSION

pg_suite() {
    case $1 in
    13) echo bullseye ;;
    15) echo bookworm ;;
    17) echo trixie ;;
    18) echo sid ;;
    *)
        echo "no Debian suite is known for PostgreSQL $1" >&2
        return 1
        ;;
    esac
}

pg_is_native() { [ -x "/usr/lib/postgresql/$1/bin/postgres" ]; }
pg_root() { echo "$KURA_TEST_CACHE/pg$1"; }

# Where extensions of a major live, seen from outside.
pg_sharedir() {
    if pg_is_native "$1"; then
        echo "/usr/share/postgresql/$1"
    else
        echo "$(pg_root "$1")/usr/share/postgresql/$1"
    fi
}

# The directory that holds pg_dump, pg_restore and psql of a major.
pg_bindir() {
    if pg_is_native "$1"; then
        echo "/usr/lib/postgresql/$1/bin"
    else
        echo "$KURA_TEST_CACHE/bin$1"
    fi
}

# Makes a major usable: unpacks it and writes its wrappers, unless it is there.
pg_prepare() {
    local version=$1 root bin new suite loader libs tool
    pg_is_native "$version" && return 0
    root=$(pg_root "$version")
    bin=$(pg_bindir "$version")
    suite=$(pg_suite "$version") || return 1
    mkdir -p "$KURA_TEST_CACHE"
    "$TEST_TOOLS/debroot.sh" "$suite" "$root" "postgresql-$version" || return 1
    [ -d "$bin" ] && return 0
    loader=$(find "$root/usr/lib" "$root/usr/lib64" -maxdepth 2 -name 'ld-linux-*.so.*' | head -n 1)
    libs=$(find "$root/usr/lib" -maxdepth 1 -type d -name '*-linux-gnu' | head -n 1)
    new=$(mktemp -d "$bin.XXXXXX")
    for tool in pg_dump pg_restore psql; do
        printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' \
            "$loader" "$libs" "$root/usr/lib/postgresql/$version/bin/$tool" >"$new/$tool"
        chmod 755 "$new" "$new/$tool"
    done
    mv -T "$new" "$bin" 2>/dev/null || rm -rf "$new" # another script was faster
    [ -d "$bin" ]
}

# pg_server VERSION DIR PROGRAM ARG...: replaces this process by a server program of that major, run as user postgres.
# DIR is visible to it under its own name. The installed major ends with a script that is killed; the change of user in a
# chroot makes the system forget to do that for others.
pg_server() {
    local version=$1 dir=$2 program=/usr/lib/postgresql/$1/bin/$3 uid gid
    shift 3
    uid=$(id -u postgres) gid=$(id -g postgres)
    if pg_is_native "$version"; then
        exec ${HOST_EXEC:-} setpriv --reuid="$uid" --regid="$gid" --clear-groups --pdeathsig QUIT "$program" "$@"
    fi
    # shellcheck disable=SC2016
    exec ${HOST_EXEC:-} unshare --mount --propagation private sh -euc '
        root=$1 dir=$2 user=$3
        shift 3
        mount --rbind /dev "$root/dev"
        mount --bind /etc/passwd "$root/etc/passwd"
        mount --bind /etc/group "$root/etc/group"
        mount -t tmpfs tmpfs "$root/tmp"
        mkdir -p "$root$dir"
        mount --bind "$dir" "$root$dir"
        exec chroot --userspec="$user" --groups= "$root" "$@"' sh \
        "$(pg_root "$version")" "$dir" "$uid:$gid" "$program" "$@"
}

# cluster_init VERSION DIR [OPTION...]: an empty cluster in DIR/data, superuser postgres. Everybody is trusted, but the role
# "locked" needs its password.
cluster_init() {
    local version=$1 dir=$2
    shift 2
    pg_prepare "$version" || return 1
    mkdir -p "$dir"
    chown postgres:postgres "$dir"
    (cd "$dir" && pg_server "$version" "$dir" initdb -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
        --no-sync "$@") >"$dir/initdb.log" 2>&1 || {
        cat "$dir/initdb.log" >&2
        return 1
    }
    sed -i '1i local all locked scram-sha-256' "$dir/data/pg_hba.conf"
}

# cluster_run VERSION NAME DIR [OPTION...]: starts the server of DIR/data with its socket in DIR and waits for it.
cluster_run() {
    local version=$1 name=$2 dir=$3 deadline
    shift 3
    pg_prepare "$version" || return 1
    (cd "$dir" && pg_server "$version" "$dir" postgres -D "$dir/data" -k "$dir" -c listen_addresses= "$@") \
        >>"$dir/log" 2>&1 </dev/null &
    CLUSTER_PID[$name]=$! CLUSTER_DIR[$name]=$dir CLUSTER_VERSION[$name]=$version
    deadline=$((SECONDS + 180))
    until psql -X -h "$dir" -U postgres -d postgres -qAtc 'SELECT 1' >/dev/null 2>&1; do
        if [ $SECONDS -ge $deadline ] || ! kill -0 "${CLUSTER_PID[$name]}" 2>/dev/null; then
            echo "PostgreSQL $version did not start:" >&2
            tail -n 20 "$dir/log" >&2
            return 1
        fi
        sleep 0.05
    done
}

# cluster_stop NAME: a fast shutdown; after 30 seconds an immediate one.
cluster_stop() {
    local pid=${CLUSTER_PID[$1]:-} deadline=$((SECONDS + 30))
    [ -n "$pid" ] || return 0
    unset "CLUSTER_PID[$1]"
    kill -INT "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $deadline ]; do
        sleep 0.05
    done
    kill -QUIT "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    return 0
}

# All of them, by an immediate shutdown: what is to be thrown away need not be written.
clusters_stop() {
    local pid
    for pid in "${CLUSTER_PID[@]}"; do
        kill -QUIT "$pid" 2>/dev/null
    done
    for pid in "${CLUSTER_PID[@]}"; do
        wait "$pid" 2>/dev/null
    done
    CLUSTER_PID=()
}

# use NAME: what libpq connects to from now on.
use() {
    export PGHOST=${CLUSTER_DIR[$1]} PGUSER=postgres PGDATABASE=postgres
    unset PGPORT PGSERVICE PGPASSWORD
}

# The locales of a server: ja_JP.UTF-8, made outside the system's own directories by the localedef that goes with its
# libc from the sources in this host's package "locales"; and its C.UTF-8.
cluster_locales() { # cluster_locales VERSION DIR: in DIR/locale, for LOCPATH
    local root='' found localedef=localedef
    mkdir -p "$2/locale" "$2/i18n"
    cp -r /usr/share/i18n/locales "$2/i18n/"
    zcat /usr/share/i18n/charmaps/UTF-8.gz >"$2/i18n/UTF-8"
    if ! pg_is_native "$1"; then
        root=$(pg_root "$1")
        localedef="$(find "$root/usr/lib" "$root/usr/lib64" -maxdepth 2 -name 'ld-linux-*.so.*' | head -n 1) --library-path
            $(find "$root/usr/lib" -maxdepth 1 -type d -name '*-linux-gnu' | head -n 1) $root/usr/bin/localedef"
    fi
    # shellcheck disable=SC2086
    I18NPATH=$2/i18n $localedef -i ja_JP -f "$2/i18n/UTF-8" --no-archive "$2/locale/ja_JP.UTF-8" >&2
    for found in "$root"/usr/lib/locale/C.utf8 "$root"/usr/lib/locale/C.UTF-8; do
        [ ! -d "$found" ] || cp -r "$found" "$2/locale/C.UTF-8"
    done
    chmod -R a+rX "$2/locale"
}
