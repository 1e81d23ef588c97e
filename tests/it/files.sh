#!/bin/bash
# Media there and back: every name, type, mode and moment; the second night costs nothing; nothing is written outside.
. "$(dirname "$0")/lib.sh"

bash "$SQL/media.sh" "$WORK/media"
repo=$WORK/repo
check 'init' status_is 0 kura init --repo "$repo"
media=(--files "media=$WORK/media" --app media)
check 'backup of media alone' status_is '0|3' kura backup --repo "$repo" "${media[@]}"
first=$(latest "$repo") first_bytes=$(repo_bytes "$repo")
check 'equal contents are stored once' test "$first_bytes" -lt $((66 * 1048576 + 40 * 1048576 + 12 * 1048576))
check 'restore' status_is '0|3' kura restore latest --repo "$repo" --files "media=$WORK/back"
check 'what came back is what was there' same_tree "$WORK/media" "$WORK/back"
check 'hard links are hard links' test "$(stat -c %i "$WORK/back/links/one")" = "$(stat -c %i "$WORK/back/modes/three")"

check 'second backup' status_is '0|3' kura backup --repo "$repo" "${media[@]}"
check 'it stores almost nothing' test $(($(repo_bytes "$repo") - first_bytes)) -lt $((first_bytes / 100))
check 'and restores as well' status_is '0|3' kura restore latest --repo "$repo" --files "media=$WORK/second"
check 'it is the same' same_tree "$WORK/media" "$WORK/second"

# A directory that a restore makes is its owner's, and can be got at; one that is there stays as it is.
mkdir "$WORK/owned" "$WORK/there" && echo file >"$WORK/owned/file"
chown games:games "$WORK/owned" && chmod 2750 "$WORK/owned" && chmod 711 "$WORK/there"
check 'a directory of somebody' status_is 0 kura backup --repo "$repo" --app owned --files "media=$WORK/owned" --files "config=$WORK/owned"
check 'restored where there is none' status_is 0 kura restore latest --repo "$repo" --app owned --files "media=$WORK/new/host/owned" --files "config=$WORK/new/beside"
check 'is that one'"'"'s again' test "$(stat -c '%a %U:%G' "$WORK/new/host/owned")" = '2750 games:games'
check 'and on the way to it is no wall' test "$(stat -c %a "$WORK/new" "$WORK/new/host" | tr '\n' ' ')" = '755 755 '
check 'but a configuration is for nobody else' test "$(stat -c '%a %U' "$WORK/new/beside")" = '700 root'
check 'into one that is there' status_is 0 kura restore latest --repo "$repo" --app owned --files "media=$WORK/there"
check 'which is left as it is' test "$(stat -c '%a %U' "$WORK/there")" = '711 root'

# A changed file is seen even when its size and mtime are as before; a renamed one costs nothing.
cp -a "$WORK/media" "$WORK/before"
victim=$(find "$WORK/media/files/1" -type f | sort | head -n 1)
touch -r "$victim" "$WORK/stamp"
size=$(stat -c %s "$victim")
head -c "$size" /dev/zero >"$victim"
touch -r "$WORK/stamp" "$victim"
mv "$WORK/media/files/video.mp4" "$WORK/media/files/renamed.mp4"
rm "$WORK/media/files/same-content.mp4" "$(find "$WORK/media/files/2" -type f | sort | head -n 1)"
mkdir "$WORK/media/new" && echo new >"$WORK/media/new/file"
bytes=$(repo_bytes "$repo")
check 'third backup, after changes' status_is '0|3' kura backup --repo "$repo" "${media[@]}"
check 'it stores little more than the changes' test $(($(repo_bytes "$repo") - bytes)) -lt 3000000
check 'restore of the third' status_is '0|3' kura restore latest --repo "$repo" --app media --files "media=$WORK/third"
check 'it has the changes' same_tree "$WORK/media" "$WORK/third"
check 'restore of the first' status_is '0|3' kura restore "$first" --repo "$repo" --files "media=$WORK/first"
check 'it is still the first' same_tree "$WORK/before" "$WORK/first"

