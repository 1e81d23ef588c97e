#!/bin/bash
# kura doctor on a host of its own below a root directory, with two real clusters, a real pooler, and a Mastodon that
# consists of its configuration: each check is silent while all is well, and fires when its one thing is wrong.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/tools/clock.sh"
. "$TOP/tests/tools/doctor.sh"

ROOT=$WORK/root SITE=$WORK/site REPO=$WORK/repo STATE=$WORK/state
export KURA_CACHE_DIR=$WORK/cache

# ---- the host: the cluster that the site uses, and an old one ----
cluster_conf() { # cluster_conf VERSION PORT DATA START: with the port in a file that is included
    local dir=$ROOT/etc/postgresql/$1/main
    mkdir -p "$dir/conf.d"
    printf '%s\n' '# written by a test' "data_directory = '$3'" 'port = 1 # not the last word' "INCLUDE_DIR 'conf.d'" \
        "unix_socket_directories '/run/postgresql'" "include_if_exists = 'missing.conf'" >"$dir/postgresql.conf"
    printf 'port=%s\n' "$2" >"$dir/conf.d/port.conf"
    printf '# auto, manual or disabled\n%s\n' "$4" >"$dir/start.conf"
}
begin() { # begin NAME PORT: a cluster below the root, its socket among the others'
    PGPORT=$2 start 15 "root/$1" -p "$2" -c "unix_socket_directories=$ROOT/$1,$ROOT/run/postgresql" -c wal_level=minimal \
        -c max_wal_senders=0 -c max_locks_per_transaction=10 -c max_connections=20
}
on() { # on NAME PORT DATABASE STATEMENT
    PGPORT=$2 PGHOST=$ROOT/$1 sql "$3" "$4"
}
mkdir -p "$ROOT"/{run/postgresql,usr/bin,etc/cron.d,etc/systemd/system/timers.target.wants}
chown postgres "$ROOT/run/postgresql"
begin old 5432
begin new 5433
cluster_conf 13 5432 /old/data manual
cluster_conf 15 5433 /new/data auto
for program in ffmpeg convert; do
    printf '#!/bin/sh\n' >"$ROOT/usr/bin/$program"
    chmod 755 "$ROOT/usr/bin/$program"
done
timer=$ROOT/etc/systemd/system/timers.target.wants/kura@mastodon.timer
ln -s /usr/lib/systemd/system/kura@.timer "$timer"

# ---- the site ----
site() { # site LINE...: its configuration, with these lines at its end
    mkdir -p "$SITE"/{streaming,lib/mastodon,public/system}
    printf '%s\n' LOCAL_DOMAIN=town.example "DB_HOST=$ROOT/run/postgresql" DB_PORT=5433 DB_NAME=town DB_USER=mastodon \
        DB_PASS=s3cret-word "REDIS_URL=unix://${REDIS_SOCKET[queues]}" SECRET_KEY_BASE=a0a1 OTP_SECRET=b0b1 \
        "VAPID_PRIVATE_KEY=$vapid_private" "VAPID_PUBLIC_KEY=$vapid_public" "$@" >"$SITE/.env.production"
    chmod 600 "$SITE/.env.production"
    printf 'def major\n4\ndef minor\n3\ndef patch\n1\n' >"$SITE/lib/mastodon/version.rb"
}
fill() { # fill NAME PORT DATABASE ROWS
    on "$1" "$2" postgres "CREATE DATABASE $3 OWNER mastodon"
    on "$1" "$2" "$3" 'GRANT CREATE ON SCHEMA public TO mastodon'
    on "$1" "$2" "$3" "SET ROLE mastodon; CREATE TABLE statuses (id bigint PRIMARY KEY, text text);
        INSERT INTO statuses SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, $4) AS i"
}
openssl ecparam -genkey -name prime256v1 -noout -outform DER -out "$WORK/vapid"
openssl ec -in "$WORK/vapid" -inform DER -pubout -outform DER -out "$WORK/vapid.pub" 2>/dev/null
url64() { base64 -w 0 | tr '+/' '-_'; }
vapid_private=$(dd if="$WORK/vapid" bs=1 skip=7 count=32 status=none | url64) vapid_public=$(tail -c 65 "$WORK/vapid.pub" | url64)
redis_run queues --save '3600 1'
site
for at in 'old 5432' 'new 5433'; do
    # shellcheck disable=SC2086
    on $at postgres "CREATE ROLE mastodon LOGIN PASSWORD 's3cret-word'"
