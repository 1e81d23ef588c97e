#!/bin/bash
# Damages of a repository, from the finding to the healing: each kind of blob, changed, cut off and lost, is named by
# verify with what needs it; the next backup stores it again, or repair-repository brings it back from files, cache or
# copy, in a directory and in S3, plain and encrypted.
. "$(dirname "$0")/lib.sh"

start 15 main
createdb_as misskey
sql_file misskey site.sql -v scale=0.05 || die 'site.sql failed'
bash "$SQL/media.sh" "$WORK/media"
rm "$WORK/media/files/sparse" # files.sh has it; here it takes time
s3_start rgw ceph || die 'no S3 server'
s3_bucket ceph site || die 'no bucket'
s3_use ceph
site=(--db "$(conn misskey)" --files "media=$WORK/media" --app misskey)
files=(--app misskey --files "media=$WORK/media")
json() { jq -e "$1" "$WORK/out"; }

# ---- a repository: a directory, or below s3://site ----

# at PLACE [IDENTITY]: the repository that all below is about.
at() {
    place=$1 repo=(--repo "$WORK/$1")
    [[ $1 != s3* ]] || repo=(--repo "s3://site/$1" --s3-endpoint "$S3_ENDPOINT")
    reader=("${repo[@]}")
    [ -z "${2:-}" ] || reader+=(--identity "$2")
}
get() { if [[ $place == s3* ]]; then s3_client get site "$place/$1"; else cat "$WORK/$place/$1"; fi; }
put() { if [[ $place == s3* ]]; then s3_client put site "$place/$1" "$2"; else cat "$2" >"$WORK/$place/$1"; fi; }
drop() { if [[ $place == s3* ]]; then s3_client delete site "$place/$1"; else rm "$WORK/$place/$1"; fi; }
keys() { # keys [PREFIX]
    if [[ $place == s3* ]]; then
        s3_client list site "$place/${1:-}" | cut -f 2 | sed "s|^$place/||"
    else
        (cd "$WORK/$place" && find . -type f -printf '%P\n' | grep "^${1:-}" | sort)
    fi
}
damage() { # damage flip|cut|lose KEY [OFFSET]
    local at
    get "$2" >"$WORK/object"
    case $1 in
    flip)
        at=${3:-$(($(stat -c %s "$WORK/object") / 2))}
        printf "$(printf '\\x%02x' $(($(od -An -tu1 -j "$at" -N 1 "$WORK/object") ^ 1)))" |
            dd of="$WORK/object" bs=1 seek="$at" conv=notrunc status=none
        ;;
    cut) truncate -s -1 "$WORK/object" ;;
    lose) drop "$2" && return ;;
    esac
    put "$2" "$WORK/object"
}
backup() { status_is '0|3' kura backup "${repo[@]}" "${site[@]}"; }
newest() { keys backups/ | tail -n 1 | sed 's|.*/||; s|\.json.*||'; }
key_of() { echo "blobs/${1:0:2}/$1"; }
# The blobs of a plain backup by what they are. An index is of the files, not of the large objects.
segment_of() { get "backups/$1.json" | jq -r --arg t "$2" '[.database.tables[] | select(.name == $t).segments[].blob][0]'; }
toc_of() { get "backups/$1.json" | jq -r '.database.toc.blobs[0].blob'; }
index_of() { get "backups/$1.json" | jq -r '.filesets[0].index[0].blob'; }
entries_of() { get "$(key_of "$(index_of "$1")")" | zstd -dcq; }
file_of() { entries_of "$1" | jq -r --arg b "$2" 'select(.parts[]?.blob == $b).path' | head -n 1; }

