#!/bin/bash
# kura's backup of a media directory against tar | zstd and sha256sum, side by side: 20,000 files, 4 GB, mostly
# incompressible. Prints medians, ratios and the goals. Needs tests/packages.sh bench and 14 GB of disk.
#
#   media.sh [--dir DIR] [--keep] [--rounds N] [--files N] [--mib N]
#
# The files are made in DIR/media; with --keep they stay, and the next run uses them again.
. "$(dirname "$0")/lib.sh"

files=20000 mib=4096
bench_options 'files mib' '' "$@"
bench_begin

bench_media "$dir" "$work" "$files" "$mib"
media=$dir/media repo=$work/repo
echo "media: $(find "$media" -type f | wc -l) files, $(du -sm "$media" | cut -f 1) MiB, $(nproc) cores, $rounds rounds; medians below"

kura_backup() { timed "$1" "$KURA" -q backup --repo "$repo" --files "media=$media" --app media; }
for ((round = 1; round <= rounds; round++)); do
    echo "round $round"
    rm -rf "$repo" "$work/tar.zst"
    "$KURA" init --repo "$repo" >/dev/null
    kura_backup 'kura, first backup'
    # The hashes are what kura makes in passing, and what alone lets tar's archive be compared with the files later.
    timed 'tar | zstd -1, and sha256sum' sh -c 'tar -C "$1" -c . | zstd -q -1 -o "$2" && cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum >"$2.sums"' \
        sh "$media" "$work/tar.zst"
    kura_backup 'kura, second backup'
    rm -rf "$work/out"
    timed 'kura restore' "$KURA" -q restore latest --repo "$repo" --files "media=$work/out"
    diff -rq "$media" "$work/out" >/dev/null || { echo 'what came back is not what was there' >&2; exit 1; }
    rm -rf "$work/out"
    timed 'zstd -d | tar' sh -c 'mkdir "$2" && zstd -qdc "$1" | tar -C "$2" -x' sh "$work/tar.zst" "$work/out"
    rm -rf "$work/out"
done
echo
print_times
echo
# shellcheck disable=SC2046,SC2183
printf 'sizes in MiB: kura (two backups) %s, tar.zst %s\n\n' $(du -sm "$repo" "$work/tar.zst" | cut -f 1)
first=$(median 'kura, first backup')
goal 'first backup / (tar | zstd -1, and sha256sum)' "$(ratio "$first" "$(median 'tar | zstd -1, and sha256sum')")" 1 x
goal 'second backup / first' "$(ratio "$(median 'kura, second backup')" "$first")" 0.1 x
goal 'peak memory' "$(peak_mib 'kura, first backup')" 256 MiB
goal 'restore / (zstd -d | tar)' "$(ratio "$(median 'kura restore')" "$(median 'zstd -d | tar')")" 1 x
