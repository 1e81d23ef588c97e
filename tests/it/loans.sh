#!/bin/bash
# restore --swap and undo by roles that are no superusers: over a database that others own and an application works
# with, with an administrator's help and without, beside what killed restores left.
. "$(dirname "$0")/lib.sh"

memberships() {
    sql postgres "SELECT r.rolname, u.rolname, g.rolname, to_jsonb(m) - ARRAY['oid', 'roleid', 'member', 'grantor'] FROM pg_auth_members m
        JOIN pg_roles r ON r.oid = roleid JOIN pg_roles u ON u.oid = member LEFT JOIN pg_roles g ON g.oid = grantor ORDER BY 1, 2, 3"
}
roles() { sql postgres "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles ORDER BY 1"; }
remember() { { memberships; roles; } >"$WORK/state"; }
unchanged() { # unchanged: roles and memberships are those of $WORK/state
    { memberships; roles; } >"$WORK/state.now"
    diff "$WORK/state" "$WORK/state.now" && [ -s "$WORK/state" ]
}
state() { memberships; roles; sql postgres "SELECT oid, datname, datdba::regrole, datacl, shobj_description(oid, 'pg_database') FROM pg_database ORDER BY 1"; }
as() { printf "host=%s user='%s' dbname='%s'" "$PGHOST" "$1" "$2"; }
restore_as() { # restore_as ROLE DATABASE OPTION...
    kura restore "$site" --repo "$repo" --pg-bindir "$bin" --db "$(as "$1" "$2")" --jobs 2 "${@:3}"
}
undo_as() { kura undo --db "$(as "$1" "$2")" "${@:3}"; }
whole() { dump "$1" -C | sed "s/$1/DATABASE/g"; }
is_copy() { # is_copy ORIGINAL COPY
    whole "$1" >"$WORK/original.sql"
    whole "$2" >"$WORK/copy.sql"
    same "$WORK/original.sql" "$WORK/copy.sql"
}
gone() { ! has_db "$1" || sql postgres "DROP DATABASE \"$1\" WITH (FORCE)"; }
scratch() { databases | grep "^$1_kura_"; }
kept() { sql postgres "SELECT datname FROM pg_database WHERE datname LIKE '$1\\_before\\_%' ORDER BY oid"; }
all_gone() { local name; for name in $(kept live) $(scratch live) live; do gone "$name"; done; }
connected() { [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$2' AND usename = '$1'")" != 0 ]; }

# The live database: of rt_owner, as rights.sql has it, and with rows of its own.
make_live() {
    all_gone
    restore_as postgres live >"$WORK/log" 2>&1
    sql live "INSERT INTO shop.part VALUES (9999, '2024-02-02')" || { cat "$WORK/log"; die 'no live database'; }
}
is_old() { [ "$(sql "$1" 'SELECT count(*) FROM shop.part')" = 501 ]; }
is_new() { [ "$(sql "$1" 'SELECT count(*) FROM shop.part')" = 500 ]; }

# An application at work: one session that stays, one that comes again.
work_begins() {
    rm -f "$WORK/stop"
    psql -Xq -d "$(as rt_owner live)" -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
    workers=($!)
    while [ ! -e "$WORK/stop" ]; do psql -Xq -d "$(as rt_owner live)" -c 'SELECT pg_sleep(0.1)' >/dev/null 2>&1; done &
    workers+=($!)
    eventually connected rt_owner live
}
work_ends() {
    touch "$WORK/stop"
    sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rt_owner'" >/dev/null
    wait "${workers[@]}" 2>/dev/null
}

# swaps NAME ROLE OPTION...: a plan, a swap under the application, an undo by the same role, and by the owner.
swaps() {
    local name=$1 role=$2
    shift 2
    make_live
    work_begins || die 'no application'
    remember
    state >"$WORK/before"
    check "$name: without --swap it is refused" status_is 1 restore_as "$role" live "$@"
    check "$name: plan" status_is '0|3' restore_as "$role" live --swap --plan "$@"
    check "$name: the plan tells of sessions" says 'connected to database "live"'
    check "$name: which it has the right to end" says 'They are ended when the database gets its name'
    state >"$WORK/after"
    check "$name: the plan changes nothing" same "$WORK/before" "$WORK/after"
    check "$name: swap" status_is '0|3' restore_as "$role" live --swap "$@"
    check "$name: sessions were ended" says 'ended: .*rt_owner'
    check "$name: memberships are as they were" unchanged
    check "$name: the restored one is there" is_new live
    check "$name: it is a copy" is_copy site live
    check "$name: the old one is kept" is_old "$(kept live)"
    check "$name: nothing is left" test -z "$(scratch live)"
    check "$name: undo by a stranger is refused" status_is 1 undo_as outsider live
    check "$name: with the reason" says 'role "outsider" may not rename database "live.*" of role "rt_owner"'
    check "$name: and a remedy" says 'with CREATEDB that is a member of the owner'
    check "$name: undo by the owner without CREATEDB is refused" status_is 1 undo_as rt_owner live
    check "$name: and nothing changed" is_new live
    check "$name: undo --plan by a member" status_is '0|3' undo_as creator live --plan
    check "$name: undo by a member" status_is '0|3' undo_as creator live
    check "$name: the old one is back" is_old live
    sql postgres 'ALTER ROLE rt_owner CREATEDB'
    check "$name: undo by the owner with CREATEDB" status_is '0|3' undo_as rt_owner live
    sql postgres 'ALTER ROLE rt_owner NOCREATEDB'
    check "$name: the restored one is back" is_new live
    check "$name: memberships are still as they were" unchanged
    work_ends
}

# --- what a killed restore borrowed
none_building() { [ "$(sql postgres "SELECT count(*) FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE 'kura building%'")" = 0 ]; }
mark_tells() { [ "$(sql postgres "SELECT count(*) FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE 'kura %lent \"rt\\_owner\" to %'")" != 0 ]; }
borrows() { sees "(SELECT count(*) > $granted FROM pg_auth_members)"; }
lent() { [ "$(memberships | md5sum)" != "$(cat "$WORK/memberships")" ]; }
# begin ROLE OPTION...: a swap in the background, from a state with nothing lent.
begin() {
    memberships | md5sum >"$WORK/memberships"
    granted=$(sql postgres 'SELECT count(*) FROM pg_auth_members')
    HOME=$WORK TMPDIR=$WORK/tmp "$KURA" restore "$site" --repo "$repo" --pg-bindir "$bin" --db "$(as "$1" live)" --jobs 2 --swap "${@:2}" \
        >"$WORK/begun.out" 2>"$WORK/begun.err" &
    pid=$!
}
# A lock that the renaming of the live database waits for: by then everything is borrowed.
hold_name() { hold postgres "COMMENT ON DATABASE live IS 'held'"; }
waiting() { [ "$(sql postgres "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted AND locktype = 'object'")" = 1 ]; }
quiet() { [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kura%' OR application_name LIKE 'pg\_%'")" = 0 ]; }
kill_it() {
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    rm -rf "$WORK"/tmp/*
    [ -z "${1:-}" ] || unhold
    eventually quiet || die 'what was killed goes on'
}
# leave ROLE OPTION...: a restore of that role's that was killed with everything borrowed.
leave() {
    make_live
    remember
    hold_name
    begin "$@"
    check "$name: it waits for the name" eventually waiting
    kill_it held
    check "$name: killed, it leaves memberships" lent
    check "$name: which its mark tells" mark_tells
}

# kills NAME ROLE OPTION...: the next run gives back exactly what was borrowed.
kills() {
    local name=$1 role=$2
    shift 2
    leave "$role" "$@"
    state >"$WORK/before"
    check "$name: restore --plan" status_is '0|3' restore_as "$role" live --swap --plan "$@"
    check "$name: the plan tells what is lent" says "\"$role\" still is a member of role .rt_owner.: a restore that did not end"
    check "$name: the plan borrows it again" says "\"$role\" is made a member of role .rt_owner. by"
    state >"$WORK/after"
    check "$name: the plan changes nothing" same "$WORK/before" "$WORK/after"
    check "$name: the next restore" status_is '0|3' restore_as "$role" live --swap "$@"
    check "$name: the next restore tells" says "membership of \"$role\" in role .rt_owner.*was taken back"
    check "$name: after the next restore all is as before" unchanged
    check "$name: which is there" is_new live
}

# Each kind of next run does, whenever the kill came.
kills_often() {
    local name=$1 role=$2 delay left=0
    shift 2
    kills "$name" "$role" "$@"
    leave "$role" "$@"
    state >"$WORK/before"
    check "$name: undo --plan" status_is '0|3' undo_as postgres live "$(scratch live)" --plan
    check "$name: undo --plan tells what is lent" says "\"$role\" still is a member of role .rt_second."
    check "$name: prune that only lists" status_is '0|3' kura prune --old-databases --db "$(as postgres live)"
    check "$name: prune that only lists tells, too" says "\"$role\" still is a member of role .rt_second."
    state >"$WORK/after"
    check "$name: neither changes anything" same "$WORK/before" "$WORK/after"
    check "$name: undo" status_is '0|3' undo_as postgres live "$(scratch live)"
    check "$name: undo tells" says "membership of \"$role\" in role .rt_owner.*was taken back"
    check "$name: after undo all is as before" unchanged
    check "$name: the complete one is in place" is_new live

    leave "$role" "$@"
    check "$name: prune" status_is '0|3' kura prune --old-databases --db "$(as postgres live)" --older-than 0 --drop
    check "$name: prune tells" says "membership of \"$role\" in role .rt_owner.*was taken back"
    check "$name: after prune all is as before" unchanged

    for delay in 0 0.05 0.1 0.2 0.3; do
        make_live
        remember
        begin "$role" "$@"
        borrows || die 'nothing was borrowed'
        sleep "$delay"
        kill_it
        if lent; then left=$((left + 1)); fi
        check "$name: killed $delay s after it borrowed: the next run" status_is '0|3' restore_as "$role" live --swap "$@"
        check "$name: killed $delay s after it borrowed: all is as before" unchanged
        check "$name: killed $delay s after it borrowed: nothing unfinished is left" none_building
    done
    check "$name: some were killed while they had it" test $left -ge 2
}

# Into a name that nothing has yet: there is no old database that could tell what is borrowed.
fresh() {
    local name=$1 delay
    for delay in 0 0.1 0.2 0.25 0.3 0.35; do
        all_gone
        remember
        begin 'The Stranger' --admin-db "$(as master postgres)"
        borrows || die 'nothing was borrowed'
        sleep "$delay"
        kill_it
        check "$name: killed $delay s after it borrowed: the next run" status_is '0|3' restore_as 'The Stranger' live --swap --admin-db "$(as master postgres)"
        check "$name: killed $delay s after it borrowed: all is as before" unchanged
        check "$name: killed $delay s after it borrowed: nothing unfinished is left" none_building
    done
}

# What is not ours stays, and what we may not give back is told.
left_alone() {
    local name="$1: beside others" oid
    leave 'The Stranger' --admin-db "$(as postgres postgres)"
    sql postgres 'GRANT rt_second TO "The Stranger" WITH ADMIN OPTION'
    check "$name: without a right to it" status_is 3 restore_as 'The Stranger' live --swap
    check "$name: the statement is told" says 'Take it back by hand: REVOKE rt_owner FROM "The Stranger"'
    check "$name: with the right" status_is '0|3' undo_as postgres live
    check "$name: what was borrowed is taken back" test "$(memberships | grep -c '^rt_owner|The Stranger')" = 0
    check "$name: what somebody granted since stays" test "$(memberships | grep -c '^rt_second|The Stranger')" = 1
    sql postgres 'REVOKE rt_second FROM "The Stranger"'
    check "$name: then all is as before" unchanged

    # A mark is only a comment: whoever owns a database can write one.
    all_gone
    make_live
    sql postgres 'CREATE DATABASE live_before_lie OWNER outsider'
    oid=$(sql postgres "SELECT oid FROM pg_database WHERE datname = 'live_before_lie'")
    sql postgres "SELECT format('COMMENT ON DATABASE live_before_lie IS %L', format('kura kept \"live\" as \"live_before_lie\" oid \"$oid\" at \"2026-01-01T00:00:00.000000Z\" by \"x\" lent \"rt_owner\" to \"creator\"%s stamp \"%s\"',
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN ' grantor \"postgres\"' END, m.xmin))
        FROM pg_auth_members m WHERE roleid = 'rt_owner'::regrole AND member = 'creator'::regrole" >"$WORK/lie.sql"
    psql -Xq -d "$(conn postgres)" -f "$WORK/lie.sql" || die 'no lie'
    check "$name: a lie is listed" status_is '0|3' kura prune --old-databases --db "$(as postgres live)" --older-than 100000 --drop
    check "$name: the lie is there" says 'live_before_lie'
    check "$name: but is not believed" unchanged
    gone live_before_lie

    # Scratch databases that a killed restore could not mark yet, or that are somebody else's.
    createdb_as live_kura_00ff 'OWNER "The Stranger"'
    createdb_as live_kura_00fe
    oid=$(sql postgres "SELECT oid FROM pg_database WHERE datname = 'live_kura_00fe'")
    sql postgres "COMMENT ON DATABASE live_kura_00fe IS 'kura building \"live\" as \"live_kura_00fe\" oid \"$oid\" at \"2026-01-01T00:00:00.000000Z\" by \"x\"'"
    state >"$WORK/before"
    check "$name: a superuser's leftover: plan" status_is 3 restore_as creator live --swap --plan
    check "$name: a superuser's leftover stays, and is told" says '"live_kura_00fe", begun at .* stays: it belongs to role "postgres"'
    state >"$WORK/after"
    check "$name: a superuser's leftover: the plan changes nothing" same "$WORK/before" "$WORK/after"
    check "$name: a superuser's leftover: restore" status_is 3 restore_as creator live --swap
    check "$name: a superuser's leftover is still there" has_db live_kura_00fe
    check "$name: a stranger's unmarked one, too" has_db live_kura_00ff
    check "$name: restore with a superuser's help" status_is '0|3' restore_as 'The Stranger' live --swap --admin-db "$(as postgres live)"
    check "$name: drops the superuser's" says '"live_kura_00fe", which an earlier restore had left unfinished, was dropped'
    check "$name: drops its own unmarked one" says '"live_kura_00ff", which an earlier restore had left unfinished, was dropped'
    check "$name: all else is as before" unchanged
}

# The server crashes while everything is borrowed.
crash() {
    local version=$1 name="$1: a crash" deadline
    make_live
    remember
    hold_name
    begin 'The Stranger' --admin-db "$(as postgres postgres)"
    check "$name: it waits for the name" eventually waiting
    kill -9 "${CLUSTER_PID[pg$version]}"
    wait "${CLUSTER_PID[pg$version]}" 2>/dev/null
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    unhold >/dev/null 2>&1
    rm -rf "$WORK"/tmp/*
    deadline=$((SECONDS + PATIENCE))
    until cluster_run "$version" "pg$version" "$WORK/pg$version" "${settings[@]}" 2>/dev/null; do
        [ $SECONDS -lt $deadline ] || die 'the server does not start again'
        sleep 0.2
    done
    check "$name: it leaves memberships" lent
    check "$name: the next restore" status_is '0|3' restore_as 'The Stranger' live --swap --admin-db "$(as postgres postgres)"
    check "$name: all is as before" unchanged
}

settings=(-c wal_level=logical -c fsync=off)

one_major() {
    local version=$1
    repo=$WORK/repo-$version bin=$(pg_bindir "$version")
    start "$version" "pg$version" "${settings[@]}"
    kura init --repo "$repo" >/dev/null || die 'no repository'
    createdb_as site
    sql_file site rights.sql >"$WORK/log" 2>&1 || { cat "$WORK/log"; die "rights.sql failed on $version"; }
    check "$version: backup" status_is '0|3' kura backup --repo "$repo" --pg-bindir "$bin" --db "$(conn site)" --app site --jobs 2
    site=$(latest "$repo")
    sql postgres "CREATE ROLE creator LOGIN CREATEDB; CREATE ROLE outsider LOGIN CREATEDB; CREATE ROLE \"The Stranger\" LOGIN CREATEDB;
        ALTER ROLE rt_owner LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT rt_owner, rt_second TO creator;
        CREATE ROLE rds_superuser NOLOGIN CREATEDB CREATEROLE; CREATE ROLE master LOGIN CREATEDB CREATEROLE;
        GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION; GRANT rds_superuser TO master"
    if [ "$version" -ge 16 ]; then
        sql postgres "GRANT rt_owner, rt_second, rt_reader TO master WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
    fi
    swaps "$version: a member" creator
    swaps "$version: a superuser helps" 'The Stranger' --admin-db "$(as postgres live)"
    swaps "$version: a managed administrator helps" 'The Stranger' --admin-db "$(as master live)"
    swaps "$version: a managed administrator" master
    if [ "$version" -lt 16 ]; then # to be a member gives it nothing by itself
        sql postgres 'CREATE ROLE shy LOGIN CREATEDB NOINHERIT'
        check "$version: NOINHERIT is refused before anything is done" status_is 1 restore_as shy copy --admin-db "$(as master postgres)"
        check "$version: NOINHERIT: the remedy" says 'must be INHERIT'
        check "$version: NOINHERIT: nothing was made" test -z "$(databases | grep '^copy')"
    fi
    kills_often "$version: killed, a superuser helps" 'The Stranger' --admin-db "$(as postgres postgres)"
    kills "$version: killed, a managed administrator helps" 'The Stranger' --admin-db "$(as master postgres)"
    kills "$version: killed, by itself" master
    fresh "$version: killed, into a new name"
    left_alone "$version"
    crash "$version"
    check "$version: nobody became a superuser" test "$(sql postgres "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname <> 'postgres'")" = 0
    cluster_stop "pg$version"
}

for version in ${KURA_TEST_MAJORS:-17 13}; do
    one_major "$version"
done
finish
