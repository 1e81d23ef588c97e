#!/bin/bash
# media.sh DIR: a media directory with what is found in real ones and what is found nowhere else: 66 MiB in one file
# (more than a blob takes), many small ones, names and types and modes of all kinds. As root; deterministic but for
# inode numbers and owners of new files.
set -eu
mkdir -p "$1"
cd "$1"

content() { openssl enc -aes-256-ctr -nosalt -pbkdf2 -k "$1" </dev/zero 2>/dev/null | head -c "$2" || true; }

for n in $(seq 1 400); do
    dir=files/$((n % 16))
    mkdir -p "$dir"
    content "$n" $((n * 97)) >"$dir/$(printf '%08x' $((n * 2654435761 % 4294967296))).webp"
done
content large $((66 * 1048576 + 12345)) >files/video.mp4
: >files/empty
truncate -s 40M files/sparse
printf 'end' >>files/sparse
cp files/video.mp4 files/same-content.mp4

mkdir -p names
cd names
printf 'x' >"$(printf 'n%.0s' $(seq 1 255))"
printf 'x' >$'not utf-8 \xff\xfe'
printf 'x' >$'new\nline'
printf 'x' >$'tab\tand "quotes" and \\backslash'
printf 'x' >'-rf'
printf 'x' >' leading and trailing '
printf 'x' >'写真 🦊.webp'
printf 'nfc' >$'\xc3\xa9'
printf 'nfd' >$'e\xcc\x81'
printf 'x' >'a.b'
mkdir a 'a b' # "a", "a b/", "a.b": bytes sort otherwise than paths
printf 'x' >a/x
printf 'x' >'a b/x'
deep=$(printf 'd%.0s' $(seq 1 90))
mkdir -p "$deep/$deep/$deep/$deep/$deep"
printf 'deep' >"$deep/$deep/$deep/$deep/$deep/$deep"
cd ..

mkdir -p links empty-dir modes/sticky
printf 'linked' >links/one
ln links/one links/two
ln links/one modes/three
ln -s one links/symbolic
ln -s ../files links/to-directory
ln -s /nonexistent/absolute links/dangling
ln -s ../../../../../../tmp links/outward
mkfifo links/fifo
for mode in 0600 0444 0755 4755 2755 0000; do
    printf '%s' "$mode" >"modes/$mode"
    chown 12345:12345 "modes/$mode"
    chmod "$mode" "modes/$mode"
done
chmod 1777 modes/sticky
chmod 0500 empty-dir
chown nobody:nogroup links/two
touch -d '1969-12-31 23:59:58.5 UTC' modes/0444
touch -d '2100-01-01 00:00:00.123456789 UTC' modes/0755
touch -d '2001-02-03 04:05:06.000000001 UTC' links empty-dir modes
