#!/bin/bash
# Builds kura and runs every test: unit tests as built by gcc, again by clang with the sanitizers for addresses and
# undefined behaviour, and the integration tests (tests/it) against servers that they start themselves.
#
#   sh tests/run.sh [TOPIC...]     only these integration tests, and no unit tests, when TOPICs are given
#
# These jobs run KURA_TEST_JOBS at a time (default 2); what a job printed is shown when it ends, with how long it took. The
# last line is "N passed, N failed". Fails when a test failed, and when nothing was tested.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -um # each job gets a process group of its own, by which it is ended
cd "$(dirname "$0")/.." || exit 1
tests=$PWD/tests
work=$(mktemp -d) # NAME.out: what a job prints; NAME.results: a line for each of its tests, "pass" or "fail"
declare -A running=() # a process: the name of its job
trap 'rm -rf "$work"' EXIT
trap 'end_jobs; exit 130' INT
trap 'end_jobs; exit 143' TERM

# The longest first, so that none of them is left to run alone at the end; then all others that there are.
topics='hosts doctor schema app-parsers interrupt loans rights versions torture regress deb hostile s3store s3faults s3 undo rehearse rehearse-damage zoo'
for topic in "$tests"/it/*.sh; do
    topic=$(basename "$topic" .sh)
    [[ " lib $topics " == *" $topic "* ]] || topics+=" $topic"
done

# shellcheck disable=SC2317 # a trap calls it
end_jobs() {
    local pid
    trap '' INT TERM
    for pid in "${!running[@]}"; do
        kill -TERM -- "-$pid" 2>/dev/null
    done
    for pid in "${!running[@]}"; do
        wait "$pid"
        while kill -0 -- "-$pid" 2>/dev/null; do sleep 0.1; done
    done 2>/dev/null
}

timed() { # timed NAME COMMAND...
    local TIMEFORMAT="# $1 took %0R s, of the processors %0U + %0S s"
    shift
    time "$@"
}

# job NAME COMMAND...: runs it as soon as there is room. Its signals are not ignored, as the shell would have them.
job() {
    local name=$1
    shift
    [ ${#running[@]} -lt "${KURA_TEST_JOBS:-2}" ] || reap
    : >"$work/$name.results"
    KURA_TEST_RESULTS=$work/$name.results timed "$name" env --default-signal=INT,QUIT "$@" >"$work/$name.out" 2>&1 </dev/null &
    running[$!]=$name
}

# Waits for a job to end and shows what it printed.
reap() {
    local pid status name
    wait -n -p pid "${!running[@]}"
    status=$?
    name=${running[$pid]}
    unset "running[$pid]"
    cat "$work/$name.out"
    if [ $status != 0 ] && ! grep -q '^fail' "$work/$name.results"; then
        echo "not ok - $name: ended with status $status"
        echo fail >>"$work/$name.results"
    fi
}

end() {
    local passed failed name
    while [ ${#running[@]} -gt 0 ]; do reap; done
    passed=$(cat "$work"/*.results | grep -c '^pass')
    failed=$(cat "$work"/*.results | grep -c '^fail')
    grep -l '^fail' "$work"/*.results | sed 's|.*/\(.*\)\.results$|# failed: \1|'
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
    exit
}

# alone NAME COMMAND...: a job that the others need.
alone() {
    job "$@"
    while [ ${#running[@]} -gt 0 ]; do reap; done
    ! grep -q '^fail' "$work/$1.results" || end
}

if [ $# = 0 ]; then
    alone packages sh "$tests/packages.sh" test report parsers migrate
else
    alone packages sh "$tests/packages.sh" test
fi
alone build sh "$tests/unit.sh" build gcc --no-tests

if [ $# = 0 ]; then
    job unit-sanitized sh "$tests/unit.sh" build-sanitize clang -Db_sanitize=address,undefined -Db_lundef=false
    job unit sh "$tests/unit.sh" build gcc
    # shellcheck disable=SC2086
    set -- $topics
fi
for topic; do
    job "$topic" bash "$tests/it/$topic.sh"
done
end
