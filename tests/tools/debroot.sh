#!/bin/sh
# debroot.sh SUITE DIR PACKAGE...: unpacks PACKAGEs of a Debian SUITE and all they depend on into DIR, ready for chroot.
#
# The host stays as it is: apt works on lists and a status file of its own, no maintainer script runs. Where packages
# come from is read from the machine's own apt sources; apt checks their signatures as always.
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

mirrors() { apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages'; }
mirror=$(mirrors | awk '$2 !~ /security/ { print $1; exit }')
security=$(mirrors | awk '$2 ~ /security/ { print $1; exit }')
if [ -z "$mirror" ]; then
    echo "debroot.sh: no Debian mirror in this machine's apt sources" >&2
    exit 1
fi

mkdir -p "$apt/sources" "$apt/empty" "$apt/lists/partial" "$apt/cache"
: >"$apt/status"
cat >"$apt/sources/suite.sources" <<END
Types: deb
URIs: $mirror
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
if [ -n "$security" ] && [ "$suite" != sid ]; then
    sed "s|^URIs:.*|URIs: $security|; s|^Suites:.*|Suites: $suite-security|" "$apt/sources/suite.sources" \
        >"$apt/sources/security.sources"
fi
cat >"$apt/apt.conf" <<END
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$apt/sources";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$apt/empty";
Dir::State "$apt";
Dir::State::Lists "$apt/lists";
Dir::State::Status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Cache::Archives "$dir.debs";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::Check-Valid-Until "false"; // of a suite that is no longer updated, and of a frozen mirror; signatures still count
END
APT_CONFIG=$apt/apt.conf
export APT_CONFIG

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
