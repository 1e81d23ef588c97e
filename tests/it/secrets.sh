#!/bin/bash
# Secrets: fingerprints in the backup, and whether keys fit what the database holds. Columns are encrypted by the real
# ActiveRecord, keys made by openssl.
. "$(dirname "$0")/lib.sh"

rails=$KURA_TEST_CACHE/rails
"$HERE/../tools/debroot.sh" trixie "$rails" ruby-activerecord || die 'ActiveRecord cannot be had'
start 15 main
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'

# rails_encrypt DIGEST TEXT...: one line each
rails_encrypt() {
    chroot "$rails" ruby -rjson -ropenssl -ractive_record -e '
        ActiveRecord::Encryption.configure(primary_key: ARGV[0], deterministic_key: "unused", key_derivation_salt: ARGV[1],
                                           hash_digest_class: OpenSSL::Digest.const_get(ARGV[2]))
        ARGV[3..].each { |text| puts ActiveRecord::Encryption::Encryptor.new.encrypt(text) }' \
        "$primary" "$derivation" "$@"
}
rsa_pair() { # in $public and $private
    private=$(openssl genrsa 2048 2>/dev/null)
    public=$(openssl rsa -pubout <<<"$private" 2>/dev/null)
}
vapid_pair() { # in $public and $private
    local pem
    base64url() { basenc --base64url -w0 | tr -d =; }
    pem=$(openssl ecparam -name prime256v1 -genkey -noout)
    private=$(openssl ec -outform DER <<<"$pem" 2>/dev/null | tail -c +8 | head -c 32 | base64url)
    public=$(openssl ec -pubout -outform DER <<<"$pem" 2>/dev/null | tail -c 65 | base64url)
}
primary=$(openssl rand -hex 16) derivation=$(openssl rand -hex 16)
vapid_pair
vapid_public=$public vapid_private=$private

# ---- Mastodon ----
site=$WORK/mastodon
mkdir -p "$site"/{lib/mastodon,config/initializers,public/system,streaming}
cat >"$site/lib/mastodon/version.rb" <<'RUBY'
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
: >"$site/config/initializers/active_record_encryption.rb"
env_file() { # env_file [ASSIGNMENT...]: what comes later counts
    {
        printf '%s\n' LOCAL_DOMAIN=example.test "DB_HOST=$WORK/main" DB_USER=postgres DB_NAME=mastodon \
            "SECRET_KEY_BASE=$(printf '%0128d' 7)" OTP_SECRET=one-time \
            "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=$primary" ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY=deterministic \
            "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT=$derivation" "VAPID_PUBLIC_KEY=$vapid_public" \
            "VAPID_PRIVATE_KEY=$vapid_private"
    } | while IFS= read -r line; do
        for change; do
            [ "${line%%=*}" != "${change%%=*}" ] || line=$change
        done
        printf '%s\n' "$line"
    done >"$site/.env.production"
}
env_file

createdb_as mastodon
sql mastodon 'CREATE TABLE users (id serial, otp_secret text)'
sql mastodon 'CREATE TABLE accounts (id serial, domain text, public_key text, private_key text)'
add_users() { # add_users DIGEST N
    rails_encrypt "$1" $(seq -f 'secret%g' "$2") | while IFS= read -r text; do
        sql mastodon "INSERT INTO users (otp_secret) VALUES ('$text')"
    done
}
add_users SHA256 3
add_users SHA1 2
sql mastodon "INSERT INTO users (otp_secret) VALUES (NULL), ('never encrypted')"
check 'ActiveRecord has encrypted five' test "$(sql mastodon "SELECT count(*) FROM users WHERE otp_secret LIKE '{\"p\":%'")" = 5
add_account() { sql mastodon "INSERT INTO accounts (domain, public_key, private_key) VALUES ($1, '$public', '$private')"; }
rsa_pair && add_account NULL
rsa_pair && add_account NULL
public=remote private='' && add_account "'other.test'"

doctor() { kura doctor --app-dir "$site" --repo "$repo" --json "$@" >"$WORK/doctor.json" 2>"$WORK/doctor.err" || true; }
finds() { jq -r --arg id "$1" '.doctor.findings[] | select(.id == $id) | .severity + ": " + .evidence' "$WORK/doctor.json"; }
fires() { # fires ID PATTERN
    jq -c '.doctor.findings[] | select(.severity != "note")' "$WORK/doctor.json"
    finds "$1" | grep -qE -e "^error: .*$2"
}
silent() { # silent ID: it was looked at, and all was well
    jq -c '.doctor.findings[], (.doctor.checks[] | select(.id | startswith("SECR")))' "$WORK/doctor.json"
    [ "$(jq -r --arg id "$1" '.doctor.checks[] | select(.id == $id) | .outcome' "$WORK/doctor.json")" = ran ] && [ -z "$(finds "$1")" ]
}

check 'a backup' status_is '0|3' kura backup --repo "$repo" --app mastodon --app-dir "$site" --db "$(conn mastodon)"
doctor
for id in SECR-01 SECR-02 SECR-03; do
    check "$id is silent" silent "$id"
