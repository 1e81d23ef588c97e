#!/bin/bash
# Japanese: nothing that a user meets is left in English, tables are aligned, and what machines read stays what it was.
. "$(dirname "$0")/lib.sh"

words() { "$TOP/tests/tools/words.py" "$@"; }

# --- the catalogue itself
statistics() { msgfmt -c --statistics -o /dev/null "$TOP/po/ja.po"; }
check 'every text is translated, none is doubtful, arguments are kept' bash -c '! msgfmt -c --statistics -o /dev/null "$0" 2>&1 | grep -E "untranslated|fuzzy|error"' "$TOP/po/ja.po"
check 'it is no copy of the English one' bash -c '[ "$(msgattrib --translated "$0" | grep -cP "^msgstr.*[\x{3040}-\x{30ff}\x{4e00}-\x{9fff}]")" -gt 1000 ]' "$TOP/po/ja.po"
"$TOP/po/update.sh" pot "$WORK/kura.pot"
check 'kura.pot is up to date' same "$TOP/po/kura.pot" "$WORK/kura.pot"
msgmerge -q --no-fuzzy-matching --add-location=file "$TOP/po/ja.po" "$WORK/kura.pot" -o "$WORK/ja.po"
check 'ja.po is up to date' bash -c '! msgfmt --statistics -o /dev/null "$0" 2>&1 | grep -E "untranslated|fuzzy"' "$WORK/ja.po"
check 'xgettext sees every text, and translations keep the columns of tables' python3 "$TOP/po/check.py" "$TOP/po/kura.pot" "$TOP/po/ja.po"

# --- a Japanese user on a host of which nothing else is known
start 15 main
mkdir "$WORK/locale" "$WORK/i18n"
cp -r /usr/share/i18n/locales "$WORK/i18n/" && zcat /usr/share/i18n/charmaps/UTF-8.gz >"$WORK/i18n/UTF-8" || die 'no sources of locales'
I18NPATH=$WORK/i18n localedef -i ja_JP -f "$WORK/i18n/UTF-8" --no-archive "$WORK/locale/ja_JP.UTF-8" >"$WORK/log" 2>&1 || { cat "$WORK/log"; die 'no Japanese locale'; }
cp -r /usr/lib/locale/C.utf8 "$WORK/locale/C.UTF-8" || die 'no locale C.UTF-8'
repo=$WORK/repo
ja() { env -u LC_ALL -u LANGUAGE LOCPATH="$WORK/locale" LANG=ja_JP.UTF-8 KURA_LOCALEDIR="$BUILD/po" HOME="$WORK" TMPDIR="$WORK/tmp" timeout --foreground -k 10 300 "$KURA" "$@"; }
japanese() { words english "$WORK/out" "$WORK/err" && grep -qP '[\x{3040}-\x{30ff}\x{4e00}-\x{9fff}]' "$WORK/out" "$WORK/err"; }
page_text() { sed "/<style>/,/<\/style>/d; s/<code>[^<]*<\/code>//g; s/<pre.*//; s/<[^>]*>/\n/g" "$1"; }
speaks() { # speaks NAME STATUS COMMAND...
    check "$1: ends as in English" status_is "$2" ja "${@:3}"
    check "$1: no English is left" japanese
}

createdb_as src
sql_file src site.sql -v scale=0.02 >"$WORK/log" 2>&1 || { cat "$WORK/log"; die 'site.sql failed'; }
sql src 'CREATE TABLE "日本語の表" ("名前" text); INSERT INTO "日本語の表" VALUES (1)'
mkdir -p "$WORK/media/写真" && echo x >"$WORK/media/写真/猫.png" && echo y >"$WORK/media/$(printf 'latin-\xe9')" && ln -s 写真 "$WORK/media/リンク"

export KURA_KEY_FILE=$WORK/host.key
speaks 'init' 0 init --repo "$repo" --encrypt --identity-out "$WORK/identity"
check 'init: aligned' words aligned "$WORK/out"
export KURA_IDENTITY=$WORK/identity
KURA_KEY_FILE='' speaks 'init again' 1 init --repo "$repo"
speaks 'backup' '0|3' backup --repo "$repo" --db "$(conn src)" --files "media=$WORK/media" --app site
check 'backup: aligned' words aligned "$WORK/out"
kura backup --repo "$repo" --db "$(conn src)" --files "media=$WORK/media" --app another >"$WORK/log" 2>&1 || [ $? = 3 ] || { cat "$WORK/log"; die 'no second backup'; }
speaks 'list' 0 list --repo "$repo"
for column in 3 4; do
    check "list: column $column is right-aligned" words right "$WORK/out" "$column"
