#!/bin/bash
# Code against database, before the one is started on the other: story 003, a package upgrade that brought code newer than
# the schema; ten migration tools by tables in their shapes, and four of them by the real tool.
. "$(dirname "$0")/lib.sh"
. "$HERE/../tools/migrate.sh"
migrate_setup || die 'the migration tools could not be installed'
start 15 db

schema() { kura --json schema check "$@"; } # with its document in $WORK/out
# state STATUS STATE OPTION..: what a check says, and its exit status.
state() {
    status_is "$1" schema "${@:3}" && [ "$(jq -r .schema.state "$WORK/out")" = "$2" ]
}
member() { jq -c ".schema.$1" "$WORK/out"; }
is() { echo "$1"; [ "$1" = "$2" ]; }

# --- story 003: the package is newer than the schema
app=$WORK/live
repo=$WORK/repo
sql postgres 'CREATE ROLE mastodon LOGIN CREATEDB'
sql postgres 'CREATE DATABASE mastodon_production OWNER mastodon'
kura init --repo "$repo" >/dev/null || die 'no repository'
mkdir -p "$app/lib/mastodon" "$app/db/migrate" "$app/db/post_migrate" "$app/config" "$app/public/system" "$app/streaming"
cat >"$app/.env.production" <<EOF
LOCAL_DOMAIN=example.org
DB_HOST=$PGHOST
DB_USER=mastodon
DB_NAME=mastodon_production
SECRET_KEY_BASE=0123456789abcdef
EOF
version() { # version MAJOR MINOR PATCH
    printf "module Mastodon\n  module Version\n    def major\n      %s\n    end\n    def minor\n      %s\n    end\n    def patch\n      %s\n    end\n  end\nend\n" "$@" >"$app/lib/mastodon/version.rb"
}
migration() { # migration FILE CLASS STATEMENT
    printf 'class %s < ActiveRecord::Migration[6.1]\n  def up\n    execute "%s"\n  end\nend\n' "$2" "$3" >"$1"
}
version 3 4 6
migration "$app/db/migrate/20160220174730_create_accounts.rb" CreateAccounts 'CREATE TABLE accounts (id bigint PRIMARY KEY, name text)'
migration "$app/db/migrate/20211231080958_add_note_to_accounts.rb" AddNoteToAccounts 'ALTER TABLE accounts ADD note text'
migration "$app/db/post_migrate/20220109213908_backfill.rb" Backfill 'UPDATE accounts SET note = name'
as_app() { PGUSER=mastodon "$@"; }
migrate() { as_app migrate_rails mastodon_production "$app/db/$1"; }
check 'empty database: said so' status_is 1 kura schema check --app-dir "$app"
check '.. in words' says 'is empty'
check 'Rails migrates' migrate migrate
as_app psql -Xqd mastodon_production -c "INSERT INTO accounts VALUES (1, 'alice'), (2, 'bob')"
check 'migrations for later are pending' state 4 pending-post --app-dir "$app"
check '.. which is fine when told so' state 0 pending-post --app-dir "$app" --post-ok
migrate post_migrate >"$WORK/migrate" 2>&1
check 'all migrated: equal' state 0 equal --app-dir "$app"
check '.. counted' is "$(member migrations) $(member applied)" '3 3'

# The package upgrade: a script, as a package manager would run one.
cat >"$WORK/upgrade" <<EOF
#!/bin/sh
echo "upgrading to 3.5.0, umask \$(umask)"
cat >'$app/db/migrate/20220202200743_add_trendable_to_accounts.rb' <<'RUBY'
class AddTrendableToAccounts < ActiveRecord::Migration[6.1]
  def up
    execute "ALTER TABLE accounts ADD trendable boolean"
    execute "UPDATE accounts SET name = upper(name)"
  end
end
RUBY
cat >'$app/db/post_migrate/20220302232632_remove_note.rb' <<'RUBY'
class RemoveNote < ActiveRecord::Migration[6.1]
  def up
    execute "ALTER TABLE accounts DROP note"
  end