# Into a directory in use: what is right stays (also its inode), what differs is replaced, what is foreign is left alone.
kept=$(find "$WORK/first/files/3" -type f | sort | head -n 1)
inode=$(stat -c %i "$kept")
wrong=$(find "$WORK/first/files/4" -type f | sort | head -n 1)
head -c "$(stat -c %s "$wrong")" /dev/zero >"$wrong"
check 'quick check: by size and time' status_is '0|3' kura restore "$first" --repo "$repo" --files "media=$WORK/first" --quick-check
check 'quick check: a file of another time was read, and replaced' same "$wrong" "$WORK/before/${wrong#"$WORK/first/"}"
touch -r "$wrong" "$WORK/stamp"
head -c "$(stat -c %s "$wrong")" /dev/zero >"$wrong"
touch -r "$WORK/stamp" "$wrong"
check 'quick check: over it' status_is '0|3' kura restore "$first" --repo "$repo" --files "media=$WORK/first" --quick-check
check 'quick check: one of the same size and time was believed' test "$(tr -d '\0' <"$wrong" | wc -c)" = 0
check 'quick check: it says so' says 'by size and time'
echo foreign >"$WORK/first/foreign"
rm "$WORK/first/names/-rf"
check 'restore over it' status_is '0|3' kura restore "$first" --repo "$repo" --files "media=$WORK/first"
check 'what was right was kept' test "$(stat -c %i "$kept")" = "$inode"
check 'what was foreign is there' test "$(cat "$WORK/first/foreign")" = foreign
rm "$WORK/first/foreign"
tree "$WORK/before" | grep -av '^d' >"$WORK/a"
tree "$WORK/first" | grep -av '^d' >"$WORK/b"
check 'all else is as it was' same "$WORK/a" "$WORK/b"

# Somebody put links where directories should be: nothing is written through them.
mkdir "$WORK/outside" "$WORK/trap"
ln -s "$WORK/outside" "$WORK/trap/files"
ln -s "$WORK/outside/file" "$WORK/trap/names"
check 'restore into a trap has findings or fails' status_is '1|3' kura restore "$first" --repo "$repo" --files "media=$WORK/trap"
check 'nothing was written outside' test -z "$(find "$WORK/outside" -mindepth 1)"
check 'the links are named' says 'files'