# ---- a plain directory: what is named, what heals ----
at dir
check 'init' status_is 0 kura init "${repo[@]}"
check 'first backup' backup
first=$(newest)
sql misskey 'DELETE FROM note_reaction WHERE ctid = (SELECT min(ctid) FROM note_reaction)' || die 'no change'
check 'second backup' backup
segment=$(segment_of "$first" note) index=$(index_of "$first") toc=$(toc_of "$first")
chunk=$(entries_of "$first" | jq -r '.parts[]?.blob | select(endswith(".bin"))' | head -n 1)
pack=$(entries_of "$first" | jq -r '.parts[]?.blob | select(endswith(".tar"))' | head -n 1)
packed=$(file_of "$first" "$pack") chunked=$(file_of "$first" "$chunk")
in_pack=$(entries_of "$first" | jq --arg p "$packed" 'select(.path == $p).parts[0].offset') # a byte of that file
check 'there is one of each kind' test -n "$segment" -a -n "$index" -a -n "$toc" -a -n "$chunk" -a -n "$pack" -a -n "$packed" -a -n "$chunked"
check 'the segment is in both backups' test "$segment" = "$(segment_of "$(newest)" note)"
declare -A affected=([$segment]='table public.note' [$index]='index of fileset media' [$toc]='table of contents'
    [$chunk]="file media/$chunked" [$pack]="file media/$packed")
cp -a "$WORK/dir" "$WORK/whole"

for blob in "$segment" "$index" "$toc" "$chunk" "$pack"; do
    for how in flip cut lose; do
        offset='' depth=()
        [ $how != flip ] || depth=(--read-data)
        [ "$how/$blob" != "flip/$pack" ] || offset=$in_pack
        damage "$how" "$(key_of "$blob")" $offset
        check "$how ${affected[$blob]}: found" status_is 3 kura verify "${repo[@]}" "${depth[@]}" --json
        check 'and named, with what needs it' json ".verify.damages | length == 1 and (.[0].message | contains(\"$blob\")) and (.[0].affected | index(\"${affected[$blob]}\") != null)"
        check 'with its backups' json ".verify.damages[0].backups | index(\"$first\") != null"
        check 'and a remedy' json '.findings[] | select(.severity == "error") | .hint | contains("repair-repository")'
        cp "$WORK/whole/$(key_of "$blob")" "$WORK/dir/$(key_of "$blob")"
    done
done
check 'all of it is known' status_is 0 kura verify "${repo[@]}" --json
check 'until it is gone' json '.verify.damages == []'

damage flip "$(key_of "$segment")"
damage flip "$(key_of "$chunk")"
check 'two damages' status_is 3 kura verify "${repo[@]}" --read-data
check 'are known' test "$(jq '.damages | length' "$WORK/dir/verify/state.json")" = 2
damage lose "$(key_of "$index")"
check 'a lost index does not make them forgotten' status_is 3 kura verify "${repo[@]}"
check 'all three are known' test "$(jq '.damages | length' "$WORK/dir/verify/state.json")" = 3
check 'the next backup' backup
check 'has stored all three again' status_is 0 kura verify "${repo[@]}" --read-data
check 'to the byte' cmp "$WORK/dir/$(key_of "$chunk")" "$WORK/whole/$(key_of "$chunk")"