end
RUBY
sed -i 's/      4/      5/; s/      6/      0/' '$app/lib/mastodon/version.rb'
EOF
chmod +x "$WORK/upgrade"
rows() { as_app psql -XqAtd mastodon_production -c 'SELECT to_jsonb(accounts) FROM accounts ORDER BY id; SELECT version FROM schema_migrations ORDER BY 1'; }
rows >"$WORK/before"
cp -a "$app" "$WORK/live.before"

units=$WORK/units
mkdir "$units"
hook() { kura schema hook systemd mastodon-web --app-dir "$app" --unit-dir "$units" "$@"; }
dropin=$units/mastodon-web.service.d/kura-schema.conf
check 'hook is shown' status_is 0 hook
check '.. and nothing is written' test ! -e "$dropin"
check 'hook is installed' status_is 0 hook --apply
check '.. of a relative path' bash -c 'cd "$0" && "$1" -q schema hook systemd other.service --app-dir live --unit-dir "$2" | grep -xF "ExecStartPre=+$1 schema check --post-ok --app-dir \"$0/live\""' "$WORK" "$KURA" "$units"
check '.. readable' is "$(stat -c %a "$dropin")" 644
printf '[Unit]\nDescription=web\n[Service]\nExecStart=/bin/true\n' >"$units/mastodon-web.service"
likes() { said=$(SYSTEMD_UNIT_PATH=$units: systemd-analyze verify --man=no "$units/mastodon-web.service" 2>&1); ! grep -F mastodon-web <<<"$said" || { echo "$said"; false; }; }
check '.. systemd likes it' likes
prestart() { # as systemd would: the command of the drop-in, and the start when it ends with 0
    local line
    line=$(sed -n 's/^ExecStartPre=+//p' "$dropin")
    HOME=$WORK sh -c "$line" && echo started
}
check 'the old code starts' status_is 0 prestart
check '.. really' says '^started'

# Guarded: a backup before it, and afterwards what is to be done.
umask 027
check 'guard: upgrade, then pending' status_is 4 kura guard --repo "$repo" --app-dir "$app" -- "$WORK/upgrade"
umask 022
check '.. the command ran in place of its caller' says 'upgrading to 3.5.0, umask 0027'
check '.. names what is pending' says '20220202200743_add_trendable_to_accounts'
check '.. and the command that migrates' says 'to migrate, run: RAILS_ENV=production bundle exec rails db:migrate'
cp "$WORK/out" "$WORK/guarded"
check '.. a backup was made, with a tag' jq -e '.tags[0] | test("^before-[0-9TZ]+$")' "$(manifest "$repo" '')"
check '.. which tells the application' jq -e '.application | .profile == "mastodon" and .version == "3.4.6" and .schema.tool == "rails" and .schema.state == "equal" and (.schema.applied | length) == 3' "$(manifest "$repo" '')"
check '.. shown' status_is 0 kura show latest --repo "$repo"
check '.. with its version' says 'application +Mastodon 3.4.6'
check '.. and its schema' says '3 migrations, the newest is 20220109213908'
check '.. without its secrets' bash -c '! grep -F 0123456789abcdef "$0"' "$(manifest "$repo" '')"

check 'the start is stopped' status_is 4 prestart
check '.. and the command is named' says 'RAILS_ENV=production bundle exec rails db:migrate'
check '.. nothing started' bash -c '! grep ^started "$0"' "$WORK/out"
check 'check: listed, those for later apart' state 4 pending --app-dir "$app"
check '..' is "$(member pending) $(member pending_post)" '["20220202200743_add_trendable_to_accounts"] ["20220302232632_remove_note"]'

