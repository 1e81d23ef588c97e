#!/bin/bash
# A dump of Redis in a backup: both forms that a server sends it in, servers that ask for a password, several of them,
# one that is not there; what comes back is read by another server, and equal.
. "$(dirname "$0")/lib.sh"

repo=$WORK/repo
files=(--files "media=$WORK/media" --app site)
mkdir "$WORK/media"
echo file >"$WORK/media/file"
kura init --repo "$repo" >/dev/null || die 'no repository'

# 12 MB in several databases: more than one chunk, and more than any buffer on the way.
fill() {
    redis "$1" DEBUG POPULATE 40000 key 300 >/dev/null
    {
        seq -f "LPUSH queue:default '{\"jid\":\"%g\",\"enqueued_at\":1700000000.5}'" 1 3000
        seq -f 'ZADD delayed %g job' 1 500
        echo 'SELECT 3'
        seq -f 'HSET hash field%g value' 1 500
        printf 'SET "bin\\x00\\xff" "\\x00\\r\\n$EOF:"\n'
    } | redis "$1" >/dev/null
}

# restored NAME FILE: a new server that begins with this dump.
restored() {
    mkdir -p "$WORK/$1" && cp "$2" "$WORK/$1/dump.rdb" && redis_run "$1" --enable-debug-command yes
}

redis_run old --enable-debug-command yes
fill old
redis_content old >"$WORK/wanted"
check 'there is something to compare' grep -q 'db0:keys=40002' "$WORK/wanted"

for form in yes no; do
    redis old CONFIG SET repl-diskless-sync $form >/dev/null
    check "backup, diskless: $form" status_is 0 kura backup --repo "$repo" "${files[@]}" --redis "unix://${REDIS_SOCKET[old]}"
    rm -rf "$WORK/back"
    check 'restore' status_is 0 kura restore latest --repo "$repo" --files "redis=$WORK/back"
    check 'it says what is still to do' says 'Stop Redis first'
    check 'the file is for nobody else' test "$(stat -c %a "$WORK/back/dump.rdb")" = 600
    check 'redis-check-rdb takes it' redis-check-rdb "$WORK/back/dump.rdb"
    restored "new-$form" "$WORK/back/dump.rdb"
    redis_content "new-$form" >"$WORK/got"
    check 'another server reads the same keys' same "$WORK/wanted" "$WORK/got"
    redis_stop "new-$form"
done
check 'no dump was left with the server that sent it' test -z "$(find "$WORK/old" -name 'temp-*')"
check 'verify reads it' status_is 0 kura verify --repo "$repo" --read-data

# Two servers, one of them under two addresses; passwords, a user of the ACL that may replicate and no more, TCP.
port=$(s3_free_ports 1)
redis_run queue --port "$port" --requirepass 'se:c/r@t'
as_admin() { redis queue -a 'se:c/r@t' --no-auth-warning "$@" >/dev/null; }
as_admin ACL SETUSER kura on '>pw' '~*' +psync +replconf +ping
as_admin SET only here
backup_of() { kura backup --repo "$repo" "${files[@]}" --redis "$1"; }
check 'with a password, over TCP' status_is 0 backup_of "redis://:se%3Ac%2Fr%40t@127.0.0.1:$port/0"
check 'the password is not shown' test "$(kura show latest --repo "$repo" --json | grep -c 'se[:%]')" = 0
check 'with a user that may replicate and no more' status_is 0 backup_of "redis://kura:pw@localhost:$port"
check 'there is a dump' status_is 0 kura show latest --repo "$repo" --files
check 'of its name' says 'dump\.rdb'