# ---- repair-repository, from files and cache ----
lost_pack=$(entries_of "$first" | jq -r '.parts[]?.blob | select(endswith(".tar"))' | sort -u | grep -v "$pack" | head -n 1)
damage flip "$(key_of "$pack")" "$in_pack"
[ -z "$lost_pack" ] || damage lose "$(key_of "$lost_pack")"
damage cut "$(key_of "$chunk")"
damage flip "$(key_of "$segment")"
mkdir -p "$WORK/dir/blobs/00" && echo half >"$WORK/dir/blobs/00/.tmp-0123~" && touch -d '2 days ago' "$WORK/dir/blobs/00/.tmp-0123~"
kura verify "${repo[@]}" --read-data >"$WORK/all" 2>&1
damage flip "$(key_of "$index")"
check 'an unfinished file is named' grep -q 'blobs/00/.tmp-0123~' "$WORK/all"
keys blobs >"$WORK/before"
check 'a plan' status_is 3 kura repair-repository "${repo[@]}" "${files[@]}" --json
check 'names the cures' json "[.repair.objects[] | {(.object | split(\"/\")[2]): .cure}] | add | .[\"$index\"] == \"cache\" and .[\"$segment\"] == \"set-aside\""
keys blobs | cmp - "$WORK/before"
check 'and changes nothing' test $? = 0
check 'apply' status_is 3 kura repair-repository "${repo[@]}" "${files[@]}" --apply
check 'tells what remains' says "$segment"
check 'the pack is what it was' cmp "$WORK/dir/$(key_of "$pack")" "$WORK/whole/$(key_of "$pack")"
[ -z "$lost_pack" ] || check 'and a lost one' cmp "$WORK/dir/$(key_of "$lost_pack")" "$WORK/whole/$(key_of "$lost_pack")"
check 'the chunk' cmp "$WORK/dir/$(key_of "$chunk")" "$WORK/whole/$(key_of "$chunk")"
check 'the piece of the index' cmp "$WORK/dir/$(key_of "$index")" "$WORK/whole/$(key_of "$index")"
check 'the segment was moved' test -e "$WORK/dir/damaged/$(key_of "$segment")" -a ! -e "$WORK/dir/$(key_of "$segment")"
check 'what was unfinished is gone' test ! -e "$WORK/dir/blobs/00/.tmp-0123~"
check 'the next backup' backup
check 'stores the segment again' status_is 0 kura verify "${repo[@]}" --read-data
check 'the first backup restores' status_is '0|3' kura restore "$first" "${repo[@]}" --db "$(conn restored)" --files "media=$WORK/restored"
check 'as it was' same_tree "$WORK/media" "$WORK/restored"
check 'there is nothing to repair' status_is 0 kura repair-repository "${repo[@]}" --apply
check 'and it says so' says 'nothing is missing or damaged'

# A header of a pack: made again as a whole. A file that is gone from the host: the rest of its pack stays.
damage flip "$(key_of "$pack")" 120
kura verify "${repo[@]}" --read-data >"$WORK/all" 2>&1
check 'a damaged header' status_is 0 kura repair-repository "${repo[@]}" "${files[@]}" --apply
check 'is made again' cmp "$WORK/dir/$(key_of "$pack")" "$WORK/whole/$(key_of "$pack")"
damage flip "$(key_of "$pack")" "$in_pack"
kura verify "${repo[@]}" --read-data >"$WORK/all" 2>&1
check 'without the file' status_is 3 kura repair-repository "${repo[@]}" --no-cache --apply
check 'it says what is missing' says 'neither the repository nor this host'
check 'the pack stays' test -e "$WORK/dir/$(key_of "$pack")"
check 'and its other files can be restored' status_is 3 kura restore "$first" "${repo[@]}" --only files --files "media=$WORK/rest"
check 'all of them' test "$(find "$WORK/rest" -type f | wc -l)" = "$(($(find "$WORK/media" -type f | wc -l) - 1))"
check 'the next backup' backup
check 'is whole' status_is 0 kura verify latest "${repo[@]}" --read-data
check 'it is not in the damaged pack' test "$(entries_of "$(newest)" | jq -r --arg p "$packed" 'select(.path == $p).parts[0].blob')" != "$pack"

# ---- manifests ----
latest=$(newest)
echo '{"kura": "manifest", "version": 1' >"$WORK/dir/backups/$latest.json"
check 'a damaged manifest' status_is 3 kura repair-repository "${repo[@]}" --app misskey --apply
check 'is in the cache' says "backups/$latest: brought back from the cache"
check 'and back' status_is 0 kura show "$latest" "${repo[@]}"
cp "$WORK/dir/backups/$latest.json" "$WORK/manifest"
echo '{' >"$WORK/dir/backups/$latest.json"
chmod -R g+w "$WORK/.cache"
check 'a cache that cannot be believed' status_is 3 kura repair-repository "${repo[@]}" --app misskey --apply
check 'is named' says 'may be in the cache.*others may write to it'
check 'and the manifest stays where it is' test -e "$WORK/dir/backups/$latest.json"
check 'without the cache it is given up' status_is 3 kura repair-repository "${repo[@]}" --no-cache --apply
check 'which is told' says "\"backups/$latest\" is gone"
chmod -R g-w "$WORK/.cache"
cp "$WORK/manifest" "$WORK/dir/backups/$latest.json"
sed -i 's/"version": 1/"version": 99/' "$WORK/dir/backups/$latest.json"
check 'one of a newer kura' status_is 3 kura repair-repository "${repo[@]}" --app misskey --apply
check 'is left alone' test -e "$WORK/dir/backups/$latest.json"

