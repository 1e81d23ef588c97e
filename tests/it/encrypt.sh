#!/bin/bash
# A repository that neither the store nor a thief of the backup host can read: what is stored is opened by the identity
# alone, also with tools that have nothing to do with kura, and who changes it is noticed.
. "$(dirname "$0")/lib.sh"

# What must never be seen outside, each found in the backup.
table=markertable role=markerrole app=markerapp file=markerfile row=markerrowtext password=markerpassword
content=markercontent database=markerdatabase
markers="marker(table|role|app|file|rowtext|password|content|database)"

start 15 main
createdb_as "$database"
sql_file "$database" site.sql -v scale=0.05 || die 'site.sql failed'
sql "$database" "CREATE ROLE $role; CREATE TABLE public.$table (id int PRIMARY KEY, text text); ALTER TABLE public.$table OWNER TO $role;
    INSERT INTO public.$table SELECT n, '$row ' || n FROM generate_series(1, 1000) n;
    CREATE FOREIGN DATA WRAPPER none; CREATE SERVER elsewhere FOREIGN DATA WRAPPER none;
    CREATE USER MAPPING FOR $role SERVER elsewhere OPTIONS (\"user\" 'u', password '$password')" || die 'no markers'
mkdir -p "$WORK/media/sub"
for n in $(seq 1 200); do echo "$content $n"; done >"$WORK/media/sub/$file"
head -c 3000000 /dev/urandom >"$WORK/media/large"
head -c 17000000 /dev/zero >"$WORK/media/sub/zeros"
cat >"$WORK/kura.conf" <<CONF
[app $app]
db = $(conn "$database")
files = media=$WORK/media
CONF
chmod 600 "$WORK/kura.conf"

repo=$WORK/repo safe=$WORK/safe
mkdir "$safe"
export KURA_CONFIG=$WORK/kura.conf KURA_APP=$app KURA_KEY_FILE=$WORK/host.key KURA_REPO=$repo
host() { # what the host that backs up logs
    local status
    kura --verbose "$@" 2>"$WORK/host.err"
    status=$?
    tee -a "$WORK/log" <"$WORK/host.err" >&2
    return $status
}
bare() { KURA_KEY_FILE='' kura --key-file "$WORK/nowhere.key" "$@"; }                   # a host that has nothing

# Making one.
check 'whom for must be said' status_is 2 kura init --encrypt
check 'with a hint' says '--recipient'
check 'an identity without encryption is refused' status_is 2 kura init --identity-out "$safe/no.txt"
check 'a secret key is no recipient' status_is 2 kura init --encrypt --recipient AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ
check 'nothing was made' test ! -e "$repo/kura.json" -a ! -e "$WORK/host.key" -a ! -e "$safe/no.txt"
check 'init' status_is 0 kura init --encrypt --identity-out "$safe/identity.txt"
check 'it says that the identity must go' says 'move the identity away'
cp "$WORK/out" "$WORK/init.out"
check 'it shows no secret' bash -c "! grep -q AGE-SECRET-KEY '$WORK/out' '$WORK/err'"
check 'identity and key file are private' test "$(stat -c %a "$safe/identity.txt" "$WORK/host.key" | sort -u)" = 600
check 'age knows the identity' test "$(age-keygen -y "$safe/identity.txt")" = "$(jq -r '.recipients[0]' "$repo/kura.json")"
check 'a second init leaves no misleading identity' status_is 1 kura init --encrypt --identity-out "$safe/second.txt" --key-file "$WORK/second.key"
check 'nor a key file' test ! -e "$safe/second.txt" -a ! -e "$WORK/second.key"
check 'an identity is never overwritten' status_is 1 kura --repo "$WORK/other" init --encrypt --identity-out "$safe/identity.txt" --key-file "$WORK/other.key"
check 'and no repository is made then' test ! -e "$WORK/other/kura.json"

# From here on the identity is elsewhere: only $safe has it.
check 'backup with the key file alone' status_is 0 host backup --files "media=$WORK/media"
id=$(latest "$repo")
bytes=$(repo_bytes "$repo")
check 'second backup' status_is 0 host backup --files "media=$WORK/media"
check 'stores almost nothing' test $(($(repo_bytes "$repo") - bytes)) -lt $((bytes / 20))
check 'also without the cache' status_is 0 host backup --no-cache
check 'still almost nothing' test $(($(repo_bytes "$repo") - bytes)) -lt $((bytes / 10))

# Keys that are missing or wrong.
age-keygen -o "$safe/stranger.txt" 2>/dev/null
check 'no list without the identity' status_is 12 host list
check 'the hint names the recipient' says "$(age-keygen -y "$safe/identity.txt")"
check 'no show' status_is 12 host show latest
check 'no restore' status_is 12 host restore latest --files "media=$WORK/none"
check 'no export' status_is 12 host export latest "$WORK/none"
check 'nothing was written' test ! -e "$WORK/none"
check 'a wrong identity' status_is 12 host restore latest --files "media=$WORK/none" --identity "$safe/stranger.txt"
check 'is said to be wrong' says 'does not fit'
check 'an identity that is not there' status_is 12 host list --identity "$WORK/missing"
check 'something that is none' status_is 12 host list --identity "$WORK/kura.conf"
check 'a host without any key' status_is 12 bare list
check 'is told both ways' says '--identity.*--key-file'
check 'and cannot back up' status_is 12 bare backup --files "media=$WORK/media"
check 'nor with the identity alone' status_is 12 bare backup --files "media=$WORK/media" --identity "$safe/identity.txt"
check 'key list needs no key' status_is 0 bare key list
check 'and names the recipient' says "$(age-keygen -y "$safe/identity.txt")"

# On a bare host, with the identity and the repository.
check 'list' status_is 0 bare list --identity "$safe/identity.txt"
check 'it tells the application, which the id does not' says "$id +$app "
check 'show' status_is 0 bare show "$id" --identity "$safe/identity.txt"
check 'restore' status_is '0|3' bare restore "$id" --identity "$safe/identity.txt" --db "$(conn copy)" --files "media=$WORK/back"
dump "$database" >"$WORK/before.sql"
dump copy >"$WORK/after.sql"
check 'the database is the same' same "$WORK/before.sql" "$WORK/after.sql"
check 'the files are the same' same_tree "$WORK/media" "$WORK/back"
check 'the identity may come through a pipe' status_is 0 bare list --identity <(cat "$safe/identity.txt")
check 'export' status_is '0|3' bare export latest "$WORK/exported" --identity "$safe/identity.txt"
check 'its sums are right' bash -c "cd '$WORK/exported' && sha256sum --quiet -c SHA256SUMS"
check 'verify reads everything' status_is 0 bare verify --read-data --identity "$safe/identity.txt"

# Every object is an age file; and by hand, as kura-format(5) has it.
opens_all() { # opens_all IDENTITY
    local object n=0
    while read -r object; do
        age -d -i "$1" "$object" >/dev/null || return 1
        n=$((n + 1))
    done < <(find "$repo/blobs" "$repo/backups" -type f)
    echo "$n objects"
    [ "$n" -gt 10 ]
}
hex() { od -An -v -tx1 | tr -d ' \n'; }
mac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -r | cut -c -64; }
by_hand() (
    cd "$repo" || exit 1
    key=$(jq -r .naming_key kura.json | base64 -d | age -d -i "$safe/identity.txt" | hex)
    [ "$key" = "$(sed -n 's/^naming-key //p' "$WORK/host.key")" ] || exit 1
    for object in blobs/*/*; do
        name=${object##*/}
        content=$(age -d -i "$safe/identity.txt" "$object" | sha256sum | cut -c -64)
        [ "$(printf %s "$content" | mac "$key")" = "${name%%.*}" ] || exit 1
    done
    manifest_key=$(openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt "hexkey:$key" -kdfopt info:'kura manifest' -binary HKDF | hex)
    age -d -i "$safe/identity.txt" "backups/$id.json.age" >"$WORK/sealed.json"
    jq -j .document "$WORK/sealed.json" >"$WORK/manifest.json"
    [ "$(mac "$manifest_key" <"$WORK/manifest.json")" = "$(jq -r .mac "$WORK/sealed.json")" ] || exit 1
    jq -r ".database.tables[] | select(.name == \"$table\") | .segments[] | \"\(.blob) \(.offset // 0) \(.length // .size)\"" "$WORK/manifest.json" |
        while read -r b offset length; do
            age -d -i "$safe/identity.txt" "blobs/$(printf %.2s "$b")/$b.age" | tail -c +$((offset + 1)) | head -c "$length" | zstd -dcq
        done | grep -c "$row" | grep -qx 1000
)
check 'age opens every object' opens_all "$safe/identity.txt"
check 'everything is where the format says' by_hand

