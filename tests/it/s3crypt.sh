#!/bin/bash
# A site in an encrypted repository on S3: what lies there tells nothing and is opened by Debian's age, the host can back
# up and not read, the identity restores, and what was tampered with is named.
. "$(dirname "$0")/lib.sh"

start 15 main
createdb_as misskey
sql_file misskey site.sql -v scale=0.1 || die 'site.sql failed'
mkdir -p "$WORK/media/files"
for n in $(seq 1 40); do
    head -c $((n * 5000)) /dev/urandom >"$WORK/media/files/named-$n.webp"
done
echo 'a secret letter, plain to read' >"$WORK/media/letter.txt"
dump misskey >"$WORK/misskey.sql"
s3_start rgw ceph || die 'no S3 server'
s3_bucket ceph vault || die 'no bucket'
faulty_start ceph count || die 'no proxy'
repo=(--repo s3://vault/site --s3-endpoint "$FAULTY_ENDPOINT" --key-file "$WORK/host.key")
data=(--db "$(conn misskey)" --files "media=$WORK/media" --app misskey --jobs 2)
cache=(--cache-dir "$WORK/cache")
identity=(--identity "$WORK/identity")
sent() { awk -F '\t' '{ n += $3 } END { print n + 0 }' "$WORK/count.log"; }

restored() { # restored OPTION...
    kura restore latest "${repo[@]}" "$@" --db "$(conn copy)" --files "media=$WORK/copy" --jobs 2
    case $? in 0 | 3) ;; *) return 1 ;; esac
    dump copy >"$WORK/copy.sql"
    same "$WORK/misskey.sql" "$WORK/copy.sql" && same_tree "$WORK/media" "$WORK/copy"
    local status=$?
    sql postgres 'DROP DATABASE copy'
    rm -rf "$WORK/copy"
    return $status
}

check 'init' status_is 0 kura init "${repo[@]}" --encrypt --identity-out "$WORK/identity"
check 'the identity is for its owner alone' test "$(stat -c %a "$WORK/identity")" = 600
check 'the host keeps no identity' bash -c "! grep -qi age-secret-key '$WORK/host.key'"
mv "$WORK/identity" "$WORK/identity.away"

# The host, which has no identity.
faulty_rules count
check 'backup' status_is '0|3' kura --verbose backup "${repo[@]}" "${data[@]}" "${cache[@]}"
first=$(sent)
cp "$WORK/err" "$WORK/said"
faulty_rules count
check 'second backup' status_is '0|3' kura backup "${repo[@]}" "${data[@]}" "${cache[@]}"
check "it sends almost nothing ($(sent) bytes after $first)" test $(($(sent) * 20)) -lt "$first"
rm -rf "$WORK/cache"
faulty_rules count
check 'backup with a lost cache' status_is '0|3' kura backup "${repo[@]}" "${data[@]}" "${cache[@]}"
check "it sends almost nothing either ($(sent) bytes)" test $(($(sent) * 20)) -lt "$first"
check 'verify without the identity' status_is 12 kura verify "${repo[@]}"
refused='restore latest --files media='$WORK/none
# shellcheck disable=SC2086
check 'restore without the identity' status_is 12 kura $refused "${repo[@]}"
check 'restore without the identity: a hint' says '^ *hint: .*--identity'
check 'restore without the identity: nothing is written' test ! -e "$WORK/none"
age-keygen -o "$WORK/other" 2>/dev/null
# shellcheck disable=SC2086
check 'restore with a wrong identity' status_is 12 kura $refused "${repo[@]}" --identity "$WORK/other"
check 'list without the identity shows no names' bash -c "! '$KURA' list ${repo[*]} 2>&1 | grep -q media"