# ---- from a copy ----
rm -rf "$WORK/dir" && cp -a "$WORK/whole" "$WORK/dir"
check 'init of a copy' status_is 0 kura init --repo "$WORK/copy"
check 'copy' status_is 0 kura copy "${repo[@]}" --to "$WORK/copy"
for blob in "$segment" "$index" "$toc" "$chunk" "$pack"; do damage lose "$(key_of "$blob")"; done
echo '{' >"$WORK/dir/backups/$first.json"
check 'a repair from it' status_is 0 kura repair-repository "${repo[@]}" --from "$WORK/copy" --no-cache --apply
check 'brings back everything' says '6 of 6 brought back'
check 'and all is whole' status_is 0 kura verify "${repo[@]}" --read-data --json
check 'in both backups' json '.verify.backups | length == 2 and all(.ok)'

# ---- S3, where what a backup had is believed to be there ----
at s3plain
check 's3: init' status_is 0 kura init "${repo[@]}"
check 's3: first backup' backup
first=$(newest)
segment=$(segment_of "$first" note) index=$(index_of "$first")
chunk=$(entries_of "$first" | jq -r '.parts[]?.blob | select(endswith(".bin"))' | head -n 1)
pack=$(entries_of "$first" | jq -r '.parts[]?.blob | select(endswith(".tar"))' | head -n 1)
damage lose "$(key_of "$segment")"
damage flip "$(key_of "$chunk")"
check 's3: the damages' status_is 3 kura verify "${repo[@]}" --read-data
damage lose "$(key_of "$index")"
check 's3: a lost index' status_is 3 kura verify "${repo[@]}"
check 's3: the next backup' backup
check 's3: has stored them again' status_is 0 kura verify "${repo[@]}" --read-data
damage lose "$(key_of "$pack")"
damage cut "$(key_of "$chunk")"
check 's3: a repair' status_is 0 kura repair-repository "${repo[@]}" "${files[@]}" --apply
check 's3: makes the pack again' status_is 0 kura verify "${repo[@]}" --read-data

# ---- encrypted, and a copy under another key ----
export KURA_KEY_FILE=$WORK/key
at sealed "$WORK/identity"
check 'sealed: init' status_is 0 kura init "${repo[@]}" --encrypt --identity-out "$WORK/identity"
check 'sealed: backup' backup
check 'sealed: init of the copy' status_is 0 env -u KURA_KEY_FILE HOME="$WORK" "$KURA" init --repo "$WORK/plaincopy"
cat >"$WORK/kura.conf" <<CONF
[repository main]
location = $WORK/sealed
key-file = $WORK/key
identity = $WORK/identity
[repository other]
location = $WORK/plaincopy
CONF
unset KURA_KEY_FILE
conf=(--config "$WORK/kura.conf" --repo main)
check 'sealed: copy' status_is 0 kura copy "${conf[@]}" --to other --decrypt
for kind in tar bin zst; do
    damage flip "$(keys blobs/ | grep "\.$kind\.age" | while read -r key; do echo "$(get "$key" | wc -c) $key"; done | sort -n | tail -n 1 | cut -d ' ' -f 2)"
done
check 'sealed: the damages' status_is 3 kura verify "${conf[@]}" --read-data --json
check 'sealed: are three' json '.verify.damages | length == 3'
check 'sealed: the state is sealed' bash -c "head -c 21 '$WORK/sealed/verify/state.json.age' | grep -q age-encryption.org"
check 'sealed: a repair from the copy' status_is 0 kura repair-repository "${conf[@]}" --from other --no-cache --apply
check 'sealed: all is whole' status_is 0 kura verify "${conf[@]}" --read-data

finish
