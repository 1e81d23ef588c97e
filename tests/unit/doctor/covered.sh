#!/bin/sh
# Each check of doctor has a test in which it fires, and one in which it is silent: "fires ID" (or "finds URL ID") and
# "silent ID" in the scripts of tests/it, a loop "for id in .." over ids with `silent "$id"` in it, or assert_fires() and
# assert_silent() with its id in the tests beside this script.
set -eu
top=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$top"
missing=0
checks=$(sed -n 's/^CHECK(\([A-Z_]*\), "\([^"]*\)".*/\1 \2/p' include/kura/checks.def)
[ -n "$checks" ]

# lists of ids that a loop is silent over, joined to one line each
loops=$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ta' -e '}' tests/it/*.sh | grep '^ *for id in ' || true)

lacks() {
    echo "$2 ($1): no test in which it $3"
    missing=$((missing + 1))
}
while read -r id name; do
    grep -qE "(^|[^a-z_])(fires|finds .*) $name( |$)" tests/it/*.sh || grep -qE "assert_fires\(.*DOCTOR_$id[,)]" tests/unit/doctor/*.c ||
        lacks "$id" "$name" 'fires'
    grep -qE "(^|[^a-z_])silent $name( |$|')" tests/it/*.sh || echo "$loops" | grep -q "[ ]$name\b" ||
        grep -qE "assert_silent\(.*DOCTOR_$id[,)]" tests/unit/doctor/*.c || lacks "$id" "$name" 'is silent'
done <<END
$checks
END
[ "$missing" = 0 ]
