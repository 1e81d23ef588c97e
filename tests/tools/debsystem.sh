#!/bin/sh
# debsystem.sh DIR PACKAGE...: makes DIR a small Debian 12 with these packages, where others can be installed with dpkg.
#
# Unlike what debroot.sh makes it is a system: maintainer scripts have run. DIR appears whole or not at all; one that
# exists is left alone.
set -eu

dir=$1
shift
mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9
[ ! -d "$dir" ] || exit 0
rm -rf "$dir".new.* # of a killed run

. "$(dirname "$0")/aptonly.sh"
apt_mirrors
new=$(mktemp -d "$dir.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
{
    echo "deb $apt_mirror bookworm main"
    [ -z "$apt_security" ] || echo "deb $apt_security bookworm-security main"
} >"$new/sources.list"
if ! mmdebstrap --mode=root --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Retries "3"' \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg --include="$(echo "$*" | tr ' ' ',')" \
    bookworm "$new/root" "$new/sources.list" >"$new/log" 2>&1; then
    cat "$new/log" >&2
    exit 1
fi
mv -T "$new/root" "$dir"
