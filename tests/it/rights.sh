#!/bin/bash
# Restores without superuser: what the role may do is done, what it may not is said before the first statement or left
# out by name, and every membership that was borrowed is given back, whatever happens.
. "$(dirname "$0")/lib.sh"

memberships() {
    sql postgres "SELECT r.rolname, u.rolname, g.rolname, to_jsonb(m) - ARRAY['oid', 'roleid', 'member', 'grantor'] FROM pg_auth_members m
        JOIN pg_roles r ON r.oid = roleid JOIN pg_roles u ON u.oid = member LEFT JOIN pg_roles g ON g.oid = grantor ORDER BY 1, 2, 3"
}
powers() { sql postgres "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication FROM pg_roles ORDER BY 1"; }
state() { memberships; powers; databases; }
unchanged() { # unchanged: memberships, powers and databases are those of $WORK/state
    state >"$WORK/state.now"
    diff "$WORK/state" "$WORK/state.now" && [ -s "$WORK/state" ]
}
remember() { state >"$WORK/state"; }
as() { printf "host=%s user=%s dbname='%s'" "$PGHOST" "$1" "$2"; }
restore_as() { # restore_as ROLE ID DATABASE OPTION...
    local role=$1 id=$2 database=$3
    shift 3
    kura restore "$id" --repo "$repo" --pg-bindir "$bin" --db "$(as "$role" "$database")" --jobs 2 "$@"
}
whole() { dump "$1" -C | sed "s/$1/DATABASE/g"; }
is_copy() { # is_copy ORIGINAL COPY
    whole "$1" >"$WORK/original.sql"
    whole "$2" >"$WORK/copy.sql"
    same "$WORK/original.sql" "$WORK/copy.sql"
}
no_superuser_granted() { [ "$(sql postgres "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname <> 'postgres'")" = 0 ]; }
count_says() { # count_says N PATTERN: how many findings the last run had of the kind
    local n
    n=$(grep -aciE -e "$2" "$WORK/err")
    cat "$WORK/err"
    echo "$n lines of $2, wanted $1"
    [ "$n" = "$1" ]
}
gone() { sql postgres "DROP DATABASE IF EXISTS \"$1\""; }

