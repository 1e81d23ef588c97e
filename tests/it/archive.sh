#!/bin/bash
# Archives that pg_dump made without kura, of every format and major: remapped without a server, and restored.
. "$(dirname "$0")/lib.sh"

whole() { dump "$1" -s; dump "$1" -a | LC_ALL=C sort; }
renamed() { sed 's/mk_prod/misskey/g; s/ro2/reader/g'; }
map=misskey=mk_prod,reader=ro2

one_major() {
    local version=$1 bin name archive
    bin=$(pg_bindir "$version")
    start "$version" "pg$version"
    createdb_as misskey
    sql_file misskey site.sql -v scale=0.05 || die "site.sql failed on $version"
    sql postgres 'CREATE ROLE mk_prod LOGIN; CREATE ROLE ro2'
    whole misskey >"$WORK/original.sql"
    for name in custom:-Fc plain-custom:-Fc:-Z0 directory:-Fd:-j2 plain-directory:-Fd:-Z0; do
        archive=$WORK/$version-${name%%:*}
        # shellcheck disable=SC2046
        "$bin/pg_dump" $(echo "${name#*:}" | tr : ' ') -d "$(conn misskey)" -f "$archive" || die "pg_dump $version failed"
        name=${name%%:*}
        check "$version $name: remap" status_is '0|3' kura remap "$archive" -o "$archive.mapped" --map "$map"
        remapped "$version $name" "$bin" "$archive.mapped"
    done
    check "$version: restore of the custom archive" status_is '0|3' kura restore "$WORK/$version-custom" --pg-bindir "$bin" --db "$(conn restored)" --map "$map"
    whole restored | renamed >"$WORK/restored.sql"
    check "$version: it is the original under other names" same "$WORK/original.sql" "$WORK/restored.sql"
    sql postgres 'DROP DATABASE restored'
    check "$version: restore of the directory archive" status_is '0|3' kura restore "$WORK/$version-directory" --pg-bindir "$bin" --db "$(conn restored)" --map "$map"
    whole restored | renamed >"$WORK/restored.sql"
    check "$version: it is the original under other names, too" same "$WORK/original.sql" "$WORK/restored.sql"
}

remapped() { # remapped NAME BINDIR ARCHIVE: plain pg_restore takes it
    sql postgres 'CREATE DATABASE remapped TEMPLATE template0'
    check "$1: pg_restore takes the remapped archive" "$2/pg_restore" --exit-on-error -d "$(conn remapped)" "$3"
    whole remapped | renamed >"$WORK/remapped.sql"
    check "$1: it is the original under other names" same "$WORK/original.sql" "$WORK/remapped.sql"
    sql postgres 'DROP DATABASE remapped'
}

for version in 13 15 17 18; do
    one_major "$version"
done

# pg_dump's other compressions, and archives that went through a pipe or were cut.
use pg17
for method in zstd:3 lz4:1; do
    for format in c d; do
        archive=$WORK/17-$format-${method%:*}
        "$(pg_bindir 17)/pg_dump" -F$format --compress="$method" -d "$(conn misskey)" -f "$archive" || die "pg_dump --compress=$method failed"
        whole misskey >"$WORK/original.sql"
        check "17 -F$format $method: remap" status_is '0|3' kura remap "$archive" -o "$archive.mapped" --map "$map"
        remapped "17 -F$format $method" "$(pg_bindir 17)" "$archive.mapped"
    done
done

use pg15
whole misskey >"$WORK/original.sql"
"$(pg_bindir 15)/pg_dump" -Fc -d "$(conn misskey)" | cat >"$WORK/piped"
check 'an archive from a pipe, without offsets: remap' status_is '0|3' kura remap "$WORK/piped" -o "$WORK/piped.mapped" --map "$map"
remapped 'piped' "$(pg_bindir 15)" "$WORK/piped.mapped"
check 'remap without a rule changes nothing but copies' status_is '0|3' kura remap "$WORK/15-custom" -o "$WORK/copy" --map misskey=misskey
for name in 15-custom copy; do
    "$(pg_bindir 15)/pg_restore" -l "$WORK/$name" | grep -v '^;' >"$WORK/$name.list"
done
check 'the copy lists the same' same "$WORK/15-custom.list" "$WORK/copy.list"
check 'remap writes over nothing' status_is 1 kura remap "$WORK/15-custom" -o "$WORK/copy" --map "$map"
check 'a rule that matches nothing is an error' status_is 1 kura remap "$WORK/15-custom" -o "$WORK/typo" --map misky=mk_prod
check 'and named' says misky
check 'and nothing is written' test ! -e "$WORK/typo"
head -c 100000 "$WORK/15-custom" >"$WORK/cut"
check 'a cut archive is refused' status_is 1 kura restore "$WORK/cut" --db "$(conn restored_cut)" --map "$map"
check 'and leaves no database' bash -c "! psql -XqAtl | grep -q ^restored_cut"
head -c 3000 "$WORK/15-custom" >"$WORK/cut-toc"
check 'one cut in its table of contents too' status_is 1 kura remap "$WORK/cut-toc" -o "$WORK/cut.mapped" --map "$map"
echo 'not an archive' >"$WORK/text"
check 'what is no archive is refused' status_is 1 kura remap "$WORK/text" -o "$WORK/text.mapped" --map "$map"

# Dumps as text: refused everywhere, with what runs them, which does.
"$(pg_bindir 15)/pg_dump" -d "$(conn misskey)" -f "$WORK/plain.sql"
grep -v '^\\\(un\)\?restrict ' "$WORK/plain.sql" >"$WORK/old.sql"
pg_dumpall -h "$PGHOST" -U postgres -f "$WORK/all.sql"
check 'the dump has \restrict' grep -q '^\\restrict ' "$WORK/plain.sql"
for file in plain old all; do
    check "$file: restore" status_is 1 kura restore "$WORK/$file.sql" --db "$(conn restored_text)" --map "$map"
    check "$file: is called a script" says 'this is an SQL script.*, not a pg_dump archive'
    check "$file: the remedy" says 'hint: Only psql runs it: psql -X .*pg_dump -Fc'
    check "$file: \\restrict is told of just where it matters" test "$(grep -c 'which psql knows from 13.22' "$WORK/err")" = "$([ $file = plain ] && echo 1 || echo 0)"
    check "$file: show" status_is 1 kura show "$WORK/$file.sql" --roles
    check "$file: the same" says 'Only psql runs it'
    check "$file: remap" status_is 1 kura remap "$WORK/$file.sql" -o "$WORK/text.mapped" --map "$map"
    check "$file: the same from remap" says 'Only psql runs it'
    check "$file: audit" status_is 1 kura audit --db "$(conn misskey)" --backup "$WORK/$file.sql"
    check "$file: the same from audit" says 'Only psql runs it'
done
check 'all: is a whole cluster' says 'whole cluster, by pg_dumpall'
check 'nothing was made' bash -c "[ ! -e '$WORK/text.mapped' ] && ! psql -XqAtl | grep -q ^restored_text"
createdb_as by_psql
check 'the command of the hint works' psql -X -v ON_ERROR_STOP=1 -d "$(conn by_psql)" -f "$WORK/plain.sql"
dump misskey >"$WORK/original.sql"
dump by_psql >"$WORK/by_psql.sql"
check 'and brings what there was' same "$WORK/original.sql" "$WORK/by_psql.sql"

finish
