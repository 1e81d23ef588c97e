#!/bin/bash
# Moving house: two servers of different majors, an application that knows nothing of it, and a bare host that knows
# nothing but the repository.
. "$(dirname "$0")/lib.sh"

secret="markerpass wörd'\"#\\"
ask() { # keeps what was said
    local status
    kura "$@" >"$WORK/ask.out" 2>"$WORK/ask.err"
    status=$?
    cat "$WORK/ask.out" "$WORK/ask.err" >>"$WORK/said"
    cat "$WORK/ask.out"
    cat "$WORK/ask.err" >&2
    return $status
}
codes() { jq -r '.findings[] | select(.severity != "note") | .code' "$WORK/out" | sort -u | tr '\n' ' '; }
all_codes() { jq -r '.findings[].code' "$WORK/out" | sort -u | tr '\n' ' '; }
commands() { jq -r '.move.steps[] | "\(.host): \(.command)"' "$WORK/out"; }

# ---- the old host ----

start 15 old
sed -i '1i local all misskey scram-sha-256' "$WORK/old/data/pg_hba.conf"
sql postgres 'SELECT pg_reload_conf()' >"$WORK/reload"
as_literal=${secret//\'/\'\'}
sql postgres "CREATE ROLE misskey LOGIN PASSWORD '$as_literal'; CREATE ROLE reader NOLOGIN"
createdb_as misskey 'OWNER misskey'

app=$WORK/home/misskey
mkdir -p "$app/.config" "$app/files" "$app/packages/backend/migration"
cat >"$app/.config/default.yml" <<YAML
# ours
url: https://example.test/
port: 3000
db:
  host: $PGHOST # the old one
  port: 5432
  db: misskey
  user: misskey
  pass: $(jq -n --arg pass "$secret" '$pass')
dbReplications: true
dbSlaves:
  - {host: reader.internal, port: 5432, db: misskey, user: misskey, pass: markerpass}
redis: {host: redis.internal, port: 6379, pass: markerpass}
id: 'aidx'
YAML
chmod 640 "$app/.config/default.yml"
printf '{\n\t"name": "misskey",\n\t"version": "2025.9.0"\n}\n' >"$app/package.json"
printf 'export class Init1000000000000 {\n}\n' >"$app/packages/backend/migration/1000000000000-Init.js"
for i in $(seq 300); do
    head -c 20000 /dev/urandom >"$app/files/5f3c2f1e-0000-4000-8000-$(printf '%012d' "$i")"
done
PGPASSWORD=$secret PGUSER=misskey sql misskey "
    CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL);
    INSERT INTO migrations (timestamp, name) VALUES (1000000000000, 'Init1000000000000');
    CREATE TABLE meta (id varchar(32) PRIMARY KEY, \"useObjectStorage\" boolean NOT NULL DEFAULT false,
        \"objectStorageBucket\" varchar(1024), \"objectStoragePrefix\" varchar(1024), \"objectStorageBaseUrl\" varchar(1024),
        \"objectStorageEndpoint\" varchar(1024), \"objectStorageRegion\" varchar(1024));
    INSERT INTO meta (id) VALUES ('x');
    CREATE TABLE note (id int PRIMARY KEY, text text);
    INSERT INTO note SELECT n, 'note ' || n || md5(n::text) FROM generate_series(1, 60000) n;
    GRANT SELECT ON note TO reader" || die 'no misskey'

repo=$WORK/repo
check 'a repository' status_is 0 ask init --repo "$repo"
check 'what moves, before there is a backup' status_is '0|3' ask move plan --repo "$repo" --app-dir "$app" --json
check 'is weighed' jq -e '.move.host == "old" and .move.load.database == "misskey" and .move.load.database_bytes > 5000000
    and ([.move.load.filesets[] | select(.name == "media") | .files == 300 and .bytes == 6000000] == [true])' "$WORK/out"
check 'how long it takes is not known' jq -e '.move.load.first_pass_seconds == null and .move.load.second_pass_seconds == null' "$WORK/out"
check 'the first pass' status_is '0|3' ask backup --repo "$repo" --app misskey --app-dir "$app" --secrets always --json
jq '.backup.stored_new' "$WORK/out" >"$WORK/first"
check 'is measured' status_is '0|3' ask move plan --repo "$repo" --app misskey --app-dir "$app" --json
check 'and told' jq -e '.move.load.first_pass_seconds > 0 and .move.load.second_pass_seconds == null' "$WORK/out"
PGPASSWORD=$secret PGUSER=misskey sql misskey "UPDATE note SET text = text || '!' WHERE id > 59400"
head -c 20000 /dev/urandom >"$app/files/5f3c2f1e-0000-4000-8000-000000000301"
check 'the second pass' status_is '0|3' ask backup --repo "$repo" --app misskey --app-dir "$app" --secrets always --tag move --json
jq '.backup.stored_new' "$WORK/out" >"$WORK/second"
echo "# stored by the first pass: $(cat "$WORK/first") bytes, by the second: $(cat "$WORK/second")"
check 'stores the difference' test "$(($(cat "$WORK/second") * 5))" -lt "$(cat "$WORK/first")"
check 'is told too' status_is '0|3' ask move plan --repo "$repo" --app misskey --app-dir "$app"
check 'for people' says 'second pass +[0-9]'
check 'with the commands' says 'kura backup --tag move --repo .* --app misskey --app-dir '
(unset PGUSER && ask move plan --repo "$repo" --app misskey --app-dir "$app" --json) >"$WORK/out"
check 'the restore is by the new server'"'"'s administrator' grep -q "^new: kura restore latest .* --db 'dbname=misskey user=postgres' " <(commands)
ask move plan --repo "$repo" --app misskey --app-dir "$app" --json >"$WORK/out"
commands >"$WORK/commands.old"
check 'the restore names database and directories' grep -q "^new: kura restore latest .* --db dbname=misskey --files media=.* --create-roles" "$WORK/commands.old"
check 'a backup remembers its host' jq -e '.system.libc != null and (.system.postgresql_clients | index("15"))' \
    "$(manifest "$repo" "$(latest "$repo")")"

# ---- the new host ----

mkdir "$WORK/away" && mv "$app" "$WORK/away/" # nothing of the application is here
start 17 new -c log_statement=all
sed -i '1i local all mk_prod,misskey scram-sha-256' "$WORK/new/data/pg_hba.conf"
sql postgres 'SELECT pg_reload_conf()' >"$WORK/reload"
new17=$(pg_bindir 17)
target="host=$PGHOST user=postgres dbname=misskey"

check 'this host by itself' status_is '0|3' ask move plan --as new --repo "$repo" --app misskey --json
check 'and what it lacks' jq -e '.move.host == "new" and ([.findings[].code] | index("application-missing") != null)' "$WORK/out"
check 'with its server' status_is '0|3' ask move plan --as new --repo "$repo" --app misskey --db "$target" \
    --pg-bindir "$new17" --map misskey=mk_prod --json
check 'whose version is told' jq -e '.move.compared.server | startswith("17")' "$WORK/out"
check 'nothing is in the way' test "$(codes)" = 'application-missing '
check 'roles that are missing are named' jq -e '.move.compared.roles | map(select(.exists == false) | .new_name) | sort == ["mk_prod", "reader"]' "$WORK/out"
check 'and what there is room for' jq -e '.move.compared.room | map(.what) == ["database", "config", "media"]' "$WORK/out"
commands >"$WORK/commands"
check 'commands with real names' grep -qF "new: kura restore latest --repo $repo --app misskey --db " "$WORK/commands"
check 'the media first' grep -qF -- "--only files --repo $repo --app misskey --files media=$app/files" "$WORK/commands"
check 'then the services' grep -qF 'old: systemctl stop misskey.service' "$WORK/commands"
check 'then the configuration' grep -qF "new: kura move config --app-dir $app" "$WORK/commands"
check 'nobody starts them but a person' grep -qF 'new: systemctl start misskey.service' "$WORK/commands"

as_printed() { sh -c "$(sed -n "s|^new: kura \\(restore .* --plan\\)\$|'$KURA' \\1 --pg-bindir '$new17'|p" "$WORK/commands.old")"; }
check 'what the old host printed is right here' status_is '0|3' as_printed
check 'for the database, too' says 'database misskey'

# what is wrong is all told at once
start 15 odd
cluster_locales 15 "$WORK/odd" >"$WORK/locales" 2>&1
cluster_stop odd
LOCPATH=$WORK/odd/locale cluster_run 15 odd "$WORK/odd" -c fsync=off
use odd
createdb_as odd "LC_COLLATE 'ja_JP.UTF-8' LC_CTYPE 'ja_JP.UTF-8' TEMPLATE template0"
sql odd 'CREATE EXTENSION old_snapshot; CREATE ROLE keeper; CREATE TABLE t (a int); ALTER TABLE t OWNER TO keeper'
check 'a database with needs' status_is 0 ask backup --repo "$repo" --app odd --db "$(conn odd)" --json
use new
check 'a server that lacks them' status_is 3 ask move plan --as new --repo "$repo" --app odd \
    --db "host=$PGHOST user=postgres dbname=odd" --pg-bindir "$new17" --json
check 'extension and locale are told together' test "$(all_codes | grep -o 'extension-missing\|locale-missing' | tr '\n' ' ')" = 'extension-missing locale-missing '
check 'the role too' jq -e '.move.compared.roles | map(select(.new_name == "keeper" and .exists == false)) | length == 1' "$WORK/out"
check 'a server that cannot be reached is told like the rest' status_is 3 ask move plan --as new --repo "$repo" --app odd \
    --db 'host=/nowhere dbname=odd' --json
check 'by name' jq -e '[.findings[].code] | index("server") != null' "$WORK/out"

# ---- a restore that is told nothing ----

check 'what it would do' status_is '0|3' ask restore latest --app misskey --repo "$repo" --pg-bindir "$new17" \
    --create-roles --map misskey=mk_prod --plan --json
check 'into the database that the backup names' jq -e --arg dir "$app/files" '.plan.database == "misskey" and
    ([.plan.files[] | select(.name == "media") | .dir] == [$dir])' "$WORK/out"
check 'the configuration beside its place' jq -e --arg dir "$app.kura-new" '[.plan.files[] | select(.name == "config") | .dir] == [$dir]' "$WORK/out"
check 'the password of the role is promised' jq -e '[.findings[].code] | index("role-password") != null' "$WORK/out"
check 'nothing was done' test ! -e "$app.kura-new"
by_root() { (unset PGUSER && ask "$@"); }
check 'root is the administrator where nobody else is named' status_is '0|3' by_root restore latest --app misskey --repo "$repo" \
    --pg-bindir "$new17" --create-roles --map misskey=mk_prod --plan
check 'a restore on a bare host' status_is '0|3' ask restore latest --app misskey --repo "$repo" --pg-bindir "$new17" \
    --create-roles --map misskey=mk_prod
check 'the rows' test "$(sql misskey 'SELECT count(*) FROM note')" = 60000
check 'the files' same_tree "$WORK/away/misskey/files" "$app/files"
check 'the configuration, untouched' same "$WORK/away/misskey/.config/default.yml" "$app.kura-new/.config/default.yml"
check 'with its mode' test "$(stat -c %a "$app.kura-new/.config/default.yml")" = 640
check 'the role may log in with its password' test "$(PGPASSWORD=$secret PGUSER=mk_prod sql misskey 'SELECT count(*) FROM note')" = 60000
check 'which the server never saw' test "$(grep -c markerpass "$WORK/new/log")" = 0
check 'but as a verifier' grep -q 'CREATE ROLE mk_prod .*SCRAM-SHA-256' "$WORK/new/log"
check 'a second one is refused' status_is 1 ask restore latest --app misskey --repo "$repo" --pg-bindir "$new17" \
    --map misskey=mk_prod --json
check 'for both reasons' test "$(codes)" = 'database-exists directory-not-empty '

# ---- the configuration ----

cp "$WORK/away/misskey/package.json" "$app/"
mkdir -p "$app/packages/backend/migration" && cp "$WORK"/away/misskey/packages/backend/migration/* "$app/packages/backend/migration/"
check 'what must change' status_is '0|3' ask move config --app-dir "$app" --db "$target" --map misskey=mk_prod \
    --set redis.host=10.9.8.7
check 'host' says "^\+ +host: $PGHOST # the old one"
check 'role' says '^\+ +user: mk_prod'
check 'replicas' says '^\+dbReplications: false'
check 'redis' says '^\+redis: \{host: 10.9.8.7, port: \*\*\*, pass: \*\*\*\}'
check 'nothing was changed' test ! -e "$app/.config/default.yml"
echo 'url: https://something.else/' | install -D -m 600 /dev/stdin "$app/.config/default.yml"
check 'applied' status_is '0|3' ask move config --app-dir "$app" --db "$target" --map misskey=mk_prod \
    --set redis.host=10.9.8.7 --apply --json
check 'the file from before is kept' grep -qx 'url: https://something.else/' "$app/.config/default.yml.before-kura"
check 'comments stay' grep -qx '# ours' "$app/.config/default.yml"
check 'the mode stays' test "$(stat -c %a "$app/.config/default.yml")" = 640
check 'only those lines changed' test "$(diff "$app.kura-new/.config/default.yml" "$app/.config/default.yml" | grep -c '^>')" = 4
check 'the application connects by it' status_is '0|3' ask move plan --as old --repo "$repo" --app misskey --app-dir "$app" --json
check 'to the new database' jq -e '.move.load.database == "misskey" and .move.load.database_bytes > 5000000' "$WORK/out"
check 'its schema fits the code' status_is 0 ask schema check --app-dir "$app"
check 'nothing is left to change' status_is 0 ask move config --app-dir "$app" --db "$target" --map misskey=mk_prod \
    --set redis.host=10.9.8.7 --json
rm -r "$app.kura-new"
check 'not even without the restored one' status_is 0 ask move config --app-dir "$app" --db "$target" --json
check 'as it says' jq -e '.config.changes == [] and .config.applied == false' "$WORK/out"
check 'a setting that there is not' status_is 2 ask move config --app-dir "$app" --set no.such=1

# ---- the ladder ----

check 'releases to pass' status_is 0 ask move ladder mastodon --from 2.7.4 --to 4.3
check 'all minors' test "$(grep -cE '^  [0-9]+\.[0-9]+\.[0-9]+ ?' "$WORK/out")" = 12
check 'with what they need' says 'PostgreSQL 12 or newer'
check 'unknown versions' status_is 2 ask move ladder mastodon --from 1.6.1 --to 4.3
check 'say what is known' says 'known are 2.7.4 to'
check 'the code tells where it stands' status_is 0 ask move ladder --app-dir "$app" --json
check 'and what is left' jq -e '.ladder.from == "2025.9.0" and .ladder.rungs == []' "$WORK/out"
check 'with a way back that can be pasted' status_is '0|3' ask move ladder misskey --to 2025.9.0 --rung 2025.2.0 --repo "$repo" --app misskey \
    --app-dir "$app" --server "host=$PGHOST user=postgres" --pg-bindir "$new17"
check '..' says "^  kura restore [^ ]* --swap --only db --repo $repo --app misskey --app-dir $app$"
printf '%s\n' "[repository main]" "location = $repo" "[app misskey]" "before-backup = touch '$WORK/hook'" >"$WORK/kura.conf"
chmod 600 "$WORK/kura.conf"
check 'a rung' status_is '0|3' ask move ladder misskey --to 2025.9.0 --rung 2024.11.0 --config "$WORK/kura.conf" --repo "$repo" --app misskey \
    --app-dir "$app" --server "host=$PGHOST user=postgres" --pg-bindir "$new17" --json
check 'is backed up and rehearsed' jq -e '.rung == "2024.11.0" and .backup.backup.tags == ["rung-2024.11.0"] and
    .rehearsal.rehearsal.verdict != "failed"' "$WORK/out"
check 'and what comes next' jq -e '.ladder.rungs[0].version == "2025.9.0"' "$WORK/out"
check 'with the hooks of a backup' test -e "$WORK/hook"
check 'and the host remembers' status_is 0 ask status --config "$WORK/kura.conf" --app misskey --max-age 1h --max-rehearsal-age 1h

check 'no password was said' test "$(grep -c markerpass "$WORK/said")" = 0
finish
