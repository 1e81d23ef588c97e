#!/bin/bash
# A whole move to another host, and how long the site is down for it: tests/it/hosts.sh, which says what is counted, with
# a larger site. Prints both passes, their ratio and the goal. As root. Needs disk for three times the media.
#
#   move.sh [--dir DIR] [--rows MB] [--media MB] [--percent P] [--rate RATE]
#
# A site's media are many times its database, and hosts reach a bucket over a line: 500 Mbit/s here, each way, unless
# --rate says otherwise ("" for none; then the processors are measured, which all hosts share here).
set -u
dir=/var/tmp rows=100 media=4000 percent=1 rate=500mbit goal=10
while [ $# -gt 1 ] && [[ " --dir --rows --media --percent --rate " == *" $1 "* ]]; do
    printf -v "${1#--}" %s "$2"
    shift 2
done
[ $# = 0 ] || { echo "move.sh: what is \"$1\"?" >&2 && exit 2; }
out=$(mktemp)
trap 'rm -f "$out"' EXIT
TMPDIR=$dir MOVE_ROWS_MB=$rows MOVE_MEDIA_MB=$media MOVE_PERCENT=$percent MOVE_RATE=$rate MOVE_FSYNC=on MOVE_TIMEOUT=3600 \
    bash "$(dirname "$0")/../it/hosts.sh" 2>&1 | tee "$out" | grep -E '^(not ok|# hosts)'
share=$(sed -n 's/^# hosts: first pass.*: \([0-9]*\) %$/\1/p' "$out")
[ -n "$share" ] || { echo 'move.sh: nothing was measured' >&2 && exit 1; }
echo "downtime / first pass: $share %, goal $goal %$([ "$share" -le $goal ] || echo ', missed')"
