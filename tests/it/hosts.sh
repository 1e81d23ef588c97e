#!/bin/bash
# A site moves house: from a host with PostgreSQL 15 to a bare one with PostgreSQL 17 and a standby, over an encrypted
# repository in a bucket of a third. Each host is a network namespace (tools/hosts.sh). The site works while the first
# backup is made and restored; when it is stopped only the difference moves. What says that it lives at the new place is
# a program that uses it as the application would (tools/site-probe.c).
#
# Measured, and told in the last line:
#   first pass   backup of the running site + restore of all of it on the new host
#   downtime     backup of the stopped site + restore of the difference + standby + the first answer of the site
# Of the second restore only the media are a difference: the database is restored whole, beside the one of the first
# pass, and takes its place. A goal for the ratio is no matter of this test, whose site is small: bench/move.sh.
#
#   MOVE_ROWS_MB, MOVE_MEDIA_MB   how large the site is          MOVE_PERCENT   how much of it changes
#   MOVE_RATE                     of each host's line (tc(8))    MOVE_FSYNC     of the servers
. "$(dirname "$0")/lib.sh"
PROBE=$BUILD/tests/tools/site-probe
[ -x "$PROBE" ] || die "\"$PROBE\" is not built"
[ "$(id -u)" = 0 ] || die 'hosts in network namespaces need root'

rows_mb=${MOVE_ROWS_MB:-15} media_mb=${MOVE_MEDIA_MB:-100} percent=${MOVE_PERCENT:-1}
live=/home/mastodon/live
fsync=(-c "fsync=${MOVE_FSYNC:-off}" -c max_wal_size=4GB)
seconds() { date +%s.%N; }
since() { awk -v from="$1" -v to="$(seconds)" 'BEGIN { printf "%.1f", to - from }'; }

# ---- three hosts, and one for the standby ----

hosts_begin || die 'no network namespaces: they need root, and a kernel that has them'
for host in store:10.99.0.3 old:10.99.0.1 new:10.99.0.2 standby:10.99.0.4; do
    host_add "${host%:*}" "${host#*:}" "${MOVE_RATE:-}" || die "no host $host"
    mkdir -p "$WORK/${host%:*}/home/admin"
done
HOST_EXEC=$(host_exec store)
s3_start rgw bucket tls dir="$WORK/store/ceph" address=10.99.0.3 $([ "$media_mb" -lt 300 ] || echo "bluestore=$((media_mb * 3))000000") || die 'no S3 server'
s3_bucket bucket move || die 'no bucket'
storage=(--s3-endpoint "$S3_TLS_ENDPOINT" --s3-ca "$S3_CA_FILE")

server() { # server VERSION HOST OPTION...: its cluster, to which only passwords open the network
    HOST_EXEC=$(host_exec "$2")
    cluster_init "$1" "$WORK/$2/pg" || die 'no cluster'
    sed -i "1i host replication replicator 10.99.0.0/24 trust\nhost all all 0.0.0.0/0 scram-sha-256" "$WORK/$2/pg/data/pg_hba.conf"
    cluster_run "$1" "$2" "$WORK/$2/pg" "${fsync[@]}" "${@:3}" || die 'no server'
    HOST_EXEC=
}
server 15 old -c listen_addresses=127.0.0.1
server 17 new -c listen_addresses=127.0.0.1,10.99.0.2
as() { # as HOST DATABASE STATEMENT: its administrator, on its socket
    use "$1"
    sql "$2" "$3"
}
as new postgres 'CREATE ROLE replicator LOGIN REPLICATION'
HOST_EXEC=$(host_exec standby)
mkdir "$WORK/standby/pg" && chown postgres: "$WORK/standby/pg"
(pg_server 17 "$WORK/standby/pg" pg_basebackup -h 10.99.0.2 -U replicator -D "$WORK/standby/pg/data" -R -X stream -c fast --no-sync) || die 'pg_basebackup failed'
cluster_run 17 standby "$WORK/standby/pg" "${fsync[@]}" -c cluster_name=standby || die 'no standby'
HOST_EXEC=

