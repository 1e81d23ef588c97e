#!/bin/bash
# kura copy between directories and S3, plain and under different keys: what was copied restores equal, what is there is
# not sent again, what is damaged is named, and a copy that was killed goes on. Then one backup run into two repositories.
. "$(dirname "$0")/lib.sh"

KILLS=${KURA_COPY_KILLS:-4}

start 15 main
createdb_as site
sql_file site site.sql -v scale=0.05 || die 'site.sql failed'
mkdir -p "$WORK/media/sub"
for n in $(seq 1 60); do head -c $((n * 3000)) /dev/urandom >"$WORK/media/sub/file-$n"; done
head -c 9000000 /dev/urandom >"$WORK/media/large"
s3_start rgw ceph || die 'no S3 server'
s3_bucket ceph vault || die 'no bucket'
faulty_start ceph proxy || die 'no proxy'
near=$WORK/near
cat >"$WORK/kura.conf" <<CONF
[repository near]
location = $near
[repository second]
location = $WORK/second
[repository cloud]
location = s3://vault/cloud
s3-endpoint = $FAULTY_ENDPOINT
key-file = $WORK/cloud.key
[repository safe]
location = $WORK/safe
key-file = $WORK/safe.key
[repository open]
location = $WORK/open
[repository killed]
location = s3://vault/killed
s3-endpoint = $FAULTY_ENDPOINT
[repository other]
location = $WORK/other
[app site]
db = $(conn site)
files = media=$WORK/media
jobs = 2
CONF
chmod 600 "$WORK/kura.conf"
export KURA_CONFIG=$WORK/kura.conf KURA_CACHE_DIR=$WORK/cache
cloud=(--repo cloud --identity "$WORK/cloud.txt") safe=(--repo safe --identity "$WORK/safe.txt")

backup() { kura backup --repo near --app site "$@"; }
# restored REPO-OPTION...: the newest backup there is the site as it is now.
restored() {
    kura restore latest "$@" --db "$(conn back)" --files "media=$WORK/back" >"$WORK/restore.out" 2>&1
    case $? in 0 | 3) ;; *) cat "$WORK/restore.out" && return 1 ;; esac
    dump site >"$WORK/site.sql" && dump back >"$WORK/back.sql"
    same "$WORK/site.sql" "$WORK/back.sql" && same_tree "$WORK/media" "$WORK/back"
    local status=$?
    sql postgres 'DROP DATABASE back'
    rm -rf "$WORK/back"
    return $status
}
copied() { sed -nE 's/^([0-9]+) backups? copied, ([0-9]+) blobs.*/\1 \2/p' "$WORK/out"; }           # backups, blobs
requests() { awk -F '\t' -v m="$1" -v t="$2" '$1 == m && $2 ~ t' "$WORK/proxy.log" | wc -l; }         # requests METHOD TARGET
ids() { kura list "$@" --json | jq -r '.backups[].id'; }

for repo in near second open other killed; do
    kura init --repo $repo >/dev/null || die "no repository $repo"
done
kura init --repo cloud --encrypt --identity-out "$WORK/cloud.txt" >/dev/null || die 'no repository cloud'
kura init --repo safe --encrypt --identity-out "$WORK/safe.txt" >/dev/null || die 'no repository safe'

check 'backup' status_is '0|3' backup --tag first
sql site 'UPDATE note SET text = text || $$!$$ WHERE id IN (SELECT id FROM note LIMIT 20)' 2>/dev/null || sql site 'CREATE TABLE later (id int)'
echo more >"$WORK/media/more"
check 'second backup' status_is '0|3' backup