# Damage is named, and the file does not get its name.
cp -r "$repo" "$WORK/bad"
pack=$(find "$WORK/bad/blobs" -name '*.tar' -printf '%s %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2)
chmod u+w "$pack"
# So much that no header of the tar and no padding can hold all of it.
head -c 4096 /dev/urandom | dd of="$pack" bs=4096 oflag=seek_bytes seek=$(($(stat -c %s "$pack") / 2)) conv=notrunc status=none
check 'a damaged pack: restore fails' status_is '1|3' kura restore "$first" --repo "$WORK/bad" --files "media=$WORK/damaged"
check 'the files are named' says 'files/[0-9]+/[0-9a-f]+\.webp.*hash'
wrong_contents() {
    (cd "$WORK/damaged" && find . -type f -print0 | sort -z | xargs -0r sha256sum) | LC_ALL=C sort >"$WORK/a"
    (cd "$WORK/before" && find . -type f -print0 | sort -z | xargs -0r sha256sum) | LC_ALL=C sort >"$WORK/b"
    LC_ALL=C comm -23 "$WORK/a" "$WORK/b"
}
check 'no file has a wrong content' test -z "$(wrong_contents)"

# An index that somebody forged, hashes and all: nothing is written outside, nothing crashes.
mkdir -p "$WORK/small/z" "$WORK/victim"
echo content >"$WORK/small/a"
echo other >"$WORK/small/z/b"
ln -s "$WORK/victim" "$WORK/small/out"
kura init --repo "$WORK/honest" >/dev/null && kura -q backup --repo "$WORK/honest" --files "small=$WORK/small" --app small >/dev/null || die 'no small backup'
forged() { # forged NAME SED-SCRIPT: the index as the script leaves it
    local old new
    rm -rf "$WORK/forged" "$WORK/below"
    cp -r "$WORK/honest" "$WORK/forged"
    chmod -R u+w "$WORK/forged"
    old=$(jq -r '.filesets[0].index[0].blob' "$WORK"/forged/backups/*.json)
    zstd -qdc "$WORK"/forged/blobs/*/"$old" | sed "$2" | LC_ALL=C sort >"$WORK/index"
    zstd -qdc "$WORK"/forged/blobs/*/"$old" | LC_ALL=C sort | cmp -s - "$WORK/index" && die "the forgery \"$2\" changes nothing"
    zstd -qf "$WORK/index" -o "$WORK/index.zst"
    new=$(sha256sum "$WORK/index.zst" | cut -d ' ' -f 1)
    mkdir -p "$WORK/forged/blobs/${new:0:2}"
    cp "$WORK/index.zst" "$WORK/forged/blobs/${new:0:2}/$new.zst"
    jq --arg blob "$new.zst" --argjson size "$(stat -c %s "$WORK/index.zst")" '.filesets[0].index = [{blob: $blob, size: $size}]' \
        "$WORK"/honest/backups/*.json >"$(manifest "$WORK/forged" '')"
    mkdir "$WORK/below"
    check "forged index, $1: refused" status_is '1|3' kura restore latest --repo "$WORK/forged" --files "small=$WORK/below/target"
    check "forged index, $1: nothing outside" test -z "$(find "$WORK/victim" -mindepth 1)$(find "$WORK/below" -mindepth 1 -maxdepth 1 ! -name target)"
    check "forged index, $1: the victim is untouched" test "$(cat /etc/hostname)$(stat -c %a /etc/hostname)" = "$hostname"
}
hostname=$(cat /etc/hostname)$(stat -c %a /etc/hostname)
forged 'upwards' 's|"path":"a"|"path":"../evil"|'
forged 'upwards within' 's|"path":"z/b"|"path":"z/../../evil"|'
forged 'absolute' "s|\"path\":\"a\"|\"path\":\"$WORK/below/evil\"|"
forged 'through a link' 's|"path":"z/b"|"path":"out/evil"|'
forged 'through a link to a directory' 's|"path":"z"|"path":"out"|'
forged 'twice' 's|"path":"z/b"|"path":"a"|'
forged 'hard link upwards' 's|"path":"z/b","type":"f"|"path":"z/b","type":"h","target":"../../../../../../etc/hostname"|; s|"size":6,.*|}|; s|,}|}|'
forged 'hard link through a link' 's|"path":"z/b","type":"f"|"path":"z/b","type":"h","target":"out/x"|; s|"size":6,.*|}|; s|,}|}|'
forged 'another hash' 's|"hash":"....|"hash":"0000|'
forged 'another size' 's|"size":8,|"size":9,|'
forged 'a part that lies outside its blob' 's|"offset":512|"offset":99999999999|'
forged 'a part that is huge' 's|"length":8|"length":18446744073709551615|'
forged 'no type' 's|"type":"f",||'
forged 'no JSON' 's|^{|[|'
forged 'a name with NUL' 's|"path":"a"|"path":"a\\u0000b"|'
forged 'an empty name' 's|"path":"a"|"path":""|'
forged 'a directory named twice' 's|"path":"out","type":"l"|"path":"z","type":"l"|'

# Not as root: what cannot be read is named, the rest is saved.
install -d -o nobody "$WORK/nobodys"
unprivileged() { HOME=$WORK/nobodys setpriv --reuid=nobody --regid=nogroup --clear-groups "$KURA" "$@"; }
cp -a "$WORK/media/files/1" "$WORK/part"
chmod -R go+rX "$WORK/part"
secret=$(find "$WORK/part" -type f | sort | head -n 1)
chmod 600 "$secret"
check 'init by nobody' status_is 0 unprivileged init --repo "$WORK/nobodys/repo"
check 'backup by nobody, one file is unreadable' status_is 3 unprivileged backup --repo "$WORK/nobodys/repo" --files "part=$WORK/part" --app part
check 'it is named' says "$(basename "$secret")"
check 'restore by nobody' status_is '0|3' unprivileged restore latest --repo "$WORK/nobodys/repo" --files "part=$WORK/nobodys/out"
check 'all others came back' test "$(find "$WORK/nobodys/out" -type f | wc -l)" = $(($(find "$WORK/part" -type f | wc -l) - 1))

# Files that come, grow and go while they are read.
mkdir "$WORK/busy"
for n in $(seq 1 3000); do echo "$n" >"$WORK/busy/$n"; done
(
    while :; do
        for n in $(seq 1 3000); do
            echo "$n again" >"$WORK/new" # never empty where it is read
            mv "$WORK/busy/$n" "$WORK/busy/moved.$n" && mv "$WORK/new" "$WORK/busy/$n" && rm "$WORK/busy/moved.$n" && echo more >>"$WORK/busy/$n"
        done
    done
) 2>/dev/null &
busy=$!
check 'backup of a busy directory' status_is '0|3' kura backup --repo "$repo" --files "busy=$WORK/busy" --app busy
kill "$busy"
wait "$busy" 2>/dev/null
check 'restore of it' status_is '0|3' kura restore latest --repo "$repo" --app busy --files "busy=$WORK/busy.out"
check 'every file in it is whole' bash -c "test \$(find '$WORK/busy.out' -type f | wc -l) -gt 2000 && ! find '$WORK/busy.out' -type f -size -2c | grep ."

mkdir "$WORK/empty"
check 'an empty directory' status_is '0|3' kura backup --repo "$repo" --files "empty=$WORK/empty" --app empty
check 'is restored' status_is '0|3' kura restore latest --repo "$repo" --app empty --files "empty=$WORK/empty.out"
check 'and empty' test -d "$WORK/empty.out" -a -z "$(ls -A "$WORK/empty.out")"
check 'a directory that does not exist is an error' status_is 1 kura backup --repo "$repo" --files "none=$WORK/none" --app none

finish
