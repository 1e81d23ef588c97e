#!/bin/bash
# root works for an application whose own user is not to be trusted: what that user may write - the configuration, links in
# its directory, tables - must not make root write elsewhere, nor a superuser run its functions. The same for whoever can
# write to a repository.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] || die 'must be run by root'
printable() { ! LC_ALL=C grep -aPn '[\x00-\x08\x0b-\x1f\x7f]' "$WORK/out" "$WORK/err"; }
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'

# ---- a site, all of it its user's
start 15 site
sql postgres 'CREATE ROLE misskey LOGIN'
createdb_as misskey 'OWNER misskey'
misskey=$WORK/home/misskey
mkdir -p "$misskey/.config" "$misskey/files" "$misskey/packages/backend/migration"
cat >"$misskey/.config/default.yml" <<YAML
url: https://example.test/
db: {host: $PGHOST, port: 5432, db: misskey, user: misskey}
YAML
printf '{\n\t"name": "misskey",\n\t"version": "1.0.0-\033[2J"\n}\n' >"$misskey/package.json"
echo picture >"$misskey/files/picture"
mkdir "$misskey/files/profile.d" && echo 'id' >"$misskey/files/profile.d/own.sh"
chown -R nobody: "$WORK/home"
PGUSER=misskey sql misskey "CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL)"

# ---- a superuser's questions over tables of the application's role
pwned=$WORK/site/data/pwned
evil="CREATE FUNCTION evil() RETURNS text LANGUAGE plpgsql AS \$\$BEGIN COPY (SELECT 1) TO '$pwned'; RETURN 'x'; END\$\$"
PGUSER=misskey sql misskey "$evil; CREATE VIEW meta AS SELECT evil() = 'x' AS \"useObjectStorage\", evil() AS \"objectStorageBucket\",
    '' AS \"objectStoragePrefix\", '' AS \"objectStorageBaseUrl\", '' AS \"objectStorageEndpoint\", '' AS \"objectStorageRegion\""
check 'a view in the place of a table: backup' status_is 3 kura backup --repo "$repo" --app-dir "$misskey" --db "$(conn misskey)"
check 'it tells' says 'is not known.*access to non-system view'
check 'no function ran' test ! -e "$pwned"
PGUSER=misskey sql misskey 'DROP VIEW meta'

PGUSER=misskey sql misskey "CREATE TYPE trap AS ENUM ('SQL', '1', 'x');
    CREATE FUNCTION evil(trap) RETURNS text LANGUAGE plpgsql AS \$\$BEGIN COPY (SELECT 1) TO '$pwned'; RETURN 'x'; END\$\$;
    CREATE CAST (trap AS text) WITH FUNCTION evil(trap) AS IMPLICIT;
    CREATE TABLE flyway_schema_history (installed_rank int, version trap, description trap, type trap, script text, checksum int, success boolean);
    INSERT INTO flyway_schema_history VALUES (1, '1', 'x', 'SQL', 'x', 1, true)
    " 2>/dev/null
mkdir "$WORK/flyway" && echo 'SELECT 1;' >"$WORK/flyway/V1__x.sql"
check 'casts of another type: schema check' status_is 1 kura schema check --tool flyway --dir "$WORK/flyway" --db "$(conn misskey)"
check 'no function ran' test ! -e "$pwned"
PGUSER=misskey sql misskey 'DROP TABLE flyway_schema_history'

# ---- root's files
conf=$misskey/.config/default.yml
victim=$WORK/etc
mkdir -p "$victim" && echo kept >"$victim/hostname"
check 'backup' status_is 0 kura backup --repo "$repo" --app-dir "$misskey" --secrets=always
mv "$misskey/files" "$WORK/home/files.away"
ln -s "$victim" "$misskey/files"
check 'a directory of root, by a link' status_is 1 kura restore latest --repo "$repo" --app-dir "$misskey" --only files
check 'it tells whose word that is' says 'which is not of the owner of'
check 'nothing is written there' test ! -e "$victim/profile.d"
rm "$misskey/files" && mv "$WORK/home/files.away" "$misskey/files"
ln -s "$victim" "$misskey.kura-new"
check 'a link in the place of the configuration' status_is 1 kura restore latest --repo "$repo" --app-dir "$misskey" --only files
check 'it is not followed' says 'is not followed'
check 'nothing is written there' test ! -e "$victim/.config"
rm "$misskey.kura-new"
check 'restore' status_is 0 kura restore latest --repo "$repo" --app-dir "$misskey" --only files
check 'the configuration is beside' test -e "$misskey.kura-new/.config/default.yml"
mv "$misskey/.config" "$WORK/home/config.away" && ln -s "$victim" "$misskey/.config"
check 'a link on the way of the configuration' status_is 1 kura move config --app-dir "$misskey" --profile misskey --set url=https://new.test/ --apply
check 'nothing is written there' test ! -e "$victim/default.yml"
rm "$misskey/.config" && mv "$WORK/home/config.away" "$misskey/.config"
check 'without it' status_is 0 kura move config --app-dir "$misskey" --set url=https://new.test/ --apply
check 'the file keeps its owner' test "$(stat -c %U "$conf")" = nobody
check 'a version with escapes is none' status_is 2 kura move ladder misskey --app-dir "$misskey"
check 'nothing odd is shown' printable

# ---- a repository that somebody else can write to
manifest=$(manifest "$repo" "$(latest "$repo")")
rewrite() { jq "$1" "$manifest" >"$WORK/manifest" && cat "$WORK/manifest" >"$manifest"; }
place() { rewrite "(.filesets[] | select(.name == \"media\")).root = \"$1\""; }
for root in /usr/local/share/kura-test /etc/kura-test.d '/srv/a; id' '/srv/a b' '/srv//a' /srv/.ssh /srv/../etc "$victim/../x"; do
    place "$root"
    check "no place for files: $root" status_is '0|3' kura restore latest --repo "$repo" --only files --plan
    check 'it tells' says '"media" is not restored'
done
mkdir "$WORK/free" && ln -s /usr "$WORK/free/link"
place "$WORK/free/link/local/share/kura-test"
check 'nor behind a link' status_is '0|3' kura restore latest --repo "$repo" --only files --plan
check 'it tells' says '"media" is not restored'
place "$WORK/free/media"
rewrite '.application.dir = "/srv/x; id" | .host = "host\u001b[2J" | .application.title = "t\u001b[2J" | .application.services = ["--root=/x", "misskey.service"]'
check 'words of the repository in a plan' status_is '0|1|3' kura move plan --repo "$repo" --as new
check 'nothing odd is shown' printable
check 'an option is no unit' bash -c '! grep -e --root=/x "$0"' "$WORK/out"
check 'what a shell would take is quoted' bash -c '! grep -F "/srv/x; id" "$0" | grep -vF "'"'/srv/x; id'"'"' "$WORK/out"
check 'a free place' status_is '0|3' kura restore latest --repo "$repo" --only files
check 'the files are there' test -e "$WORK/free/media/picture"

# ---- started by what waits for nobody
check 'SIGCHLD was ignored' status_is '0|3' perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV or die' env HOME="$WORK" TMPDIR="$WORK/tmp" "$KURA" \
    backup --repo "$repo" --db "$(conn misskey)" --app other

finish