# ---- the site on the old host ----

make_code() { # make_code HOST: what a checkout of the application has
    local dir=$WORK/$1$live
    mkdir -p "$dir"/{config,db/migrate,db/post_migrate,lib/mastodon,streaming,public/system}
    printf 'def major\n  4\nend\ndef minor\n  3\nend\ndef patch\n  2\nend\n' >"$dir/lib/mastodon/version.rb"
    printf 'production:\n  adapter: postgresql\n' >"$dir/config/database.yml"
    echo 'class CreateAccounts < ActiveRecord::Migration[5.0]; end' >"$dir/db/migrate/20160220174730_create_accounts.rb"
}
make_code old
cat >"$WORK/old$live/.env.production" <<'ENV'
# Written by the administrator of the fixture.
LOCAL_DOMAIN=example.test
DB_HOST=127.0.0.1
DB_PORT=5432
DB_NAME=mastodon_production
DB_USER=mastodon
DB_PASS=markerpassword
REDIS_HOST=localhost
SECRET_KEY_BASE=markerbase
OTP_SECRET=markerotp
ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=markerprimary
ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY=markerdeterministic
ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT=markersalt
ENV
chmod 600 "$WORK/old$live/.env.production"
as old postgres "CREATE ROLE mastodon LOGIN PASSWORD 'markerpassword'; CREATE ROLE grafana"
as old postgres 'CREATE DATABASE mastodon_production OWNER mastodon'
probe() { on "$1" "$PROBE" "$live" "${@:2}"; }
probe old fill "$rows_mb" "$media_mb" || die 'the site could not be made'
mkdir -p "$WORK/old$live/public/system/cache/accounts/avatars"
head -c 3000000 /dev/urandom >"$WORK/old$live/public/system/cache/accounts/avatars/remote.png"

kura_on() { # kura_on HOST ARG...: as its administrator
    on "$1" env HOME=/home/admin TMPDIR="$WORK/tmp" KURA_STATE_DIR=/home/admin/state KURA_CONFIG=/home/admin/kura.conf \
        KURA_KEY_FILE=/home/admin/host.key KURA_CACHE_DIR=/home/admin/cache \
        timeout --foreground -k 10 "${MOVE_TIMEOUT:-300}" "$KURA" "${@:2}"
}
check 'the site works' probe old up
check 'init sets all up' status_is '0|3' kura_on old init --app-dir "$live" --repo s3://move/site "${storage[@]}" \
    --encrypt --identity-out /home/admin/identity

same_posts() {
    local sql='SELECT count(*), max(id) FROM statuses'
    [ "$(as new mastodon_production "$sql")" = "$(as standby mastodon_production "$sql")" ]
}

# ---- the first pass, while the site works ----

on_exec old "$PROBE" "$live" work >"$WORK/worked" 2>&1 &
worker=$!
begin=$(seconds)
check 'first backup, while the site works' status_is 0 kura_on old backup --app mastodon
first_backup=$(since "$begin")
cp "$WORK/out" "$WORK/first.out"
mkdir -p "$WORK/new/home/mastodon"
# By hand: where the repository is, and what opens it.
sed -n '/^\[repository/,/^$/p' "$WORK/old/home/admin/kura.conf" | grep -v '^key-file' >"$WORK/new/home/admin/kura.conf"
cp "$WORK/old/home/admin/identity" "$WORK/new/home/admin/"
check 'what the new host lacks' status_is '0|3' kura_on new move plan --as new --app mastodon --identity /home/admin/identity \
    --pg-bindir "$(pg_bindir 17)" --db "host=$WORK/new/pg user=postgres dbname=mastodon_production"