# What lies there.
mkdir "$WORK/stolen"
s3_client download vault site "$WORK/stolen"
(cd "$WORK/stolen" && find . -type f) >"$WORK/names"
plain='misskey|letter|named-|webp|みすきー|pw-of-misskey|CREATE TABLE|AGE-SECRET-KEY|media'
check 'something lies there' test "$(wc -l <"$WORK/names")" -gt 10
check 'no name tells anything' bash -c "! grep -aiE '$plain' '$WORK/names'"
check 'no object tells anything' bash -c "! grep -raiE '$plain' '$WORK/stolen'"
opened() { # opened IDENTITY: every object but the header, by Debian's age, into $WORK/opened
    local name n=0
    rm -rf "$WORK/opened"
    while read -r name; do
        case $name in ./kura.json) continue ;; esac
        mkdir -p "$WORK/opened/$(dirname "$name")"
        age -d -i "$1" -o "$WORK/opened/${name%.age}" "$WORK/stolen/$name" || { echo "$name" && return 1; }
        n=$((n + 1))
    done <"$WORK/names"
    [ $n -gt 10 ]
}
check 'age opens every object' opened "$WORK/identity.away"
check 'and finds what was backed up' grep -rqa 'a secret letter' "$WORK/opened"
check 'age with another identity opens none' bash -c "! age -d -i '$WORK/other' '$WORK/stolen/$(grep blobs "$WORK/names" | head -n 1)' >/dev/null 2>&1"
unrelated() { # no name of a blob is the hash of what is in it, sealed or not
    local name
    while read -r name; do
        [[ $name != ./blobs/* ]] || ! sha256sum "$WORK/stolen/$name" "$WORK/opened/${name%.age}" |
            grep -F "$(basename "$name" | cut -c -64)  " || return 1
    done <"$WORK/names"
}
check 'names are keyed' unrelated
check 'nothing secret was said' bash -c "! grep -aiE 'AGE-SECRET-KEY|Signature=|$S3_SECRET' '$WORK/said'"

# The operator, who has it.
mv "$WORK/identity.away" "$WORK/identity"
check 'restore' restored "${identity[@]}"
check 'list' status_is 0 kura list "${repo[@]}" "${identity[@]}"
check 'show' status_is 0 kura show latest --files "${repo[@]}" "${identity[@]}"
check 'verify' status_is 0 kura verify --read-data "${repo[@]}" "${identity[@]}"
check 'a recipient is added' status_is 0 kura key add "$(age-keygen -y "$WORK/other")" "${repo[@]}" "${identity[@]}"
check 'backup after it' status_is '0|3' kura backup "${repo[@]}" "${data[@]}" "${cache[@]}"
check 'restore with the added identity' restored --identity "$WORK/other"
mv "$WORK/host.key" "$WORK/host.key.lost"
check 'restore on a new host' restored "${identity[@]}"
check 'backup without the key file' status_is 12 kura backup "${repo[@]}" "${data[@]}" "${cache[@]}"
mv "$WORK/host.key.lost" "$WORK/host.key"

# Somebody who can write to the bucket.
mapfile -t blobs < <(s3_client list vault site/blobs | sort -n | tail -n 2 | cut -f 2)
tampered() { # tampered NAME COMMAND...: verify and restore name the first blob after COMMAND changed it
    local kept=$WORK/kept
    s3_client get vault "${blobs[0]}" >"$kept"
    "${@:2}"
    check "$1: verify" status_is 3 kura verify --read-data "${repo[@]}" "${identity[@]}"
    check "$1: verify names it" says "$(basename "${blobs[0]}" | cut -c -64)"
    s3_client put vault "${blobs[0]}" "$kept"
}
swap() { s3_client get vault "${blobs[1]}" | s3_client put vault "${blobs[0]}"; }
truncate_it() { head -c -100 "$WORK/kept" >"$WORK/short" && s3_client put vault "${blobs[0]}" "$WORK/short"; }
reorder() { # its first two pieces of 64 KiB, behind the header
    python3 - "$WORK/kept" "$WORK/reordered" <<'PYTHON'
import sys
data = open(sys.argv[1], "rb").read()
begin = data.index(b"\n--- ") + 1
begin = data.index(b"\n", begin) + 1 + 16
size = 65536 + 16
assert len(data) >= begin + 2 * size
open(sys.argv[2], "wb").write(data[:begin] + data[begin + size:begin + 2 * size] + data[begin:begin + size] + data[begin + 2 * size:])
PYTHON
    s3_client put vault "${blobs[0]}" "$WORK/reordered"
}
tampered 'an object swapped for another' swap
tampered 'an object cut short' truncate_it
tampered 'pieces of an object reordered' reorder
check 'verify, all put back' status_is 0 kura verify --read-data "${repo[@]}" "${identity[@]}"

finish