# From one directory into another.
check 'nowhere is refused' status_is 2 kura copy --repo near
check 'into itself is refused' status_is 2 kura copy --repo near --to "$near"
check 'a plan' status_is 0 kura copy --repo near --to second --plan
check 'tells two backups' says '^2 backups to copy'
check 'and sends nothing' test ! -e "$WORK/second/blobs" -a ! -e "$WORK/second/backups"
check 'one by its name' status_is 0 kura copy latest --repo near --to second
check 'is one' test "$(copied | cut -d ' ' -f 1)" = 1
check 'then the others' status_is 0 kura copy --repo near --to second
check 'which is one more' says '^1 backup copied, .* 1 there already'
check 'the same ids' test "$(ids --repo near)" = "$(ids --repo second)"
check 'the same blobs' diff -r "$near/blobs" "$WORK/second/blobs"
check 'where it came from is told' bash -c "'$KURA' show latest --repo second --json | jq -e --arg id '$(latest "$near")' '.backup.origin.id == \$id'"
check 'tags come along' bash -c "'$KURA' list --repo second --json | jq -e '.backups[0].tags == [\"first\"]'"
check 'again' status_is 0 kura copy --repo near --to second
check 'copies nothing' test "$(copied)" = '0 0'
check 'it restores equal' restored --repo second

# Into an encrypted one on S3, from there into one of another key, and from there into the clear.
faulty_rules proxy
check 'into an encrypted repository on S3' status_is 0 kura copy --repo near --to cloud --verify --identity "$WORK/cloud.txt"
check 'sends blobs' test "$(requests PUT /blobs/)" -gt 10
check 'asks for none of them one by one' test "$(requests HEAD /blobs/)" = 0
check 'it restores equal' restored "${cloud[@]}"
check 'an identity is needed' status_is 12 kura copy --repo cloud --to safe
check 'under another key' status_is 0 kura copy "${cloud[@]}" --to safe
check 'two backups' test "$(copied | cut -d ' ' -f 1)" = 2
check 'no name of a blob is the same' test -z "$( (cd "$near" && find blobs -name '*.*' -printf '%f\n'; cd "$WORK/safe" && find blobs -name '*.*' -printf '%f\n' | sed 's/\.age$//') | sort | uniq -d)"
check 'it restores equal' restored "${safe[@]}"
check 'what is encrypted stays so' status_is 2 kura copy "${safe[@]}" --to open
check 'unless it may be read' says -- '--decrypt'
check 'into the clear' status_is 0 kura copy "${safe[@]}" --to open --decrypt --verify
check 'the same blobs as at the beginning' diff -r "$near/blobs" "$WORK/open/blobs"
check 'the same ids' test "$(ids --repo near)" = "$(ids --repo open)"
check 'the first origin is kept' bash -c "'$KURA' show latest --repo open --json | jq -e --arg id '$(latest "$near")' '.backup.origin.id == \$id'"

# The next night: only what is new is read and sent, also where names have to be learned.
echo again >"$WORK/media/again"
check 'third backup' status_is '0|3' backup
new=$(find "$near/blobs" -type f -newer "$WORK/second/backups" | wc -l)
check 'copied into the cloud' status_is 0 kura copy --repo near --to cloud
check "few blobs ($(copied) for $new)" test "$(copied | cut -d ' ' -f 2)" -le $((new + 2))
faulty_rules proxy
check 'and on under the other key' status_is 0 kura copy "${cloud[@]}" --to safe
check "few blobs are read ($(requests GET /blobs/))" test "$(requests GET /blobs/)" -le $((3 * (new + 4)))
rm -rf "$WORK/cache"
mv "$WORK/safe/backups" "$WORK/moved" && mkdir "$WORK/safe/backups"
check 'with a lost cache' status_is 0 kura copy "${cloud[@]}" --to safe
check 'all is read, nothing sent' test "$(copied)" = '3 0'
check 'it restores equal' restored "${safe[@]}"

# Damage.
id=$(latest "$near")
blob=$(jq -r '.filesets[0].index[0].blob' "$(manifest "$near" "$id")")
cp -r "$near" "$WORK/hurt"
printf x | dd of="$WORK/hurt/blobs/${blob:0:2}/$blob" conv=notrunc status=none
check 'a damaged backup' status_is 3 kura copy --repo "$WORK/hurt" --to other
check 'is named' says "$id was not copied: .*$blob"
check 'and not copied' test ! -e "$WORK/other/backups/$id.json"
check 'the others are' says '^2 backups copied'
check 'and are whole' status_is 0 kura verify --repo other --read-data
check 'a good source completes it' status_is 0 kura copy --repo near --to other
check 'whole' status_is 0 kura verify --repo other --read-data