done
fill new 5433 town 2000
admin="host=$ROOT/new port=5433 user=postgres dbname=town"
sole() { on new 5433 "$@"; }
check 'init' status_is 0 kura init --repo "$REPO"
check 'backup' status_is '0|3' kura backup --app mastodon --repo "$REPO" --db "$admin" --state-dir "$STATE"
printf '[app mastodon]\napp-dir = %s\nmax-age = 2d\n' "$SITE" >"$WORK/kura.conf"
well=(mastodon --config "$WORK/kura.conf" --root "$ROOT" --repo "$REPO" --state-dir "$STATE")

# ---- all is well ----
looks "${well[@]}"
check 'all is well' test "$status" = 0
check 'no password in what it says' test -z "$(grep s3cret-word "$WORK/doctor" "$WORK/err")"
for id in CONF-01 STOR-01 STOR-02 REPO-01 REPO-02 REPO-03 CONN-01 CONN-02 CLUS-01 CLUS-02 CLUS-03 CLUS-04 TOOL-01 TOOL-02 \
    ROLE-01 ROLE-02 ROLE-03 COLL-01 LOCK-01 TIME-01 SITE-01 SITE-02 SITE-03 DISK-01 DISK-02 BACK-01 BACK-02; do
    check "silent $id" silent "$id"
done
check 'in words, too' status_is 0 kura doctor "${well[@]}"
check 'with ids' says '^STOR-01 +ok '
check 'without a repository the site is looked at alone' status_is 0 kura doctor mastodon --config "$WORK/kura.conf" --root "$ROOT" --state-dir "$STATE"
check 'and what was not looked at is told' says 'no repository is named: STOR-01 REPO-01'
check 'without a site the repository' status_is 0 kura doctor --repo "$REPO"
check 'and that is told, too' says 'no directory of an application is named: .*ROLE-01'

# ---- each thing that can be wrong, alone ----
looks "${well[@]}" --app-dir "$WORK/nowhere"
check 'an application that is not there' fires CONF-01 'nowhere'
chmod 755 "$REPO"
looks "${well[@]}"
check 'a repository that others may read' fires STOR-01 'error|warning'
chmod 700 "$REPO"
mv "$REPO/kura.json" "$WORK/kura.json" && echo '{}' >"$REPO/kura.json"
looks "${well[@]}"
check 'a repository that cannot be opened' fires REPO-01 error
check 'the site is looked at all the same' silent ROLE-03
mv "$WORK/kura.json" "$REPO/kura.json"
manifest=$(manifest "$REPO" "$(latest "$REPO")")
cp "$manifest" "$WORK/manifest" && echo '{}' >"$manifest"
looks "${well[@]}"
check 'a backup that cannot be read' fires REPO-02 error
cp "$WORK/manifest" "$manifest"