one_major() {
    local version=$1
    repo=$WORK/repo-$version bin=$(pg_bindir "$version")
    start "$version" "pg$version" -c wal_level=logical
    [ "$version" = 13 ] || options='WITH INHERIT TRUE, SET TRUE'
    kura init --repo "$repo" >/dev/null || die 'no repository'
    createdb_as site
    sql_file site rights.sql >"$WORK/log" 2>&1 || { cat "$WORK/log"; die "rights.sql failed on $version"; }
    check "$version: backup" status_is '0|3' kura backup --repo "$repo" --pg-bindir "$bin" --db "$(conn site)" --app site --jobs 2
    site=$(latest "$repo")
    sql postgres "CREATE ROLE creator LOGIN CREATEDB; CREATE ROLE stranger LOGIN CREATEDB; CREATE ROLE maker LOGIN CREATEDB CREATEROLE"
    sql postgres "GRANT rt_owner, rt_second TO creator; REVOKE CREATE ON SCHEMA public FROM PUBLIC"

    check "$version: an audit needs no superuser" status_is '0|3' kura audit --db "$(as creator site)" --app-role rt_owner

    # CREATEDB only, a member of the owners.
    remember
    check "$version: CREATEDB and memberships: plan" status_is '0|3' restore_as creator "$site" copy --plan
    check "$version: CREATEDB and memberships: the plan changes nothing" unchanged
    check "$version: CREATEDB and memberships" status_is '0|3' restore_as creator "$site" copy
    check "$version: CREATEDB and memberships: it is a copy" is_copy site copy
    check "$version: CREATEDB and memberships: rows were read back" says 'tables read back'
    gone copy
    check "$version: CREATEDB and memberships: nothing else changed" unchanged
    check "$version: the plan forms of --json" bash -c "timeout --foreground 60 '$KURA' --json restore $site --repo '$repo' --pg-bindir '$bin' --db '$(as creator copy)' --plan 2>/dev/null | jq -e '.findings | type == \"array\"'"

    # No member, and nobody to ask.
    check "$version: no member" status_is 1 restore_as stranger "$site" copy
    check "$version: no member: says whose objects" says 'rt_owner'
    check "$version: no member: and the other's" says 'rt_second'
    check "$version: no member: a remedy" says 'admin-db'
    check "$version: no member: nothing changed" unchanged

    # An administrator lends the memberships.
    check "$version: --admin-db lends" status_is '0|3' restore_as stranger "$site" copy --admin-db "$(as postgres postgres)"
    check "$version: --admin-db lends: says so" says 'stranger.* is made a member of role .rt_owner. by .postgres.'
    check "$version: --admin-db lends: it is a copy" is_copy site copy
    gone copy
    check "$version: --admin-db lends: all is given back" unchanged

    # Everything to one role of ours.
    check "$version: all becomes one role" status_is '0|3' restore_as stranger "$site" copy --map '*=stranger'
    check "$version: all becomes one role: it owns all" test "$(sql copy "SELECT count(*) FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relowner <> 'stranger'::regrole")" = 0
    check "$version: all becomes one role: rows under policies are there" test "$(sql copy 'SELECT count(*) FROM shop.secured')" = 100
    gone copy
    check "$version: all becomes one role: nothing else changed" unchanged

    # CREATEROLE makes the roles it needs; before 16 it may grant any, from 16 on those it made.
    check "$version: CREATEROLE" status_is '0|3' restore_as maker "$site" copy --create-roles --map 'rt_owner=new_owner,rt_second=new_second,rt_reader=new_reader,"rt_""quo;ted"=new_quoted'
    whole site | sed 's/rt_owner/new_owner/g; s/rt_second/new_second/g; s/rt_reader/new_reader/g; s/"rt_""quo;ted"/new_quoted/g' | sort >"$WORK/original.sql"
    whole copy | sort >"$WORK/copy.sql"
    check "$version: CREATEROLE: it is a copy" same "$WORK/original.sql" "$WORK/copy.sql"
    gone copy
    check "$version: CREATEROLE: no membership but the server's own is left" test "$(sql postgres "SELECT count(*) FROM pg_auth_members m JOIN pg_roles u ON u.oid = member JOIN pg_roles g ON g.oid = grantor WHERE u.rolname = 'maker' AND g.rolname = 'maker'")" = 0
    sql postgres 'DROP ROLE new_owner, new_second, new_reader, new_quoted'
    check "$version: CREATEROLE: nothing else changed" unchanged
    check "$version: no role without CREATEROLE" status_is 1 restore_as creator "$site" copy --create-roles --map 'rt_reader=nobody_yet'
    check "$version: no role without CREATEROLE: says so" says 'may not create roles'
    check "$version: no role without CREATEROLE: nothing changed" unchanged

    # ADMIN OPTION without the rights themselves (16+), or with them (before).
    sql postgres "CREATE ROLE keeper LOGIN CREATEDB; GRANT rt_owner, rt_second TO keeper WITH ADMIN OPTION"
    if [ "$version" -ge 16 ]; then
        sql postgres 'GRANT rt_owner, rt_second TO keeper WITH INHERIT FALSE, SET FALSE'
    fi
    remember
    check "$version: ADMIN OPTION" status_is '0|3' restore_as keeper "$site" copy
    check "$version: ADMIN OPTION: it is a copy" is_copy site copy
    gone copy
    check "$version: ADMIN OPTION: all is given back" unchanged
    if [ "$version" -ge 16 ]; then
        sql postgres 'CREATE ROLE setter LOGIN CREATEDB; GRANT rt_owner, rt_second TO setter WITH INHERIT FALSE, SET TRUE'
        remember
        check "$version: SET without INHERIT is refused" status_is 1 restore_as setter "$site" copy
        check "$version: SET without INHERIT: the remedy names INHERIT" says 'INHERIT TRUE'
        check "$version: SET without INHERIT: nothing changed" unchanged
        sql postgres "CREATE ROLE selfish LOGIN CREATEDB CREATEROLE; ALTER ROLE selfish SET createrole_self_grant = 'set'"
        psql -Xqd "$(as selfish postgres)" -c 'CREATE ROLE own_owner; CREATE ROLE own_second' || die 'no own roles'
        remember
        check "$version: createrole_self_grant" status_is '0|3' restore_as selfish "$site" copy --map 'rt_owner=own_owner,rt_second=own_second'
        check "$version: createrole_self_grant: owned as asked" test "$(sql copy "SELECT relowner::regrole FROM pg_class WHERE relname = 'guest'")" = own_second
        gone copy
        check "$version: createrole_self_grant: its own grants are as they were" unchanged
    fi

    # --swap needs the old database's owner too.
    check "$version: first the old one" status_is '0|3' restore_as creator "$site" live
    check "$version: --swap" status_is '0|3' restore_as creator "$site" live --swap
    check "$version: --swap: the old one is kept" has_db "$(databases | grep '^live_before_')"
    gone "$(databases | grep '^live_before_')"
    check "$version: --swap by a stranger is refused" status_is 1 restore_as stranger "$site" live --swap --map '*=stranger'
    gone live
    check "$version: --swap: nothing else changed" unchanged

    skips "$version"
    ways_out "$version"
    managed "$version"
    check "$version: nobody became a superuser" no_superuser_granted
    cluster_stop "pg$version"
}

