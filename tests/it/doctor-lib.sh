# shellcheck shell=bash
# What scripts about kura doctor share. tests/unit/doctor/covered.sh looks for "fires ID" and "silent ID" in them.

# looks ARG...: runs kura doctor; its document is then in $WORK/doctor, its exit status in $status.
looks() {
    kura doctor "$@" --json >"$WORK/doctor" 2>"$WORK/err"
    status=$?
}
# found ID: what it found, one finding a line, notes left out.
found() { jq -r --arg id "$1" '.doctor.findings[] | select(.id == $id and .severity != "note") | "\(.severity): \(.evidence) [\(.remedy)]"' "$WORK/doctor"; }
# fires ID PATTERN: it found something, and says it in a line that matches the extended regular expression.
fires() {
    [ "$status" = 3 ] || { echo "exit status $status" && cat "$WORK/doctor" "$WORK/err"; }
    found "$1" && found "$1" | grep -qE -e "$2" && [ "$status" = 3 ]
}
# silent ID: it was done, and found nothing.
silent() {
    found "$1"
    jq -e --arg id "$1" '.doctor.checks[] | select(.id == $id) | .outcome == "ran" and .findings == 0' "$WORK/doctor" ||
        jq --arg id "$1" '.doctor.checks[] | select(.id == $id)' "$WORK/doctor" && [ -z "$(found "$1")" ] &&
        [ "$(outcome "$1")" = ran ]
}
outcome() { jq -r --arg id "$1" '.doctor.checks[] | select(.id == $id) | .outcome' "$WORK/doctor"; }
