#!/bin/bash
# Story 000: an application that reads from a replica what it has just written, on a real primary and its standbys.
. "$(dirname "$0")/lib.sh"
OWN_WRITES=$BUILD/tests/tools/own-writes

start 15 primary -c wal_level=replica
createdb_as misskey
sql postgres 'CREATE ROLE misskey LOGIN; GRANT ALL ON DATABASE misskey TO misskey'
sql misskey 'GRANT CREATE ON SCHEMA public TO misskey; SET ROLE misskey; CREATE TABLE note AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, 5000) AS g'

# standby NAME: replays each commit only after a moment, so that what is not waited for is seen to be missing.
standby() {
    mkdir "$WORK/$1"
    chown postgres: "$WORK/$1"
    (pg_server 15 "$WORK" pg_basebackup -h "$WORK/primary" -U postgres -D "$WORK/$1/data" -R -X stream -c fast --no-sync) || die 'pg_basebackup failed'
    cluster_run 15 "$1" "$WORK/$1" -c fsync=off -c cluster_name="$1" -c recovery_min_apply_delay=30ms || die 'the standby could not be started'
}
at() { # at NAME DATABASE STATEMENT
    use "$1"
    sql "$2" "$3"
    use primary
}
set_primary() { # set_primary NAME VALUE
    sql postgres "ALTER SYSTEM SET $1 = '$2'"
    sql postgres 'SELECT pg_reload_conf()' >/dev/null
}
sync_state() { [ "$(sql postgres "SELECT sync_state FROM pg_stat_replication WHERE application_name = '$1' AND state = 'streaming'")" = "$2" ]; }
own_writes() { "$OWN_WRITES" "host=$WORK/primary user=misskey dbname=misskey" "host=$WORK/$1 user=misskey dbname=misskey" 20 | tee "$WORK/own-writes"; }
stale() { # stale NONE|SOME
    own_writes s1
    case $1 in
    NONE) grep -q '^0 of 20 ' "$WORK/own-writes" ;;
    SOME) grep -q '^[1-9][0-9]* of 20 ' "$WORK/own-writes" ;;
    esac
}

standby s1
check 'an asynchronous replica: what was written is missing' stale SOME
echo "# asynchronous: $(cat "$WORK/own-writes")"

set_primary synchronous_standby_names s1
check 's1 becomes synchronous' eventually sync_state s1 sync
check 'a synchronous one under synchronous_commit = on: it is still missing' stale SOME
echo "# synchronous_commit = on: $(cat "$WORK/own-writes")"

sql postgres 'ALTER ROLE misskey SET synchronous_commit = remote_apply'
check 'under remote_apply nothing is missing' stale NONE
echo "# synchronous_commit = remote_apply: $(cat "$WORK/own-writes")"

# kura restore --wait-standbys
set_primary synchronous_standby_names ''
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
check 'a backup' status_is '0|3' kura backup --repo "$repo" --db "$(conn misskey)" --app misskey
replayed() { [ "$(at s1 "$1" 'SELECT count(*) FROM note')" = 5000 ]; }
check 'a restore that waits' status_is 0 kura restore latest --repo "$repo" --db "$(conn copy)" --wait-standbys
check 'says that the standby has it' says 'standbys +1 of 1 have replayed it'
check 'and so it is' replayed copy
check 'one with --swap waits too' status_is 0 kura restore latest --repo "$repo" --db "$(conn copy)" --swap --wait-standbys=1m --json
check 'and so it is again' replayed copy
check 'JSON tells' test "$(jq -c '.restore.standbys | [.count, .behind]' "$WORK/out")" = '[1,0]'

at s1 postgres 'SELECT pg_wal_replay_pause()' >/dev/null
check 'a paused standby is behind at the deadline' status_is 3 kura restore latest --repo "$repo" --db "$(conn late)" --wait-standbys=2s
check 'which is said' says 'standby "s1" has not replayed the restore'
at s1 postgres 'SELECT pg_wal_replay_resume()' >/dev/null

sql postgres 'CREATE ROLE restorer LOGIN CREATEDB'
restorer() { PGUSER=restorer conn "$1"; }
check 'a role that cannot see standbys is refused beforehand' status_is 1 kura restore latest --repo "$repo" --db "$(restorer blind)" --map '*=restorer' --wait-standbys
check 'by name' says 'role "restorer" may not see'
check 'nothing was made' test "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE 'blind%'")" = 0

cluster_stop s1
check 'without a standby' status_is 3 kura restore latest --repo "$repo" --db "$(conn alone)" --wait-standbys
check 'that is said' says 'no standby is connected'
check '--wait-standbys needs a database' status_is 2 kura restore latest --repo "$repo" --files "media=$WORK/media" --wait-standbys
finish
