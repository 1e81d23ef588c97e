#!/bin/bash
# What a server refuses of kura's own statements has a class, by SQLSTATE and entry: the same in every language.
. "$(dirname "$0")/lib.sh"

as() { printf "host=%s user=%s dbname='%s'" "$PGHOST" "$1" "$2"; }
gone() { ! has_db "$1" || sql postgres "DROP DATABASE \"$1\" WITH (FORCE)"; }

start_japanese() { # start_japanese VERSION: as the cluster "main", which speaks whatever it is told to
    cluster_init "$1" "$WORK/main"
    cluster_locales "$1" "$WORK/main" >/dev/null 2>&1 || die 'no Japanese locale'
    LOCPATH=$WORK/main/locale cluster_run "$1" main "$WORK/main" -c fsync=off || die "PostgreSQL $1 could not be started"
    use main
}
speak() {
    sql postgres "ALTER SYSTEM SET lc_messages = '$1'" && sql postgres 'SELECT pg_reload_conf()' >/dev/null
    eventually speaks "$1"
}
speaks() { [ "$(sql postgres 'SHOW lc_messages')" = "$1" ]; }

# A database whose restore needs more than its restorer has.
make_source() {
    sql postgres 'CREATE ROLE rt_owner; CREATE ROLE rt_reader; CREATE ROLE creator LOGIN CREATEDB'
    createdb_as site 'OWNER rt_owner'
    sql postgres "ALTER DATABASE site SET log_statement = 'none'"
    sql postgres "GRANT CONNECT ON DATABASE site TO rt_reader WITH GRANT OPTION;
        SET ROLE rt_reader; GRANT CONNECT ON DATABASE site TO creator"
    sql site "CREATE TABLE t (a integer); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO rt_owner;
        CREATE FUNCTION picky(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
            'BEGIN IF pg_catalog.current_query() ILIKE ''ANALYZE%'' THEN RETURN 1 / 0; END IF; RETURN 1; END';
        CREATE FUNCTION held() RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ''hold'')';
        CREATE FUNCTION slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
            'BEGIN WHILE public.held() LOOP PERFORM pg_catalog.pg_sleep(0.01); END LOOP; RETURN 1; END';
        ALTER FUNCTION picky OWNER TO rt_owner; ALTER FUNCTION slow OWNER TO rt_owner; ALTER FUNCTION held OWNER TO rt_owner;
        CREATE INDEX i ON t (picky(a)); CREATE INDEX j ON t (slow(a));
        SELECT lo_from_bytea(9001, 'x'); ALTER LARGE OBJECT 9001 OWNER TO rt_owner" >/dev/null
    createdb_as full
    sql full "CREATE FUNCTION room(integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN IF pg_catalog.current_database() LIKE ''copy%'' THEN
            RAISE EXCEPTION USING ERRCODE = ''53100''; END IF; RETURN true; END';
        CREATE TABLE t (a integer CHECK (room(a))); INSERT INTO t VALUES (1)"
}

backup() { # backup DATABASE: prints the id
    kura backup --repo "$repo" --pg-bindir "$bin" --db "$(conn "$1")" --app "$1" >/dev/null 2>"$WORK/err" || [ $? = 3 ] || { cat "$WORK/err"; die "no backup of $1"; }
    basename "$(manifest "$repo" "-$1-")" .json
}
restore() { # restore ID ROLE
    HOME=$WORK TMPDIR=$WORK/tmp timeout --foreground -k 10 300 env LOCPATH="$WORK/main/locale" LC_ALL="$language" LANGUAGE=ja "$KURA" \
        restore "$1" --repo "$repo" --pg-bindir "$bin" --db "$(as "$2" copy)" --jobs 1 --json
}
building() { [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE 'CREATE INDEX j%' AND state = 'active'")" = 1 ]; }
# The index "j" is built as long as there is a role "hold".
revoke_while_building() {
    eventually building && sql postgres 'REVOKE rt_owner, rt_reader FROM creator' || echo 'it was not seen building' >&2
    sql postgres 'DROP ROLE hold'
}
# has CLASS PATTERN: whether a finding of that class begins like this.
has() { jq -e --arg class "$1" --arg pattern "$2" 'any(.findings[]; .message | test("^" + $class + ": " + $pattern))' "$WORK/out" >/dev/null || { jq . "$WORK/out"; false; }; }
next_is() { jq -e --arg pattern "$1" '[.findings[], .error // {}] | any(.hint // "" | test($pattern))' "$WORK/out" >/dev/null || { jq . "$WORK/out"; false; }; }
# Everything but what the server said.
essence() { jq '[.findings[] | select(.message | test("said: ")) | [.severity, .code, (.message | sub("said: .* \\("; "said: (")), .hint // ""]] | sort' "$WORK/out" | sed 's/copy_kura_[0-9a-f]*/SCRATCH/g'; }
japanese() { jq -r '.findings[].message' "$WORK/out" | grep -qP '[\x{3040}-\x{30ff}\x{4e00}-\x{9fff}]'; }

