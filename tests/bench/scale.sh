#!/bin/bash
# A fileset of many files and large ones that are nearly all hole, sixteen levels deep: what nights, a changed directory,
# single paths, verification and retention cost; `local` into a directory, `s3` into Ceph's gateway on loopback, with the
# requests counted, over many nights. Prints seconds, seconds of CPU, memory, blobs, bytes, requests, and the goals. As root.
#
#   scale.sh [--dir DIR] [--keep] [--files N] [--mean BYTES] [--sparse N] [--bytes BYTES] [--nights N] [local|s3]...
#
# N files of --mean bytes each, and --sparse large ones that bring all to --bytes. The defaults are 1,000,000 of 800 bytes
# and 30, 300 GB in all. They are made in DIR/tree; with --keep they stay, and the next run uses them again.
. "$(dirname "$0")/lib.sh"
. "$BENCH/../tools/s3.sh"
unset "${!AWS_@}" "${!KURA_S3_@}"

files=1000000 mean=800 sparse=30 bytes=300000000000 nights=30
bench_options 'files mean sparse bytes nights' 'local s3' "$@"
[ -n "$dir" ] || dir=$(mktemp -d /var/tmp/kura-bench.XXXXXX) # /tmp may be in memory
bench_stop() {
    faulty_stop_all
    s3_stop_all
    rm -rf "$dir/objects"
}
bench_begin
WORK=$work # of s3.sh
export KURA_CACHE_DIR=$work/cache
gcc -O2 -o "$work/filetree" "$BENCH/filetree.c" || exit 1
tree=$dir/tree
if [ ! -d "$tree" ]; then
    echo 'making the files (once with --keep)'
    rm -rf "$tree.new"
    mkdir "$tree.new"
    "$work/filetree" make "$tree.new" "$files" $((files * mean)) &&
        "$work/filetree" sparse "$tree.new" "$sparse" $((bytes - files * mean)) && mv "$tree.new" "$tree" || exit 1
fi
changed=$(find "$tree/00" -name '*.webp' | head -n 1)
changed=${changed%/*}
path=${changed#"$tree/"}
large=$(find "$tree/00" -name '*.iso' | head -n 1)
echo "$files files of $mean bytes, $sparse of $(((bytes - files * mean) / sparse)), $(find "$tree" -type d | wc -l) directories, $(nproc) cores"

# Another content for ten files of one directory.
change_ten() { for n in 0 1 2 3 4 5 6 7 8 9; do echo "$1 $n" >"$changed/ten$n"; done; }

# run PART NAME ARG...: kura, timed.
run() { timed "$1, $2" "$KURA" -q "${@:3}" "${repo[@]}"; }
backup() { run "$1" "$2" backup --files "media=$tree" --app media --jobs 2; }
restore() { # restore PART NAME PATH
    run "$1" "$2" restore latest --only files --files "media=$work/out" --path "$3" --jobs 2
    rm -rf "$work/out"
}

note() { echo "$*" >>"$work/notes"; }
blobs() { find "$work/repo" -path '*/blobs/*' -type f | wc -l; }
stored() { find "$work/repo" -type f -printf '%s\n' | awk '{ n += $1 } END { printf "%.0f\n", n }'; }
counted() { # counted NAME COMMAND...: notes the blobs and bytes that it stored
    local n b
    n=$(blobs) b=$(stored)
    "${@:2}" "$1"
    new_blobs=$(($(blobs) - n))
    note "local, $1: $new_blobs blobs, $((($(stored) - b) / 1024)) KiB stored"
}
measure_local() {
    repo=(--repo "$work/repo")
    "$KURA" init "${repo[@]}" >/dev/null || exit 1
    counted 'first night' backup local
    counted 'unchanged night' backup local
    change_ten local
    counted 'night of ten files' backup local
    few=$new_blobs
    restore local 'one file' "$path/ten3"
    restore local 'a directory' "$path"
    restore local 'a pattern' "/$path/**/ten*"
    restore local 'a large file' "${large#"$tree/"}"
    run local verify verify
    run local 'verify --read-data' verify --read-data
    run local prune prune --keep-last 1 --grace 0
}

requests() { wc -l <"$work/count.log"; }
received() { awk -F '\t' '{ n += $4 } END { printf "%.0f", n / 1024 }' "$work/count.log"; }
# asked NAME COMMAND...: notes the requests that it made
asked() {
    faulty_rules count
    "${@:2}"
    note "s3, $1: $(requests) requests ($(cut -f 1 "$work/count.log" | sort | uniq -c | awk '{ printf "%s%d %s", NR > 1 ? ", " : "", $1, $2 }')), $(received) KiB received"
}
# single WHEN: what single paths cost.
single() {
    asked "one file, $1" restore s3 'one file' "$path/ten3"
    most=$(requests)
    asked "a directory, $1" restore s3 'a directory' "$path"
    asked "a pattern, $1" restore s3 'a pattern' "/$path/**/ten*"
    asked "a large file, $1" restore s3 'a large file' "${large#"$tree/"}"
}
measure_s3() {
    local night
    s3_start rgw s3 dir="$dir/objects" bluestore=$((6 << 30)) && s3_bucket s3 scale && faulty_start s3 count || exit 1
    faulty_rules count
    repo=(--repo s3://scale/media --s3-endpoint "$FAULTY_ENDPOINT")
    "$KURA" init "${repo[@]}" >/dev/null || exit 1
    asked 'first night' backup s3 'first night'
    asked 'unchanged night' backup s3 'unchanged night'
    change_ten s3
    asked 'night of ten files' backup s3 'night of ten files'
    single 'after 3 nights'
    for ((night = 4; night <= nights; night++)); do
        change_ten "$night"
        backup s3 'later nights'
    done
    single "after $nights nights"
    asked list run s3 list list
    asked verify run s3 verify verify
    asked prune run s3 prune prune --keep-last 7 --grace 0
}

for part in "${parts[@]}"; do
    "measure_$part"
done
echo
print_times
echo
cat "$work/notes"
echo
for name in "$TIMES"/*,*; do
    goal "${name##*/}: peak memory" "$(peak_mib "${name##*/}")" 256 MiB
done
[ -z "${few:-}" ] || goal 'blobs of the night of ten files' "$few" 6 ''
[ -z "${most:-}" ] || goal "one file from S3 after $nights nights: requests" "$most" 10 ''
