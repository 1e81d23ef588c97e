#!/bin/sh
# symbols.sh DIR: fails when two of the libraries below DIR define one name: the linker would take the first, silently.
set -eu
found=$(find "$1" -name '*.a' -exec nm -g --defined-only {} + 2>/dev/null | awk '$2 ~ /^[BDRT]$/ { print $3 }' | sort)
[ -n "$found" ] || {
    echo "no libraries below $1"
    exit 1
}
twice=$(printf '%s\n' "$found" | uniq -d)
[ -z "$twice" ] || {
    echo "defined twice:" $twice
    exit 1
}
