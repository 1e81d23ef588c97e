#!/bin/bash
# A site backed up straight to S3 and restored from it, as from a directory: with a cache and without, with a key that may
# delete nothing, over TLS; what doctor finds; and no secret where it does not belong.
. "$(dirname "$0")/lib.sh"

start 15 main
createdb_as misskey
sql_file misskey site.sql -v scale=0.1 || die 'site.sql failed'
bash "$SQL/media.sh" "$WORK/media"
rm "$WORK/media/files/sparse" "$WORK/media/files/same-content.mp4" # files.sh has these; here they take time
dump misskey >"$WORK/misskey.sql"
s3_start rgw ceph tls || die 'no S3 server'
s3_bucket ceph site || die 'no bucket'
# All requests go through a proxy that counts.
faulty_start ceph count || die 'no proxy'
faulty_rules count
repo=(--repo s3://site/nightly/misskey --s3-endpoint "$FAULTY_ENDPOINT")
cache=(--cache-dir "$WORK/cache")
data=(--db "$(conn misskey)" --files "media=$WORK/media" --app misskey --jobs 2)
sent() { awk -F '\t' '{ n += $3 } END { print n + 0 }' "$WORK/count.log"; }
requests() { awk -F '\t' -v method="$1" '$1 == method' "$WORK/count.log" | wc -l; }

# restored DATABASE OPTION...: restores it with mapped roles and its media, and compares both with the original.
restored() {
    kura restore latest "${@:2}" --db "$(conn "$1")" --map misskey=mk_prod,reader=ro2 --create-roles --files "media=$WORK/$1" --jobs 2
    case $? in 0 | 3) ;; *) return 1 ;; esac
    dump "$1" | sed 's/mk_prod/misskey/g; s/ro2/reader/g' >"$WORK/$1.sql"
    same "$WORK/misskey.sql" "$WORK/$1.sql" && same_tree "$WORK/media" "$WORK/$1"
    local status=$?
    sql postgres "DROP DATABASE \"$1\""
    sql postgres 'DROP ROLE mk_prod, ro2'
    rm -rf "${WORK:?}/$1"
    return $status
}

check 'list without a repository' status_is 10 kura list "${repo[@]}"
check 'init' status_is 0 kura init "${repo[@]}"
check 'init again' status_is 1 kura init "${repo[@]}"
faulty_rules count
check 'backup' status_is '0|3' kura backup "${repo[@]}" "${cache[@]}" "${data[@]}"
first=$(sent)
check 'nothing is in the way that was there' test "$(s3_client list site nightly/misskey/locks | wc -l)" = 0
check 'list' status_is 0 kura list "${repo[@]}"
id=$(kura --json list "${repo[@]}" | jq -r '.. | .id? // empty' | head -n 1)
check 'list tells its id' test -n "$id"
check 'show' status_is 0 kura show "$id" --tables "${repo[@]}"
check 'show names a table' says '\bnote\b'
check 'restore, with mapped roles' restored copy "${repo[@]}"
check 'verify' status_is 0 kura verify "${repo[@]}"
check 'verify, all bytes' status_is 0 kura verify --read-data "${repo[@]}"
check 'export' status_is '0|3' kura export "$id" "$WORK/export" --compress gzip "${repo[@]}"
createdb_as exported 'TEMPLATE template0'
check 'what was exported can be restored without kura' "$(pg_bindir 15)/pg_restore" -d "$(conn exported)" -j 2 "$WORK/export/database"
check 'it is the same' test "$(sql exported 'SELECT count(*) FROM note')" = "$(sql misskey 'SELECT count(*) FROM note')"

# Night after night.
faulty_rules count
check 'second backup' status_is '0|3' kura backup "${repo[@]}" "${cache[@]}" "${data[@]}"
check "it sends almost nothing ($(sent) bytes after $first)" test $(($(sent) * 50)) -lt "$first"
check "in few requests ($(wc -l <"$WORK/count.log"))" test "$(wc -l <"$WORK/count.log")" -lt 60
check 'verify, after it' status_is 0 kura verify "${repo[@]}"