# The migration makes it worse, and the way back is taken as it was told.
check 'guard: migrate' status_is 0 kura guard --repo "$repo" --app-dir "$app" --post-ok -- env PGUSER=mastodon ruby "$MIGRATE_TOOLS/activerecord.rb" mastodon_production "$app/db/migrate"
check '.. fits now' state 0 pending-post --app-dir "$app" --post-ok
check '.. the rows differ' bash -c '! cmp "$0" <(echo "$1")' "$WORK/before" "$(rows)"
check 'the old code does not fit any more' state 5 newer --app-dir "$WORK/live.before"
check '.. which rows it lacks' is "$(member unknown)" '["20220202200743"]'
way=$(sed -n 's/^  \(kura restore .*\)/\1/p' "$WORK/guarded")
check 'guard told one way back' is "$(wc -l <<<"$way")" 1
check '.. with the services around it' bash -c 'grep -q "^  systemctl stop mastodon-web" "$0" && grep -q "^  systemctl start mastodon-web" "$0"' "$WORK/guarded"
take() { (cd "$WORK" && kura() { HOME=$WORK TMPDIR=$WORK/tmp timeout --foreground -k 10 300 "$KURA" "$@"; } && eval "$1"); }
check 'the new code is warned of older data' status_is 3 take "$way --plan"
check '.. by name' says '20220202200743_add_trendable_to_accounts'
rm -r "$app" && cp -a "$WORK/live.before" "$app" # the code of before
check 'the way back' status_is '0|3' take "$way"
rows >"$WORK/after"
check '.. leads where it began' same "$WORK/before" "$WORK/after"
back=$(sed -n 's/^That restore is taken back by: //p' "$WORK/guarded")
check '.. and back again' status_is 0 take "$back"
check '.. to what was migrated' bash -c '! cmp "$0" <(echo "$1")' "$WORK/before" "$(rows)"
check '.. and forth' status_is 0 take "$back"
rows >"$WORK/after"
check '.. once more' same "$WORK/before" "$WORK/after"
check '.. and the old code starts' status_is 0 prestart

# A backup that is newer than the code.
mkdir "$WORK/empty.before"
cp -a "$app/." "$WORK/empty.before"
rm "$WORK/empty.before/db/post_migrate/"*
restore_into() { kura restore latest --repo "$repo" --app-dir "$1" --db "$(conn elsewhere)" --only db "${@:2}"; }
check 'backup newer than the code: the plan says it' status_is 3 restore_into "$WORK/empty.before" --plan
check '.. by name' says 'does not have, the last is 20220109213908'
check '.. refused' status_is 1 restore_into "$WORK/empty.before"
check '.. nothing was made' is "$(has_db elsewhere && echo there)" ''
check '.. unless told' status_is 3 restore_into "$WORK/empty.before" --allow-newer-schema
check 'rehearse says the same' status_is 3 kura rehearse latest --repo "$repo" --app-dir "$WORK/empty.before" --server "$(conn postgres)"
check '.. as a finding' says 'schema-newer|does not have, the last is 20220109213908'

