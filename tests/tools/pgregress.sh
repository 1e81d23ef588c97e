#!/bin/sh
# pgregress.sh VERSION DIR: PostgreSQL's own regression tests in DIR: the SQL of Debian's source package (parallel_schedule,
# sql, expected, data) and, in DIR/lib, the modules that it loads. Debian installs pg_regress itself with the server.
#
# DIR appears whole or not at all, and is left alone where it exists. The host stays as it is: see aptonly.sh. The source
# is of the newest minor release that the mirror really has, which need not be the server's.
set -eu

version=$1 dir=$2
[ ! -d "$dir" ] || exit 0
mkdir -p "$(dirname "$dir")"

exec 9>"$dir.lock"
flock 9
[ ! -d "$dir" ] || exit 0
rm -rf "$dir".apt.* "$dir".new.* # of a killed run

apt=$(mktemp -d "$dir.apt.XXXXXX")
new=$(mktemp -d "$dir.new.XXXXXX")
trap 'rm -rf "$apt" "$new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
. "$(cd "$(dirname "$0")" && pwd)/aptonly.sh"
. /etc/os-release
aptonly "$VERSION_CODENAME" "$apt" 'deb deb-src' "$apt/debs"
cd "$apt"

log() { "$@" >>"$apt/log" 2>&1; }

give_up() {
    cat "$apt/log" >&2
    echo "pgregress.sh: $1 of PostgreSQL $version could not be had: the mirror of this machine's apt sources must offer the" \
        "source package postgresql-$version and the package postgresql-server-dev-$version of $VERSION_CODENAME" >&2
    exit 1
}

source() { log apt-get -q source --download-only "postgresql-$version=$1"; }
headers() { log apt-get -q download "postgresql-server-dev-$version=$1"; }

# Runs one of the two for the newest release that it works for.
newest() {
    for release in $(apt-cache showsrc "postgresql-$version" | sed -n 's/^Version: //p' | sort -rVu); do
        ! "$1" "$release" || return 0
    done
    return 1
}
log apt-get -q update || give_up 'lists of packages'
newest source || give_up 'the source'
newest headers || give_up 'the headers'

mkdir unpacked
tar -C unpacked --no-same-owner -xf "postgresql-${version}_"*.orig.tar.* --strip-components=4 --wildcards 'postgresql-*/src/test/regress'
dpkg-deb --extract "postgresql-server-dev-$version"_*.deb headers
for part in parallel_schedule resultmap sql expected data; do
    mv "unpacked/$part" "$new/"
done
mkdir "$new/lib"
include=$apt/headers/usr/include/postgresql/$version/server
if ! log gcc -O1 -fPIC -shared -D_GNU_SOURCE "-I$include" -I/usr/include/postgresql -o "$new/lib/regress.so" unpacked/regress.c; then
    give_up 'the module that the regression tests load'
fi
for module in autoinc refint; do
    cp "/usr/lib/postgresql/$version/lib/$module.so" "$new/lib/"
done
chmod -R u=rwX,go=rX "$new"
mv -T "$new" "$dir"
