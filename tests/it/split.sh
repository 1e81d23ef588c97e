#!/bin/bash
# Tables larger than a worker's share: copied by ranges of their blocks, loaded in parts, rows longer than a segment.
. "$(dirname "$0")/lib.sh"

start 15 main
createdb_as site
sql site "CREATE TABLE blocks (id int PRIMARY KEY, t text) WITH (fillfactor = 10);
    INSERT INTO blocks SELECT i, md5(i::text) || repeat('x', 900) FROM generate_series(1, 40000) i;
    DELETE FROM blocks WHERE id % 7 = 0;
    CREATE TABLE dominant (id int, t text);
    INSERT INTO dominant SELECT i, md5(i::text) || repeat(md5((i * 7)::text), 312) FROM generate_series(1, 33000) i;
    CREATE TABLE huge_rows (id int, t text);
    INSERT INTO huge_rows SELECT i, repeat(md5(i::text), 2200000) FROM generate_series(1, 1) i;
    INSERT INTO huge_rows VALUES (4, 'small'), (5, NULL)"
check 'the heap is large enough to be split' test "$(sql site "SELECT pg_relation_size('blocks') >= 2 * 128 * 1024 * 1024::bigint")" = t
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'

check 'backup, whole tables' status_is 0 kura backup --repo "$repo" --db "$(conn site)" --jobs 2
whole=$(latest "$repo")
check 'backup, split tables' status_is 0 kura backup --repo "$repo" --db "$(conn site)" --jobs 2 --split-tables --app split
split=$(latest "$repo")
digests() { jq -r '.database.tables[] | [.name, .rows, .digest] | @tsv' "$(manifest "$repo" "$1")"; }
segments() { jq -r ".database.tables[] | select(.name == \"$2\") | .segments | length" "$(manifest "$repo" "$1")"; }
digests "$whole" >"$WORK/whole"
digests "$split" >"$WORK/split"
check 'both have the same rows' same "$WORK/whole" "$WORK/split"
check 'digests equal those of pg_dump' digests_agree "$repo" "$split" site
check 'rows that continue in the next segment are marked' test \
    "$(jq '[.database.tables[] | select(.name == "huge_rows") | .segments[] | select(.continues)] | length' "$(manifest "$repo" "$whole")")" -ge 1
check 'the dominant table has many segments' test "$(segments "$whole" dominant)" -ge 8
check 'no blob is larger than 64 MiB and its frame' test -z "$(find "$repo/blobs" -size +65M)"

check 'restore, in parts' status_is '0|3' kura restore "$whole" --repo "$repo" --db "$(conn copy)" --jobs 2 --json
check 'every digest was read back' test "$(jq .restore.proven.tables_verified "$WORK/out")" = 3
dump site >"$WORK/site.sql"
dump copy >"$WORK/copy.sql"
sort "$WORK/site.sql" >"$WORK/site.sorted"
sort "$WORK/copy.sql" >"$WORK/copy.sorted"
check 'the copy is the original' same "$WORK/site.sorted" "$WORK/copy.sorted"
check 'restore of the split backup' status_is '0|3' kura restore "$split" --repo "$repo" --db "$(conn copy2)" --jobs 1
check 'has all rows' test "$(sql copy2 'SELECT count(*) FROM blocks')" = "$(sql site 'SELECT count(*) FROM blocks')"
finish