# What needs more rights is left out by name, or made by the administrator.
skips() {
    local version=$1 what
    createdb_as more
    sql_file more rights.sql >"$WORK/log" 2>&1 && sql_file more rights-more.sql >"$WORK/log" 2>&1 || { cat "$WORK/log"; die "rights-more.sql failed on $version"; }
    check "$version: backup of what needs more" status_is '0|3' kura backup --repo "$repo" --pg-bindir "$bin" --db "$(conn more)" --app more
    more=$(latest "$repo")
    remember
    local expected=('EVENT TRIGGER watcher' 'PUBLICATION All of it' 'CAST CAST \(point AS bytea\)'
        'FOREIGN DATA WRAPPER elsewhere' 'SERVER far' 'USER MAPPING USER MAPPING rt_owner SERVER far'
        'FOREIGN TABLE shop.away' 'ACL FOREIGN SERVER far|ACL SERVER far' 'ACL pg_catalog.FUNCTION pg_ls_logdir' 'DEFAULT ACL')
    check "$version: skips: plan" status_is 3 restore_as creator "$more" copy --plan
    for what in "${expected[@]}"; do
        check "$version: skips: the plan lists $what" says "($what).* is skipped, it needs"
    done
    check "$version: skips: all of them, and no others" count_says ${#expected[@]} ' is skipped, it needs'
    check "$version: skips: the plan changes nothing" unchanged
    check "$version: skips: restore" status_is 3 restore_as creator "$more" copy
    for what in "${expected[@]}"; do
        check "$version: skips: the report lists $what" says "($what).* is skipped, it needs"
    done
    check "$version: skips: no secret is told" bash -c "! grep mapping-secret '$WORK/out' '$WORK/err'"
    whole copy >"$WORK/copy.sql"
    check "$version: skips: the rest is there" bash -c "grep -q 'CREATE CAST (shop.pair AS shop.mood)' '$WORK/copy.sql' && ! grep -q 'CREATE EVENT TRIGGER' '$WORK/copy.sql'"
    gone copy
    check "$version: skips: nothing else changed" unchanged
    check "$version: an administrator makes them" status_is '0|3' restore_as creator "$more" copy --admin-db "$(as postgres postgres)"
    check "$version: an administrator makes them: no skip" count_says 0 ' is skipped, it needs'
    check "$version: an administrator makes them: it is a copy" is_copy more copy
    gone copy
    check "$version: an administrator makes them: nothing else changed" unchanged

    # Functions in C cannot be done without: refused.
    sql more "CREATE FUNCTION shop.raw() RETURNS language_handler LANGUAGE c AS '\$libdir/plpgsql', 'plpgsql_call_handler'; ALTER FUNCTION shop.raw() OWNER TO rt_owner;
        CREATE LANGUAGE pidgin HANDLER shop.raw; CREATE FUNCTION shop.speak() RETURNS integer LANGUAGE pidgin AS 'BEGIN RETURN 1; END'; ALTER FUNCTION shop.speak() OWNER TO rt_owner"
    check "$version: backup with a function in C" status_is '0|3' kura backup --repo "$repo" --pg-bindir "$bin" --db "$(conn more)" --app more
    check "$version: a function in C is refused" status_is 1 restore_as creator "$(latest "$repo")" copy
    check "$version: a function in C: named" says 'FUNCTION shop.raw\(\).*needs more rights'
    check "$version: a function in C: its language is skipped" says 'PROCEDURAL LANGUAGE pidgin is skipped, it needs FUNCTION shop.raw'
    check "$version: a function in C: a function in that language is refused" says 'error: FUNCTION shop.speak\(\) '
    check "$version: a function in C: nothing changed" unchanged
    check "$version: a function in C, by the administrator" status_is '0|3' restore_as creator "$(latest "$repo")" copy --admin-db "$(as postgres postgres)"
    check "$version: a function in C, by the administrator: it is a copy" is_copy more copy
    gone copy
    sql postgres 'DROP DATABASE more'

    # An extension that only a superuser may create.
    createdb_as extended
    sql extended 'ALTER DATABASE extended OWNER TO rt_owner; CREATE EXTENSION amcheck; CREATE TABLE t (a integer); ALTER TABLE t OWNER TO rt_owner; GRANT CREATE ON SCHEMA public TO rt_owner'
    check "$version: backup with an untrusted extension" status_is '0|3' kura backup --repo "$repo" --pg-bindir "$bin" --db "$(conn extended)" --app extended
    remember
    local extended
    extended=$(latest "$repo")
    check "$version: an untrusted extension is refused" status_is 1 restore_as creator "$extended" copy
    check "$version: an untrusted extension: named" says 'EXTENSION amcheck is not trusted'
    check "$version: an untrusted extension: nothing changed" unchanged
    check "$version: an untrusted extension by the administrator" status_is '0|3' restore_as creator "$extended" copy --admin-db "$(as postgres postgres)"
    check "$version: an untrusted extension by the administrator: there" test "$(sql copy "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'")" = 1
    gone copy
    sql template1 'CREATE EXTENSION amcheck'
    check "$version: an untrusted extension in template1" status_is '0|3' restore_as creator "$extended" copy
    check "$version: an untrusted extension in template1: there" test "$(sql copy "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'")" = 1
    check "$version: an untrusted extension in template1: its comment is skipped, by name" says 'note: COMMENT EXTENSION amcheck is skipped'
    gone copy
    sql template1 'DROP EXTENSION amcheck'
    sql postgres 'DROP DATABASE extended'
}

# Memberships are given back after failures and stops.
ways_out() {
    local version=$1 bad=$WORK/bad blob delay status stopped=0 started length
    remember
    cp -r "$repo" "$bad"
    chmod -R u+w "$bad"
    blob=$(jq -r '.database.tables[] | select(.name == "item") | .segments[0].blob | if type == "object" then .name else . end' "$(manifest "$bad" "$site")" | cut -c 1-64)
    rm "$(find "$bad/blobs" -name "$blob*")" || die 'no blob to remove'
    check "$version: a failing restore" status_is 1 kura restore "$site" --repo "$bad" --pg-bindir "$bin" --db "$(as stranger copy)" --admin-db "$(as postgres postgres)"
    check "$version: a failing restore gives back all" unchanged
    check "$version: a failing restore with borrowed ADMIN OPTION" status_is 1 kura restore "$site" --repo "$bad" --pg-bindir "$bin" --db "$(as keeper copy)"
    check "$version: a failing restore with borrowed ADMIN OPTION gives back all" unchanged
    rm -rf "$bad"
    started=$(milliseconds)
    restore_as stranger "$site" copy --admin-db "$(as postgres postgres)" >/dev/null 2>&1
    length=$(($(milliseconds) - started))
    gone copy
    for step in 1 2 3 4 5 6 7 8; do
        delay=$((length * step / 9))
        started=$(milliseconds)
        HOME=$WORK TMPDIR=$WORK/tmp signalled TERM "$delay" "$KURA" restore "$site" --repo "$repo" --pg-bindir "$bin" \
            --db "$(as stranger copy)" --admin-db "$(as postgres postgres)" --jobs 2 >"$WORK/out" 2>"$WORK/err"
        status=$?
        if [ $status = 143 ]; then
            stopped=$((stopped + 1))
        else
            length=$(($(milliseconds) - started))
            gone copy
        fi
        check "$version: ended by SIGTERM after $delay ms gives back all" unchanged
    done
    check "$version: most were really stopped" test $stopped -ge 4
}

# The shapes of providers: no superuser for anybody, an administrators' role with some predefined ones.
managed() {
    local version=$1 group master
    for group in rds_superuser cloudsqlsuperuser azure_pg_admin; do
        master=${group%%_*}_master
        sql postgres "CREATE ROLE $group NOLOGIN CREATEDB CREATEROLE; CREATE ROLE $master LOGIN CREATEDB CREATEROLE;
            GRANT pg_monitor, pg_signal_backend TO $group WITH ADMIN OPTION; GRANT $group TO $master"
        if [ "$version" -ge 16 ]; then # the customer's own roles are made by the customer
            sql postgres "GRANT rt_owner, rt_second, rt_reader TO $master WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
        fi
        remember
        check "$version: $group" status_is '0|3' restore_as "$master" "$site" copy
        check "$version: $group: it is a copy" is_copy site copy
        gone copy
        check "$version: $group: all is given back" unchanged
        check "$version: $group lends to another" status_is '0|3' restore_as stranger "$site" copy --admin-db "$(as "$master" postgres)"
        check "$version: $group lends to another: it is a copy" is_copy site copy
        gone copy
        check "$version: $group lends to another: all is given back" unchanged
        sql postgres "DROP OWNED BY $master; DROP ROLE $master; DROP OWNED BY $group; DROP ROLE $group"
    done
}

# What pg_restore cannot do has a class, by the server's SQLSTATE, whatever language the server speaks; the exit status
# follows the worst, and names that look like its messages are none.
classes() {
    local archive=$WORK/archive
    start 15 classes
    createdb_as source
    sql source "CREATE TABLE t (a integer, b integer); INSERT INTO t VALUES (1, 1), (2, 1);
        CREATE TABLE \"x
pg_restore: error: could not execute query: ERROR:  nothing\" (a integer);
        CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT \$1';
        CREATE INDEX i ON t (f(a)); CREATE VIEW v AS SELECT a FROM t"
    pg_dump -d "$(conn source)" -Fc -f "$archive" || die 'no archive'
    check 'classes: nothing is wrong' status_is '0|3' kura restore "$archive" --db "$(conn copy)"
    check 'classes: a name like a message is none' count_says 0 'data loss'
    gone copy
    sql source "CREATE OR REPLACE FUNCTION f(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1 / (SELECT count(*) FROM public.nowhere); END'" || die 'no function'
    pg_dump -d "$(conn source)" -Fc -f "$archive" || die 'no archive'
    check 'classes: an index that cannot be built' status_is 3 kura restore "$archive" --db "$(conn copy)"
    check 'classes: needs action, with its entry, consequence and SQLSTATE' says 'warning: needs action: INDEX public.i: the index is missing.*42P01'
    check 'classes: the rows are there' test "$(sql copy 'SELECT count(*) FROM t')" = 2
    check 'classes: it takes nobody'"'"'s place' status_is 1 kura restore "$archive" --db "$(conn copy)" --swap
    check 'classes: but is kept for a look' says 'kept as .copy_kura_'
    sql postgres "DROP DATABASE \"$(databases | grep '^copy_kura_')\""
    gone copy
    cluster_stop classes
}
classes

for version in ${KURA_TEST_MAJORS:-15 17 18 13}; do
    one_major "$version"
done
finish
