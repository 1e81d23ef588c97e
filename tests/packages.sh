#!/bin/sh
# packages.sh [build|quickstart|test|report|parsers|bench|migrate]...: installs what that needs (test) on Debian 12, as
# root. Does nothing where all of it is there. No service is started: installing PostgreSQL would otherwise create a
# cluster and run it.
set -eu

build='gcc libc6-dev meson ninja-build pkg-config libpq-dev libarchive-dev libzstd-dev zlib1g-dev libssl-dev libjansson-dev
    libxxhash-dev libcurl4-openssl-dev libexpat1-dev libhiredis-dev libyaml-dev libcmocka-dev gettext'
server='postgresql-15 postgresql-client-15'
test='age git clang libclang-rt-14-dev mandoc bash redis-tools iproute2 diffutils zstd gzip bzip2 tar jq util-linux python3 openssl locales zsh fish
    pgbouncer faketime systemd dpkg-dev debhelper lintian mmdebstrap procps strace time'
bench='time rclone restic borgbackup faketime'
# Node may also have come from elsewhere, with its npm.
node=''
command -v node >/dev/null || node="$node nodejs"
command -v npm >/dev/null || node="$node npm"
# A browser, and what drives it and looks at its pages.
report="chromium fonts-dejavu-core $node"
# What applications read their configuration with.
parsers="ruby ruby-dotenv python3-yaml $node"
# Tools that migrate databases, whose tables and files kura reads.
migrate="python3-django python3-psycopg2 alembic ruby-activerecord ruby-pg $node"

wanted=
for what in "${@:-test}"; do
    case $what in
    build) wanted="$wanted $build" ;;
    quickstart) wanted="$wanted $build $server" ;;
    test) wanted="$wanted $build $server $test" ;;
    report) wanted="$wanted $build $server $test $report" ;;
    parsers) wanted="$wanted $build $server $test $parsers" ;;
    bench) wanted="$wanted $build $server $test $bench" ;;
    migrate) wanted="$wanted $build $server $test $migrate" ;;
    *)
        echo 'usage: packages.sh [build|quickstart|test|report|parsers|bench|migrate]...' >&2
        exit 2
        ;;
    esac
done

find_missing() {
    missing=
    for package in $wanted; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        'install ok installed') ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ]
}
find_missing || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "packages are missing, and only root can install them:$missing" >&2
    exit 1
fi
# One at a time: apt itself does not wait for who fetches lists of packages.
exec 9</etc/apt
flock 9
find_missing || exit 0
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
no_cluster=/etc/postgresql-common/createcluster.d/kura-tests.conf
mkdir -p "$(dirname "$no_cluster")"
echo 'create_main_cluster = false' >"$no_cluster"
trap 'rm -f "$no_cluster"' EXIT
apt-get -q -o Acquire::Retries=5 update >/dev/null
# shellcheck disable=SC2086
apt-get -q -y -o Acquire::Retries=5 -o DPkg::Lock::Timeout=600 install --no-install-recommends $missing >/dev/null
