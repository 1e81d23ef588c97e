#!/bin/bash
# A year of nights of a site that doubles in it, kept by one policy (14 days, 8 weeks, 12 months), in kura's repository,
# restic's and borg's, side by side: the sizes, and whether kura's backups are the states of their nights. Needs
# tests/packages.sh bench; faketime moves kura's clock.
#
#   year.sh [--dir DIR] [--nights N] [--scale S] [--files N] [--checked N]
#
# restic and borg get a dump by pg_dump -Fd -Z0, one file a table, beside the files; restic with its own compression, borg
# with zstd. Each prunes after every night, and compacts.
. "$(dirname "$0")/lib.sh"

nights=365 scale=0.018 files=1600 checked=20
bench_options 'nights scale files checked' '' "$@"
bench_begin
mkdir "$work/states"
library=$(dpkg -L libfaketime | grep '/libfaketimeMT.so.1$') || exit 1
export LC_ALL=C.UTF-8 HOME=$work KURA_STATE_DIR=$work/run-state
keep=(--keep-daily 14 --keep-weekly 8 --keep-monthly 12)

# at MOMENT COMMAND...: with that clock. Times of files stay as they are, and so do deadlines.
at() {
    local moment=$1
    shift
    env LD_PRELOAD="$library" FAKETIME="@$moment" NO_FAKE_STAT=1 FAKETIME_DONT_FAKE_MONOTONIC=1 TZ=UTC "$@"
}
# quiet COMMAND...: 3 is kura's "done, and there is something to tell".
quiet() {
    "$@" >"$work/out" 2>&1
    local status=$?
    [ $status = 0 ] || [ $status = 3 ] || {
        echo "failed with $status: $*" >&2
        tail -n 20 "$work/out" >&2
        exit 1
    }
}
# The rows of each table, whatever their order, and the schema.
database_state() {
    pg_dump -d "$1" | sed '/^\\\(un\)\?restrict /d' | LC_ALL=C sort | sha256sum
}
files_state() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum); }
bytes() { du -sb --apparent-size "$1" | cut -f 1; }

bench_database "$dir" "$work" "$scale"
export PATH="$(pg_bindir 15):$PATH"
sql postgres 'ALTER SYSTEM SET fsync = off' && sql postgres 'SELECT pg_reload_conf()' >/dev/null
media=$work/media kura=$work/kura
export RESTIC_REPOSITORY=$work/restic RESTIC_PASSWORD=year BORG_REPO=$work/borg BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
python3 "$BENCH/year.py" "$media" 0 "$files" || exit 1
echo "first night: $(sql bench "SELECT pg_size_pretty(pg_database_size('bench'))") of database, $(du -sm "$media" | cut -f 1) MiB in $files files; $nights nights"
quiet "$KURA" init --repo "$kura"
quiet restic init
quiet borg init -e none

for ((night = 0; night < nights; night++)); do
    [ $night = 0 ] || {
        quiet psql -Xq -v ON_ERROR_STOP=1 -v night=$night -d bench -f "$BENCH/year.sql"
        quiet python3 "$BENCH/year.py" "$media" $night "$files"
    }
    day=$(date -u -d "2026-01-01 + $night days" +%F)
    rm -rf "$work/dump"
    pg_dump -Fd -Z0 -f "$work/dump" -d bench || exit 1
    database_state bench >"$work/states/$day.db"
    files_state "$media" >"$work/states/$day.files"
    quiet at "$day 03:15:00" "$KURA" -q backup --repo "$kura" --db "$(conn bench)" --files "media=$media" --app site
    quiet at "$day 03:20:00" "$KURA" -q prune --repo "$kura" "${keep[@]}" --grace 0s
    (cd "$work" && quiet restic backup --time "$day 03:15:00" --host h dump media) || exit 1
    quiet restic forget --host h --prune "${keep[@]}"
    (cd "$work" && quiet borg create --compression zstd --timestamp "${day}T03:15:00" "::$day" dump media) || exit 1
    quiet borg prune "${keep[@]}"
    quiet borg compact
    [ $(((night + 1) % 10)) != 0 ] ||
        echo "night $((night + 1)): kura $(bytes "$kura"), restic $(bytes "$work/restic"), borg $(bytes "$work/borg")"
done

echo
k=$(bytes "$kura") r=$(bytes "$work/restic") b=$(bytes "$work/borg")
printf '%-10s %14s bytes %6s files\n' kura "$k" "$(find "$kura" -type f | wc -l)" restic "$r" "$(find "$work/restic" -type f | wc -l)" borg "$b" "$(find "$work/borg" -type f | wc -l)"
find "$kura" -type f -printf '%P %s\n' | awk '{ kind = $1; sub(/\/.*/, "", kind); if (kind == "blobs") { sub(/.*\./, "", $1); kind = kind " " $1 } n[kind]++; s[kind] += $2 } END { for (k in n) printf "  kura %-12s %6d %12d bytes\n", k, n[k], s[k] }'
"$KURA" -q prune --repo "$kura" --keep-last 1000 --plan --grace 0s --json | jq -c '.prune | {dead_bytes, packs, packs_freed, freed_bytes}'

wrong=0 looked=0
for id in $("$KURA" -q list --repo "$kura" --json | jq -r '.backups[].id' | shuf -n "$checked"); do
    day=${id:0:4}-${id:4:2}-${id:6:2}
    rm -rf "$work/back"
    sql postgres 'DROP DATABASE IF EXISTS back'
    quiet "$KURA" -q restore "$id" --repo "$kura" --db "$(conn back)" --files "media=$work/back"
    looked=$((looked + 1))
    [ "$(database_state back)" = "$(cat "$work/states/$day.db")" ] && [ "$(files_state "$work/back")" = "$(cat "$work/states/$day.files")" ] || {
        echo "backup $id is not the state of its night"
        wrong=$((wrong + 1))
    }
done
echo "$looked of $("$KURA" -q list --repo "$kura" --json | jq '.backups | length') backups restored, $wrong of them not as their night was"
quiet "$KURA" -q verify --repo "$kura" --read-data
goal 'size of kura / the smaller of restic and borg' "$(ratio "$k" "$((r < b ? r : b))")" 1.15 x
[ $wrong = 0 ] && [ $looked -gt 0 ]
