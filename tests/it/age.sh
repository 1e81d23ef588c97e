#!/bin/bash
# Objects are age files: what Debian's age writes is read by lib/age (through age-tool), and the other way round. Debian
# 12 has no second implementation (rage).
. "$(dirname "$0")/lib.sh"
TOOL=$BUILD/tests/tools/age-tool
cd "$WORK" || die "no work directory"
command -v age >/dev/null && command -v age-keygen >/dev/null || die 'age is not installed'
[ -x "$TOOL" ] || die "$TOOL is not built"

recipients() { "$TOOL" recipient "$1"; }
ours_to_age() { # ours_to_age PLAIN IDENTITY RECIPIENT...
    "$TOOL" encrypt "${@:3}" <"$1" >"$1.age" && age -d -i "$2" "$1.age" >"$1.out" && cmp "$1" "$1.out"
}
age_to_ours() { # age_to_ours PLAIN IDENTITY -r RECIPIENT...
    age "${@:3}" <"$1" >"$1.age" && "$TOOL" decrypt "$2" <"$1.age" >"$1.out" && cmp "$1" "$1.out"
}
public_keys_agree() { # public_keys_agree IDENTITY-FILE
    recipients "$1" >one && age-keygen -y "$1" >two && same one two
}

umask 077
age-keygen -o theirs.key 2>/dev/null && "$TOOL" keygen >ours.key || die 'no keys'
for i in $(seq 20); do
    age-keygen 2>/dev/null >"many$i.key" || die 'no keys'
    recipients "many$i.key"
done >many.pub
cat many?.key many??.key >ring.key
theirs=$(recipients theirs.key) ours=$(recipients ours.key)
mapfile -t many <many.pub

check "age-keygen's identity file gives the same public key" public_keys_agree theirs.key
check "our identity file gives the same public key" public_keys_agree ours.key
check "a file of twenty keys gives the same public keys" public_keys_agree ring.key
check "age-keygen's public key is what it says in the comment" grep -qxF "# public key: $theirs" theirs.key
check "so is ours" grep -qxF "# public key: $ours" ours.key

for size in 0 1 15 16 1000 65519 65520 65535 65536 65537 65552 131071 131072 131073 1000000 16777216; do
    head -c "$size" /dev/urandom >"plain$size" || die "no data"
    check "$size bytes: age reads ours" ours_to_age "plain$size" theirs.key "$theirs"
    check "$size bytes: age reads ours, with our key" ours_to_age "plain$size" ours.key "$ours"
    check "$size bytes: we read age's" age_to_ours "plain$size" theirs.key -r "$theirs"
    check "$size bytes: we read age's, with our key" age_to_ours "plain$size" ours.key -r "$ours"
    rm -f "plain$size".*
done

plain=plain65537
to_many=()
for recipient in "${many[@]}"; do
    to_many+=(-r "$recipient")
done
check 'twenty recipients: age reads ours with the first key' ours_to_age $plain many1.key "${many[@]}"
check 'twenty recipients: age reads ours with the last key' ours_to_age $plain many20.key "${many[@]}"
check 'twenty recipients: we read age'\''s with the first key' age_to_ours $plain many1.key "${to_many[@]}"
check 'twenty recipients: we read age'\''s with the last key' age_to_ours $plain many20.key "${to_many[@]}"
check 'a file of twenty keys: age reads ours' ours_to_age $plain ring.key "${many[7]}"
check 'a file of twenty keys: we read age'\''s' age_to_ours $plain ring.key -r "${many[7]}"
# age reads an identity file with Windows' line ends; so do we.
sed 's/$/\r/' theirs.key >crlf.key
check "line ends of Windows: age reads ours" ours_to_age $plain crlf.key "$theirs"
check "line ends of Windows: we read age's" age_to_ours $plain crlf.key -r "$theirs"

echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN9qv5UEeiSrHT2J1TqDFFScHLoJJ08WZNLaGwARar6O' >ssh.key.pub # its other half is nowhere
check 'an SSH recipient beside ours is skipped' age_to_ours $plain ours.key -R ssh.key.pub -r "$ours"
age -R ssh.key.pub -o ssh.age $plain
check 'an SSH recipient alone is named' status_is 1 "$TOOL" decrypt ours.key <ssh.age
check 'by its type' says 'unsupported.*"ssh-ed25519"'
age -a -r "$ours" -o armored.age $plain
check 'armor is refused by name' status_is 1 "$TOOL" decrypt ours.key <armored.age
check 'with a word for it' says 'unsupported.*armor'

"$TOOL" encrypt "$ours" <$plain >ours.age
check 'a wrong key is refused: ours' status_is 12 "$TOOL" decrypt theirs.key <ours.age
check 'a wrong key is refused: by age' status_is 1 age -d -i theirs.key ours.age
age -r "$ours" -o theirs.age $plain
check 'a wrong key is refused: age'\''s' status_is 12 "$TOOL" decrypt theirs.key <theirs.age

rewrapped_is_read() {
    "$TOOL" rewrap ours.key "$theirs" "${many[0]}" <"$1" >rewrapped.age && age -d -i theirs.key rewrapped.age | cmp - $plain &&
        age -d -i many1.key rewrapped.age | cmp - $plain && ! age -d -i ours.key rewrapped.age
}
check 'other recipients: age reads ours' rewrapped_is_read ours.age
check "other recipients: age reads its own" rewrapped_is_read theirs.age

# Both see what was done to a file.
both_refuse() { ! "$TOOL" decrypt ours.key <"$1" && ! age -d -i ours.key "$1"; }
head -c -1 ours.age >short.age
check 'one byte less: both refuse' both_refuse short.age
{ cat ours.age && printf x; } >long.age
check 'one byte more: both refuse' both_refuse long.age
head -c -17 ours.age >chunk.age
check 'the last piece gone: both refuse' both_refuse chunk.age
sed '2s/X25519/x25519/' ours.age >type.age
check 'a changed header: both refuse' both_refuse type.age
finish
