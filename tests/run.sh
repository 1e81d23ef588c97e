#!/bin/sh
# Builds kura and runs every test: unit tests as built by gcc, again by clang with the sanitizers for addresses and
# undefined behaviour, then the integration tests (tests/it) against servers that they start themselves.
#
#   sh tests/run.sh [TOPIC...]     only these integration tests, and no unit tests, when TOPICs are given
#
# Ends with one line, "N passed, N failed". Fails when a test failed, and when nothing was tested.
set -u
cd "$(dirname "$0")/.." || exit 1
tests=$PWD/tests
results=$(mktemp)
child=
trap 'rm -f "$results"' EXIT
trap '[ -z "$child" ] || { kill -TERM "$child"; wait "$child"; }; exit 143' INT TERM

end() {
    passed=$(grep -c '^pass' "$results")
    failed=$(grep -c '^fail' "$results")
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
    exit
}

give_up() {
    echo "not ok - $1"
    echo fail >>"$results"
    end
}

# In the background, so that the trap above can end it. Its signals are not ignored, as the shell would have them.
run() {
    env --default-signal=INT,QUIT "$@" &
    child=$!
    wait "$child"
    status=$?
    child=
    return $status
}

# build DIR COMPILER [OPTION...]
build() {
    dir=$1 compiler=$2
    shift 2
    [ -f "$dir/build.ninja" ] || run env "CC=$compiler" meson setup "$dir" "$@" >/dev/null || give_up "meson setup $dir"
    run ninja -C "$dir" --quiet || give_up "build with $compiler in $dir"
}

# Counts the single tests inside each binary, which speak TAP; a binary that says nothing (a replay of a fuzz corpus)
# counts as one. One that failed without a failed test, by a crash for instance, counts as a failure; so does a skip.
unit_tests() {
    run env CMOCKA_MESSAGE_OUTPUT=TAP meson test -C "$1" --no-rebuild --timeout-multiplier 3 >"$1/unit-tests.out" 2>&1
    [ -s "$1/meson-logs/testlog.json" ] || give_up "unit tests in $1"
    jq -r '(.stdout // "" | split("\n")) as $lines
        | ($lines | map(select(test("^ok ") and (test("# SKIP") | not))) | length) as $ok
        | ($lines | map(select(test("^not ok ") or test("# SKIP"))) | length) as $bad
        | range($ok) as $_ | "pass"' "$1/meson-logs/testlog.json" >>"$results"
    jq -r '(.stdout // "" | split("\n")) as $lines
        | ($lines | map(select(test("^ok ")))) as $ok
        | ($lines | map(select(test("^not ok ") or test("# SKIP")))) as $bad
        | if $bad != [] then ($bad[] | "fail " + .)
          elif .result != "OK" then "fail " + .result
          elif $ok == [] then "pass" else empty end' "$1/meson-logs/testlog.json" >>"$results"
    jq -r 'select(.result != "OK") | "not ok - \(.name) (\(.result))\n" + ((.stdout // "") + (.stderr // "") | split("\n")[-60:] | map("#   " + .) | join("\n"))' \
        "$1/meson-logs/testlog.json"
    echo "# unit tests in $1: $(grep -c ^pass "$results") passed so far"
}

sh "$tests/packages.sh" test || give_up 'packages'
build build gcc

if [ $# = 0 ]; then
    unit_tests build
    build build-sanitize clang -Db_sanitize=address,undefined -Db_lundef=false
    unit_tests build-sanitize
    set -- age encrypt story001 audit repair check zoo hostile regress split versions export archive window files errors careful rights undo loans neighbours messages rehearse rehearse-damage rehearse-run rehearse-roles report interrupt standby empty verify repairrepo s3store s3 s3crypt s3faults
fi
for topic; do
    [ -f "$tests/it/$topic.sh" ] || give_up "there is no test tests/it/$topic.sh"
    run env "KURA_TEST_RESULTS=$results" bash "$tests/it/$topic.sh"
done
end