# What goes wrong costs the dump, not the backup.
check 'a wrong password' status_is 3 backup_of "redis://:wrong@127.0.0.1:$port"
check 'is a warning that tells why' says 'does not accept the password'
check 'and does not tell the password' test "$(grep -c wrong "$WORK/err")" = 0
check 'the backup is there' status_is 0 kura restore latest --repo "$repo" --files "media=$WORK/media-back"
check 'with its files' same_tree "$WORK/media" "$WORK/media-back"
check 'and no fileset of Redis' test "$(kura show latest --repo "$repo" --json | jq '[.. | .name? // empty | select(. == "redis")] | length')" = 0
check 'no password' status_is 3 backup_of "redis://127.0.0.1:$port"
check 'is told' says 'asks for a password'
check 'nobody there' status_is 3 backup_of "unix://$WORK/nobody"
check 'is told too' says 'cannot connect to unix://'
as_admin ACL SETUSER kura -psync
check 'a user that may not replicate' status_is 3 backup_of "redis://kura:pw@localhost:$port"
check 'is told what it needs' says 'psync and replconf'
check 'what is no URL' status_is 2 backup_of "http://:secret@127.0.0.1:$port"
check 'is not repeated' test "$(grep -c secret "$WORK/err")" = 0
check 'a directory of the same name' status_is 2 kura backup --repo "$repo" --app site --files "redis=$WORK/media" --redis "unix://${REDIS_SOCKET[old]}"

# TLS: with a certificate whose issuer is known and whose name is the host's, unless told otherwise.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=redis -addext subjectAltName=DNS:localhost \
    -keyout "$WORK/tls.key" -out "$WORK/tls.crt" 2>"$WORK/openssl" || die 'no certificate'
tls_port=$(s3_free_ports 1)
redis_run tls --tls-port "$tls_port" --tls-cert-file "$WORK/tls.crt" --tls-key-file "$WORK/tls.key" --tls-ca-cert-file "$WORK/tls.crt" \
    --tls-auth-clients no --enable-debug-command yes
fill tls
redis_content tls >"$WORK/wanted.tls"
knowing_it() { SSL_CERT_FILE=$WORK/tls.crt "$@"; }
for form in yes no; do
    redis tls CONFIG SET repl-diskless-sync $form >/dev/null
    check "over TLS, diskless: $form" knowing_it status_is 0 backup_of "rediss://localhost:$tls_port"
done
rm -rf "$WORK/back"
check 'the dump comes back' status_is 0 kura restore latest --repo "$repo" --files "redis=$WORK/back"
check 'and what to do is told' says 'Stop Redis first'
restored new-tls "$WORK/back/dump.rdb"
redis_content new-tls >"$WORK/got"
check 'with the same keys' same "$WORK/wanted.tls" "$WORK/got"
redis_stop new-tls
check 'an unknown issuer' status_is 3 backup_of "rediss://localhost:$tls_port"
check 'is not accepted' says 'the certificate of rediss://.* is not accepted: self-signed'
check 'what to do is told' says 'update-ca-certificates'
check 'another name' knowing_it status_is 3 backup_of "rediss://127.0.0.1:$tls_port"
check 'is not accepted either' says 'is not accepted: .*mismatch'
check 'unless any certificate will do' status_is 0 backup_of "rediss://127.0.0.1:$tls_port?sslmode=require"
check 'without TLS' status_is 3 backup_of "redis://localhost:$tls_port"
check 'that port ends the connection' says 'a port that speaks TLS alone'
redis tls CONFIG SET tls-auth-clients yes >/dev/null
check 'a server that wants a certificate' knowing_it status_is 3 backup_of "rediss://localhost:$tls_port"
check 'is told, too' says 'tls-auth-clients'
redis tls CONFIG SET tls-auth-clients no >/dev/null

