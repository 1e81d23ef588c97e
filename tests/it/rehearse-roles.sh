#!/bin/bash
# kura rehearse as a role that is no superuser, with a role map, and on a newer server than the site's.
. "$(dirname "$0")/lib.sh"

repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
state() {
    databases
    sql postgres "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles ORDER BY 1"
    sql postgres "SELECT u.rolname, g.rolname FROM pg_auth_members m JOIN pg_roles u ON u.oid = member JOIN pg_roles g ON g.oid = roleid ORDER BY 1, 2"
}
remember() { state >"$WORK/state"; }
unchanged() {
    state >"$WORK/state.now"
    same "$WORK/state" "$WORK/state.now"
}
noticed() { [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE usename = 'maker'")" = 0 ]; }
rehearse() { # rehearse APP ROLE OPTION..
    local app=$1 role=$2
    shift 2
    kura rehearse latest --app "$app" --repo "$repo" --server "host=$PGHOST user=$role" --pg-bindir "$bin" --no-progress --nice 1 --json "$@"
}
sound() { # of the last one: nothing is wrong but what the site has wrong itself
    jq -r '.rehearsal.proofs[] | [.name, .checked, .failed, .skipped] | @tsv' "$WORK/out"
    jq -r '.findings[] | .message' "$WORK/out"
    jq -e '[.rehearsal.proofs[] | select(.name as $n | ["rows", "schema", "owners", "grants", "default-privileges", "blobs", "indexes", "sequences"] | index($n))]
        | length == 8 and all(.[]; .failed == 0 and .checked > 0)' "$WORK/out"
}

for version in 15 17; do
    bin=$(pg_bindir "$version")
    start "$version" "pg$version" -c wal_level=logical
    createdb_as site
    sql_file site rights.sql >"$WORK/log" 2>&1 || { cat "$WORK/log"; die "rights.sql failed on $version"; }
    check "$version: backup" status_is '0|3' kura backup --repo "$repo" --db "$(conn site)" --app "site$version" --pg-bindir "$bin"
    createdb_as large
    sql_file large site.sql -v scale=0.05 || die 'site.sql failed'
    check "$version: backup of a site" status_is 0 kura backup --repo "$repo" --db "$(conn large)" --app "large$version" --pg-bindir "$bin"
    sql postgres "CREATE ROLE maker LOGIN CREATEDB CREATEROLE; CREATE ROLE creator LOGIN CREATEDB; CREATE ROLE standin NOLOGIN"
    remember
    check "$version: a superuser" status_is '0|3' rehearse "site$version" postgres
    check "$version: a superuser: sound" sound
    check "$version: a superuser: nothing has changed" unchanged
    check "$version: CREATEDB and CREATEROLE" status_is '0|3' rehearse "site$version" maker
    check "$version: CREATEDB and CREATEROLE: sound" sound
    check "$version: CREATEDB and CREATEROLE: says what it could not prove" jq -e 'any(.rehearsal.proofs[]; .name == "amcheck" and (.skipped | test("amcheck")))' "$WORK/out"
    check "$version: CREATEDB and CREATEROLE: nothing has changed" unchanged
    # shellcheck disable=SC2016
    check "$version: CREATEDB and CREATEROLE: a command" status_is '0|3' rehearse "site$version" maker --run 'psql -XqAt "$DATABASE_URL" -c "CREATE TABLE shop.made (); SELECT current_user <> session_user"'
    check "$version: it acts as the application" jq -e '.rehearsal.run | .output == "t\n" and any(.changes[]; .what == "owner" and .name == "shop.made" and .after == "rt_owner")' "$WORK/out"
    check "$version: a command: nothing has changed" unchanged
    for delay in 0.2 0.35 0.5 0.6 0.7 0.8 0.9; do
        HOME=$WORK TMPDIR=$WORK/tmp "$KURA" rehearse latest --app "site$version" --repo "$repo" --server "host=$PGHOST user=maker" --pg-bindir "$bin" >/dev/null 2>&1 &
        pid=$!
        sleep $delay
        kill -KILL $pid
        wait $pid 2>/dev/null
    done
    rm -rf "$WORK"/tmp/kura-* # what pg_restore reads: a killed kura cannot remove it
    check "$version: the server notices the kills" eventually noticed
    check "$version: after kills" status_is '0|3' rehearse "site$version" maker
    check "$version: after kills: nothing has changed" unchanged
    check "$version: no CREATEROLE" status_is 1 rehearse "site$version" creator
    check "$version: no CREATEROLE: says so" says 'does not exist, and role .*creator.* may not create roles'
    check "$version: no CREATEROLE: not come to is not proven" jq -e '.rehearsal.proofs | any(.[]; .name == "schema" and .skipped != null)' "$WORK/out"
    check "$version: no CREATEROLE: nothing has changed" unchanged
    check "$version: a map" status_is '0|3' rehearse "site$version" postgres --map 'rt_owner=standin,rt_second=standin'
    check "$version: a map: sound" sound
    check "$version: a map: the roles are there afterwards" unchanged
    check "$version: --app-role by its name in the backup" status_is '0|3' rehearse "site$version" postgres --app-role rt_second
    check "$version: --app-role: is probed" jq -e 'any(.rehearsal.proofs[]; .name == "probe" and (.title | test("rt_second")))' "$WORK/out"
    check "$version: a rule for no role" status_is 1 rehearse "site$version" postgres --map 'nobody=standin'
    check "$version: a map: nothing has changed" unchanged
done

# On the newer server, which words some things in its own way.
check '15 on 17' status_is 0 rehearse large15 postgres
check '15 on 17: sound' sound
check '15 on 17: the wording is a note' jq -e '[.findings[] | select(.code == "schema-reworded")] | length == 1 and .[0].severity == "note"' "$WORK/out"
use pg15
bin=$(pg_bindir 15)
remember
check '17 on 15 is refused' status_is 1 rehearse large17 postgres
check '17 on 15: says why' says 'the target server is PostgreSQL 15, the source was 17'
check '17 on 15: nothing has changed' unchanged

# An encrypted repository keeps the result sealed.
sealed=$WORK/sealed
check 'an encrypted repository' status_is 0 kura init --repo "$sealed" --encrypt --identity-out "$WORK/identity" --key-file "$WORK/key"
check 'backup into it' status_is 0 kura backup --repo "$sealed" --db "$(conn large)" --app large --key-file "$WORK/key"
check 'rehearse from it' status_is 0 kura rehearse latest --repo "$sealed" --identity "$WORK/identity" --key-file "$WORK/key" --server "host=$PGHOST user=postgres"
check 'the result is sealed' bash -c 'head -c 21 "$0"/rehearsals/*.json.age | grep -a age-encryption.org' "$sealed"
check 'nothing has changed' unchanged
finish
