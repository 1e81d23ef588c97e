#!/bin/sh
# members.sh KURA.1: the manual names every member of the JSON documents of commands.
set -eu
sources=$(dirname "$0")/../../../cmd/kura
members=$(grep -ho 'session_set(session, .*"[a-z_]*"' "$sources"/*.c | grep -o '"[a-z_]*"' | tr -d '"' | sort -u)
[ "$(echo "$members" | wc -l)" -gt 30 ]
missing=0
for member in $members; do
    grep -qE "^\.(It )?Li (.* )?$member( |\$)|^\.Ss $member:" "$1" || {
        echo "no word of the member \"$member\""
        missing=1
    }
done
exit $missing