# --- guard: what the command does is what guard says
check 'guard: a command that fails' status_is 7 kura guard --repo "$repo" --app-dir "$app" -- sh -c 'exit 7'
check '.. is told' says 'ended with status 7'
check 'guard: none to run' status_is 127 kura guard --repo "$repo" --app-dir "$app" -- "$WORK/nothing"
check 'guard: killed' status_is 137 kura guard --repo "$repo" --app-dir "$app" -- sh -c 'kill -9 $$'
check 'guard: no repository, no command' status_is 10 kura guard --repo "$WORK/none" --app-dir "$app" -- touch "$WORK/ran"
check 'guard: no database, no command' status_is 1 kura guard --repo "$repo" --app-dir "$app" --db "$(conn nowhere)" -- touch "$WORK/ran"
check '.. did not run' test ! -e "$WORK/ran"
check 'guard: which is the command' status_is 2 kura guard --repo "$repo" --app-dir "$app" true
check 'guard: one document' status_is 0 kura --json guard --repo "$repo" --app-dir "$app" -- echo aside
check '.. with all of it' jq -e '.status == 0 and .schema.state == "equal" and (.tag | startswith("before-")) and (.way_back | length) == 4 and .backup.id != null' "$WORK/out"
check '.. the words of the command are aside' grep -qx aside "$WORK/err"
check 'guard: a repository that is encrypted' status_is 0 kura init --repo "$WORK/sealed" --encrypt --identity-out "$WORK/identity" --key-file "$WORK/sealed.key"
check '..' status_is 0 kura guard --repo "$WORK/sealed" --key-file "$WORK/sealed.key" --app-dir "$app" -- true
check '.. asks for its identity on the way back' says '  kura restore .* --identity FILE --app-dir'
cat >"$WORK/kura.conf" <<EOF
[repository main]
location = $repo
[app social]
app-dir = $app
db = $(conn mastodon_production)
EOF
chmod 600 "$WORK/kura.conf"
check 'guard: an application by its name' status_is 0 kura --config "$WORK/kura.conf" guard social -- true
check '.. backed up as such' is "$(jq -r .app "$(manifest "$repo" -social-)")" social
check 'check: by its name' status_is 0 kura --config "$WORK/kura.conf" schema check --app social
guard_signalled() { # a TERM for kura reaches the command
    local guard
    kura guard --repo "$repo" --app-dir "$app" -- sh -c 'trap "echo got it; exit 3" TERM; echo $$ >"$0"; while :; do sleep 0.1; done' "$WORK/guarded.pid" &
    guard=$!
    eventually test -s "$WORK/guarded.pid" || return 99
    kill -TERM "$(ps -o ppid= -p "$(cat "$WORK/guarded.pid")")"
    wait "$guard"
}
check 'guard: a signal reaches the command' status_is 3 guard_signalled
check '.. which heard it' says '^got it'
check '.. and the way back was told' says 'kura restore'

check 'guard: the command has the terminal' status_is 0 script -qec "HOME=$WORK TMPDIR=$WORK/tmp $KURA guard --repo $repo --app-dir $app -- sh -c 'test -t 0 && test -t 1 && test -t 2 && echo a terminal'" /dev/null
check '.. really' says '^a terminal'
kura init --repo "$WORK/other" >/dev/null || die 'no second repository'
check 'a copy tells the application, too' status_is 0 kura copy latest --repo "$repo" --to "$WORK/other"
check '.. all of it' bash -c 'cmp <(jq .application "$0") <(jq .application "$1") && jq -e .application.schema "$1"' "$(manifest "$repo" "$(latest "$repo")")" "$(manifest "$WORK/other" '')"

# --- what cannot be asked
check 'no code there' status_is 1 kura schema check --app-dir "$WORK/none"
mkdir -m 700 "$WORK/locked"
unprivileged() { setpriv --reuid=65534 --regid=65534 --clear-groups "$KURA" schema check --tool rails --dir "$WORK/locked" --db 'host=/nowhere'; }
check 'code that may not be read' status_is 1 unprivileged
check '.. in words' says 'cannot read the directory .*/locked'
check 'neither application nor tool' status_is 2 kura schema check
check 'no such tool' status_is 2 kura schema check --tool liquibase --dir x --db ''
check '.. which there are' says 'golang-migrate, typeorm'
mkdir "$WORK/bare"
touch "$WORK/bare/1_one.sql"
check 'no table of the tool' status_is 1 kura schema check --tool sqlx --dir "$WORK/bare" --db "$(conn mastodon_production)"
check '.. in words' says 'has no table of sqlx'
check 'no migrations in the directory' status_is 1 kura schema check --tool django --dir "$WORK/bare" --db "$(conn mastodon_production)"
check 'another tool of the same table' status_is 1 kura schema check --tool ecto --dir "$app/db/migrate" --db "$(conn mastodon_production)"

