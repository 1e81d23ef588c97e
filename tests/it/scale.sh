#!/bin/bash
# A fileset of many files, sixteen levels deep: bounded memory, a night without changes that writes next to nothing, a
# changed directory that touches few pieces of the index; single paths out of it, from a directory and in few requests
# from S3; a restore that was killed goes on where it stopped. KURA_SCALE_FILES for more files than 20,000.
. "$(dirname "$0")/lib.sh"

files=${KURA_SCALE_FILES:-20000}
gcc -O2 -o "$WORK/filetree" "$TOP/tests/bench/filetree.c" || die 'filetree.c does not compile'
mkdir "$WORK/tree"
"$WORK/filetree" make "$WORK/tree" "$files" $((files * 300)) || die 'no tree'
ln -s ../target "$WORK/tree/00/link"
mkdir -p "$WORK/tree/00/0/odd/[x]*" && echo odd >"$WORK/tree/00/0/odd/[x]*/a?b" && echo plain >"$WORK/tree/00/0/odd/axb"
chmod 0750 "$WORK/tree/00/0" && touch -d 2001-02-03 "$WORK/tree/00/0"
deepest=$(cd "$WORK/tree" && find . -type f | awk -F / '{ print NF - 2, $0 }' | sort -rn | head -n 1 | cut -d ' ' -f 2 | cut -c 3-)
check 'the tree is deep' test "$(tr -cd / <<<"$deepest" | wc -c)" -ge 14
repo=$WORK/repo
media=(--repo "$repo" --files "media=$WORK/tree" --app media --jobs 2)
peak() { /usr/bin/time -o "$WORK/peak" -f %M "$KURA" "$@" >"$WORK/peak.out" 2>&1 && test "$(tail -n 1 "$WORK/peak")" -lt 262144; }
blobs() { find "$repo/blobs" -type f | wc -l; }

check 'init' status_is 0 kura init --repo "$repo"
check 'first backup, in 256 MiB' peak backup "${media[@]}"
check 'manifest tells where the pieces of the index begin' test "$(jq '[.filesets[0].index[] | select(.first == null)] | length' "$repo"/backups/*.json)" = 0
before=$(blobs)
check 'nothing changed, in 256 MiB' peak backup "${media[@]}"
check 'it stored nothing' test "$(blobs)" = "$before"
dir=$WORK/tree/$(dirname "$deepest")
for i in 1 2 3 4 5 6 7 8 9 10; do echo "$i" >"$dir/changed$i"; done
check 'ten files changed' peak backup "${media[@]}"
check "few blobs are new ($(($(blobs) - before)))" test $(($(blobs) - before)) -le 6

# Single paths.
only() { # only DIR PATH...: restores just that
    local out=$1 path options=()
    shift
    for path; do options+=(--path "$path"); done
    rm -rf "$out"
    kura restore latest --repo "$repo" --only files --files "media=$out" "${options[@]}"
}
entries() { (cd "$1" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort); }
holds() { # holds DIR PATH...: just these, beside the directories above them
    local dir=$1
    shift
    (cd "$dir" && find . ! -type d -printf '%P\n' | LC_ALL=C sort) >"$WORK/a"
    printf '%s\n' "$@" | LC_ALL=C sort >"$WORK/b"
    same "$WORK/a" "$WORK/b"
}
file=$(dirname "$deepest")/changed3
check 'one file' status_is 0 only "$WORK/one" "$file"
check 'it is there alone' holds "$WORK/one" "$file"
check 'with its content' cmp "$WORK/tree/$file" "$WORK/one/$file"
above() { (cd "$1" && d=$file && while d=$(dirname "$d") && [ "$d" != . ]; do stat -c '%n %a %U:%G %y' "$d"; done); }
check 'the directories above have their modes, owners and times' test "$(above "$WORK/one")" = "$(above "$WORK/tree")"
check 'a directory' status_is 0 only "$WORK/dir" 00/0/0
check 'with all below it' same_tree "$WORK/tree/00/0/0" "$WORK/dir/00/0/0"
check 'and nothing else' test "$(ls "$WORK/dir/00/0")" = 0
check 'a pattern' status_is 0 only "$WORK/pattern" '/00/0/*/**/changed[1-3]' '00/link'
(cd "$WORK/tree" && find 00/0 -name 'changed[1-3]' -printf '%p\n' && echo 00/link) >"$WORK/wanted"
mapfile -t wanted <"$WORK/wanted"
check 'gives what find gives' holds "$WORK/pattern" "${wanted[@]}"
check 'a name with wildcards, escaped' status_is 0 only "$WORK/odd" '00/0/odd/\[x\]\*/a\?b'
check 'is that very file' holds "$WORK/odd" '00/0/odd/[x]*/a?b'
check 'nothing there: an error' status_is 1 only "$WORK/none" "$file" 00/none
check 'that names it' says '00/none'
check 'what is there was restored' cmp "$WORK/tree/$file" "$WORK/none/$file"
check 'a path that leads out: refused' status_is 2 only "$WORK/none" ../etc/passwd
check 'show --files --path' status_is 0 kura --json show latest --repo "$repo" --files --path "$file"
check 'shows it alone' test "$(jq -r '.filesets[].entries[].path' "$WORK/out")" = "$file"
jq 'del(.filesets[].index[].first)' "$(manifest "$repo" "$(latest "$repo")")" >"$WORK/old.json"
mv "$(manifest "$repo" "$(latest "$repo")")" "$WORK/new.json"
cp "$WORK/old.json" "$repo/backups/$(jq -r .id "$WORK/old.json").json"
check 'a manifest that does not tell where pieces begin' status_is 0 only "$WORK/one" "$file"
check 'does as well' holds "$WORK/one" "$file"
jq '(.filesets[].index[0].first) = "zz" | .filesets[].index = [.filesets[].index[0]]' "$WORK/new.json" >"$WORK/lying.json"
cp "$WORK/lying.json" "$repo/backups/$(jq -r .id "$WORK/old.json").json"
check 'one that lies about it is refused' status_is 1 kura show latest --repo "$repo" --files --path '**'
cp "$WORK/new.json" "$repo/backups/$(jq -r .id "$WORK/old.json").json"

