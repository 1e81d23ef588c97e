#!/bin/bash
# The small and the odd: an empty database, one with a name that needs quotes everywhere, 2,000 tables.
. "$(dirname "$0")/lib.sh"

start 15 main
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
whole() { dump "$1" -C | grep -v '^\\connect'; }

createdb_as void
check 'empty: backup' status_is 0 kura backup --repo "$repo" --db "$(conn void)"
check 'empty: restore' status_is '0|3' kura restore latest --repo "$repo" --db "$(conn void2)"
whole void >"$WORK/a"
whole void2 | sed 's/void2/void/g' >"$WORK/b"
check 'empty: the copy is the original' same "$WORK/a" "$WORK/b"
check 'empty: export' status_is '0|3' kura export latest "$WORK/void" --repo "$repo"
check 'empty: pg_restore takes it' "$(pg_bindir 15)/pg_restore" --exit-on-error -f "$WORK/void.sql" "$WORK/void/database"

odd='we ird db'
sql postgres "CREATE DATABASE \"$odd\" ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0 CONNECTION LIMIT 7"
sql "$odd" "CREATE TABLE \"t\"\"t\" (a text); INSERT INTO \"t\"\"t\" VALUES ('é'), (NULL); ALTER DATABASE \"$odd\" SET work_mem = '6MB'"
check 'odd name: backup' status_is 0 kura backup --repo "$repo" --db "$(conn "$odd")"
odd_id=$(latest "$repo")
check 'odd name: restore' status_is '0|3' kura restore "$odd_id" --repo "$repo" --db "$(conn 'we "ird" = copy')"
whole "$odd" | sed "s/\"$odd\"/DATABASE/g; s/$odd/DATABASE/g" >"$WORK/a"
whole 'we "ird" = copy' | sed 's/"we ""ird"" = copy"/DATABASE/g; s/we "ird" = copy/DATABASE/g' >"$WORK/b"
check 'odd name: encoding, locale, limit and settings too' same "$WORK/a" "$WORK/b"
check 'odd name: restore by URI' status_is '0|3' kura restore "$odd_id" --repo "$repo" --db "postgresql:///we%20uri%20db?host=$PGHOST&user=postgres"
check 'odd name: it is there' has_db 'we uri db'
check 'odd name: list shows it' bash -c "'$KURA' list --repo '$repo' | grep -q we"
check 'odd name: list as JSON' bash -c "'$KURA' --json list --repo '$repo' | jq -e . >/dev/null"
check 'odd name: show as JSON' bash -c "'$KURA' --json show '$odd_id' --repo '$repo' | jq -e . >/dev/null"
check 'show --tables' bash -c "'$KURA' show '$odd_id' --tables --repo '$repo' | grep -q 't\"'"
check 'show --roles' bash -c "'$KURA' show '$odd_id' --roles --repo '$repo' | grep -q postgres"

createdb_as many
psql -Xq -v ON_ERROR_STOP=1 -d many >/dev/null <<'SQL' || die 'the tables could not be made'
SELECT format('CREATE TABLE table_%s (id serial PRIMARY KEY, t text); INSERT INTO table_%1$s (t) SELECT ''x'' FROM generate_series(1, %s)', n, n % 5)
FROM generate_series(1, 2000) n \gexec
SQL
check 'many: backup' status_is 0 kura backup --repo "$repo" --db "$(conn many)" --app many --jobs 2
check 'many: restore' status_is '0|3' kura restore latest --repo "$repo" --db "$(conn many2)" --jobs 2
whole many >"$WORK/a"
whole many2 | sed 's/many2/many/g' >"$WORK/b"
check 'many: the copy is the original' same "$WORK/a" "$WORK/b"
check 'many: backup without the data of some' status_is '0|3' kura backup --repo "$repo" --db "$(conn many)" --app fewer --exclude-table-data 'table_1*'
check 'many: restore of it' status_is '0|3' kura restore latest --repo "$repo" --db "$(conn fewer)" --jobs 2
check 'many: the tables are there, their rows are not' test "$(sql fewer 'SELECT count(*) FROM table_1234') $(sql fewer 'SELECT count(*) FROM table_23')" = '0 3'

finish