# --- tools by the shapes of their tables
fresh() { sql postgres "DROP DATABASE IF EXISTS tools" && sql postgres 'CREATE DATABASE tools'; }
code() { mkdir -p "$(dirname "$WORK/code/$1")" && printf '%s' "$2" >"$WORK/code/$1"; }
tool() { state "$1" "$2" --tool "$3" --dir "$WORK/code/$4" --db "$(conn tools)" "${@:5}"; }
fresh
sql tools "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, inserted_at timestamp(0)); INSERT INTO schema_migrations VALUES (20170320193800, now())"
code ecto/20170320193800_create_user.exs ''
check 'Ecto: equal' tool 0 equal ecto ecto
code ecto/20200101000000_more.exs ''
check 'Ecto: pending' tool 4 pending ecto ecto
fresh
sql tools "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (2, false)"
code go/000001_a.up.sql ''
code go/000002_b.up.sql ''
check 'golang-migrate: equal' tool 0 equal golang-migrate go
code go/000010_c.up.sql ''
check 'golang-migrate: pending' tool 4 pending golang-migrate go
sql tools 'UPDATE schema_migrations SET dirty = true'
check 'golang-migrate: dirty' tool 5 failed golang-migrate go
fresh
sql tools "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL);
    INSERT INTO flyway_schema_history VALUES (0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '\"public\"', NULL, 'me', now(), 0, true),
        (1, '1', 'base', 'SQL', 'V1__base.sql', 78787420, 'me', now(), 0, true), (2, '2', 'more', 'SQL', 'V2__more.sql', -1665099012, 'me', now(), 0, true),
        (3, NULL, 'views', 'SQL', 'R__views.sql', 1, 'me', now(), 0, true), (4, NULL, 'views', 'SQL', 'R__views.sql', 78787420, 'me', now(), 0, true),
        (5, '3', 'in java', 'JDBC', 'V3__in_java', 5, 'me', now(), 0, true)"
code flyway/V1__base.sql $'SELECT 1;\r\n'
code flyway/V2__more.sql $'SELECT 1;\nSELECT 2;'
code flyway/R__views.sql 'SELECT 1;'
check 'Flyway: equal' tool 0 equal flyway flyway
code flyway/R__views.sql 'SELECT 2;'
check 'Flyway: a repeatable one is pending again' tool 4 pending flyway flyway
code flyway/V1__base.sql 'SELECT 7;'
check 'Flyway: changed' tool 5 changed flyway flyway
check '.. which' is "$(member changed)" '["V1__base.sql"]'
sql tools "INSERT INTO flyway_schema_history VALUES (6, '4', 'bad', 'SQL', 'V4__bad.sql', 1, 'me', now(), 0, false)"
code flyway/V4__bad.sql ''
check 'Flyway: failed' tool 5 failed flyway flyway
sql tools 'ALTER TABLE flyway_schema_history RENAME TO history_of_ours'
check 'Flyway: a table of another name' tool 5 failed flyway flyway --migrations-table public.history_of_ours
fresh
sql tools "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now()); INSERT INTO __diesel_schema_migrations VALUES ('00000000000000'), ('20210920112945')"
code diesel/00000000000000_diesel_initial_setup/up.sql ''
code diesel/2021-09-20-112945_jwt_secret/up.sql ''
check 'Diesel: equal' tool 0 equal diesel diesel
rm -r "$WORK/code/diesel/2021-09-20-112945_jwt_secret"
check 'Diesel: newer' tool 5 newer diesel diesel
fresh
code sqlx/1_one.sql 'SELECT 1;'
code sqlx/20200101000000_two.up.sql 'SELECT 2;'
code sqlx/20200101000000_two.down.sql 'SELECT 3;'
sum() { sha384sum "$WORK/code/sqlx/$1" | cut -d ' ' -f 1; }
sql tools "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL);
    INSERT INTO _sqlx_migrations VALUES (1, 'one', now(), true, '\\x$(sum 1_one.sql)', 1), (20200101000000, 'two', now(), true, '\\x$(sum 20200101000000_two.up.sql)', 1)"
check 'sqlx: equal' tool 0 equal sqlx sqlx
sql tools 'UPDATE _sqlx_migrations SET success = false WHERE version = 1'
check 'sqlx: failed' tool 5 failed sqlx sqlx
fresh
code prisma/20200101000000_init/migration.sql 'SELECT 1;'
code prisma/migration_lock.toml ''
sql tools "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count int NOT NULL DEFAULT 0);
    INSERT INTO _prisma_migrations VALUES ('a', 'x', NULL, '20200101000000_init', 'failed', now()), ('b', '$(printf 'SELECT 1;' | sha256sum | cut -d ' ' -f 1)', now(), '20200101000000_init', NULL, NULL)"
