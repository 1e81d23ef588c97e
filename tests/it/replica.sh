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

# What the doctor says: its findings of one check, of one severity.
site=$WORK/misskey
mkdir -p "$site/.config" "$site/packages/backend/migration" "$site/files"
app_config() { # app_config REPLICATIONS HOST...
    printf 'url: https://example.test/\ndb:\n  host: %s\n  port: 5432\n  db: misskey\n  user: misskey\n  pass: none\n' "$WORK/primary"
    printf 'dbReplications: %s\ndbSlaves:\n' "$1"
    printf '  - host: %s\n    port: 5432\n    db: misskey\n    user: misskey\n    pass: none\n' "${@:2}"
    printf 'redis:\n  host: localhost\n  port: 6379\nid: aidx\n'
} >"$site/.config/default.yml"
doctor() { kura doctor --app-dir "$site" --json "$@" >"$WORK/doctor.json" 2>"$WORK/doctor.err" || true; }
finds() { jq -r --arg id "$1" --arg severity "$2" '.doctor.findings[] | select(.id == $id and .severity == $severity) | .evidence + " | " + (.remedy // "")' "$WORK/doctor.json"; }
outcome() { jq -r --arg id "$1" '.doctor.checks[] | select(.id == $id) | .outcome' "$WORK/doctor.json"; }
fires() { # fires ID SEVERITY PATTERN
    cat "$WORK/doctor.err"
    jq -c '.doctor.findings[]' "$WORK/doctor.json"
    finds "$1" "$2" | grep -qE -e "$3"
}
silent() { # silent ID: it was looked at, and all was well
    jq -c '.doctor.findings[]' "$WORK/doctor.json"
    [ "$(outcome "$1")" = ran ] && [ -z "$(finds "$1" error)$(finds "$1" warning)$(finds "$1" note)" ]
}

standby s1
check 'an asynchronous replica: what was written is missing' stale SOME
echo "# asynchronous: $(cat "$WORK/own-writes")"
app_config true "$WORK/s1"
doctor
check 'REPL-01 finds it, and measures' fires REPL-01 error 'dbSlaves\[0\].*no standby is synchronous.*commits looked for: [0-9]+, not there at once: [1-9][0-9]*, lag p95'
check 'the remedy is remote_apply for the role, or no replicas' fires REPL-01 error 'ALTER ROLE misskey SET synchronous_commit = remote_apply.*dbReplications: false'
echo "# $(finds REPL-01 error)"
for id in REPL-02 REPL-03 REPL-04; do
    check "$id is silent" silent "$id"
done
app_config false "$WORK/s1"
doctor
check 'without dbReplications REPL-01 has nothing to look at' test "$(outcome REPL-01)" = skipped
app_config true "$WORK/s1"

set_primary synchronous_standby_names s1
check 's1 becomes synchronous' eventually sync_state s1 sync
check 'a synchronous one under synchronous_commit = on: it is still missing' stale SOME
echo "# synchronous_commit = on: $(cat "$WORK/own-writes")"
doctor
check 'REPL-01 finds that, too' fires REPL-01 error 'on disk, not until it can be read there.*synchronous_commit = on'
echo "# $(finds REPL-01 error)"

sql postgres 'ALTER ROLE misskey SET synchronous_commit = remote_apply'
check 'under remote_apply nothing is missing' stale NONE
echo "# synchronous_commit = remote_apply: $(cat "$WORK/own-writes")"
doctor --db "$(conn misskey)"
check 'REPL-01 is silent' silent REPL-01
check 'and so is REPL-04' silent REPL-04
doctor
check 'a role that may not see it: that is said' fires REPL-01 note 'cannot be seen.*GRANT pg_monitor TO misskey'
check 'without accusing anybody' test -z "$(finds REPL-01 error)"

sql misskey 'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC'
doctor
check 'that a role may not ask for the system identifier is said, too' fires REPL-02 note 'cannot be told'
sql misskey 'GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC'

# Two replicas, of which a commit waits for one.
standby s2
app_config true "$WORK/s1" "$WORK/s2"
set_primary synchronous_standby_names 'ANY 1 (s1, s2)'
check 'a quorum' eventually sync_state s2 quorum
doctor --db "$(conn misskey)"
check 'a quorum of one is not enough for each' fires REPL-01 error 'dbSlaves\[1\].*waits for some of the replicas'
set_primary synchronous_standby_names 'FIRST 1 (s1, s2)'
check 'a spare' eventually sync_state s2 potential
doctor --db "$(conn misskey)"
check 'nor is a spare' fires REPL-01 error 'dbSlaves\[1\].*which is asynchronous'
check 'while the first is waited for' test -z "$(finds REPL-01 error | grep 'dbSlaves.0.')"
set_primary synchronous_standby_names 'FIRST 2 (s1, s2)'
check 'both' eventually sync_state s2 sync
doctor --db "$(conn misskey)"
check 'both are waited for: REPL-01 is silent' silent REPL-01

# A standby that is away.
cluster_stop s2
doctor --db "$(conn misskey)"
check 'REPL-04 finds that commits wait for ever' fires REPL-04 error 'of 2 synchronous standbys 1 are not there'
check 'REPL-03 finds the replica unreachable' fires REPL-03 error 'dbSlaves\[1\].*cannot be asked'
doctor
check 'a role that may not see it finds out by a commit' fires REPL-04 error 'a commit did not return'
set_primary synchronous_standby_names s1
app_config true "$WORK/s1"
check 's1 alone again' eventually sync_state s1 sync

# Paused, promoted, of another cluster.
at s1 postgres 'SELECT pg_wal_replay_pause()' >/dev/null
doctor --db "$(conn misskey)"
check 'REPL-03 finds a paused replay' fires REPL-03 error 'is paused'
at s1 postgres 'SELECT pg_wal_replay_resume()' >/dev/null
cluster_run 15 s2 "$WORK/s2" -c fsync=off -c cluster_name=s2 || die 'the standby could not be started again'
at s2 postgres 'SELECT pg_promote()' >/dev/null
app_config true "$WORK/s2"
doctor --db "$(conn misskey)"
check 'REPL-03 finds a replica that takes writes' fires REPL-03 error 'is no standby'
check 'which REPL-02 does not mind' silent REPL-02
cluster_stop s2
start 15 other
sql postgres 'CREATE ROLE misskey LOGIN'
createdb_as misskey
use primary
app_config true "$WORK/other"
doctor --db "$(conn misskey)"
check 'REPL-02 finds another cluster' fires REPL-02 error 'of another database cluster: its system identifier is [0-9]+, that of the primary [0-9]+'
check 'which REPL-03 leaves to it' silent REPL-03
cluster_stop other
app_config true "$WORK/primary"
doctor --db "$(conn misskey)"
check 'the primary as its own replica is no trouble' silent REPL-03
check 'nor are reads from it' silent REPL-01
sql postgres 'ALTER ROLE misskey RESET synchronous_commit'

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

check 'with the application at hand' status_is 3 kura restore latest --repo "$repo" --db "$(conn copy)" --swap --app-dir "$site" --wait-standbys
check 'it says that the standby is asynchronous' says 'standby "s1" is asynchronous, and Misskey reads from replicas'
set_primary synchronous_standby_names s1
check 's1 becomes synchronous once more' eventually sync_state s1 sync
check 'nothing to say of a synchronous one' status_is 0 kura restore latest --repo "$repo" --db "$(conn copy)" --swap --app-dir "$site" --wait-standbys
set_primary synchronous_standby_names ''

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