done
speaks 'show' 0 show latest --repo "$repo" --app site
speaks 'show --files' 0 show latest --repo "$repo" --app site --files
speaks 'verify' 0 verify --repo "$repo" --read-data
check 'verify: aligned' words aligned "$WORK/out"
speaks 'doctor' '0|3' doctor --repo "$repo" --db "$(conn src)"
check 'doctor: aligned' words aligned "$WORK/out"
speaks 'restore --plan' 0 restore latest --repo "$repo" --app site --db "$(conn copy)" --files "media=$WORK/restored" --plan
check 'restore --plan: aligned' words aligned "$WORK/out"
speaks 'restore' 3 restore latest --repo "$repo" --app site --db "$(conn copy)" --files "media=$WORK/restored"
check 'restore: aligned' words aligned "$WORK/out"
check 'restore: a name that is no UTF-8' test -s "$WORK/restored/$(printf 'latin-\xe9')"
speaks 'restore over something' 1 restore latest --repo "$repo" --app site --db "$(conn copy)"
speaks 'rehearse' 3 rehearse latest --repo "$repo" --app site --server "host=$PGHOST user=postgres" --report "$WORK/page.html" --run "psql -c 'ALTER TABLE note ADD COLUMN more integer' \"\$KURA_DATABASE\""
check 'rehearse: aligned' words aligned "$WORK/out"
check 'rehearse: the page says its language' grep -q '<html lang=ja>' "$WORK/page.html"
page_text "$WORK/page.html" >"$WORK/page.text"
check 'rehearse: the page is in Japanese' words english "$WORK/page.text"
speaks 'report' 0 report --repo "$repo" --output "$WORK/repo.html"
page_text "$WORK/repo.html" >"$WORK/page.text"
check 'report: the page is in Japanese' words english "$WORK/page.text"
"$(pg_bindir 15)/pg_dump" -Fc -d "$(conn src)" -f "$WORK/dump"
createdb_as naive 'TEMPLATE template0'
"$(pg_bindir 15)/pg_restore" --no-owner --no-acl -d "$(conn naive)" "$WORK/dump" || die 'pg_restore failed'
speaks 'audit' 3 audit --db "$(conn naive)" --app-role misskey
speaks 'repair, the plan' 3 repair --db "$(conn naive)" --app-role misskey
speaks 'repair' '0|3' repair --db "$(conn naive)" --app-role misskey --apply --undo-file "$WORK/undo.sql"
speaks 'repair --undo' 0 repair --db "$(conn naive)" --undo "$WORK/undo.sql" --apply
speaks 'check' '0|3' check not-null 'note("userId")' --db "$(conn src)"
speaks 'status' '0|3' status --repo "$repo" --app site
speaks 'restore --swap' '0|3' restore latest --repo "$repo" --app site --db "$(conn copy)" --swap --no-verify
check 'restore --swap: aligned' words aligned "$WORK/out"
speaks 'undo' 0 undo --db "$(conn copy)"
speaks 'prune --old-databases' 0 prune --old-databases --db "$(conn copy)"
speaks 'pin' 0 pin latest --repo "$repo" --app site
speaks 'show a pinned one' 0 show latest --repo "$repo" --app site
speaks 'key list' 0 key list --repo "$repo"
speaks 'repair-repository' 0 repair-repository --repo "$repo"
speaks 'export' 0 export latest "$WORK/exported" --repo "$repo" --app another
KURA_KEY_FILE='' kura init --repo "$WORK/second" >"$WORK/log" 2>&1 || { cat "$WORK/log"; die 'no second repository'; }
speaks 'copy' '0|3' copy latest --repo "$repo" --app another --to "$WORK/second" --decrypt
speaks 'remap' '0|3' remap "$WORK/dump" --output "$WORK/remapped" --map misskey=other
speaks 'status for a monitor' '0|1|2' status --repo "$repo" --app site --nagios
check 'status for a monitor: what it reads stays' grep -q "^KURA OK - siteを.*前にバックアップ | 'site backup age'=" "$WORK/out"
speaks 'a wrong option' 2 backup --repos x
speaks 'an application twice' 2 doctor site --app site
speaks 'no server' 1 audit --db "host=$WORK user=postgres dbname=x" --app-role x
check 'no such database: by the server, in its own language' status_is 1 ja audit --db "$(conn nowhere)" --app-role x
check 'no such database: what to do, by SQLSTATE' says 'データベース名を確認してください'
check 'no such database: no place in the sources of the server' bash -c '! grep -E "postinit\.c|場所" "$0"/err' "$WORK"
for command in init backup restore rehearse audit repair doctor; do
    speaks "help $command" 0 help "$command"
    check "help $command: aligned" words aligned "$WORK/out"
done