check 'Prisma: equal, once rolled back' tool 0 equal prisma prisma
sql tools "UPDATE _prisma_migrations SET rolled_back_at = NULL; DELETE FROM _prisma_migrations WHERE id = 'b'"
check 'Prisma: failed' tool 5 failed prisma prisma

fresh
sql tools "CREATE TABLE schema_version (lock char(1) PRIMARY KEY, version int NOT NULL, upgraded bool NOT NULL); INSERT INTO schema_version VALUES ('X', 94, false);
    CREATE TABLE schema_compat_version (lock char(1) PRIMARY KEY, compat_version int NOT NULL); INSERT INTO schema_compat_version VALUES ('X', 84)"
site() { state "$1" "$2" --app-dir "$WORK/code/$3"; }
code synapse/homeserver.yaml "$(printf 'database:\n  name: psycopg2\n  args:\n    user: postgres\n    dbname: tools\n    host: %s\n' "$PGHOST")"
code synapse/synapse/storage/schema/__init__.py 'SCHEMA_VERSION = 94  # remember'
check 'Synapse: equal' site 0 equal synapse
code synapse/synapse/storage/schema/__init__.py 'SCHEMA_VERSION = 90'
check 'Synapse: older code that may' site 0 equal synapse
check 'Synapse: a backup tells it, too' status_is '0|3' kura backup --repo "$repo" --app-dir "$WORK/code/synapse" --secrets never
check '.. by the oldest code that may' jq -e '.application.schema | .applied == ["94"] and .least == "84"' "$(manifest "$repo" -synapse-)"
restore_synapse() { kura restore latest --repo "$repo" --app synapse --app-dir "$WORK/code/synapse" --db "$(conn elsewhere)" --only db --plan; }
check '.. a restore beside such code is fine' status_is '0|3' restore_synapse
check '.. without a word of it' test -z "$(grep -h 'does not have' "$WORK/out" "$WORK/err")"
code synapse/synapse/storage/schema/__init__.py 'SCHEMA_VERSION = 83'
check 'Synapse: older code that may not' site 5 newer synapse
check '.. nor be restored for' status_is '1|3' restore_synapse
check '.. which is told' says 'does not have, the last is 94'
code synapse/synapse/storage/schema/__init__.py 'SCHEMA_VERSION = 95'
check 'Synapse: pending' site 4 pending synapse
fresh
sql tools "CREATE TABLE application (id serial PRIMARY KEY, \"migrationVersion\" int NOT NULL DEFAULT 0); INSERT INTO application VALUES (1, 835)"
code peertube/config/production.yaml "$(printf 'database:\n  hostname: %s\n  username: postgres\n  name: tools\n' "$PGHOST")"
code peertube/server/core/initializers/constants.ts 'export const LAST_MIGRATION_VERSION = 835'
mkdir -p "$WORK/code/peertube/storage"
check 'PeerTube: equal' site 0 equal peertube
code peertube/server/core/initializers/constants.ts 'export const LAST_MIGRATION_VERSION = 840'
check 'PeerTube: pending' site 4 pending peertube
fresh
sql tools "CREATE TABLE version (id bigserial PRIMARY KEY, version bigint); INSERT INTO version (version) VALUES (305)"
code forgejo/app.ini "$(printf '[database]\nDB_TYPE = postgres\nHOST = %s\nNAME = tools\nUSER = postgres\n' "$PGHOST")"
check 'Forgejo: only its program knows the number' status_is 1 kura schema check --app-dir "$WORK/code/forgejo"
check '.. as is said' says 'forgejo doctor check --run check-db-version'
check '.. so that no service is bound to it' status_is 1 kura schema hook systemd forgejo --app-dir "$WORK/code/forgejo" --unit-dir "$units" --apply
check '.. in words' says 'the service would never start'
check '.. nor by a drop-in' test ! -e "$units/forgejo.service.d"
check '.. but the stamp has it' status_is '0|3' kura guard --repo "$repo" --app-dir "$WORK/code/forgejo" -- true
check '.. really' jq -e '.application.schema | .tool == "xorm" and .applied == ["305"]' "$(manifest "$repo" -forgejo-)"
fresh
sql tools "CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL); INSERT INTO migrations (timestamp, name) VALUES (1000000000000, 'Init1000000000000')"
code misskey/.config/default.yml "$(printf 'url: https://example.org/\ndb:\n  host: %s\n  port: 5432\n  db: tools\n  user: postgres\n  pass: x\n' "$PGHOST")"
code misskey/package.json '{
	"name": "misskey",
	"version": "2025.9.0"
}'
code misskey/packages/backend/migration/1000000000000-Init.js 'export class Init1000000000000 {}'
code misskey/packages/backend/migration/js/1000000000001-helper.js 'export class helper1000000000001 {}'
check 'Misskey: equal' site 0 equal misskey
code misskey/packages/backend/migration/1000000000002-Next.js 'export class Next1000000000002 {}'
check 'Misskey: pending' site 4 pending misskey
check '.. and what migrates' is "$(member migrate)" '"pnpm run migrate"'

