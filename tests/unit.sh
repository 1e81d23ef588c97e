#!/bin/sh
# unit.sh DIR COMPILER [--no-tests|OPTION...]: builds kura in DIR, which is made with these options of meson where it is
# not there, and runs its unit tests.
#
# Each single test inside a binary, which speaks TAP, is a line in $KURA_TEST_RESULTS, "pass" or "fail"; a binary that
# says nothing (a replay of a fuzz corpus) is one. One that failed without a failed test, by a crash for instance, is a
# failure; so is a skip.
set -eu
dir=$1 compiler=$2
shift 2
tests=true
if [ "${1:-}" = --no-tests ]; then
    tests=false
    shift
fi
[ -f "$dir/build.ninja" ] || CC=$compiler meson setup "$dir" "$@" >/dev/null
ninja -C "$dir" --quiet
$tests || exit 0

log=$dir/meson-logs/testlog.json
rm -f "$log"
CMOCKA_MESSAGE_OUTPUT=TAP meson test -C "$dir" --no-rebuild --timeout-multiplier 10 >"$dir/unit-tests.out" 2>&1 || true
[ -s "$log" ] || tail -n 60 "$dir/unit-tests.out"
jq -r '(.stdout // "" | split("\n")) as $lines
    | ($lines | map(select(test("^ok ") and (test("# SKIP") | not)))) as $ok
    | ($lines | map(select(test("^not ok ") or test("# SKIP")))) as $bad
    | ($ok[] | "pass"),
      if $bad != [] then ($bad[] | "fail " + .)
      elif .result != "OK" then "fail " + .result
      elif $ok == [] then "pass" else empty end' "$log" >"$dir/unit-tests.results"
cat "$dir/unit-tests.results" >>"$KURA_TEST_RESULTS"
jq -r 'select(.result != "OK") | "not ok - \(.name) (\(.result))\n" + ((.stdout // "") + (.stderr // "") | split("\n")[-60:] | map("#   " + .) | join("\n"))' "$log"
echo "# unit tests in $dir: $(grep -c ^pass "$dir/unit-tests.results") passed, $(grep -c ^fail "$dir/unit-tests.results") failed"
