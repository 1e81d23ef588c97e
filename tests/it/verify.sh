#!/bin/bash
# kura verify and kura doctor on a directory: a whole repository, and one damaged in every way, with the names of what
# suffers, exit statuses and JSON.
. "$(dirname "$0")/lib.sh"

start 15 main
createdb_as misskey
sql_file misskey site.sql -v scale=0.1 || die 'site.sql failed'
bash "$SQL/media.sh" "$WORK/media"
whole=$WORK/whole
check 'init' status_is 0 kura init --repo "$whole"
site=(--db "$(conn misskey)" --files "media=$WORK/media" --app misskey)
check 'first backup' status_is '0|3' kura backup --repo "$whole" "${site[@]}"
first=$(latest "$whole")
sql misskey 'DELETE FROM note_reaction WHERE ctid = (SELECT min(ctid) FROM note_reaction)' || die 'no change'
rm "$WORK/media/files/video.mp4"
check 'second backup' status_is '0|3' kura backup --repo "$whole" "${site[@]}"
second=$(latest "$whole")

# json FILTER: whether the document that the last status_is printed satisfies it.
json() { jq -e "$1" "$WORK/out"; }
# damaged: a copy of the whole repository as $repo.
damaged() { rm -rf "$WORK/repo" && cp -a "$whole" "$WORK/repo" && repo=$WORK/repo; }
# blob NAME: its file.
blob() { echo "$repo/blobs/${1:0:2}/$1"; }
# flip FILE OFFSET: changes one byte.
flip() {
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "$(printf '\\x%02x' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
# segment_of ID TABLE: the first segment of a table.
segment_of() { jq -r --arg t "$2" '[.database.tables[] | select(.name == $t).segments[].blob][0]' "$(manifest "$whole" "$1")"; }

# ---- whole ----
check 'a whole repository is clean' status_is 0 kura verify --repo "$whole"
check 'and says so' says '2 backups verified, no damage found'
check 'with all that is read' status_is 0 kura verify --repo "$whole" --read-data --json
check 'everything was read' json '.verify | .read_blobs == .blobs and .read_bytes == .bytes and .blobs > 10'
check 'every table is proven, in both backups' json '.verify | .tables > 10 and .tables == .tables_proven'
check 'every file in a pack was compared' json '.verify.files_read > 400'
check 'blobs are those on the disk' json ".verify.blobs == $(find "$whole/blobs" -type f | wc -l)"
check 'bytes are those on the disk' json ".verify.bytes == $(find "$whole/blobs" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')"
check 'no findings' json '.findings == []'
check 'no lock is left' test -z "$(ls -A "$whole/locks" 2>/dev/null)"
check 'a share is read' status_is 0 kura verify --repo "$whole" --read-data=10 --json
check 'of that size' json '.verify | .read_blobs > 0 and .read_blobs < .blobs / 2'
check 'by several readers' status_is 0 kura verify --repo "$whole" --read-data --jobs 4
check 'one backup by name' status_is 0 kura verify latest --repo "$whole" --json
check 'is that one' json ".verify.backups | length == 1 and .[0].id == \"$second\""
check 'an unknown one is refused' status_is 1 kura verify 2019 --repo "$whole"
check 'no repository' status_is 10 kura verify --repo "$WORK/none"
check 'a wrong share is refused' status_is 2 kura verify --repo "$whole" --read-data=200

# ---- damaged ----
segment=$(segment_of "$second" note_reaction)
damaged
flip "$(blob "$segment")" 100
check 'a flipped byte is not seen without reading' status_is 0 kura verify --repo "$repo"
check 'a flipped byte is found' status_is 3 kura verify --repo "$repo" --read-data
check 'it names the blob' says "$segment"
check 'it names the table' says 'table public.note_reaction'
check 'it names the backup' says "$second"
check 'the two nights differ in it' test "$segment" != "$(segment_of "$first" note_reaction)"
check 'the backup without it is clean' status_is 0 kura verify "$first" --repo "$repo" --read-data

damaged
rm "$(blob "$segment")"
check 'a missing segment is found without reading' status_is 3 kura verify --repo "$repo" --json
check 'JSON names it' json ".verify.damages[0] | .code == \"blob-missing\" and (.message | contains(\"$segment\")) and (.affected | index(\"table public.note_reaction\"))"
check 'JSON tells the backup' json ".verify.backups[] | select(.id == \"$second\") | (.ok | not) and .tables_affected == 1 and .files_affected == 0"
check 'and the finding' json '.findings[0] | .severity == "error" and .code == "blob-missing"'
check 'a restore of it fails, as foretold' status_is 1 kura restore latest --repo "$repo" --db "$(conn restored)"

damaged
truncate -s -1 "$(blob "$segment")"
check 'a truncated blob is found without reading' status_is 3 kura verify --repo "$repo"
check 'as damaged' says 'which is not the size'

damaged
pack=$(grep -l --binary-files=text 'webp' $(find "$repo/blobs" -name '*.tar') | head -n 1)
victim=$(tar -tf "$pack" 2>/dev/null | grep webp | sed -n 5p)
[ -n "$victim" ] || die 'no pack of small files'
offset=$(tar -tRf "$pack" 2>/dev/null | awk -v v="$victim" '$0 ~ v { sub(/[^0-9]*/, ""); sub(/:.*/, ""); print; exit }')
flip "$pack" $(((offset + 1) * 512 + 10))
check 'a bad file in a pack is found' status_is 3 kura verify --repo "$repo" --read-data --json
check 'it alone is named' json ".verify.damages | length == 1 and .[0].affected == [\"file media/$victim\"]"
check 'no more files than that' json '[.verify.backups[].files_affected] | max == 1'

damaged
rm "$(find "$repo/blobs" -name '*.bin' | head -n 1)"
check 'a missing chunk is found' status_is 3 kura verify --repo "$repo"
check 'with its file' says 'file media/files/'

damaged
echo '{"kura": "manifest"' >"$(manifest "$repo" "$first")"
check 'a damaged manifest is found' status_is 3 kura verify --repo "$repo" --json
check 'the other backup is fine' json ".verify.backups | map(select(.ok)) | length == 1 and .[0].id == \"$second\""
check 'what belongs to it cannot be told' json '.verify.orphans == null'

damaged
rm "$(manifest "$repo" "$second")"
check 'blobs of no backup are no fault' status_is 0 kura verify --repo "$repo" --json
check 'they are counted' json '.verify.orphans > 0 and .verify.orphan_bytes > 0 and .findings[0].severity == "note"'

damaged
rm -rf "$repo/blobs"
check 'a repository without any blob' status_is 3 kura verify --repo "$repo"
check 'is told in bounds' test "$(grep -c '^error:' "$WORK/err")" -le 101
check 'with the number of all' says 'more blobs are missing or damaged|[0-9]+ missing'

# ---- encrypted ----
sealed=$WORK/sealed
export KURA_KEY_FILE=$WORK/key
check 'init, encrypted' status_is 0 kura init --repo "$sealed" --encrypt --identity-out "$WORK/identity"
check 'backup, encrypted' status_is '0|3' kura backup --repo "$sealed" "${site[@]}"
check 'verify needs the identity' status_is 12 kura verify --repo "$sealed"
check 'and is clean with it' status_is 0 kura verify --repo "$sealed" --identity "$WORK/identity" --read-data --json
check 'every table is proven' json '.verify | .tables > 5 and .tables == .tables_proven and .read_blobs == .blobs'
object=$(find "$sealed/blobs" -type f -size +2k | head -n 1)
flip "$object" "$(($(stat -c %s "$object") / 2))"
check 'a flipped byte is found' status_is 3 kura verify --repo "$sealed" --identity "$WORK/identity" --read-data
check 'and named' says "$(basename "$object")"
check 'doctor needs no identity' status_is 0 kura doctor --repo "$sealed"
check 'and sees the keys' says 'encrypted for 1 recipient'
unset KURA_KEY_FILE

# ---- doctor ----
check 'doctor finds nothing' status_is 0 kura doctor --repo "$whole"
check 'it tells the newest backup' says "newest is $second"
check 'and the space' says 'free; the newest backup took'
check 'it leaves nothing behind' test ! -e "$whole/probe"
chmod 755 "$whole"
check 'a directory that others may read' status_is 3 kura doctor --repo "$whole" --json
check 'is a warning with a remedy' json '.findings[] | select(.severity == "warning") | .code == "dir-rights" and (.hint | contains("chmod"))'
chmod 700 "$whole"
mkdir -m 700 "$WORK/place"
check 'a place without a repository is tried' status_is 0 kura doctor --repo "$WORK/place"
check 'and said to be one' says 'there is no repository'
check 'a place that cannot be' status_is 3 kura doctor --repo "$WORK/none/below"

finish