check 'is told: its roles' says 'mastodon'
sed 's/^/# /' "$WORK/out"
target=(--identity /home/admin/identity --pg-bindir "$(pg_bindir 17)" --map mastodon=mastodon_new,grafana=monitoring
    --db "host=$WORK/new/pg user=postgres dbname=mastodon_production")
begin=$(seconds)
check 'first restore, on the bare host' status_is '0|3' kura_on new restore latest --app mastodon "${target[@]}" --create-roles \
    --files "media=$live/public/system" --files "config=$live.kura-new"
first_restore=$(since "$begin")
check 'cached copies did not move' test ! -e "$WORK/new$live/public/system/cache/accounts"

# ---- what the administrator does meanwhile ----

as new postgres "ALTER ROLE mastodon_new PASSWORD 'markerpassword'"
make_code new
adopt=(move config --app-dir "$live" --db 'host=10.99.0.2 user=mastodon_new dbname=mastodon_production' --map mastodon=mastodon_new)
export PGPASSWORD=markerpassword
check 'what must change in the configuration is shown' status_is '0|3' kura_on new "${adopt[@]}"
check 'the host' says '^ *\+DB_HOST=10\.99\.0\.2'
check 'the role' says '^ *\+DB_USER=mastodon_new'
check 'and no password' test "$(grep -c marker "$WORK/out")" = 0
check 'it is applied' status_is '0|3' kura_on new "${adopt[@]}" --apply
check 'and nothing else changed' test "$(diff "$WORK/old$live/.env.production" "$WORK/new$live/.env.production" | grep -c '^[<>]')" = 4
unset PGPASSWORD
check 'the site could already start there' probe new up

# ---- 1 % changes, the site is stopped, the difference moves ----

check 'the site changes' probe old change "$percent"
kill -TERM "$worker"
wait "$worker"
check 'it worked all the time' grep -qE '^[1-9][0-9]+ posts$' "$WORK/worked"
probe old digest >"$WORK/old.digest"

stopped=$(seconds)
check 'last backup' status_is 0 kura_on old backup --app mastodon
last_backup=$(since "$stopped")
sed 's/^/# /' "$WORK/err" "$WORK/out"
begin=$(seconds)
check 'last restore' status_is '0|3' kura_on new restore latest --app mastodon "${target[@]}" --swap --wait-standbys --quick-check \
    --files "media=$live/public/system"
sed 's/^/# /' "$WORK/out"
last_restore=$(since "$begin") moved=$(since "$stopped")
probe new digest >"$WORK/new.digest" # before anything is written there; for the test alone, and not counted
begin=$(seconds)
check 'the site answers' probe new up
answer=$(since "$begin")

# ---- is it the same site? ----

check 'every row and sequence is there' same "$WORK/old.digest" "$WORK/new.digest"
check 'the site is whole: files, secrets, writes' probe new check
cat "$WORK/check.out"
check 'everything belongs to the new role' test "$(as new mastodon_production "SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class WHERE relnamespace = 'public'::regnamespace")" = mastodon_new
check 'readers read' test "$(as new mastodon_production "SELECT has_table_privilege('monitoring', 'statuses', 'SELECT')")" = t
check 'the standby has what was written there' eventually same_posts
check 'nothing secret was said' test "$(grep -c marker "$WORK"/*.out | awk -F: '{ n += $2 } END { print n }')" = 0
awk -v rows="$rows_mb" -v media="$media_mb" -v percent="$percent" -v fb="$first_backup" -v fr="$first_restore" -v lb="$last_backup" -v lr="$last_restore" -v down="$moved" -v up="$answer" 'BEGIN {
    down += up
    printf "# hosts: %s MB of rows, %s MB of media, %s %% changed\n", rows, media, percent
    printf "# hosts: first pass %.1f s (backup %.1f, restore %.1f), downtime %.1f s (backup %.1f, restore %.1f): %.0f %%\n",
        fb + fr, fb, fr, down, lb, lr, 100 * down / (fb + fr) }'
finish
