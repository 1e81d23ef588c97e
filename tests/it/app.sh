#!/bin/bash
# What an administrator types: "kura init --app-dir DIR", then backup, rehearse, restore. Database, password, directories
# and what may be left out come from the application's own configuration, and no password comes out anywhere.
. "$(dirname "$0")/lib.sh"

secret="markerpass wörd'\"#\\" # what YAML and a connection string must quote
env_secret=markerenvsecret key_secret=markersecretkey0123456789
ask() { # keeps what was said
    local status
    kura --config "$WORK/kura.conf" "$@" >"$WORK/ask.out" 2>"$WORK/ask.err"
    status=$?
    cat "$WORK/ask.out" "$WORK/ask.err" >>"$WORK/said"
    cat "$WORK/ask.out"
    cat "$WORK/ask.err" >&2
    return $status
}
sizes() { jq -r --arg name "$1" '.backup.filesets[] | select(.name == $name) | "\(.files) \(.left_out_files) \(.left_out_bytes)"' "$WORK/out"; }
codes() { jq -r '.findings[].code' "$WORK/out" | sort | tr '\n' ' '; }

# ---- two sites and a chat server ----

start 15 site
sed -i '1i local all misskey,moved scram-sha-256\nlocal all lonely,nobody peer' "$WORK/site/data/pg_hba.conf"
sql postgres 'SELECT pg_reload_conf()' >"$WORK/reload"
as_literal=${secret//\'/\'\'}
sql postgres "CREATE ROLE misskey LOGIN CREATEDB PASSWORD '$as_literal'"
sql postgres "CREATE ROLE mastodon LOGIN CREATEDB"
sql postgres "CREATE ROLE synapse LOGIN; CREATE ROLE lonely LOGIN; CREATE ROLE nobody LOGIN CREATEDB"
createdb_as misskey 'OWNER misskey'
createdb_as mastodon_production 'OWNER mastodon'
createdb_as synapse 'OWNER synapse'

misskey=$WORK/home/misskey
mkdir -p "$misskey/.config" "$misskey/files" "$misskey/packages/backend/migration"
make_misskey() { # make_misskey DIR DATABASE USER
    cat >"$1/.config/default.yml" <<YAML
# what the fixture's administrator wrote
url: https://example.test/
port: 3000
db:
  host: $PGHOST
  port: 5432
  db: $2
  user: $3
  pass: $(jq -n --arg pass "$secret" '$pass') # a comment
dbReplications: false
redis:
  host: localhost
  port: 6379
id: 'aidx'
YAML
    chmod 640 "$1/.config/default.yml"
    echo "another setup" >"$1/.config/other.txt"
    printf '{\n\t"name": "misskey",\n\t"version": "2025.9.0"\n}\n' >"$1/package.json"
    printf 'export class Init1000000000000 {\n}\n' >"$1/packages/backend/migration/1000000000000-Init.js"
}
make_misskey "$misskey" misskey misskey
head -c 300000 /dev/urandom >"$misskey/files/5f3c2f1e-0000-4000-8000-000000000001"
head -c 20000 /dev/urandom >"$misskey/files/thumbnail-5f3c2f1e-0000-4000-8000-000000000002"
PGPASSWORD=$secret PGUSER=misskey sql misskey "
    CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL);
    INSERT INTO migrations (timestamp, name) VALUES (1000000000000, 'Init1000000000000');
    CREATE TABLE meta (id varchar(32) PRIMARY KEY, name varchar(1024), \"useObjectStorage\" boolean NOT NULL DEFAULT false,
        \"objectStorageBucket\" varchar(1024), \"objectStoragePrefix\" varchar(1024), \"objectStorageBaseUrl\" varchar(1024),
        \"objectStorageEndpoint\" varchar(1024), \"objectStorageRegion\" varchar(1024));
    INSERT INTO meta (id, name) VALUES ('x', 'a site');
    CREATE TABLE \"user\" (id varchar(32) PRIMARY KEY, username varchar(128) NOT NULL, host varchar(128));
    INSERT INTO \"user\" SELECT 'u' || n, 'user' || n, NULL FROM generate_series(1, 50) n;
    CREATE TABLE drive_file (id varchar(32) PRIMARY KEY, \"userId\" varchar(32) REFERENCES \"user\", \"userHost\" varchar(128),
        md5 varchar(32), size integer, \"storedInternal\" boolean NOT NULL, \"isLink\" boolean NOT NULL DEFAULT false,
        url varchar(1024), \"accessKey\" varchar(256), \"thumbnailAccessKey\" varchar(256), \"webpublicAccessKey\" varchar(256));
    INSERT INTO drive_file VALUES ('f1', 'u1', NULL, 'x', 300000, true, false, 'https://example.test/files/1',
        '5f3c2f1e-0000-4000-8000-000000000001', 'thumbnail-5f3c2f1e-0000-4000-8000-000000000002', NULL);
    CREATE TABLE note (id varchar(32) PRIMARY KEY, text text, \"userId\" varchar(32) REFERENCES \"user\");
    INSERT INTO note SELECT 'n' || n, 'note ' || n, 'u' || n % 50 + 1 FROM generate_series(1, 2000) n;" || die 'no misskey'

mastodon=$WORK/home/mastodon
mkdir -p "$mastodon"/{config,db/migrate,db/post_migrate,lib/mastodon,public/system/accounts/avatars/000/000/001/original}
mkdir -p "$mastodon"/public/system/cache/{accounts/avatars/000/000/002/original,media_attachments/files/000/000/007/small}
cat >"$mastodon/.env.production" <<ENV
# the fixture's own
LOCAL_DOMAIN=example.test
SINGLE_USER_MODE=false
SECRET_KEY_BASE=$key_secret
OTP_SECRET=${key_secret}otp
VAPID_PRIVATE_KEY=${key_secret}vapid
VAPID_PUBLIC_KEY=public
ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=${key_secret}primary
ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY=${key_secret}deterministic
ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT=${key_secret}salt
DB_HOST=$PGHOST
DB_PORT=5432
DB_NAME=mastodon_production
DB_USER=mastodon
DB_PASS="$env_secret"
REDIS_HOST=localhost
REDIS_PORT=6379
ENV
chmod 600 "$mastodon/.env.production"
cat >"$mastodon/config/database.yml" <<'YAML'
default: &default
  adapter: postgresql
production:
  <<: *default
  database: <%= ENV['DB_NAME'] || 'mastodon_production' %>
YAML
cat >"$mastodon/lib/mastodon/version.rb" <<'RUBY'
module Mastodon
  module Version
    module_function

    def major
      4
    end

    def minor
      3
    end

    def patch
      2
    end
  end
end
RUBY
echo 'class Init < ActiveRecord::Migration[5.0]; end' >"$mastodon/db/migrate/20160220174730_create_accounts.rb"
printf 'ActiveRecord::Schema[7.2].define(version: 2016_02_20_174730) do\nend\n' >"$mastodon/db/schema.rb"
printf "source 'https://rubygems.org'\n" >"$mastodon/Gemfile"
mkdir -p "$mastodon/public/system/media_attachments/files/112/233/445/566/778/899/original"
head -c 6000 /dev/urandom >"$mastodon/public/system/media_attachments/files/112/233/445/566/778/899/original/cat.png"
head -c 5000 /dev/urandom >"$mastodon/public/system/accounts/avatars/000/000/001/original/me.png"
head -c 70000 /dev/urandom >"$mastodon/public/system/cache/accounts/avatars/000/000/002/original/them.png"
head -c 30000 /dev/urandom >"$mastodon/public/system/cache/media_attachments/files/000/000/007/small/cat.png"
PGUSER=mastodon sql mastodon_production "
    CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
    INSERT INTO schema_migrations VALUES ('20160220174730');
    CREATE TABLE ar_internal_metadata (key varchar NOT NULL PRIMARY KEY, value varchar, created_at timestamp NOT NULL, updated_at timestamp NOT NULL);
    INSERT INTO ar_internal_metadata VALUES ('environment', 'production', now(), now());
    CREATE TABLE accounts (id bigserial PRIMARY KEY, username varchar NOT NULL DEFAULT '', domain varchar,
        avatar_file_name varchar, header_file_name varchar, avatar_storage_schema_version integer, header_storage_schema_version integer);
    INSERT INTO accounts (username, domain, avatar_file_name, avatar_storage_schema_version)
        VALUES ('me', NULL, 'me.png', 1), ('them', 'elsewhere.test', 'them.png', 1);
    CREATE TABLE media_attachments (id bigserial PRIMARY KEY, account_id bigint REFERENCES accounts, file_file_name varchar,
        thumbnail_file_name varchar, remote_url varchar NOT NULL DEFAULT '', file_storage_schema_version integer);
    INSERT INTO media_attachments VALUES (112233445566778899, 1, 'cat.png', NULL, '', 1),
        (7, 2, 'dog.png', NULL, 'https://elsewhere.test/dog.png', 1);
    CREATE TABLE custom_emojis (id bigserial PRIMARY KEY, shortcode varchar NOT NULL, domain varchar, image_file_name varchar);
    CREATE TABLE site_uploads (id bigserial PRIMARY KEY, var varchar NOT NULL DEFAULT '', file_file_name varchar);
    CREATE TABLE statuses (id bigserial PRIMARY KEY, account_id bigint REFERENCES accounts, text text NOT NULL DEFAULT '');
    INSERT INTO statuses (account_id, text) SELECT 1, 'toot ' || n FROM generate_series(1, 1000) n" || die 'no mastodon'

synapse=$WORK/home/synapse
mkdir -p "$synapse"/media_store/{local_content/ab,remote_content/cd}
cat >"$synapse/homeserver.yaml" <<YAML
server_name: "example.test"
database:
  name: psycopg2
  args:
    user: synapse
    password: $env_secret
    dbname: synapse
    host: $PGHOST
    port: 5432
    cp_min: 5
macaroon_secret_key: $key_secret
form_secret: $key_secret
signing_key_path: "$synapse/example.test.signing.key"
media_store_path: $synapse/media_store
YAML
echo "ed25519 a_abcd $key_secret" >"$synapse/example.test.signing.key"
head -c 9000 /dev/urandom >"$synapse/media_store/local_content/ab/mine"
head -c 8000 /dev/urandom >"$synapse/media_store/remote_content/cd/theirs"
PGUSER=synapse sql synapse "
    CREATE TABLE schema_version (lock char(1) PRIMARY KEY DEFAULT 'X', version integer NOT NULL, upgraded bool NOT NULL);
    INSERT INTO schema_version (version, upgraded) VALUES (94, true);
    CREATE TABLE applied_schema_deltas (version integer NOT NULL, file text NOT NULL, UNIQUE (version, file));
    CREATE TABLE e2e_one_time_keys_json (user_id text NOT NULL, device_id text NOT NULL, algorithm text NOT NULL,
        key_id text NOT NULL, ts_added_ms bigint NOT NULL, key_json text NOT NULL);
    INSERT INTO e2e_one_time_keys_json SELECT '@me:example.test', 'D', 'signed_curve25519', n::text, n, '{}' FROM generate_series(1, 40) n;
    CREATE TABLE events (event_id text PRIMARY KEY, type text); INSERT INTO events VALUES ('\$a', 'm.room.message')" || die 'no synapse'

# ---- init ----

check 'an application that nobody knows' status_is '1|2' ask init --app-dir "$WORK/tmp"
check 'without a repository the plan is shown' status_is 0 ask init --app-dir "$misskey"
check 'with the version' says 'Misskey 2025\.9\.0'
check 'the database and its role' says "misskey on .*, as role misskey"
check 'the file that says so' says 'configuration +\.config/default\.yml$'
check 'the server' says 'PostgreSQL 15\.'
check 'the media' says "media: 2 files, .*$misskey/files"
check 'what would be written' says "app-dir = $misskey"
check 'and what comes next' says "kura init --app-dir .*--repo REPO --encrypt"
check 'nothing is written' test ! -e "$WORK/kura.conf"
check 'one word sets all up' status_is '0|3' ask init --app-dir "$misskey" --repo "$WORK/plain"
check 'the repository is there' test -e "$WORK/plain/kura.json"
check 'what is not backed up is told at once' says 'not encrypted'
check 'the next commands are told' says "kura backup --app misskey --config"
check 'the file is private' test "$(stat -c %a "$WORK/kura.conf")" = 600
check 'it names the repository' grep -qx "location = $WORK/plain" "$WORK/kura.conf"
check 'and the application' grep -qx "app-dir = $misskey" "$WORK/kura.conf"
cp "$WORK/kura.conf" "$WORK/kura.conf.before"
check 'a second application' status_is '0|3' ask init --json --app-dir "$mastodon"
check 'its section is to be added' jq -e '.configuration.state == "to-add" and (.configuration.text | test("app mastodon"))' "$WORK/out"
check 'its cache is measured' jq -e '.application.filesets[] | select(.name == "media") | .left_out_files == 2 and .left_out_bytes == 100000' "$WORK/out"
check 'keys are named, not shown' jq -e '[.application.secrets[] | select(.set) | .name] | index("SECRET_KEY_BASE")' "$WORK/out"
check 'the file is as it was' cmp "$WORK/kura.conf" "$WORK/kura.conf.before"
jq -r .configuration.text "$WORK/out" >>"$WORK/kura.conf"
check 'what is there already' status_is '0|3' ask init --app-dir "$mastodon"
check 'needs nothing' says 'has it already'
check 'a third one, known by a description alone' status_is '0|3' ask init --json --app-dir "$synapse"
check 'whose role could not rehearse, which is told' jq -e '[.findings[].code] | index("rehearsals-need")' "$WORK/out"
jq -r .configuration.text "$WORK/out" >>"$WORK/kura.conf"

# ---- a second instance: of a directory of its own, and of the same code with another file ----

mkdir -p "$WORK/home/misskey-b/packages/backend/migration" "$WORK/home/misskey-b/.config"
make_misskey "$WORK/home/misskey-b" misskey misskey
check 'a second instance' status_is '0|3' ask init --app-dir "$WORK/home/misskey-b" --json
check 'is another application' jq -e '.configuration.state == "to-add" and .configuration.app == "misskey2" and (.configuration.text | test("\\[app misskey2\\]"))' "$WORK/out"
cp "$WORK/kura.conf" "$WORK/both.conf"
jq -r .configuration.text "$WORK/out" >>"$WORK/both.conf"
check 'both fit into one file' status_is '0|3' kura --config "$WORK/both.conf" backup --app misskey2 --json --secrets never
check 'and have backups of their own' jq -e '.backup.app == "misskey2"' "$WORK/out"
sed "s/db: misskey$/db: mastodon_production/; s/user: misskey$/user: mastodon/" "$misskey/.config/default.yml" >"$misskey/.config/second.yml"
by_second() { MISSKEY_CONFIG_YML=second.yml "$@"; }
check 'another file by the variable of its services' by_second status_is '0|3' kura init --app-dir "$misskey" --json --config "$WORK/both.conf"
check 'is an application of its own, with that variable' jq -e '.configuration.app == "misskey3" and .application.database.database == "mastodon_production" and
    (.configuration.text | test("\napp-env = MISSKEY_CONFIG_YML=second.yml\n"))' "$WORK/out"
jq -r .configuration.text "$WORK/out" >>"$WORK/both.conf"
check 'from then on it is read without it' status_is '0|3' kura --config "$WORK/both.conf" backup --app misskey3 --json --secrets never
check 'and is the other database' jq -e '.backup.database.name == "mastodon_production"' "$WORK/out"
check 'what is there is known again' by_second status_is '0|3' kura init --app-dir "$misskey" --repo "$WORK/plain" --json --config "$WORK/both.conf"
check 'by its name' jq -e '.configuration.state == "there" and .configuration.app == "misskey3"' "$WORK/out"
check 'a variable that says nothing' status_is 2 kura backup --app-dir "$misskey" --app-env MISKEY_CONFIG_YML=x --repo "$WORK/plain"
rm "$misskey/.config/second.yml"
check 'a file that is not there' by_second status_is 1 kura init --app-dir "$misskey"
check 'is not replaced by the default one' says 'no configuration of Misskey .*'
check 'and the variable is told' says '.--app-env NAME=VALUE'

# ---- backup into a repository that is not encrypted ----

check 'a backup needs nothing but a name' status_is 3 ask backup --app misskey --json
check 'it lacks the configuration, and says so' test "$(codes)" = 'secrets-left-out '
check 'that is the only fileset left out' test "$(jq -r '[.backup.filesets[].name] | join(",")' "$WORK/out")" = media
check 'the rows are there' digests_agree "$WORK/plain" "$(latest "$WORK/plain")" misskey
check 'no reminder is wanted' status_is 0 ask backup --app misskey --secrets never --json
check 'a cache is left out' status_is 0 ask backup --app mastodon --secrets never --json
check 'counted' test "$(sizes media)" = '2 2 100000'
check 'and shown' status_is 0 ask backup --app mastodon --secrets never
check 'with the size it saves' says 'left out .*2 files, 97\.7 KiB'
check 'the manifest remembers' jq -e '.filesets[0].left_out_bytes == 100000' "$(manifest "$WORK/plain" "$(latest "$WORK/plain")")"
check 'it is shown later, too' status_is 0 ask show "$(latest "$WORK/plain")" --json
check 'with its size' jq -e '.backup.filesets[0].left_out_bytes == 100000' "$WORK/out"
check 'with the cache' status_is 0 ask backup --app mastodon --secrets never --with-cache --json
check 'nothing is left out' test "$(sizes media)" = '4 0 0'
check 'more than one exclusion' status_is 0 ask backup --app mastodon --secrets never --exclude me.png --json
check 'both count' test "$(sizes media)" = '1 2 100000'
check 'one-time keys stay out' status_is 0 ask backup --app synapse --secrets never --json --exclude-table-data events
check 'also beside another table' jq -e '[.database.tables[] | select(.name == "e2e_one_time_keys_json" or .name == "events") | .rows // 0] | add // 0 == 0' \
    "$(manifest "$WORK/plain" "$(latest "$WORK/plain")")"
check 'remote media stay out' test "$(sizes media)" = '1 1 8000'

check 'a role that only its own system user may be' status_is 1 kura backup --repo "$WORK/plain" --db "host=$PGHOST user=lonely dbname=misskey"
check 'has ways out' says 'under the system user of the same name: run kura as root or as that user'

# As Debian sets a server up, and Mastodon's guide its role: "peer", no password, and backups made by root.
createdb_as peered 'OWNER nobody'
sql peered 'CREATE TABLE toot (id int PRIMARY KEY, text text); INSERT INTO toot SELECT n, md5(n::text) FROM generate_series(1, 3000) n; ALTER TABLE toot OWNER TO nobody'
peered() { printf 'host=%s user=nobody dbname=%s' "$PGHOST" "$1"; }
check 'root is that user to the server' status_is 0 kura backup --repo "$WORK/plain" --app peered --db "$(peered peered)"
check 'after one refusal' test "$(grep -c 'FATAL:  Peer authentication failed for user "nobody"' "$WORK/site/log")" = 1
check 'so are the programs that it runs' status_is 0 kura restore latest --repo "$WORK/plain" --app peered --db "$(peered peered_copy)"
check 'with all rows' test "$(sql peered_copy 'SELECT count(*) FROM toot')" = 3000
mkdir -p "$WORK"/home/peered/{config,lib/mastodon,public/system}
printf 'LOCAL_DOMAIN=peered.test\nDB_HOST=%s\nDB_USER=nobody\nDB_NAME=peered\nDB_PASS=\n' "$PGHOST" >"$WORK/home/peered/.env.production"
touch "$WORK"/home/peered/{config/database.yml,lib/mastodon/version.rb}
chmod 600 "$WORK/home/peered/.env.production" && chown -R nobody "$WORK/home/peered"
check 'a site that is set up so' status_is '0|3' kura backup --repo "$WORK/plain" --app peered --app-dir "$WORK/home/peered" --secrets never
check 'can be rehearsed, too' status_is '0|3' kura rehearse latest --repo "$WORK/plain" --app peered --app-dir "$WORK/home/peered"
unprivileged() { setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/nonexistent PGUSER=postgres "$KURA" audit --db "host=$PGHOST user=lonely dbname=postgres" --app-role nobody; }
check 'nobody else may do that' status_is 1 unprivileged
mkdir "$WORK/units"
printf '[repository main]\nlocation = %s\n[app peered]\ndb = %s\n[app trusted]\ndb = host=localhost user=nobody dbname=peered\n' "$WORK/plain" "$(peered peered)" >"$WORK/peered.conf"
chmod 600 "$WORK/peered.conf"
check 'a unit gets the right to it' status_is 0 kura --config "$WORK/peered.conf" install-timer --unit-dir "$WORK/units" --apply
check 'where it is needed' bash -c 'grep -qx "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL" "$0/kura@peered.service.d/kura.conf" && ! grep -r Capability "$0"/kura@trusted* "$0"/kura-verify*' "$WORK/units"
narrow() { # as the unit's capabilities are
    HOME=$WORK TMPDIR=$WORK/tmp setpriv --bounding-set=-all,+dac_read_search,+setuid,+setgid,+kill --inh-caps=-all --no-new-privs \
        "$KURA" --config "$WORK/peered.conf" backup --app peered
}
check 'and no more is needed' status_is 0 narrow

# ---- an encrypted repository has the configuration, too ----

check 'all at once' status_is 0 kura init --app-dir "$misskey" --repo "$WORK/third" --encrypt --identity-out "$WORK/third.id" \
    --key-file "$WORK/third.key" --config "$WORK/etc/third.conf" --app first
check 'the identity is to be moved away' says 'Move the identity away'
check 'and is needed for a rehearsal' says "kura rehearse latest --app first .*--identity $WORK/third.id"
check 'the key file is remembered' grep -qx "key-file = $WORK/third.key" "$WORK/etc/third.conf"
check 'so that a name is enough' status_is 0 kura --config "$WORK/etc/third.conf" backup --app first --json
check 'for everything' jq -e '[.backup.filesets[].name] == ["media", "config"] and .backup.app == "first" and .backup.database.name == "misskey"' "$WORK/out"
export KURA_KEY_FILE=$WORK/host.key
check 'an encrypted repository' status_is 0 kura init --repo "$WORK/sealed" --encrypt --identity-out "$WORK/identity"
sealed() { ask "$@" --repo "$WORK/sealed"; }
check 'takes no configuration that is not wanted' status_is 0 sealed backup --app misskey --secrets never --json
check 'not even here' jq -e '[.backup.filesets[].name] == ["media"]' "$WORK/out"
check 'else it does' status_is 0 sealed backup --app misskey --json
check 'as a fileset of its own' jq -e '.backup.filesets[] | select(.name == "config") | .files == 2' "$WORK/out"
check 'Mastodon'"'"'s, too' status_is 0 sealed backup --app mastodon --json
check 'with its file' jq -e '.backup.filesets[] | select(.name == "config") | .files >= 1' "$WORK/out"
mkdir "$WORK/beside"
check 'it comes back' status_is 0 sealed restore latest --app mastodon --identity "$WORK/identity" --only files --files "config=$WORK/beside"
check 'as it was' cmp "$mastodon/.env.production" "$WORK/beside/.env.production"
check 'with its mode' test "$(stat -c %a "$WORK/beside/.env.production")" = 600
check 'both repositories at once' status_is 3 ask backup --app mastodon --repo "$WORK/sealed" --repo "$WORK/plain" --identity "$WORK/identity" --json
unset KURA_KEY_FILE
check 'the plain one gets no secrets by way of a copy' jq -e '[.filesets[].name] == ["media"]' "$(manifest "$WORK/plain" "$(latest "$WORK/plain")")"
check 'unless that is wanted' status_is 0 ask backup --app mastodon --secrets always --json
check 'and then has them' jq -e '[.backup.filesets[].name] | index("config")' "$WORK/out"

# ---- rehearse ----

check 'a rehearsal on the application'"'"'s own server' status_is '0|3' ask rehearse latest --app misskey --json
check 'passes' jq -e '.rehearsal.verdict != "failed"' "$WORK/out"
check 'rows and media agree' jq -e '.rehearsal.proofs[] | select(.name == "media-references") | .checked == 2 and .failed == 0' "$WORK/out"
check 'nor does Mastodon lack a file' status_is '0|3' ask rehearse latest --app mastodon --json
check 'by a role that stands for all' jq -e '[.findings[].code] | index("rehearsal-role")' "$WORK/out"
check 'that is its own' jq -e '.rehearsal.proofs[] | select(.name == "media-references") | .checked == 2 and .failed == 0' "$WORK/out"
check 'its database is gone' test "$(databases | grep -c rehears)" = 0

# ---- restore ----

before=$(databases)
check 'a restore into what is there is refused' status_is 1 ask restore latest --app misskey --app-dir "$misskey"
check 'nothing happened' test "$(databases)" = "$before"
check 'another application'"'"'s backup is refused' status_is 2 ask restore "$(basename "$(printf '%s\n' "$WORK"/plain/backups/*-mastodon-*.json | tail -n 1)" .json)" --app-dir "$misskey"
check 'with both names' says 'is of Mastodon, and .* is the directory of Misskey'
sql postgres "CREATE ROLE moved LOGIN CREATEDB PASSWORD '$as_literal'"
moved=$WORK/home/moved
mkdir -p "$moved/.config" "$moved/packages/backend/migration"
make_misskey "$moved" moved_site moved
check 'to another place, under another role' status_is '0|3' ask restore latest --app-dir "$moved" --admin-db "$(conn postgres)" --json
check 'the role is told' jq -e '[.findings[].code] | index("role-of-application")' "$WORK/out"
check 'and what is to be done' jq -e '.restore.afterwards | length > 0' "$WORK/out"
check 'it owns all' test "$(sql moved_site "SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'public'")" = moved
check 'the media are there' same_tree "$misskey/files" "$moved/files"
check 'the application can read' test "$(PGPASSWORD=$secret PGUSER=moved sql moved_site 'SELECT count(*) FROM note')" = 2000
check 'an audit asks for nothing' status_is 0 ask audit --app-dir "$moved"
check 'nor does a check' status_is 0 ask check unique 'note(id)' --app-dir "$moved"
sealed restore latest --app misskey --app-dir "$moved" --identity "$WORK/identity" --only files >"$WORK/over" 2>&1
check 'its own configuration goes beside it' same "$misskey/.config/default.yml" "$moved.kura-new/.config/default.yml"
check 'it is as it was' grep -q 'user: moved' "$moved/.config/default.yml"
mv "$misskey/.config" "$misskey/gone"
check 'without the application on this host' status_is '0|3' ask restore latest --app misskey --only files --files "media=$WORK/bare"
check 'an explicit directory is enough' same_tree "$misskey/files" "$WORK/bare"
check 'but a backup wants it' status_is 1 ask backup --app misskey
mv "$misskey/gone" "$misskey/.config"

# ---- what the configuration asks for and the database lacks ----

sed -i 's/^dbReplications: .*/dbReplications: true/' "$moved/.config/default.yml"
cat >>"$moved/.config/default.yml" <<YAML
dbSlaves:
  - {host: reader.test, port: 5433, db: moved_site, user: reader, pass: $env_secret}
fulltextSearch:
  provider: sqlPgroonga
YAML
check 'an extension' status_is 3 ask init --app-dir "$moved" --json
check 'is missed' jq -e '.findings[] | select(.code == "extension-missing") | .message | test("pgroonga")' "$WORK/out"
check 'replicas are named' jq -e '.application.replicas == [{"host": "reader.test", "port": "5433", "database": "moved_site", "user": "reader", "password": true}]' "$WORK/out"
check 'a backup misses it, too' status_is 3 ask backup --app-dir "$moved" --repo "$WORK/plain" --secrets never --json
check 'and says so' test "$(codes)" = 'extension-missing '

# ---- a bucket ----

PGPASSWORD=$secret PGUSER=misskey sql misskey "UPDATE meta SET \"useObjectStorage\" = true, \"objectStorageBucket\" = 'my-media'"
check 'media in a bucket' status_is 0 ask backup --app misskey --secrets never --json
check 'are named' jq -e '.findings[] | select(.code == "media-elsewhere") | .message | test("my-media")' "$WORK/out"
mv "$misskey/files" "$misskey/no-files"
PGPASSWORD=$secret PGUSER=misskey sql misskey 'ALTER TABLE meta DROP COLUMN "objectStorageRegion"' # as forks do
check 'a directory for them is not missed then' status_is 0 ask backup --app misskey --secrets never --json
check 'and the bucket is named' test "$(codes)" = 'media-elsewhere '
mv "$misskey/no-files" "$misskey/files"
check 'also before' status_is 3 ask init --app-dir "$misskey"
check 'plainly' says 'bucket.*my-media'

echo 'S3_ENABLED=true
S3_BUCKET=toots' >>"$mastodon/.env.production"
check 'or by the environment file' status_is 0 ask backup --app mastodon --secrets never --json
check 'are named, too' jq -e '(.findings[] | select(.code == "media-elsewhere") | .message | test("toots")) and .backup.filesets == []' "$WORK/out"

# ---- nothing secret anywhere ----

check 'every step, with its children' status_is 0 ask backup --app misskey --secrets never --verbose
check 'no password was said' bash -c "! grep -aE 'marker(pass|env|secret)' '$WORK/said'"
check 'nor written into the configuration' bash -c "! grep -aE 'marker(pass|env|secret)' '$WORK/kura.conf'"
check 'nor into a manifest' bash -c "! grep -raE 'marker(pass|env|secret)' '$WORK/plain/backups'"
finish