# From S3: few requests.
s3_start rgw ceph || die 'no S3 server'
s3_bucket ceph scale || die 'no bucket'
faulty_start ceph count || die 'no proxy'
faulty_rules count
remote=(--repo s3://scale/media --s3-endpoint "$FAULTY_ENDPOINT")
check 'init on S3' status_is 0 kura init "${remote[@]}"
check 'backup to S3' status_is 0 kura backup "${remote[@]}" --files "media=$WORK/tree" --app media --cache-dir "$WORK/cache"
faulty_rules count
check 'one file from S3' status_is 0 kura restore latest "${remote[@]}" --only files --files "media=$WORK/s3one" --path "$file"
check "in at most 10 requests ($(wc -l <"$WORK/count.log"))" test "$(wc -l <"$WORK/count.log")" -le 10
check 'it is right' cmp "$WORK/tree/$file" "$WORK/s3one/$file"
check 'with all above it' test "$(above "$WORK/s3one")" = "$(above "$WORK/tree")"

# A restore that is killed again and again: what was right stays, and is not fetched again.
"$WORK/filetree" make "$WORK/pictures" 60 $((60 * 2500000)) || die 'no pictures'
check 'backup of large files to S3' status_is 0 kura backup "${remote[@]}" --files "pictures=$WORK/pictures" --app pictures --cache-dir "$WORK/cache"
faulty_rules count
fetched() { grep -c $'^GET\t.*blobs/' "$WORK/count.log"; }
restore_pictures() { kura restore latest "${remote[@]}" --only files --files "pictures=$1" --jobs 2; }
check 'restore in one go' status_is 0 restore_pictures "$WORK/whole"
whole=$(fetched)
rm -rf "$WORK/whole"
faulty_rules count
kills=0
for after in $((RANDOM % 15 + 5)) $((RANDOM % 15 + 20)) $((RANDOM % 15 + 35)); do
    HOME=$WORK TMPDIR=$WORK/tmp "$KURA" -q restore latest "${remote[@]}" --only files --files "pictures=$WORK/back" --jobs 2 &
    child=$!
    while [ "$(fetched)" -lt "$after" ] && kill -0 $child 2>/dev/null; do :; done
    kill -KILL $child 2>/dev/null && kills=$((kills + 1))
    wait $child 2>/dev/null
done
check 'it was killed' test "$kills" -ge 2
check 'then it goes on' status_is 0 restore_pictures "$WORK/back"
# Each run reads the index anew, and a kill loses what was under way: eight requests at most.
check "nothing was fetched again ($(fetched) requests, $whole in one go, $kills kills)" test "$(fetched)" -le $((whole + kills * 12))
check 'and all is as it was' same_tree "$WORK/pictures" "$WORK/back"
check 'without anything half-written' test -z "$(find "$WORK/back" -name '.kura-restore*')"

finish