# Nobody else sees anything.
unseen() { # unseen WHAT: fails where a marker, or a key, is in a file or a file's name
    local secrets
    secrets="$markers|$(sed -n 's/^naming-key //p' "$WORK/host.key")|$(grep AGE-SECRET "$safe/identity.txt")"
    ! { grep -raElie "$secrets" "$1" || find "$1" | grep -iE "$secrets"; } | grep .
}
# Each marker is there to be found, once decrypted: a test that looks for the wrong thing finds nothing anywhere.
for object in "$repo"/blobs/*/*.zst.age; do age -d -i "$safe/identity.txt" "$object" | zstd -dcq; done >"$WORK/plain"
for object in "$repo"/blobs/*/*.tar.age "$repo"/backups/*; do age -d -i "$safe/identity.txt" "$object"; done >>"$WORK/plain"
for marker in "$table" "$role" "$app" "$file" "$row" "$password" "$content" "$database"; do
    check "$marker is in the backup" grep -qa "$marker" "$WORK/plain"
done
check 'and in no object, nor in an object'"'"'s name' unseen "$repo"
check 'nor is a secret in what the host logged' bash -c "! grep -aE 'markerrowtext|markerpassword|markercontent|AGE-SECRET-KEY-1[0-9A-Z]{9}|$(sed -n 's/^naming-key //p' "$WORK/host.key")' '$WORK/log'"
check 'nor a name of what is in the backup' bash -c "! grep -aE 'marker(table|role|file)' '$WORK/log'"
check 'init showed neither' unseen "$WORK/init.out"

# One more recipient reads old backups, too.
new=$(age-keygen -y "$safe/stranger.txt")
check 'adding needs an identity' status_is 12 host key add "$new"
check 'one that fits' status_is 12 host key add "$new" --identity "$safe/stranger.txt"
check 'key add' status_is 0 host key add "$new" --identity "$safe/identity.txt"
check 'again it has nothing to do' status_is 0 host key add "$new" --identity "$safe/identity.txt"
check 'and says so' says ' 0 given a new header'
check 'the new identity opens every object' opens_all "$safe/stranger.txt"
check 'so does the old one' opens_all "$safe/identity.txt"
check 'the new identity restores an old backup' status_is '0|3' bare restore "$id" --identity "$safe/stranger.txt" --files "media=$WORK/new"
check 'as it was' same_tree "$WORK/media" "$WORK/new"
bytes=$(repo_bytes "$repo")
check 'backup goes on' status_is 0 host backup
check 'and stores nothing twice' test $(($(repo_bytes "$repo") - bytes)) -lt $((bytes / 20))

# Another host begins with the identity, and goes on without it.
check 'key pin' status_is 0 kura key pin --key-file "$WORK/second.key" --identity "$safe/stranger.txt"
check 'the second host backs up' status_is 0 kura backup --key-file "$WORK/second.key" --no-cache
check 'its naming key is the same' test "$(grep naming "$WORK/second.key")" = "$(grep naming "$WORK/host.key")"

# Whoever can write to the store.
cp "$repo/kura.json" "$WORK/kura.json"
forge() { jq "$1" "$WORK/kura.json" >"$repo/kura.json"; }
objects() { find "$repo" -type f | sort; }
objects >"$WORK/objects.before"
age-keygen -o "$WORK/attacker.txt" 2>/dev/null
forge ".recipients += [\"$(age-keygen -y "$WORK/attacker.txt")\"]"
check 'a recipient of his own: no backup' status_is 12 host backup
check 'it says where to look' says 'kura key list'
check 'key list shows him' status_is 0 host key list
check 'as not trusted' says "$(age-keygen -y "$WORK/attacker.txt") +NO"
check 'a restore warns' status_is 3 host restore latest --files "media=$WORK/warned" --identity "$safe/identity.txt"
forge '.cipher = "none" | del(.recipients, .naming_key)'
check 'no encryption any more: no backup' status_is 12 host backup
cp "$WORK/kura.json" "$repo/kura.json"
objects >"$WORK/objects.after"
check 'none of that left anything' same "$WORK/objects.before" "$WORK/objects.after"
printf '{"kura": "manifest", "version": 1}' | age -e -r "$new" -r "$(age-keygen -y "$safe/identity.txt")" -o "$repo/backups/20361122T031500Z-01234567-x7k2.json.age"
check 'a backup of his own is refused' status_is 1 bare show 20361122 --identity "$safe/identity.txt"
check 'and does not hide the others' status_is 3 bare list --identity "$safe/identity.txt"
check 'which are still there' says "$id"
rm "$repo/backups/20361122T031500Z-01234567-x7k2.json.age"
mapfile -t chunks < <(find "$repo/blobs" -name '*.bin.age' -size +1M | sort)
mv "${chunks[0]}" "$WORK/held" && mv "${chunks[1]}" "${chunks[0]}" && mv "$WORK/held" "${chunks[1]}"
check 'exchanged objects are found' status_is '1|3' bare verify --read-data --identity "$safe/identity.txt"
check 'and named' says "$(basename "${chunks[0]}")"
mv "${chunks[0]}" "$WORK/held" && mv "${chunks[1]}" "${chunks[0]}" && mv "$WORK/held" "${chunks[1]}"
check 'verify is clean again' status_is 0 bare verify --read-data --identity "$safe/identity.txt"

# Where a user without rights keeps the key file by default.
home=$WORK/home
mkdir "$home" && chown 65534:65534 "$home"
nobody() { (cd / && setpriv --reuid=65534 --regid=65534 --clear-groups env -u KURA_KEY_FILE -u KURA_REPO -u KURA_CONFIG -u KURA_APP -u XDG_CONFIG_HOME HOME="$home" TMPDIR=/tmp timeout --foreground -k 10 300 "$KURA" "$@"); }
check 'init as nobody' status_is 0 nobody --repo "$home/repo" init --encrypt --identity-out "$home/identity.txt"
keys=$home/.config/kura/keys
check 'the key file is in the home directory' test -f "$keys/$(jq -r .id "$home/repo/kura.json").key"
check 'only its owner may look' test "$(stat -c %a "$keys" "$home/.config/kura")" = $'700\n700'
check 'backup finds it' status_is 0 nobody --repo "$home/repo" backup --files "conf=$home/.config"
check 'restore needs the identity' status_is 12 nobody --repo "$home/repo" restore latest --files "conf=$home/out"
check 'and takes it' status_is 0 nobody --repo "$home/repo" restore latest --files "conf=$home/out" --identity "$home/identity.txt"
check 'it has the files' test -f "$home/out/kura/keys/$(jq -r .id "$home/repo/kura.json").key"
cp -r "$home/repo" "$home/moved" && chown -R 65534:65534 "$home/moved"
jq '.cipher = "none"' "$home/repo/kura.json" >"$home/moved/kura.json"
check 'a plain one of the same id in another place' status_is 12 nobody --repo "$home/moved" backup --files "conf=$home/.config"
check 'is refused for the key file' says 'there is a key file for it'
jq '.cipher = "none" | .id = "0123456789abcdef0123456789abcdef"' "$home/repo/kura.json" >"$home/forged" && cp "$home/forged" "$home/repo/kura.json"
check 'a plain repository in the place of an encrypted one' status_is 12 nobody --repo "$home/repo" backup --files "conf=$home/.config"
check 'is called by its name' says 'not encrypted'

finish