# The servers that an application names, each once, whatever it calls them: one has two roles and two addresses.
mkdir -p "$WORK/live/lib/mastodon" "$WORK/live/public/system"
echo 'LOCAL_DOMAIN=example.com' >"$WORK/live/lib/mastodon/version.rb"
start 15 main
createdb_as mastodon_production
cat >"$WORK/live/.env.production" <<END
DB_HOST=$PGHOST
DB_USER=postgres
REDIS_URL=unix://${REDIS_SOCKET[old]}
SIDEKIQ_REDIS_URL=redis://:se%3Ac%2Fr%40t@127.0.0.1:$port/1
CACHE_REDIS_HOST=${REDIS_SOCKET[queue]}
CACHE_REDIS_PASSWORD=se:c/r@t
END
check 'all servers of an application' status_is 0 kura backup --repo "$repo" "${files[@]}" --app-dir "$WORK/live" --secrets never --redis app
check 'show names them' status_is 0 kura show latest --repo "$repo" --files
check 'the one' says 'dump-REDIS\.rdb'
check 'the other' test "$(grep -c 'dump-\(CACHE\|SIDEKIQ\)_REDIS\.rdb' "$WORK/out")" = 1
rm -rf "$WORK/back"
check 'they come back' status_is 0 kura restore latest --repo "$repo" --files "redis=$WORK/back"
restored "new-app" "$WORK/back/dump-REDIS.rdb"
redis_content new-app >"$WORK/got"
check 'and are read by another server' same "$WORK/wanted" "$WORK/got"
check 'no application' status_is 2 kura backup --repo "$repo" "${files[@]}" --redis app

# Misskey's, by a socket and by TLS.
mkdir -p "$WORK"/misskey/{.config,files} "$WORK/misskey/packages/backend/migration"
createdb_as misskey
cat >"$WORK/misskey/.config/default.yml" <<END
url: https://example.com/
db: {host: $PGHOST, port: 5432, db: misskey, user: postgres, pass: none}
redis: {host: 192.0.2.1, port: 1, path: '${REDIS_SOCKET[old]}'}
redisForJobQueue: {host: localhost, port: $tls_port, tls: {}}
END
check 'by socket and TLS, as Misskey has it' knowing_it status_is 0 kura backup --repo "$repo" --app-dir "$WORK/misskey" --secrets never --redis app
check 'both' status_is 0 kura show latest --repo "$repo" --app misskey --files
check 'are there' test "$(grep -cE 'dump-redis(ForJobQueue)?\.rdb' "$WORK/out")" = 2
check 'doctor asks them, too' knowing_it status_is '0|3' kura doctor --app-dir "$WORK/misskey" --json
check 'and they answer' jq -e '[.doctor.findings[] | select(.id == "REDIS-01")] == []' "$WORK/out"
check 'a certificate of nobody' status_is '1|3' kura doctor --app-dir "$WORK/misskey" --json
check 'is found' jq -e '[.doctor.findings[] | select(.id == "REDIS-01")] | length == 1' "$WORK/out"

# Units run as root that may read everything but not write to a socket, as Debian's has it: they get its group.
printf '%s\n' '[repository main]' "location = $repo" '[app site]' 'repo = main' "redis = unix://${REDIS_SOCKET[old]}" >"$WORK/kura.conf"
chmod 600 "$WORK/kura.conf"
chown nobody:games "${REDIS_SOCKET[old]}" && chmod 770 "${REDIS_SOCKET[old]}"
check 'units are told its group' status_is 0 kura install-timer --config "$WORK/kura.conf" --unit-dir "$WORK/units"
check 'by name' says 'SupplementaryGroups=games'
as_unit() { HOME=$WORK TMPDIR=$WORK/tmp setpriv --bounding-set=-all,+dac_read_search "$@" "$KURA" backup --repo "$repo" "${files[@]}" --redis "unix://${REDIS_SOCKET[old]}"; }
check 'without it the socket is closed to them' status_is 3 as_unit --clear-groups
check 'and what to do is told' says 'permission denied.*|install-timer'
check 'with it, it is not' status_is 0 as_unit --groups games
chown root:root "${REDIS_SOCKET[old]}"

# A server that dies while it sends.
redis old CONFIG SET repl-diskless-sync yes rdb-key-save-delay 200 >/dev/null
backup_of "unix://${REDIS_SOCKET[old]}" >"$WORK/out" 2>"$WORK/err" &
backup=$!
sending() { [ "$(redis old INFO replication | grep -c 'state=send_bulk')" = 1 ] || redis old INFO persistence | grep -q 'rdb_bgsave_in_progress:1'; }
check 'it sends' eventually sending
redis_stop old KILL
wait "$backup"
check 'a server that died is a warning' test $? = 3
check 'and is told' says 'ended the connection|connection reset'
check 'what it had sent is in no backup' status_is 0 kura verify --repo "$repo" --read-data
finish