all_cases() {
    language=$1
    speak "$language"

    sql postgres 'GRANT rt_owner, rt_reader TO creator'
    check "$language: a setting that only a superuser may set" status_is 3 restore "$site" creator
    check "$language: a setting: class, consequence, SQLSTATE" has 'needs action' 'DATABASE PROPERTIES copy: the database lacks the setting; the server said: .* \(42501\)'
    check "$language: a setting: the statement, with the database's own name" next_is "^Once the cause is gone: ALTER DATABASE copy SET log_statement TO 'none';"
    check "$language: ANALYZE: class, consequence, SQLSTATE" has 'needs action' 'ANALYZE public.t: the planner knows nothing about the table.* \(22012\)'
    check "$language: ANALYZE: the statement" next_is '^Once the cause is gone: ANALYZE public.t;'
    [ "$language" = C ] || check "$language: the server spoke it" japanese
    essence >"$WORK/settings.$language"
    gone copy

    sql postgres 'CREATE ROLE hold'
    revoke_while_building &
    check "$language: a membership that is revoked under way" status_is 3 restore "$site" creator
    wait $!
    check "$language: the database's owner" has 'needs action' 'DATABASE copy: the object belongs to the role that restored, not to its own; the server said: .* \(42501\)'
    check "$language: the database's owner: the statement" next_is '^Once the cause is gone: ALTER DATABASE copy OWNER TO rt_owner;'
    check "$language: the database's grants" has 'needs action' 'ACL DATABASE copy: grants on the object are missing.* \(42501\)'
    check "$language: a large object's owner" has 'needs action' 'BLOB( METADATA)? 9001: the object belongs to the role that restored.* \(42501\)'
    check "$language: a table's owner, by pg_restore" has 'needs action' 'TABLE public.t: the object belongs to the role that restored.*pg_restore said: .* \(42501\)'
    check "$language: the access probe" has 'needs action' 'ACCESS PROBE rt_owner: whether the application can use the database is not known; the server said: .* \(42501\)'
    check "$language: the rows are there" test "$(sql copy 'SELECT count(*) FROM t')" = 1
    essence >"$WORK/revoked.$language"
    gone copy

    check "$language: a full disk ends it" status_is 1 restore "$full" postgres
    check "$language: a full disk: what to do" next_is "^Make room on the server's disk, and restore again"
    check "$language: a full disk: nothing is left" test "$(databases | grep -c '^copy')" = 0
}

for version in ${KURA_TEST_MAJORS:-15}; do
    start_japanese "$version"
    repo=$WORK/repo bin=$(pg_bindir "$version")
    kura init --repo "$repo" >/dev/null || die 'no repository'
    make_source
    site=$(backup site) || die 'no backup of site'
    full=$(backup full) || die 'no backup of full'
    for each in C ja_JP.UTF-8; do
        all_cases "$each"
    done
    check "$version: settings: the same in both languages" same "$WORK/settings.C" "$WORK/settings.ja_JP.UTF-8"
    check "$version: owners: the same in both languages" same "$WORK/revoked.C" "$WORK/revoked.ja_JP.UTF-8"
    cluster_stop main
    rm -rf "$WORK/main" "$repo"
done
finish
