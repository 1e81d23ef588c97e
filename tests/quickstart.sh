#!/bin/sh
# From nothing to a proven restore, in three minutes: sh tests/quickstart.sh, as root on a bare Debian 12.
#
# Installs what is missing, builds kura, starts a throwaway PostgreSQL, fills it with a site shaped like Misskey, backs it
# up twice together with its media, and restores it under other roles. All of it happens in one temporary directory,
# which is gone at the end, with everything that was started.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
bin=/usr/lib/postgresql/15/bin
work='' server=''

clean_up() {
    status=$?
    trap - EXIT INT TERM
    if [ -n "$server" ]; then
        kill -INT "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    [ -z "$work" ] || rm -rf "$work"
    [ $status = 0 ] || echo "quickstart.sh: stopped with status $status" >&2
    exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d "${TMPDIR:-/tmp}/kura-quickstart.XXXXXX")
chmod 755 "$work"
export KURA_STATE_DIR="$work/run-state"

chapter() { printf '\n== %s\n' "$*"; }
show() { # the command as one would type it, then what it says
    printf '\n  $ %s\n' "$*" | sed "s|$work|~|g; s|$top/build/cmd/kura/||"
    status=0
    "$@" >"$work/said" 2>&1 || status=$?
    sed "s|$work|~|g; s|^|    |" "$work/said"
    return $status
}
sql() { "$bin/psql" -XqAt -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
as() { PGUSER=$1 "$bin/psql" -XqAt -v ON_ERROR_STOP=1 -d "$2" -c "$3" 2>/dev/null; }
quietly() { # says something only when it fails
    "$@" >"$work/said" 2>&1 || {
        tail -n 30 "$work/said" >&2
        return 1
    }
}
refused() { ! as "$@" >/dev/null; }

chapter '1. Packages (only what is missing)'
sh "$top/tests/packages.sh" quickstart
began=$(date +%s)

chapter '2. Build'
[ -f "$top/build/build.ninja" ] || quietly meson setup "$top/build" "$top"
quietly ninja -C "$top/build" cmd/kura/kura
kura=$top/build/cmd/kura/kura
"$kura" --version | head -n 1

chapter '3. A throwaway PostgreSQL, and a site in it'
install -d -o postgres -g postgres "$work/server"
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
(cd "$work/server" && as_postgres "$bin/initdb" -D "$work/server/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >initdb.log)
# shellcheck disable=SC2024
(cd "$work/server" && exec setpriv --reuid=postgres --regid=postgres --clear-groups \
    "$bin/postgres" -D "$work/server/data" -k "$work/server" -c listen_addresses= -c fsync=off >log 2>&1) &
server=$!
export PGHOST="$work/server" PGUSER=postgres PGDATABASE=postgres
tries=0
until "$bin/pg_isready" -q; do
    tries=$((tries + 1))
    if [ $tries -gt 300 ] || ! kill -0 $server; then
        cat "$work/server/log" >&2
        exit 1
    fi
    sleep 0.1
done
sql postgres 'CREATE DATABASE misskey'
"$bin/psql" -Xq -d misskey -f "$top/tests/it/sql/site.sql"
mkdir "$work/media"
for n in $(seq 1 300); do
    mkdir -p "$work/media/$((n % 20))"
    head -c $((n * 400)) /dev/urandom >"$work/media/$((n % 20))/picture-$n.webp"
done
echo "database misskey: $(sql misskey "SELECT count(*) || ' tables, ' || (SELECT count(*) FROM note) || ' notes, ' || pg_size_pretty(pg_database_size('misskey')) FROM pg_tables WHERE schemaname = 'public'"), owned by role misskey; role reader may look"
echo "media: $(find "$work/media" -type f | wc -l) files, $(du -sh "$work/media" | cut -f 1)"

chapter '4. A repository, and the first backup: database and media as one set'
show "$kura" init --repo "$work/repo"
show "$kura" -q backup --repo "$work/repo" --app misskey --db dbname=misskey --files media="$work/media"
first_bytes=$(du -sb "$work/repo" | cut -f 1)

chapter '5. The second night: some settings and one picture are new, the rest costs nothing'
sql misskey "UPDATE meta SET name = '新しい倉'; INSERT INTO migrations (\"timestamp\", name) VALUES (1700000000000, 'SomeMore1700000000000')"
head -c 50000 /dev/urandom >"$work/media/new.webp"
show "$kura" -q backup --repo "$work/repo" --app misskey --db dbname=misskey --files media="$work/media"
second_bytes=$(($(du -sb "$work/repo" | cut -f 1) - first_bytes))
show "$kura" list --repo "$work/repo"

chapter '6. Who owns what, and who may do what: what a restore has to bring back'
show "$kura" show latest --roles --repo "$work/repo"

chapter '7. Restore, under the roles of another server'
echo 'The new server calls its roles mk_prod and ro2. kura creates them, maps every owner and grant, loads the rows, reads'
echo 'them back, and proves that the application may use what it got.'
show "$kura" restore latest --repo "$work/repo" --db dbname=scratch --map misskey=mk_prod,reader=ro2 --create-roles --files media="$work/restored"
sql postgres 'ALTER ROLE mk_prod LOGIN; ALTER ROLE ro2 LOGIN'

chapter '8. The rehearsal: what cron does every night'
echo 'A scratch database with scratch roles, everything proven with figures, a migration tried, and all of it dropped again.'
show "$kura" -q rehearse latest --repo "$work/repo" --server dbname=postgres --sample 10 --report "$work/rehearsal.html" \
    --run "$bin/psql -Xqc 'ALTER TABLE note ADD COLUMN lang text'"

chapter '9. The years: is all of it still good, what may go, and is there a backup tonight?'
show "$kura" -q verify --read-data --repo "$work/repo"
show "$kura" -q prune --plan --keep-last 1 --keep-weekly 8 --repo "$work/repo"
show "$kura" status --max-age 26h --max-rehearsal-age 8d --repo "$work/repo"

chapter '10. Set up by the application itself: its configuration tells database, media and secrets'
home=$work/home
mkdir -p "$home/.config" "$home/packages/backend/migration"
ln -s "$work/media" "$home/files"
printf '{"name": "misskey", "version": "2025.9.0"}\n' >"$home/package.json"
printf 'url: https://example.test/\ndb:\n  host: %s\n  port: 5432\n  db: misskey\n  user: misskey\n  pass: pw-of-misskey\nid: aidx\n' \
    "$work/server" >"$home/.config/default.yml"
chmod 640 "$home/.config/default.yml"
sql misskey 'SELECT name FROM migrations' | while read -r name; do
    printf "export class M {\n    name = '%s'\n}\n" "$name" >"$home/packages/backend/migration/$name.js"
done
show "$kura" -q init --app-dir "$home" --repo "$work/own" --encrypt --identity-out "$work/identity" --key-file "$work/key" --config "$work/kura.conf"
show "$kura" -q backup --app misskey --config "$work/kura.conf"
show "$kura" -q schema check --app misskey --config "$work/kura.conf"
echo '    A package upgrade brings newer code. The same check, as ExecStartPre= of its service, keeps it from starting:'
printf "export class M {\n    name = 'AddLanguages1760000000000'\n}\n" >"$home/packages/backend/migration/1760000000000-AddLanguages.js"
show "$kura" -q schema check --app misskey --config "$work/kura.conf" || newer=$?
own=$("$kura" -q show latest --json --config "$work/kura.conf" --app misskey --identity "$work/identity" | tr -d ' \n')

chapter '11. What was proven, by psql, diff and sha256sum rather than by kura'
bad=0
row() { # row WHAT RESULT COMMAND...: one line of the table
    what=$1 result=$2
    shift 2
    if "$@" >/dev/null 2>&1; then
        mark=yes
    else
        mark=NO bad=1
    fi
    printf '  %-44s %-40s %s\n' "$what" "$result" "$mark"
}
rows() { sql "$1" "SELECT sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I.%I', schemaname, tablename), false, true, '')))[1]::text::bigint) FROM pg_tables WHERE schemaname = 'public'"; }
content() { sql "$1" "SELECT md5(string_agg(n::text, '' ORDER BY id)) FROM note n"; }
foreign_owners() { sql scratch "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relowner <> 'mk_prod'::regrole"; }
rows_old=$(rows misskey) rows_new=$(rows scratch) others=$(foreign_owners)
row 'all rows are there' "$rows_new of $rows_old" [ "$rows_old" = "$rows_new" ]
row 'notes are equal, byte for byte' "md5 $(content scratch | cut -c 1-12)..." [ "$(content misskey)" = "$(content scratch)" ]
row 'everything belongs to mk_prod' "$others objects of somebody else" [ "$others" = 0 ]
row 'mk_prod reads and writes' 'SELECT, INSERT, CREATE TABLE' as mk_prod scratch "BEGIN; SELECT 1 FROM note LIMIT 1; INSERT INTO \"user\" (id, username) VALUES ('q', 'q'); CREATE TABLE t (a int); ROLLBACK"
row 'ro2 reads' 'SELECT on every table' as ro2 scratch 'SELECT count(*) FROM note, (SELECT 1 FROM drive_file LIMIT 1) f'
row 'ro2 does not write' 'DELETE is refused' refused ro2 scratch 'DELETE FROM note'
row 'settings of the database came along' "statement_timeout = $(as mk_prod scratch 'SHOW statement_timeout')" [ "$(as mk_prod scratch 'SHOW statement_timeout')" = 10min ]
row 'media are equal' "$(find "$work/restored" -type f | wc -l) files, diff -r" diff -r "$work/media" "$work/restored"
row 'the rehearsal left nothing behind' "its page has $(wc -c <"$work/rehearsal.html") bytes" [ "$(sql postgres "SELECT count(*) FROM (SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles) n WHERE datname LIKE '%kura%'")" = 0 ]
row 'the second backup stored almost nothing' "$((second_bytes / 1024)) KiB after $((first_bytes / 1024)) KiB" [ $((second_bytes * 50)) -lt "$first_bytes" ]
blobs=$(find "$work/repo/blobs" -type f | wc -l)
sound=$(find "$work/repo/blobs" -type f -exec sha256sum {} + | awk '{name = $2; sub(/.*\//, "", name); sub(/\..*/, "", name); if (name == $1) n++} END {print n}')
row 'each blob is what its name says' "$sound of $blobs" [ "$sound" = "$blobs" ]
row 'the configuration is in the encrypted backup' 'fileset config, files of mode 640' test "${own#*\"name\":\"config\"}" != "$own"
row 'code that is newer than the database is stopped' "exit status ${newer:-0}" [ "${newer:-0}" = 4 ]
printf '\n%s seconds without the packages. Everything was in %s, which is gone now.\n' $(($(date +%s) - began)) "$work"
exit $bad