# A pooler gives the session to others: nothing of the look may stay in it, and nothing is written.
sql postgres "ALTER DATABASE tools SET log_statement = 'all'"
site 4 pending misskey >/dev/null
statements() { sed -n 's/.*LOG:  \(statement\|execute [^:]*\): //p' "$WORK/db/log"; }
statements >"$WORK/statements"
check 'the look begins read-only' grep -q '^BEGIN READ ONLY;' "$WORK/statements"
check '.. sets what it sets in there' bash -c 'sed "/^BEGIN/,/^ROLLBACK/d" "$0" | tee /dev/stderr | { ! grep -i search_path; }' "$WORK/statements"
check '.. and rolls it back' is "$(tail -n 1 "$WORK/statements")" ROLLBACK

# --- which table
fresh
sql tools "CREATE ROLE stranger LOGIN; CREATE SCHEMA other; CREATE TABLE schema_migrations (version varchar PRIMARY KEY); INSERT INTO schema_migrations VALUES ('1');
    CREATE TABLE other.schema_migrations (version varchar PRIMARY KEY); CREATE TABLE version (id bigint PRIMARY KEY, version bigint)"
code two/1_one.rb ''
check 'two tables: that of public' tool 0 equal rails two
check '.. the other one when named' tool 4 pending rails two --migrations-table other.schema_migrations
check '.. and no other' status_is 1 kura schema check --tool rails --dir "$WORK/code/two" --db "$(conn tools)" --migrations-table other.version
sql tools 'ALTER TABLE schema_migrations SET SCHEMA public; CREATE SCHEMA third; ALTER TABLE schema_migrations SET SCHEMA third'
check 'two tables, none of public' status_is 1 kura schema check --tool rails --dir "$WORK/code/two" --db "$(conn tools)"
check '.. are named' says 'other.schema_migrations of Rails, third.schema_migrations of Rails'
no_right() { PGUSER=stranger kura schema check --tool rails --dir "$WORK/code/two" --db "host=$PGHOST dbname=tools" --migrations-table third.schema_migrations; }
check 'no right to read it' status_is 1 no_right
check '.. in words' says 'permission denied'

