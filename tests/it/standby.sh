#!/bin/bash
# A backup taken from a hot standby is the primary's database.
. "$(dirname "$0")/lib.sh"

start 15 primary -c wal_level=logical
install_extension 15
createdb_as zoodb
sql_file zoodb zoo.sql >/dev/null 2>&1 || die 'zoo.sql failed'
createdb_as site
sql_file site site.sql -v scale=0.2 || die 'site.sql failed'

mkdir "$WORK/standby"
chown postgres: "$WORK/standby"
(pg_server 15 "$WORK" pg_basebackup -h "$WORK/primary" -U postgres -D "$WORK/standby/data" -R -X stream -c fast --no-sync) || die 'pg_basebackup failed'
cluster_run 15 standby "$WORK/standby" -c fsync=off -c hot_standby_feedback=on || die 'the standby could not be started'

caught_up() {
    local target
    use primary
    target=$(sql postgres 'SELECT pg_current_wal_lsn()')
    use standby
    sees "pg_last_wal_replay_lsn() >= '$target'"
}
check 'the standby replays' caught_up
check 'it is one' test "$(sql postgres 'SELECT pg_is_in_recovery()')" = t
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'

whole() { dump "$1" -C -s | sed "s/$1/DATABASE/g"; dump "$1" -a -T 'zoo.by_mood*' "${@:2}" | LC_ALL=C sort; }
for db in zoodb site; do
    use standby
    check "$db: backup from the standby" status_is '0|3' kura backup --repo "$repo" --db "$(conn $db)" --app "$db" --jobs 2
    check "$db: digests are those that pg_dump has there" digests_agree "$repo" "$(latest "$repo")" "$db"
    use primary
    check "$db: restore on the primary" status_is '0|3' kura restore latest --repo "$repo" --db "$(conn ${db}_copy)" --jobs 2
    # Rows of unlogged tables do not exist on a standby.
    whole "$db" --no-unlogged-table-data >"$WORK/original.sql"
    whole "${db}_copy" --no-unlogged-table-data >"$WORK/copy.sql"
    check "$db: the copy is the original" same "$WORK/original.sql" "$WORK/copy.sql"
done

use standby
check 'a restore into a standby is refused' status_is 1 kura restore latest --repo "$repo" --db "$(conn nowhere)"
check 'and said to be one' says 'standby|recovery|read-only'

finish
