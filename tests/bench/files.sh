#!/bin/bash
# Filesets at scale: kura beside restic, borg and rclone, none of them encrypting more than it must or compressing. For a
# fileset as an application has it, and for one of very many tiny files: first backup, nothing changed, 1 % changed, the
# whole restored. Prints seconds, seconds of CPU, memory, and the ratios to the fastest of the three. Needs
# tests/packages.sh bench, and disk for three times the files.
#
#   files.sh [--dir DIR] [--keep] [--rounds N] [--files N] [--bytes BYTES] [--big N]
#
# The defaults are 200,000 files of 12 GB and 1,000,000 of 800 bytes each; --files 0 or --big 0 leaves one out. The files
# are made in DIR; with --keep they stay, and the next run uses them again.
. "$(dirname "$0")/lib.sh"

files=200000 bytes=12000000000 big=1000000 rounds=1
bench_options 'files bytes big' '' "$@"
[ -n "$dir" ] || dir=$(mktemp -d /var/tmp/kura-bench.XXXXXX) # /tmp may be in memory
bench_begin
gcc -O2 -o "$work/filetree" "$BENCH/filetree.c" || exit 1
export RESTIC_PASSWORD=bench RESTIC_CACHE_DIR=$work/restic-cache BORG_BASE_DIR=$work/borg RCLONE_CONFIG=$work/rclone.conf
export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
: >"$RCLONE_CONFIG"
export KURA repo=$work/repo out=$work/out

# Each in a process of its own, so that it can be timed.
kura_init() { "$KURA" init --repo "$repo"; }
kura_backup() { "$KURA" -q backup --repo "$repo" --files "media=$1" --app media; }
kura_restore() { "$KURA" -q restore latest --repo "$repo" --files "media=$out"; }
restic_init() { restic -q init -r "$repo"; }
restic_backup() { cd "$1" && restic -q -r "$repo" --compression off backup .; }
restic_restore() { restic -q -r "$repo" restore latest --target "$out"; }
borg_init() { borg init -e none "$repo"; }
borg_backup() { cd "$1" && borg create -C none "$repo::{now:%s.%f}" .; }
borg_restore() { mkdir "$out" && cd "$out" && borg extract "$repo::$(borg list --last 1 --short "$repo")"; }
rclone_init() { mkdir "$repo"; }
rclone_backup() { rclone -q sync "$1" "$repo"; }
rclone_restore() { rclone -q sync "$repo" "$out"; }
for tool in kura restic borg rclone; do
    export -f "${tool?}_init" "${tool}_backup" "${tool}_restore"
done

# step SET WHAT TOOL VERB
step() { timed "$1, $2, $3" bash -c "$3_$4 \"\$1\"" bash "$dir/$1"; }

# measure SET TOOL FILES BYTES: all four; the files change for the next one too.
measure() {
    rm -rf "$repo" "$out"
    "$2_init" >/dev/null 2>&1 || { echo "$2: no repository" >&2; exit 1; }
    step "$1" first "$2" backup
    step "$1" unchanged "$2" backup
    "$work/filetree" change "$dir/$1" "$3" "$4" $((++changes)) || exit 1
    step "$1" changed "$2" backup
    step "$1" restore "$2" restore
    [ "$2" != kura ] || diff -rq "$dir/$1" "$out" >/dev/null || { echo 'what came back is not what was there' >&2; exit 1; }
    rm -rf "$repo" "$out"
}

# measure_all SET FILES BYTES
measure_all() {
    local tool
    [ "$2" -gt 0 ] || return 0
    if [ ! -d "$dir/$1" ]; then
        echo "making the files of $1 (once with --keep)"
        rm -rf "$dir/$1.new"
        mkdir "$dir/$1.new"
        "$work/filetree" make "$dir/$1.new" "$2" "$3" && mv "$dir/$1.new" "$dir/$1" || exit 1
    fi
    echo "$1: $2 files of $(($3 / $2)) bytes, $(find "$dir/$1" -type d | wc -l) directories"
    for tool in kura restic borg rclone; do
        measure "$1" "$tool" "$2" "$3"
    done
}

# fastest SET WHAT: of the others.
fastest() { for tool in restic borg rclone; do median "$1, $2, $tool"; done | sort -n | head -n 1; }

changes=$RANDOM
for ((round = 1; round <= rounds; round++)); do
    measure_all media "$files" "$bytes"
    measure_all tiny "$big" $((big * 800))
done
echo
print_times
echo
for set in media tiny; do
    [ -d "$dir/$set" ] || continue
    for what in first unchanged changed; do
        goal "$set, $what: kura / fastest of restic, borg, rclone" "$(ratio "$(median "$set, $what, kura")" "$(fastest "$set" $what)")" 0.8 x
    done
    goal "$set, restore: kura / fastest of restic, borg, rclone" "$(ratio "$(median "$set, restore, kura")" "$(fastest "$set" restore)")" 0.9 x
    for what in first unchanged changed restore; do
        goal "$set, $what: peak memory of kura" "$(peak_mib "$set, $what, kura")" 256 MiB
    done
done
