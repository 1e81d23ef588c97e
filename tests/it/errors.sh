#!/bin/bash
# Everything that can be wrong is refused with an error that names it, a hint that helps and the right exit status, and
# before anything was changed.
. "$(dirname "$0")/lib.sh"

start 15 main
createdb_as site
sql_file site site.sql -v scale=0.05 || die 'site.sql failed'
sql site 'CREATE EXTENSION old_snapshot' # which 17 does not have
sql postgres "CREATE ROLE locked LOGIN PASSWORD 'the-password-itself'; ALTER ROLE locked BYPASSRLS; GRANT pg_read_all_data TO locked; CREATE ROLE poor LOGIN; GRANT CONNECT ON DATABASE site TO poor, locked"
sql site 'GRANT USAGE ON SCHEMA public TO poor; GRANT SELECT ON note TO poor; GRANT SELECT ON LARGE OBJECT 424242 TO locked'
repo=$WORK/repo
site=$(conn site)
kura init --repo "$repo" >/dev/null || die 'no repository'
check 'backup' status_is '0|3' kura backup --repo "$repo" --db "$site" --app site
id=$(latest "$repo")
before=$(databases)

# refused NAME STATUS PATTERN COMMAND...: the status, the words, and nothing left behind.
refused() {
    check "$1: exit status $2" status_is "$2" "${@:4}"
    check "$1: said (\"$3\")" says "$3"
    check "$1: nothing is left" nothing_left "$before" "$repo"
}
hinted() { check "$1: with a hint" says '^ *hint: .*\.$'; }

# Usage.
refused 'no command' 2 'usage|command' kura
refused 'unknown command' 2 'frobnicate' kura frobnicate
refused 'unknown option' 2 'frobnicate' kura list --repo "$repo" --frobnicate
refused 'option without its value' 2 'repo' kura list --repo
refused 'a map without "="' 2 'misskey' kura restore "$id" --repo "$repo" --db "$(conn copy)" --map misskey
refused 'a role mapped twice' 2 'misskey' kura restore "$id" --repo "$repo" --db "$(conn copy)" --map misskey=a,misskey=b
refused 'PUBLIC in a map' 2 'public' kura restore "$id" --repo "$repo" --db "$(conn copy)" --map PUBLIC=reader
refused 'a number of jobs that is none' 2 'jobs' kura backup --repo "$repo" --db "$site" --jobs many
refused 'files without a name' 2 'files' kura backup --repo "$repo" --files /tmp
check 'help is no error' status_is 0 kura --help
check 'version is none either' status_is 0 kura --version

# Repository.
refused 'no repository there' 10 'nowhere' kura list --repo "$WORK/nowhere"
hinted 'no repository there'
refused 'no repository there, backup' 10 'nowhere' kura backup --repo "$WORK/nowhere" --db "$site"
check 'and none is made' test ! -e "$WORK/nowhere"
refused 'init over a repository' 1 'repo' kura init --repo "$repo"
refused 'init where nothing is' 1 'No such file' kura init --repo "$WORK/nowhere/repo"
hinted 'init where nothing is'
refused 'no such backup' 1 '19990101' kura show 19990101 --repo "$repo"
refused 'no such backup to restore' 1 '19990101' kura restore 19990101 --repo "$repo" --db "$(conn copy)"

# Connections; passwords are never shown.
refused 'no server' 1 'nosuchdir|connect' kura backup --repo "$repo" --db 'host=/nosuchdir dbname=x'
refused 'no such database' 1 'missing_db' kura backup --repo "$repo" --db "$(conn missing_db)"
quiet_about() { ! grep -e "$1" "$WORK/out" "$WORK/err"; }
for db in "host=$PGHOST user=locked password=wrong-password dbname=site" "postgresql://locked:wrong-password@/site?host=$PGHOST"; do
    refused 'a wrong password' 1 'password authentication failed' kura --verbose backup --repo "$repo" --db "$db"
    check 'a wrong password: not printed' quiet_about wrong-password
    check 'a wrong password: not printed in JSON' bash -c "! '$KURA' --json backup --repo '$repo' --db '$db' 2>&1 | grep wrong-password"
done
mkdir "$WORK/spy"
for tool in pg_dump pg_restore psql; do
    printf '#!/bin/sh\ntr "\\0" " " </proc/$$/cmdline >>"%s/argv"\nexec "%s/%s" "$@"\n' "$WORK" "$(pg_bindir 15)" "$tool" >"$WORK/spy/$tool"
    chmod 755 "$WORK/spy/$tool"