PGPORT=5433 PGHOST=$ROOT/new hold town 'LOCK statuses' || die 'nobody holds the table'
"$KURA" backup --app mastodon --repo "$REPO" --db "$admin" --state-dir "$WORK/other-state" >"$WORK/runner" 2>&1 &
runner=$!
a_lock() { [ -n "$(find "$REPO/locks" -type f 2>/dev/null)" ]; }
eventually a_lock || die 'no lock was taken'
kill -KILL "$runner"
wait "$runner" 2>/dev/null
unhold
looks "${well[@]}"
check 'the lock of a run that was killed holds nobody up' silent REPO-03
echo nonsense | tee "$REPO"/locks/* >/dev/null
looks "${well[@]}"
check 'a lock that nobody can read' fires REPO-03 'lock'
rm "$REPO"/locks/*
# shellcheck disable=SC2016
unshare --mount --propagation private bash -c '
    mount -t tmpfs -o size=$(($(find "$1" -type f -printf "%s\n" | awk "{ n += int((\$1 + 4095) / 4096) } END { print n }") * 4 + 32))k tmpfs "$2" && cp -r "$1/." "$2" && chmod 700 "$2" && shift && shift && exec "$@"' \
    sh "$REPO" "$(mkdir "$WORK/full" && echo "$WORK/full")" \
    "$KURA" doctor "${well[@]/$REPO/$WORK/full}" --json >"$WORK/doctor" 2>"$WORK/err"
status=$?
check 'a repository without room' fires STOR-02 'are free, and the newest backup took'

site DB_PORT=5999
looks "${well[@]}"
check 'a server that is not there' fires CONN-01 '5999'
check 'what needs it is told to be left out' test "$(outcome ROLE-01)" = skipped
site
echo '"mastodon" "s3cret-word"' >"$WORK/users"
cat >"$WORK/pgbouncer.ini" <<END
[databases]
town = host=$ROOT/new port=5433
[pgbouncer]
listen_addr =
unix_socket_dir = $ROOT/run/postgresql
listen_port = 6432
auth_type = trust
auth_file = $WORK/users
pool_mode = transaction
END
pgbouncer -q -u postgres "$WORK/pgbouncer.ini" >"$WORK/pgbouncer.log" 2>&1 &
bouncer=$!
eventually test -S "$ROOT/run/postgresql/.s.PGSQL.6432" || cat "$WORK/pgbouncer.log"
site DB_PORT=6432
looks "${well[@]}"
check 'PgBouncer in the way' fires CONN-02 'connection pooler.*DB_PORT=5432'
check 'what else would be asked is left out' test "$(outcome ROLE-01)" = skipped
search_path() { psql -XqAt -h "$ROOT/run/postgresql" -p 6432 -U mastodon -d town -c 'SHOW search_path'; }
check 'nothing of it stays in the sessions of the application' test "$(search_path)" = '"$user", public'
kill "$bouncer" && wait "$bouncer" 2>/dev/null
site

mkdir "$WORK/oldtools"
for tool in pg_dump pg_restore; do
    printf '#!/bin/sh\necho "%s (PostgreSQL) 13.22"\n' "$tool" >"$WORK/oldtools/$tool"
    chmod 755 "$WORK/oldtools/$tool"
done
looks "${well[@]}" --pg-bindir "$WORK/oldtools"
check 'tools that are older than the server' fires TOOL-01 'version 15 or later.*13.22.*postgresql-client-15'
rm "$ROOT/usr/bin/convert"
PATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH looks "${well[@]}"
check 'no ImageMagick' fires TOOL-02 'convert\|magick\|vips.*apt install imagemagick'
printf '#!/bin/sh\n' >"$ROOT/usr/bin/convert" && chmod 755 "$ROOT/usr/bin/convert"

# of the role, with the administrator's connection
site DB_USER=nobody_at_all
looks "${well[@]}" --db "$admin"
check 'a role that does not exist' fires ROLE-01 'nobody_at_all'
sole town 'ALTER ROLE mastodon NOLOGIN'
site
looks "${well[@]}" --db "$admin"
check 'a role that may not log in' fires ROLE-01 'may not log in'
sole town 'ALTER ROLE mastodon LOGIN SUPERUSER'
looks "${well[@]}"
check 'a role that may do everything' fires ROLE-02 'superuser'
sole town 'ALTER ROLE mastodon NOSUPERUSER; CREATE TABLE taken (a int); ALTER SCHEMA public OWNER TO postgres; REVOKE CREATE ON SCHEMA public FROM mastodon'
looks "${well[@]}"
check 'a table that is not its own' fires ROLE-03 '1 (object|table).*postgres'
check 'a schema in which it may not create' fires ROLE-03 'create'
sole town 'DROP TABLE taken; GRANT CREATE ON SCHEMA public TO mastodon'

sole postgres "CREATE DATABASE sorted OWNER mastodon TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'ja'"
sole sorted 'CREATE TABLE names (name text COLLATE "ja-x-icu")'
site DB_NAME=sorted
looks "${well[@]}"
check 'a database that was just made' silent COLL-01
sole sorted "UPDATE pg_database SET datcollversion = '1.1' WHERE datname = 'sorted'"
looks "${well[@]}"
check 'a database of another library' fires COLL-01 'version 1.1, now .*REINDEX DATABASE sorted.*REFRESH COLLATION VERSION'
sole sorted "UPDATE pg_collation SET collversion = '2.2' WHERE collname = 'ja-x-icu'"
looks "${well[@]}"
check 'a collation of another library' fires COLL-01 'ja-x-icu.*version 2.2.*REFRESH VERSION'

sole postgres 'CREATE DATABASE many OWNER mastodon'
for _ in 1 2 3 4 5 6 7 8 9 10; do # a few at a time, for there is no room
    sole many "DO \$\$ BEGIN FOR i IN 1..60 LOOP EXECUTE format('CREATE TABLE %I (a int)', gen_random_uuid()); END LOOP; END \$\$"
done
site DB_NAME=many
looks "${well[@]}"
check 'more tables than the lock table has room for' fires LOCK-01 'max_locks_per_transaction'
site

at +2h "$KURA" doctor "${well[@]}" --json >"$WORK/doctor" 2>"$WORK/err"
status=$?
check 'a clock that is two hours ahead' fires TIME-01 'behind this host'
at -1h "$KURA" doctor "${well[@]}" --json >"$WORK/doctor" 2>"$WORK/err"
status=$?
check 'a clock that is an hour behind' fires TIME-01 'ahead of this host'

mkdir -p "$SITE/db/migrate"
touch "$SITE/db/migrate/20260101000000_create_statuses.rb"
sole town "SET ROLE mastodon; CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
    INSERT INTO schema_migrations VALUES ('20260101000000')"
looks "${well[@]}"
check 'code and database of one age' silent SCHE-01
touch "$SITE/db/migrate/20260202000000_add_trendable_to_accounts.rb"
looks "${well[@]}"
check 'code that is newer than its database' fires SCHE-01 '1 migration was not run.*add_trendable_to_accounts.*db:migrate'
sole town "INSERT INTO schema_migrations VALUES ('20260303000000')"
rm "$SITE/db/migrate/20260202000000_add_trendable_to_accounts.rb"
looks "${well[@]}"
check 'a database that is newer than the code' fires SCHE-01 'newer than the code.*20260303000000'
rm -r "$SITE/db"

rmdir "$SITE/streaming"
looks "${well[@]}"
check 'no streaming' fires SITE-01 'streaming'
site
chmod 644 "$SITE/.env.production"
looks "${well[@]}"
check 'a configuration that everybody can read' fires SITE-02 'env.production.*chmod o-rwx'
chmod 700 "$SITE"
looks "${well[@]}"
check 'in a directory that nobody else can enter' silent SITE-02
chmod 755 "$SITE"
site

# What Mastodon fetched before it had cache/: rows without the version of the directories' scheme.
sole town "SET ROLE mastodon; CREATE TABLE accounts (id int, domain text, avatar_file_name text, header_file_name text,
        avatar_storage_schema_version int, header_storage_schema_version int);
    CREATE TABLE media_attachments (id int, remote_url text NOT NULL, file_file_name text, file_storage_schema_version int);
    CREATE TABLE custom_emojis (id int, domain text, image_file_name text, image_storage_schema_version int);
    CREATE TABLE preview_cards (id int, image_file_name text, image_storage_schema_version int);
    INSERT INTO accounts VALUES (1, NULL, 'me.png', 'me.png', NULL, NULL), (2, 'new.example', 'new.png', NULL, 1, NULL),
        (3, 'old.example', 'old.png', NULL, NULL, NULL);
    INSERT INTO media_attachments VALUES (1, '', 'mine.png', NULL), (2, 'https://old.example/a.png', 'a.png', 0);
    INSERT INTO custom_emojis VALUES (1, NULL, 'ours.png', NULL)"
looks "${well[@]}"
check 'copies of other servers among the own files' fires SITE-03 'rows that name some: 2.*tootctl upgrade storage-schema'
site S3_ENABLED=true S3_BUCKET=media
looks "${well[@]}"
check 'which do not matter in a bucket' test -z "$(jq -r '.doctor.findings[] | select(.id == "SITE-03") | .id' "$WORK/doctor")"
sole town 'DROP TABLE accounts, media_attachments, custom_emojis, preview_cards'
site

# shellcheck disable=SC2016
unshare --mount --propagation private bash -c 'mount -t tmpfs -o size=1m tmpfs "$1" && shift && exec "$@"' \
    sh "$ROOT/new/data" "$KURA" doctor "${well[@]}" --json >"$WORK/doctor" 2>"$WORK/err"
status=$?
check 'a server without room' fires DISK-01 'a second copy of the database'
touch "$WORK/file"
looks "${well[@]}" --cache-dir "$WORK/file/below"
check 'a cache that cannot be kept' fires DISK-02 'no directory|Not a directory'
looks "${well[@]}" --max-age 1s
check 'a backup that is too old' fires BACK-01 'old, and may be'
rm "$timer"
looks "${well[@]}"
check 'nobody makes backups' fires BACK-02 'install-timer'
printf '15 3 * * * root /usr/bin/kura backup --app mastodon\n' >"$ROOT/etc/cron.d/kura"
looks "${well[@]}"
check 'cron does' silent BACK-02

# ---- story 004: two clusters on swapped ports ----
cluster_conf 14 5433 /nowhere/data disabled
looks "${well[@]}"
check 'a disabled cluster is in nobody'"'"'s way' silent CLUS-03
cluster_conf 14 5433 /nowhere/data auto
looks "${well[@]}"
check 'two clusters on one port' fires CLUS-03 '14/main and 15/main are both set to port 5433'
check 'of which one is down' fires CLUS-04 '14/main on port 5433 is down'
rm -r "$ROOT/etc/postgresql/14"
fill old 5432 town 2000
looks "${well[@]}"
check 'a copy in another cluster' fires CLUS-02 '15/main on port 5433, which the site is set to.*13/main on port 5432'
site DB_PORT=5432
on old 5432 town 'DROP TABLE statuses'
looks "${well[@]}"
check 'an empty database where the site looks' fires CLUS-01 '13/main, where the database "town" is all but empty.*15/main on port 5433.*set DB_PORT to 5433'
on old 5432 postgres 'DROP DATABASE town'
looks "${well[@]}"
check 'no database where the site looks' fires CLUS-01 'has no database "town".*15/main on port 5433'
fill old 5432 town 40000
site DB_PORT=5433
sole postgres 'DROP DATABASE town WITH (FORCE)'
sole postgres 'CREATE DATABASE town OWNER mastodon'
cluster_stop root/old
looks "${well[@]}"
check 'the data is in a cluster that is down' fires CLUS-01 '13/main, set to port 5432, is down and holds .*pg_ctlcluster 13 main start'
check 'which is not missed, for it is started by hand' silent CLUS-04

finish