# The cache: lost, damaged, another one's.
rm -rf "$WORK/cache"
faulty_rules count
check 'backup with a lost cache' status_is '0|3' kura backup "${repo[@]}" "${cache[@]}" "${data[@]}"
check 'it sends almost nothing either' test $(($(sent) * 50)) -lt "$first"
find "$WORK/cache" -type f -exec sh -c 'for f; do head -c 100 /dev/urandom >"$f"; done' sh {} +
faulty_rules count
check 'backup with a damaged cache' status_is '0|3' kura backup "${repo[@]}" "${cache[@]}" "${data[@]}"
check 'it sends almost nothing either' test $(($(sent) * 50)) -lt "$first"
s3_client clear site nightly/misskey/blobs/0
check 'verify misses blobs that were removed' status_is 3 kura verify "${repo[@]}"
check 'backup --no-cache sends what is missing' status_is '0|3' kura backup --no-cache "${repo[@]}" "${data[@]}"
check 'verify, after it' status_is 0 kura verify latest "${repo[@]}"
check 'restore, after it' restored copy "${repo[@]}"

# A limit: one more copy of the media, which do not compress, at 20 MiB a second.
check 'init for a limited backup' status_is 0 kura init --repo s3://site/limited --s3-endpoint "$S3_ENDPOINT"
begin=$(date +%s%3N)
check 'backup with --limit-upload' status_is '0|3' kura backup --repo s3://site/limited --s3-endpoint "$S3_ENDPOINT" --files "media=$WORK/media" --app misskey --limit-upload 20M --no-cache --s3-checksum
check "it takes its time ($(($(date +%s%3N) - begin)) ms)" test $(($(date +%s%3N) - begin)) -gt 3000