# Killed, again and again, on the way to S3, at a number of blobs that grows; the last one gets through.
for n in $(seq 1 "$KILLS"); do
    faulty_rules proxy 'PUT * every:1 slow 3000000'
    HOME=$WORK TMPDIR=$WORK/tmp "$KURA" copy --repo near --to killed >"$WORK/kill.out" 2>&1 &
    pid=$!
    deadline=$((SECONDS + 30))
    until [ "$(requests PUT /killed/blobs/)" -ge $((n * 4)) ] || ! kill -0 $pid 2>/dev/null || [ $SECONDS -ge $deadline ]; do :; done
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    check "killed after $((n * 4)) blobs: what is there is whole" status_is 0 kura verify --repo killed --read-data
done
faulty_rules proxy 'PUT */blobs/* nth:3 dark 2' 'PUT */blobs/* every:7 status 503 SlowDown'
check 'it goes on where it stopped, through a bad network' status_is 0 kura copy --repo near --to killed
check 'all backups' test "$(ids --repo near)" = "$(ids --repo killed)"
faulty_rules proxy
check 'whole' status_is 0 kura verify --repo killed --read-data
check 'it restores equal' restored --repo killed
check 'no lock is left' test -z "$(s3_client list vault killed/locks/)"

# Two copies at once.
rm -rf "$WORK/second" && kura init --repo second >/dev/null
kura copy --repo near --to second >"$WORK/one.out" 2>&1 &
one=$!
check 'two copies at once' status_is 0 kura copy --repo near --to second
check 'both succeed' wait $one
check 'whole' status_is 0 kura verify --repo second --read-data

# One run into several repositories.
rm -rf "$near" "$WORK/second"
kura init --repo near >/dev/null && kura init --repo second >/dev/null
both=(--repo near --repo second --app site)
check 'several are for backups' status_is 2 kura list --repo near --repo second
check 'a backup into two' status_is '0' kura backup "${both[@]}"
check 'the same in both' test "$(latest "$near")" = "$(latest "$WORK/second")"
check 'both restore equal' restored --repo second
sed -i 's/^jobs = 2/&\nrepo = near\nrepo = second/' "$WORK/kura.conf"
echo night >"$WORK/media/night"
check 'by the configuration' status_is 0 kura backup --app site --json
check 'which says so' jq -e '.repositories | length == 2 and all(.backup != null) and .[1].copied' "$WORK/out"
mv "$WORK/second" "$WORK/away"
check 'the second is away' status_is 3 kura backup --app site
check 'that is said' says 'not in "second"'
heal=$(grep -aoE 'kura copy [^"]*' "$WORK/err")
mv "$WORK/away" "$WORK/second"
check "its cure: ${heal:-none}" status_is 0 eval "$heal"
check 'cures' test "$(latest "$near")" = "$(latest "$WORK/second")"
mv "$near" "$WORK/away"
check 'the first is away' status_is 3 kura backup --app site
check 'the second has the backup' restored --repo second
check 'that is said' says "not in \"$near\""
heal=$(grep -aoE 'kura copy [^"]*' "$WORK/err")
mv "$WORK/away" "$near"
check "its cure: ${heal:-none}" status_is 0 eval "$heal"
check 'cures' test "$(latest "$near")" = "$(latest "$WORK/second")"
rm -rf "$near" "$WORK/second"
check 'none of them' status_is 10 kura backup --app site
sed -i 's/^repo = near/repo = safe/; s/^repo = second/repo = cloud/' "$WORK/kura.conf"
check 'two that this host cannot read' status_is '0|3' kura backup --app site
check 'each has a backup' test "$(grep -cE '^  in +(safe|cloud|/|s3:).*: 2' "$WORK/out")" = 2
check 'it restores equal' restored "${cloud[@]}"
check 'the other as well' restored "${safe[@]}"
finish
