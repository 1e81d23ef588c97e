#!/bin/bash
# kura's backup of database and media straight to S3 against what Debian has for it, side by side on loopback against the
# same server, Ceph's gateway: (a) PostgreSQL 17's pg_dump to the disk, then rclone for it and the media; (b) restic for
# pg_dump's stream and the media. Then encrypted against not, and the bytes that a second night sends. Prints medians,
# ratios and the goals. As root. Needs tests/packages.sh bench and 25 GB of disk, or of memory and disk.
#
#   s3.sh [--dir DIR] [--keep] [--rounds N] [--scale S] [--files N] [--mib N] [--store DIR] [peers|night]...
#
# The data are db.sh's and media.sh's, in DIR. The server keeps its objects in a file in the directory of --store, by
# default in memory (/dev/shm), so that it is not the disk that is measured.
. "$(dirname "$0")/lib.sh"
. "$BENCH/../tools/s3.sh"
unset "${!AWS_@}" "${!KURA_S3_@}" "${!RCLONE_@}" "${!RESTIC_@}"

scale=1 files=20000 mib=4096 store=/dev/shm
bench_options 'scale files mib store' 'peers night' "$@"
objects=$(mktemp -d "$store/kura-bench-s3.XXXXXX")
bench_stop() {
    faulty_stop_all
    s3_stop_all
    rm -rf "$objects"
}
bench_begin
WORK=$work # of s3.sh

pg_prepare 17 || exit 1
bench_database "$dir" "$work" "$scale"
bench_media "$dir" "$work" "$files" "$mib"
media=$dir/media
s3_start rgw s3 dir="$objects" bluestore=$((14 << 30)) || exit 1
echo "database: $(sql bench "SELECT pg_size_pretty(pg_database_size('bench'))"), media: $(find "$media" -type f | wc -l) files, $(du -sm "$media" | cut -f 1) MiB, $(nproc) cores, $rounds rounds; medians below"

export RCLONE_CONFIG=/dev/null RCLONE_S3_PROVIDER=Ceph RCLONE_S3_ENDPOINT=$S3_ENDPOINT RCLONE_S3_ACCESS_KEY_ID=$S3_ACCESS \
    RCLONE_S3_SECRET_ACCESS_KEY=$S3_SECRET RCLONE_S3_NO_CHECK_BUCKET=true RCLONE_TRANSFERS=8
export RESTIC_PASSWORD=bench RESTIC_CACHE_DIR=$work/restic RESTIC_REPOSITORY=s3:$S3_ENDPOINT/restic
export HOME=$work # no configuration but these

# What is handed to timed is a program, so these are scripts; $1.. as below.
# shellcheck disable=SC2016
by_rclone='rm -rf "$2" && "$1/pg_dump" -Fd -j2 --compress=zstd:1 -f "$2" -d "$3" && rclone copy "$2" :s3:rclone/db && rclone copy "$4" :s3:rclone/media'
# shellcheck disable=SC2016
by_restic='set -o pipefail; "$1/pg_dump" -Fc -Z0 -d "$2" | restic -q backup --stdin --stdin-filename db && restic -q backup "$3"'

# kura_repo BUCKET ENDPOINT [plain|encrypted]: an empty repository in a new bucket; sets repo to the options for it.
kura_repo() {
    local init=()
    s3_bucket s3 "$1" || exit 1
    rm -rf "$work/cache" "$work/kura.key" "$work/identity"
    repo=(--repo "s3://$1/site" --s3-endpoint "$2")
    if [ "$3" = encrypted ]; then
        repo+=(--key-file "$work/kura.key")
        init=(--encrypt --identity-out "$work/identity")
    fi
    "$KURA" init "${repo[@]}" "${init[@]}" >/dev/null || exit 1
}
kura_backup() { timed "$1" "$KURA" -q backup "${repo[@]}" --cache-dir "$work/cache" --db "$(conn "$2")" --files "media=$3" --jobs 2 --app bench; }

# Each contender finds an empty bucket and leaves none; the server's memory would not hold all four.
peers() {
    kura_repo kura "$S3_ENDPOINT" plain
    kura_backup 'kura' bench "$media"
    s3_drop s3 kura

    s3_bucket s3 rclone
    timed 'pg_dump 17 zstd:1, rclone' bash -c "$by_rclone" bash "$(pg_bindir 17)" "$work/dump" "$(conn bench)" "$media"
    rm -rf "$work/dump"
    s3_drop s3 rclone

    kura_repo kura-encrypted "$S3_ENDPOINT" encrypted
    kura_backup 'kura, encrypted' bench "$media"
    s3_drop s3 kura-encrypted

    s3_bucket s3 restic
    restic -q init --repository-version 2 || exit 1
    timed 'pg_dump -Fc -Z0, restic' bash -c "$by_restic" bash "$(pg_bindir 15)" "$(conn bench)" "$media"
    s3_drop s3 restic
    rm -rf "$work/restic"
}

# Of the media one file in a hundred gets other bytes, and one in a hundred is new.
change_media() {
    find "$1" -type f | sort | awk 'NR % 100 == 7' >"$work/changed"
    while read -r file; do
        cp "$file" "$file.new"
        head -c "$(stat -c %s "$file")" /dev/urandom >"$file.changed"
        mv "$file.changed" "$file"
    done <"$work/changed"
}

sent() { awk -F '\t' '{ n += $3 } END { printf "%.0f\n", n }' "$work/night.log"; }
nights() {
    local first second
    cp -a "$media" "$work/media"
    psql -Xqd postgres -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS night' -c 'CREATE DATABASE night TEMPLATE bench' || exit 1
    faulty_start s3 night || exit 1
    kura_repo nights "$FAULTY_ENDPOINT" plain
    faulty_rules night
    kura_backup 'night one, through a proxy' night "$work/media"
    first=$(sent)
    psql -Xq -v ON_ERROR_STOP=1 -d night -f "$BENCH/night.sql" || exit 1
    change_media "$work/media"
    faulty_rules night
    kura_backup 'night two, through a proxy' night "$work/media"
    second=$(sent)
    sql postgres 'DROP DATABASE night'
    echo
    echo "night one sent $((first / 1048576)) MiB, night two $((second / 1048576)) MiB in $(wc -l <"$work/night.log") requests (1 % of rows and files changed, 1 % added)"
    goal 'bytes sent on night two / night one' "$(ratio "$((second * 100))" "$first")" 5 '%'
}

has() { [[ " ${parts[*]} " == *" $1 "* ]]; }
if has peers; then
    for ((round = 1; round <= rounds; round++)); do
        echo "round $round"
        peers
    done
    echo
    print_times
    echo
    kura=$(median kura)
    best=$(printf '%s\n' "$(median 'pg_dump 17 zstd:1, rclone')" "$(median 'pg_dump -Fc -Z0, restic')" | sort -n | head -n 1)
    goal 'kura backup / best of pg_dump with rclone and with restic' "$(ratio "$kura" "$best")" 0.75 x
    goal 'kura backup, encrypted / not' "$(ratio "$(median 'kura, encrypted')" "$kura")" 1.15 x
    goal 'kura backup, peak memory' "$(peak_mib kura)" 256 MiB
    goal 'kura backup, encrypted, peak memory' "$(peak_mib 'kura, encrypted')" 256 MiB
fi
if has night; then
    nights
fi