# A key that may not delete: everything but prune.
s3_append_only ceph site || die 'no second key'
s3_as appendkey appendsecret
echo x | s3_client put site probe-of-the-key
check 'the server denies deletes to the second key' bash -c "! python3 '$S3_TOOLS/s3client.py' delete site probe-of-the-key"
append=(--repo s3://site/append --s3-endpoint "$S3_ENDPOINT")
check 'append-only: init' status_is 0 kura init "${append[@]}"
for night in first second; do
    check "append-only: $night backup" status_is '0|3' kura backup "${append[@]}" "${cache[@]}" "${data[@]}"
    check "append-only: nothing is complained about ($night)" bash -c "! grep -iE 'denied|delete' '$WORK/err'"
done
check 'append-only: restore' restored copy "${append[@]}"
check 'append-only: verify' status_is 0 kura verify "${append[@]}"
check 'append-only: list' status_is 0 kura list "${append[@]}"
check 'doctor finds that good' status_is 0 kura doctor "${append[@]}"
check 'doctor says that it may not delete' says 'may not delete: right for backup and restore'
s3_use ceph
check 'doctor, with a key that may delete' status_is 3 kura doctor "${repo[@]}"
check 'doctor warns of ransomware' says 'may delete old backups'
check 'doctor leaves nothing' test "$(s3_client list site nightly/misskey/probe | wc -l)" = 0

# Object Lock: nothing can be destroyed for a day, by nobody.
s3_client make-locked locked 1
locked=(--repo s3://locked/site --s3-endpoint "$S3_ENDPOINT")
check 'Object Lock: init' status_is 0 kura init "${locked[@]}"
for night in first second; do
    check "Object Lock: $night backup" status_is '0|3' kura backup "${locked[@]}" "${cache[@]}" "${data[@]}"
done
check 'Object Lock: verify' status_is 0 kura verify "${locked[@]}"
check 'Object Lock: doctor' status_is '0|3' kura doctor "${locked[@]}"
check 'Object Lock: doctor found out' says 'Object Lock'

# The other server, which knows no conditional PUT and wants its own region.
s3_start swift swift || die 'no Swift'
s3_bucket swift site || die 'no bucket'
swift=(--repo "s3://site/at swift/みすきー+1" --s3-endpoint "$S3_ENDPOINT" --s3-region eu-central-1)
check 'Swift: init' status_is 0 kura init "${swift[@]}"
check 'Swift: backup' status_is '0|3' kura backup "${swift[@]}" "${cache[@]}" "${data[@]}"
check 'Swift: second backup' status_is '0|3' kura backup "${swift[@]}" "${cache[@]}" "${data[@]}"
check 'Swift: verify' status_is 0 kura verify --read-data "${swift[@]}"
check 'Swift: restore' restored copy "${swift[@]}"
check 'Swift: doctor' status_is 3 kura doctor "${swift[@]}"
check 'Swift: doctor found out' says 'no conditional PUT'
s3_stop swift
s3_use ceph

# TLS.
tls=(--repo s3://site/nightly/misskey --s3-endpoint "$S3_TLS_ENDPOINT")
check 'TLS with the private CA' status_is 0 kura list "${tls[@]}" --s3-ca "$S3_CA_FILE"
check 'the bucket in the host name' status_is 0 kura list --repo s3://site/nightly/misskey --s3-endpoint "http://localhost:${S3_PORT[ceph]}" --s3-path-style no
check 'TLS without it' status_is 1 kura list "${tls[@]}"
check 'TLS without it: said' says 'certificate'
check 'plain http to another host' status_is 2 kura list --repo s3://site/x --s3-endpoint http://s3.test:80
check 'plain http to another host: said' says 's3-allow-http'

# Credentials: from the configuration, and wrong ones. $WORK/kura.conf is read by owner only.
(umask 077 && printf '[repository main]\nlocation = s3://site/nightly/misskey\ns3-endpoint = %s\ns3-access-key = %s\ns3-secret-key = %s\n' \
    "$S3_ENDPOINT" "$S3_ACCESS" "$S3_SECRET" >"$WORK/kura.conf")
check 'keys of the configuration' status_is 0 env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY HOME="$WORK" "$KURA" --config "$WORK/kura.conf" --repo main list
check 'no key at all' status_is '1|12' env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY HOME="$WORK" "$KURA" list "${repo[@]}"
check 'no key at all: a hint' says '^ *hint: .*AWS_ACCESS_KEY_ID'
check 'a wrong secret' status_is 1 env AWS_SECRET_ACCESS_KEY=not-the-secret HOME="$WORK" "$KURA" list "${repo[@]}"
check 'a wrong secret: said' says 'SignatureDoesNotMatch'
check 'an unknown key' status_is 1 env AWS_ACCESS_KEY_ID=nobody HOME="$WORK" "$KURA" list "${repo[@]}"
check 'an unknown key: said' says 'InvalidAccessKeyId'
check 'no such bucket' status_is 10 kura list --repo s3://nosuchbucket/x --s3-endpoint "$S3_ENDPOINT"
check 'no such bucket: said' says 'NoSuchBucket'

# Secrets: not in the arguments of a process, not in what is printed at the highest level.
watch_arguments() { # until $WORK/watching is gone
    while [ -e "$WORK/watching" ]; do
        cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -aF -f "$WORK/secret"
        sleep 0.05
    done
}
touch "$WORK/watching"
printf '%s' "$S3_SECRET" >"$WORK/secret"
watch_arguments >"$WORK/seen" &
check 'backup --verbose' status_is '0|3' kura --verbose backup "${repo[@]}" "${data[@]}" --no-cache
cat "$WORK/out" "$WORK/err" >"$WORK/said"
check 'backup --json' status_is '0|3' kura --json --verbose backup "${repo[@]}" "${data[@]}" --no-cache
cat "$WORK/out" "$WORK/err" >>"$WORK/said"
rm "$WORK/watching"
wait $!
check 'no secret in the arguments of a process' test ! -s "$WORK/seen"
check 'something was said' test "$(wc -c <"$WORK/said")" -gt 1000
check 'no secret in what it says' bash -c "! grep -aE '$S3_SECRET|Signature=|AWS4-HMAC' '$WORK/said'"

finish
