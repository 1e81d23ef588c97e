#!/bin/sh
# symbols.sh BUILD: no two libraries of kura define a function or variable of the same name. The linker would take
# whichever comes first, without a word, and a layer would call another one's.
set -eu
cd "$1"
names=$(nm --defined-only lib/*/libkura-*.a cmd/kura/libkura-cmd.a | awk '$2 ~ /^[TDBRC]$/ { print $3 }')
[ "$(echo "$names" | grep -c .)" -gt 1000 ] || { echo 'hardly any name was found'; exit 1; }
twice=$(echo "$names" | grep -v '^_\|^asan\|^__' | sort | uniq -d)
[ -z "$twice" ] || { echo "defined more than once: $twice"; exit 1; }