# --- an application by its own configuration
app=$WORK/misskey
mkdir -p "$app/.config" "$app/files" "$app/packages/backend/migration"
printf 'url: https://example.test/\nport: 3000\ndb:\n  host: %s\n  port: 5432\n  db: misskey\n  user: postgres\n  pass: ""\n' "$PGHOST" >"$app/.config/default.yml"
printf '{ "name": "misskey", "version": "2025.9.0" }\n' >"$app/package.json"
printf 'export class Init1000000000000 {\n}\n' >"$app/packages/backend/migration/1000000000000-Init.js"
printf 'export class More2000000000000 {\n}\n' >"$app/packages/backend/migration/2000000000000-More.js"
createdb_as misskey
sql misskey "CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL);
    INSERT INTO migrations (timestamp, name) VALUES (1000000000000, 'Init1000000000000'); CREATE TABLE meta (id varchar(32) PRIMARY KEY, \"useObjectStorage\" boolean)"
site() { ja --config "$WORK/kura.conf" "$@"; }
ja_site() { # ja_site NAME STATUS ARGUMENT...: as speaks, with the site's configuration
    check "$1: ends as in English" status_is "$2" site "${@:3}"
    check "$1: no English is left" japanese
}
unset KURA_IDENTITY KURA_KEY_FILE
ja_site 'init --app-dir' '0|3' init --app-dir "$app" --repo "$WORK/plain"
check 'init --app-dir: aligned' words aligned "$WORK/out"
ja_site 'backup --app' '0|3' backup --app misskey
ja_site 'schema check' 4 schema check --app misskey
ja_site 'doctor --app' '0|1|3' doctor --app misskey
check 'doctor --app: aligned' words aligned "$WORK/out"
redis_run closed --requirepass secret
ja_site 'doctor of a Redis that asks for a password' '0|1|3' doctor --app misskey --redis "unix://${REDIS_SOCKET[closed]}"
check 'its refusal is known in Japanese, too' grep -q 'パスワード' "$WORK/out"
ja_site 'restore --app' '0|3' restore latest --app misskey --plan
ja_site 'move plan' '0|3' move plan --app misskey
ja_site 'move plan, on the new host' '0|3' move plan --as new --app misskey --db "$(conn moved)"
ja_site 'move config' 0 move config --app misskey --db "$(conn copy)"
ja_site 'move ladder' 0 move ladder mastodon --from 3.5.0 --to 4.3
ja_site 'schema hook' 0 schema hook systemd misskey.service --app misskey
ja_site 'guard' 4 guard misskey -- true
ja_site 'prune --plan' 0 prune --app misskey --keep-daily 1 --plan
check 'prune --plan: aligned' words aligned "$WORK/out"
check 'prune --plan: the reasons' grep -qE '残す .*  日次 20[0-9-]+, 最後の正常なもの$' "$WORK/out"
check 'prune --plan: .. of what goes' grep -qE '削除予定 .*  日次 20[0-9-]+にはより新しいものあり$' "$WORK/out"
ja_site 'install-timer' 0 install-timer --app misskey
ja_site 'doctor --list' 0 doctor --list
check 'doctor --list: aligned' words aligned "$WORK/out"
for id in $(kura doctor --list --json | jq -r '.checks[].id'); do
    ja doctor --explain "$id"
done >"$WORK/out" 2>"$WORK/err"
check 'doctor --explain: no English is left' japanese
export KURA_IDENTITY=$WORK/identity KURA_KEY_FILE=$WORK/host.key

# --- what machines read
for command in "list --repo $repo" "show latest --repo $repo --app site" "verify --repo $repo" "doctor --repo $repo" \
    "restore latest --repo $repo --app site --db 'dbname=other' --plan" "audit --db dbname=naive --app-role misskey" \
    "repair --db dbname=naive --app-role misskey" "help --json"; do
    name=${command%% -*}
    eval "PGUSER=postgres kura $command --json" 2>/dev/null | words essence >"$WORK/english"
    eval "PGUSER=postgres ja $command --json" 2>/dev/null | words essence >"$WORK/japanese"
    check "$name --json: the same in both languages but for the words" same "$WORK/english" "$WORK/japanese"
done
check 'messages in JSON are translated' bash -c 'jq -r ".audit.problems[].message" | grep -qP "[\x{3040}-\x{30ff}]"' < <(PGUSER=postgres ja audit --db dbname=naive --app-role misskey --json 2>/dev/null)

# --- and everybody else
check 'LANG=C: English' bash -c '! LC_ALL=C KURA_LOCALEDIR=$0/po $1 help | grep -qP "[^\x00-\x7f]"' "$BUILD" "$KURA"
check 'an unknown locale: English' bash -c 'LC_ALL=xx_YY.UTF-8 KURA_LOCALEDIR=$0/po $1 help | grep -q "create a repository"' "$BUILD" "$KURA"
I18NPATH=$WORK/i18n localedef -i tr_TR -f "$WORK/i18n/UTF-8" --no-archive "$WORK/locale/tr_TR.UTF-8" >"$WORK/log" 2>&1 || { cat "$WORK/log"; die 'no Turkish locale'; }
check 'Turkish: small and capital letters of ids are those of English' bash -c 'LOCPATH=$0/locale LC_ALL=tr_TR.UTF-8 $1 doctor --explain redis-01 | grep -q REDIS-01' "$WORK" "$KURA"
check 'no catalogue: English' bash -c 'LOCPATH=$2/locale LC_ALL=ja_JP.UTF-8 KURA_LOCALEDIR=/nonexistent $1 help | grep -q "create a repository"' "$BUILD" "$KURA" "$WORK"
finish