# --- the real tools
fresh
code django/shop/__init__.py ''
code django/shop/models.py ''
code django/shop/migrations/__init__.py ''
code django/shop/migrations/0001_initial.py $'from django.db import migrations\n\nclass Migration(migrations.Migration):\n    initial = True\n    operations = [migrations.RunSQL("CREATE TABLE goods (id int)")]\n'
code django/shop/migrations/0002_more.py $'from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [("shop", "0001_initial")]\n    operations = [migrations.RunSQL("ALTER TABLE goods ADD sku text")]\n'
check 'Django migrates' migrate_django tools "$WORK/code/django" shop
check 'Django: equal' tool 0 equal django django
check '.. with rows of packages that it uses' bash -c '[ "$1" -gt 10 ]' - "$(member applied)"
code django/shop/migrations/0003_later.py $'from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [("shop", "0002_more")]\n    operations = []\n'
check 'Django: pending' tool 4 pending django django
check '..' is "$(member pending)" '["shop.0003_later"]'
code django/shop/migrations/0001_squashed_0002.py $'from django.db import migrations\n\nclass Migration(migrations.Migration):\n    replaces = [("shop", "0001_initial"), ("shop", "0002_more")]\n    operations = [migrations.RunSQL("CREATE TABLE goods (id int, sku text)")]\n'
rm "$WORK/code/django/shop/migrations/0003_later.py"
check 'Django: squashed, and equal' tool 0 equal django django
fresh
check 'Django migrates by the squashed one' migrate_django tools "$WORK/code/django" shop
check '.. equal too' tool 0 equal django django
rm "$WORK/code/django/shop/migrations/"000[12]_[im]*.py "$WORK/code/django/shop/migrations/0001_squashed_0002.py"
code django/shop/migrations/0001_other.py ''
check 'Django: of a fork' tool 5 newer django django

fresh
revision() { # revision ID DOWN STATEMENT
    code "alembic/versions/$1_x.py" "\"\"\"x

Revision ID: $1
\"\"\"
from alembic import op

revision = '$1'
down_revision = $2
branch_labels = None
depends_on = None


def upgrade():
    op.execute('$3')
"
}
revision aa None 'CREATE TABLE a (id int)'
revision bb "'aa'" 'CREATE TABLE b (id int)'
revision cc "'aa'" 'CREATE TABLE c (id int)'
check 'Alembic migrates' migrate_alembic tools "$WORK/code/alembic" heads
check 'Alembic: two heads, equal' tool 0 equal alembic alembic/versions
check '.. of which the table has the heads' is "$(member applied) $(member migrations)" '2 3'
revision dd "('bb', 'cc')" 'CREATE TABLE d (id int)'
check 'Alembic: pending' tool 4 pending alembic alembic/versions
check 'Alembic merges' migrate_alembic tools "$WORK/code/alembic" heads
check 'Alembic: equal' tool 0 equal alembic alembic/versions
rm "$WORK/code/alembic/versions/dd_x.py"
check 'Alembic: newer' tool 5 newer alembic alembic/versions

fresh
code typeorm/1000000000000-Init.js $'module.exports.Init1000000000000 = class Init1000000000000 {\n    name = "Init1000000000000"\n    async up(q) { await q.query(`CREATE TABLE note (id int)`) }\n    async down(q) {}\n}\n'
code typeorm/1000000000001-Odd.js $'module.exports = class {}\nmodule.exports.Odd = class Odd1000000000009 {\n    name = \'Odd1000000000002\'\n    async up(q) { await q.query("UPDATE note SET id = 1") }\n    async down(q) {}\n}\n'
code typeorm/1000000000003-Plain.js $'module.exports.Plain1000000000003 = class Plain1000000000003 {\n    async up(q) { await q.query("SELECT 1 AS name") }\n    async down(q) {}\n}\n'
sed -i 's/^module.exports = class {}$//' "$WORK/code/typeorm/1000000000001-Odd.js"
check 'TypeORM migrates' migrate_typeorm tools "$WORK/code/typeorm"
check 'TypeORM: equal' tool 0 equal typeorm typeorm
check '.. by names' is "$(sql tools "SELECT string_agg(name, ' ' ORDER BY id) FROM migrations")" 'Init1000000000000 Odd1000000000002 Plain1000000000003'
code typeorm/1000000000004-Late.js $'module.exports.Late1000000000004 = class Late1000000000004 {}\n'
check 'TypeORM: pending' tool 4 pending typeorm typeorm
rm "$WORK/code/typeorm/1000000000003-Plain.js"
check 'TypeORM: of a fork' tool 5 newer typeorm typeorm

finish
