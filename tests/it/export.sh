#!/bin/bash
# The way out: what kura exports, and what it stores, is read by ordinary tools.
. "$(dirname "$0")/lib.sh"

start 15 main
createdb_as misskey
sql_file misskey site.sql -v scale=0.3 || die 'site.sql failed'
bash "$SQL/media.sh" "$WORK/media"
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
check 'backup of database and media' status_is '0|3' kura backup --repo "$repo" --db "$(conn misskey)" --files "media=$WORK/media" --app misskey
whole() { dump "$1" -s; dump "$1" -a | LC_ALL=C sort; }
whole misskey >"$WORK/original.sql"

exported() { # exported COMPRESSION PG_RESTORE-VERSION DATABASE: export, then restore without kura, in the cluster in use
    local out=$WORK/export-$1
    check "export, $1" status_is '0|3' kura export latest "$out" --repo "$repo" --compress "$1"
    check "$1: SHA256SUMS holds" bash -c "cd '$out' && sha256sum --quiet --strict -c SHA256SUMS"
    check "$1: SHA256SUMS names every file" test "$(wc -l <"$out/SHA256SUMS")" -ge "$(find "$out/database" -type f | wc -l)"
    check "$1: media are as they were" same_tree "$WORK/media" "$out/files/media"
    sql postgres "CREATE DATABASE $3 TEMPLATE template0"
    check "$1: pg_restore $2 -j2 takes it" "$(pg_bindir "$2")/pg_restore" --exit-on-error -j2 -d "$(conn "$3")" "$out/database"
    whole "$3" >"$WORK/$3.sql"
    check "$1: the restored database is the original" same "$WORK/original.sql" "$WORK/$3.sql"
    check "$1: pg_restore makes a script of it" bash -c "'$(pg_bindir "$2")/pg_restore' -f - '$out/database' | grep -c '^CREATE TABLE' | grep -qx 7"
}
exported gzip 15 gz
exported none 15 plain
check 'an export goes into no directory that is in use' status_is 1 kura export latest "$WORK/export-none" --repo "$repo"

check 'export under a role map' status_is '0|3' kura export latest "$WORK/mapped" --repo "$repo" --compress gzip --map misskey=mk_prod,reader=ro2
sql postgres 'CREATE ROLE mk_prod; CREATE ROLE ro2'
sql postgres 'CREATE DATABASE mapped TEMPLATE template0'
check 'pg_restore takes the mapped export' "$(pg_bindir 15)/pg_restore" --exit-on-error -d "$(conn mapped)" "$WORK/mapped/database"
whole mapped | sed 's/mk_prod/misskey/g; s/ro2/reader/g' | LC_ALL=C sort >"$WORK/mapped.sql"
LC_ALL=C sort "$WORK/original.sql" >"$WORK/sorted.sql"
check 'its database is the original under other names' same "$WORK/sorted.sql" "$WORK/mapped.sql"

# The repository itself.
check 'every blob is named by its sha256' bash -c "cd '$repo/blobs' && find . -type f | sed 's|.*/||' | wc -l | grep -qv '^0$' &&
    find . -type f -exec sha256sum {} + | awk '{ n = split(\$2, part, \"/\"); split(part[n], name, \".\"); if (\$1 != name[1]) { print; bad = 1 } } END { exit bad }'"
check 'zstd reads every segment' bash -c "find '$repo/blobs' -name '*.zst' -exec zstd -qt {} +"
check 'tar reads every pack' bash -c "find '$repo/blobs' -name '*.tar' | grep -q . && find '$repo/blobs' -name '*.tar' -print0 | xargs -0 -n 1 tar -tf"
check 'rows come out with zstd and jq alone' bash -c "jq -r '.database.tables[] | select(.name == \"note_reaction\") | .segments[].blob' '$repo'/backups/*.json |
    while read -r name; do find '$repo/blobs' -name \"\$name\" -exec zstd -qdc {} +; done | wc -l | grep -qx 30000"
by_hand() { # by_hand TABLE: as kura-format(5) says
    jq -r ".database.tables[] | select(.name == \"$1\") | .segments[] | \"\(.blob) \(.offset // 0) \(.length // .size)\"" "$repo"/backups/*.json |
        while read -r b offset length; do
            tail -c +$((offset + 1)) "$repo/blobs/$(printf %.2s "$b")/$b" | head -c "$length" | zstd -dcq
        done
}
bundled=$(jq -r '[.database.tables[] | select(.segments[0].offset > 0)][0].name' "$repo"/backups/*.json)
check 'those of a table that shares its blob too' test "$(by_hand "$bundled" | wc -l) $(by_hand note_reaction | wc -l)" = "$(sql misskey "SELECT count(*) FROM $bundled") 30000"
check 'no blob is larger than 64 MiB and a little' test -z "$(find "$repo/blobs" -size +66M)"

# zstd needs pg_restore 16 or newer, and that a server of 17.
"$(pg_bindir 15)/pg_dump" -d "$(conn misskey)" >"$WORK/plain.sql"
start 17 new
sql postgres 'CREATE ROLE misskey; CREATE ROLE reader'
sql postgres 'CREATE DATABASE reference TEMPLATE template0' # what a plain dump of the original becomes in this server
psql -Xq -v ON_ERROR_STOP=1 -d "$(conn reference)" -f "$WORK/plain.sql" >/dev/null || die 'the plain dump could not be restored'
whole reference >"$WORK/original.sql"
exported zstd 17 zst
check 'zstd tests every data file' bash -c "zstd -qt '$WORK'/export-zstd/database/*.zst"
sql postgres 'CREATE DATABASE by_hand TEMPLATE template0'
check 'and one by hand, with zstd and psql' bash -c "'$(pg_bindir 17)/pg_restore' --section=pre-data -d '$(conn by_hand)' '$WORK/export-zstd/database' &&
    file=\$('$(pg_bindir 17)/pg_restore' -l '$WORK/export-zstd/database' | awk -F'[; ]+' '/TABLE DATA public note_reaction /{ print \$1 }') &&
    zstd -qdc '$WORK/export-zstd/database/'\$file.dat.zst | psql -Xqd '$(conn by_hand)' -c '\\copy note_reaction from stdin' &&
    psql -XqAtd '$(conn by_hand)' -c 'SELECT count(*) FROM note_reaction' | grep -qx 30000"

finish
