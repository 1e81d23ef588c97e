#!/bin/sh
# Prints the path of promtool, which checks metrics: sh tests/tools/promtool.sh
#
# It is in Debian's package prometheus, whose server is not wanted: only the one program is taken out of it, and kept.
set -eu
cache=${KURA_TEST_CACHE:-/var/cache/kura-tests}/promtool
if ! [ -x "$cache/promtool" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 755 "$work"
    mkdir -p "$cache"
    cd "$work"
    download() { apt-get -q -o Acquire::Retries=5 download prometheus >/dev/null; }
    download 2>/dev/null || { flock /etc/apt apt-get -q -o Acquire::Retries=5 update >/dev/null && download; }
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xf - ./usr/bin/promtool
    mv usr/bin/promtool "$cache/promtool.new"
    mv "$cache/promtool.new" "$cache/promtool"
fi
echo "$cache/promtool"