done
check 'the right password' status_is '0|3' kura --verbose backup --repo "$repo" --db "host=$PGHOST user=locked password=the-password-itself dbname=site" --pg-bindir "$WORK/spy" --app locked
check 'the right password: not printed' quiet_about the-password-itself
check 'the right password: in no argument of pg_dump' bash -c "grep -q pg_dump '$WORK/argv' && ! grep the-password-itself '$WORK/argv'"
check 'the right password: not in the repository' bash -c "! grep -r the-password-itself '$repo'/backups '$repo'/kura.json"

# Rights, tools.
check 'unreadable tables: exit status 1' status_is 1 kura backup --repo "$repo" --db "host=$PGHOST user=poor dbname=site"
for table in user drive_file meta following note_reaction migrations; do
    check "unreadable tables: $table is listed" says "$table"
done
hinted 'unreadable tables'
refused 'no pg_dump' 1 'pg_dump' kura backup --repo "$repo" --db "$site" --pg-bindir "$WORK/nowhere"
refused 'no pg_restore' 1 'pg_restore' kura restore "$id" --repo "$repo" --db "$(conn copy)" --pg-bindir "$WORK/nowhere"
hinted 'no pg_restore'

# Restore: found before the first statement.
refused 'a role that does not exist' 1 'mk_prod' kura restore "$id" --repo "$repo" --db "$(conn copy)" --map misskey=mk_prod
check 'a role that does not exist: the hint knows --create-roles' says 'create-roles'
refused 'a rule that matches nothing' 1 'misky' kura restore "$id" --repo "$repo" --db "$(conn copy)" --map misky=misskey
sql postgres 'CREATE DATABASE occupied'
sql occupied 'CREATE TABLE precious AS SELECT 1 AS a'
before=$(databases)
refused 'a database in use' 1 'occupied' kura restore "$id" --repo "$repo" --db "$(conn occupied)"
check 'a database in use: the hint knows --swap' says 'swap'
check 'a database in use: untouched' test "$(sql occupied 'SELECT a FROM precious')" = 1
refused 'several problems at once' 1 'mk_prod' kura restore "$id" --repo "$repo" --db "$(conn occupied)" --map misskey=mk_prod,misky=x
check 'several problems at once: the rule' says 'misky'
check 'several problems at once: the database' says 'occupied'
refused 'a plan with problems' '1|3' 'mk_prod' kura restore "$id" --repo "$repo" --db "$(conn copy)" --map misskey=mk_prod --plan
refused 'a fileset that the backup lacks' 1 'media' kura restore "$id" --repo "$repo" --files "media=$WORK/media"
check 'restore --swap' status_is '0|3' kura restore "$id" --repo "$repo" --db "$(conn occupied)" --swap
check 'restore --swap: the new one is in place' test "$(sql occupied 'SELECT count(*) FROM note')" = 7500
kept=$(databases | grep '^occupied_before_')
check 'restore --swap: the old one is kept' test "$(sql "$kept" 'SELECT a FROM precious')" = 1
sql postgres "DROP DATABASE occupied"
sql postgres "DROP DATABASE \"$kept\""

main=$PGHOST
start 17 other
before=$(databases)
refused 'an extension that is missing, and roles' 1 'old_snapshot' kura restore "$id" --repo "$repo" --pg-bindir "$(pg_bindir 17)" --db "$(conn copy)"
check 'an extension that is missing: hinted' says '^ *hint: '
check 'roles that are missing: misskey' says 'misskey'
check 'roles that are missing: reader' says 'reader'
cluster_stop other
use main
[ "$PGHOST" = "$main" ] || die 'lost the main cluster'
before=$(databases)

# The disk is full: in a mount namespace of its own, so that nothing stays mounted.
full_disk() {
    unshare --mount --propagation private bash -c "mount -t tmpfs -o size=500k tmpfs '$WORK/small' && HOME=$WORK '$KURA' init --repo '$WORK/small/repo' &&
        { HOME=$WORK '$KURA' backup --repo '$WORK/small/repo' --db '$site'; status=\$?; HOME=$WORK '$KURA' list --repo '$WORK/small/repo' || status=99
          find '$WORK/small/repo/backups' -type f | grep . && status=98; exit \$status; }"
}
mkdir "$WORK/small"
refused 'the disk is full' 1 'no space left' full_disk

