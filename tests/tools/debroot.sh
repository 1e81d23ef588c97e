#!/bin/sh
# debroot.sh SUITE DIR PACKAGE...: unpacks PACKAGEs of a Debian SUITE and all they depend on into DIR, ready for chroot.
#
# The host stays as it is: apt works on lists and a status file of its own (aptonly.sh), no maintainer script runs.
# DIR appears whole or not at all (unpacked beside it, then renamed); what an interrupted run had downloaded is kept in
# DIR.debs and used by the next one. A DIR that exists is left alone.
set -eu

suite=$1 dir=$2
shift 2
[ ! -d "$dir" ] || exit 0
mkdir -p "$dir.debs/partial"

# One run a DIR at a time; the loser of the race finds DIR there.
exec 9>"$dir.lock"
flock 9
[ ! -d "$dir" ] || exit 0
rm -rf "$dir".apt.* "$dir".new.* # of a killed run

apt=$(mktemp -d "$dir.apt.XXXXXX")
root=$(mktemp -d "$dir.new.XXXXXX")
trap 'rm -rf "$apt" "$root"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

. "$(dirname "$0")/aptonly.sh"
aptonly "$suite" "$apt" deb "$dir.debs"

quietly() {
    if ! "$@" >"$apt/log" 2>&1; then
        cat "$apt/log" >&2
        echo "debroot.sh: \"$*\" failed for suite $suite" >&2
        exit 1
    fi
}
quietly apt-get -q update
quietly apt-get -q -y --download-only install base-files coreutils dash "$@"

# Merged /usr first: packages of old suites still carry /lib and /bin, and libraries must meet their loader.
mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64"
for link in bin sbin lib lib64; do
    ln -s "usr/$link" "$root/$link"
done
quietly find "$dir.debs" -maxdepth 1 -name '*.deb' -exec sh -ec '
    for deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$0" --keep-directory-symlink --no-same-owner -f -
    done' "$root" {} +
mkdir -p "$root/proc" "$root/dev" "$root/tmp" "$root/etc"
chmod 755 "$root"
chmod 1777 "$root/tmp"
: >"$root/etc/passwd"
: >"$root/etc/group"
ldconfig -r "$root" 2>/dev/null || chroot "$root" ldconfig

mv -T "$root" "$dir"
rm -rf "$dir.debs"
