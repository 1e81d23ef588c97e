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
    echo "exit status $status" && jq -r '.doctor.findings[] | select(.severity != "note") | "\(.id) \(.evidence)"' "$WORK/doctor"
    found "$1" && [ "$status" = 3 ] && found "$1" | grep -qE -e "$2"
}
# silent ID: it was done, and found nothing.
silent() {
    found "$1"
    jq -c --arg id "$1" '.doctor.checks[] | select(.id == $id)' "$WORK/doctor"
    [ "$(outcome "$1")" = ran ] && [ -z "$(found "$1")" ]
}
outcome() { jq -r --arg id "$1" '.doctor.checks[] | select(.id == $id) | .outcome' "$WORK/doctor"; }