# A repository that was damaged. Restore names the blob and leaves no database; when only what was loaded turns out to be
# wrong, it keeps that under a name of its own, for a look.
damaged() { # damaged NAME PATTERN: restore from the copy of the repository in $WORK/bad
    check "$1: restore fails" status_is 1 kura restore "$id" --repo "$WORK/bad" --db "$(conn copy)"
    check "$1: says what ($2)" says "$2"
    if [ "${3:-}" = kept ]; then # complete but for what it should prove: kept for a look, under its scratch name only
        check "$1: it is kept under its scratch name" says 'kept as "copy_kura_'
        sql postgres "DROP DATABASE \"$(sql postgres "SELECT datname FROM pg_database WHERE datname LIKE 'copy_kura_%'")\""
    fi
    check "$1: no database is left, but one it names" nothing_but_the_named
}
nothing_but_the_named() {
    local kept
    kept=$(sed -n 's/.*kept as "\([^"]*\)".*/\1/p' "$WORK/out" "$WORK/err")
    [ -z "$kept" ] || sql postgres "DROP DATABASE \"$kept\""
    nothing_left "$before"
}
fresh_copy() {
    rm -rf "$WORK/bad"
    cp -r "$repo" "$WORK/bad"
    chmod -R u+w "$WORK/bad"
}
blob_file() { find "$WORK/bad/blobs" -name "$1*"; }
table_blob() { jq -r ".database.tables[] | select(.name == \"$1\") | .segments[0].blob | if type == \"object\" then .name else . end" "$(manifest "$repo" "$id")" | cut -c 1-64; }
toc_blob() { jq -r '.database.toc | [.. | strings | select(test("^[0-9a-f]{64}"))][0]' "$(manifest "$repo" "$id")" | cut -c 1-64; }
flip() { # one bit in the middle of a file
    local size
    size=$(stat -c %s "$1")
    printf "\\$(printf %o $(($(od -An -tu1 -j $((size / 2)) -N 1 "$1") ^ 16)))" | dd of="$1" bs=1 seek=$((size / 2)) conv=notrunc status=none
}
segment=$(table_blob note)
toc=$(toc_blob)
check 'blob names were found' test "${#segment}${#toc}" = 6464
fresh_copy && flip "$(blob_file "$segment")"
damaged 'a bit flipped in a segment' "$segment"
fresh_copy && truncate -s -10 "$(blob_file "$segment")"
damaged 'a segment cut' "$segment"
fresh_copy && : >"$(blob_file "$segment")"
damaged 'a segment empty' "$segment"
fresh_copy && rm "$(blob_file "$segment")"
damaged 'a segment missing' "$segment"
fresh_copy && flip "$(blob_file "$toc")"
damaged 'a bit flipped in the table of contents' "$toc"
fresh_copy && rm "$(blob_file "$toc")"
damaged 'the table of contents missing' "$toc"
fresh_copy && cp "$(blob_file "$(table_blob following)")" "$(blob_file "$segment")"
damaged 'a segment replaced by another' "$segment"
fresh_copy && rm "$WORK/bad/kura.json"
check 'no header: exit status 10' status_is 10 kura list --repo "$WORK/bad"

# edited NAME JQ-PROGRAM: a manifest that somebody changed is refused before anything is done.
edited() {
    local file
    fresh_copy
    file=$(manifest "$WORK/bad" "$id")
    jq "$2" "$(manifest "$repo" "$id")" >"$file"
    cmp -s "$file" <(jq . "$(manifest "$repo" "$id")") && die "the edit \"$2\" changes nothing"
    damaged "manifest, $1" "$id|manifest|blob|row|digest" "${3:-}"
    check "manifest, $1: list says it and goes on" bash -c "timeout --foreground 60 '$KURA' list --repo '$WORK/bad'; test \$? -lt 4"
}
edited 'another id' '.id = "20000101T000000Z-evil-aaaa"'
edited 'a path for a blob' '(.. | strings | select(test("^[0-9a-f]{64}"))) |= "../../../../etc/passwd"'
edited 'fewer rows' '(.database.tables[] | select(.name == "note") | .rows) |= 5'
edited 'another digest' '(.database.tables[] | select(.name == "note") | .digest) |= (.[1:] + "0")' kept
edited 'a segment less' '(.database.tables[] | select(.name == "note") | .segments) |= .[1:]'
edited 'the segments of another table' '(.database.tables[] | select(.name == "note") | .segments) = (.database.tables[] | select(.name == "following") | .segments)'
edited 'huge numbers' '(.database.tables[] | select(.name == "note") | .rows) |= 1e30'
edited 'negative numbers' '(.database.tables[] | select(.name == "note") | .rows) |= -1'
edited 'a number for a name' '(.database.tables[0].name) |= 5'
edited 'no tables' 'del(.database.tables)'
edited 'a version of the future' '(.. | objects | select(has("version")) | .version) |= 99 | (.format? // empty) |= 99'
fresh_copy && head -c 500 "$(manifest "$repo" "$id")" >"$(manifest "$WORK/bad" "$id")"
damaged 'manifest cut' "$id"
fresh_copy && : >"$(manifest "$WORK/bad" "$id")"
damaged 'manifest empty' "$id"
fresh_copy && { printf '%0.s[' $(seq 1 200000) >"$(manifest "$WORK/bad" "$id")"; }
damaged 'manifest of brackets' "$id"

finish