done
manifest=$(manifest "$repo" "$(latest "$repo")")
check 'the backup has a fingerprint of each secret' test "$(jq '.application.secrets | length' "$manifest")" = 7
check 'under a salt each' test "$(jq -r '.application.secrets[].salt' "$manifest" | sort -u | wc -l)" = 7
no_secret() { ! grep -F -e "$primary" -e "$derivation" -e "$vapid_private" -e one-time "$1"; }
check 'and no secret' no_secret "$manifest"
check 'nor has what the doctor says' no_secret "$WORK/doctor.json"

env_file VAPID_PRIVATE_KEY=
doctor
check 'SECR-01 finds one that is not set' fires SECR-01 'VAPID_PRIVATE_KEY is not set, and needed for: push notifications'
check 'SECR-02 that it was' fires SECR-02 'VAPID_PRIVATE_KEY was set when backup .* was made'

env_file "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=$(openssl rand -hex 16)"
doctor
check 'SECR-02 finds one that was changed' fires SECR-02 'ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY is another one than when backup .* was made.*two-factor'
check '.. and no other' test "$(finds SECR-02 | wc -l)" = 1
check 'SECR-03 that rows cannot be decrypted' fires SECR-03 'rows cannot be decrypted .*looked at: 5, of which wrong: 5.; lost: two-factor logins'
check 'SECR-01 has nothing to say' silent SECR-01
check 'a restore beside it warns' status_is '0|3' kura restore latest --repo "$repo" --app-dir "$site" --db "$(conn mastodon_new)" --plan
check 'by name and by what will not work' says 'secrets differ: ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY .*two-factor'

env_file "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT=other"
doctor
check 'the salt counts, too' fires SECR-03 'looked at: 5, of which wrong: 5'

vapid_pair
env_file "VAPID_PUBLIC_KEY=$public"
doctor
check 'SECR-03 finds web push keys that do not belong together' fires SECR-03 'a public and a private key in the configuration do not belong together; lost: push'

env_file
check 'a restore beside the right secrets' status_is '0|3' kura restore latest --repo "$repo" --app-dir "$site" --db "$(conn mastodon_new)" --plan
check 'does not warn' test -z "$(grep 'secrets differ' "$WORK/err" "$WORK/out")"
sql mastodon 'UPDATE accounts SET public_key = (SELECT public_key FROM accounts WHERE id = 2) WHERE id = 1'
doctor
check 'SECR-03 finds an account whose keys do not belong together' fires SECR-03 'keys in the database do not belong together .pairs looked at: 2, of which wrong: 1.; lost: signing'
sql mastodon "UPDATE accounts SET public_key = 'nonsense' WHERE id = 1"
doctor
check '.. and one whose keys cannot be read' fires SECR-03 'keys in the database cannot be read .pairs looked at: 2, of which wrong: 1.'

# A table that is a view with somebody's function behind it is not looked at by a superuser.
sql mastodon 'DROP TABLE users; CREATE TABLE ran (id int)'
sql mastodon "CREATE FUNCTION trap() RETURNS text LANGUAGE sql AS \$\$ SELECT pg_advisory_lock(1); SELECT 'x' \$\$; CREATE VIEW users AS SELECT trap() AS otp_secret"
doctor
if [ "$(sql postgres "SELECT count(*) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'")" = 1 ]; then
    check 'a view in the place of a table is not read' test "$(jq -r '.doctor.checks[] | select(.id == "SECR-03") | .outcome' "$WORK/doctor.json")" = failed
fi

# ---- Misskey ----
site=$WORK/misskey
mkdir -p "$site/.config" "$site/packages/backend/migration" "$site/files"
printf 'url: https://example.test/\ndb:\n  host: %s\n  port: 5432\n  db: misskey\n  user: postgres\n  pass: none\nredis:\n  host: localhost\n  port: 6379\nid: aidx\n' \
    "$WORK/main" >"$site/.config/default.yml"
createdb_as misskey
sql misskey 'CREATE TABLE meta (id text, "swPublicKey" text, "swPrivateKey" text); CREATE TABLE user_keypair ("userId" text, "publicKey" text, "privateKey" text)'
sql misskey "INSERT INTO meta VALUES ('x', '$vapid_public', '$vapid_private')"
rsa_pair
sql misskey "INSERT INTO user_keypair VALUES ('a', '$public', '$private')"
doctor
check 'Misskey: SECR-03 is silent' silent SECR-03
sql misskey "UPDATE meta SET \"swPrivateKey\" = '$(vapid_pair && echo "$private")'"
doctor
check 'SECR-03 finds web push keys of the table that do not belong together' fires SECR-03 'keys in the database do not belong together .pairs looked at: 1, of which wrong: 1.; lost: push'
sql misskey 'DROP TABLE meta'
rsa_pair
sql misskey "INSERT INTO user_keypair VALUES ('b', '$public', '$(rsa_pair && echo "$private")')"
doctor
check 'and keys of a user, whatever else is not there' fires SECR-03 'keys in the database do not belong together .pairs looked at: 2, of which wrong: 1.; lost: signing'
finish
