#!/bin/bash
# Names that bite, everywhere: all roles and all objects of the zoo, its database and the superuser at work get names by a
# seeded generator, and then the whole cycle: backup, list, show, restore under a map and without one, export, remap,
# audit, repair, undo. Many seeds: KURA_TEST_SEEDS (default 4), from KURA_TEST_FIRST_SEED on (default 1).
. "$(dirname "$0")/lib.sh"

version=${KURA_TEST_PG:-15}
seeds=${KURA_TEST_SEEDS:-4} first=${KURA_TEST_FIRST_SEED:-1}
bin=$(pg_bindir "$version")
export KURA_PG_BINDIR=$bin
start "$version" main -c wal_level=logical
install_extension "$version"
cd "$WORK" || die "no $WORK"

# value STATEMENT: one value of the names' table into $REPLY, whatever it ends with.
value() { REPLY=$(PGUSER=postgres sql postgres "$1" && echo .) && REPLY=${REPLY%$'\n.'}; }
# member FILTER: a text of the last JSON document, likewise.
member() { REPLY=$(jq -r "$1" out && echo .) && REPLY=${REPLY%$'\n.'}; }
name_of() { value "SELECT $2 FROM pair WHERE kind = '$1' ORDER BY id LIMIT 1 OFFSET ${3:-0}"; }
quoted() { printf '"%s"' "${1//\"/\"\"}"; }
# statement TEXT: SQL for the maintenance database, with the variables that follow as name=value.
statement() { PGUSER=postgres psql -XqAt -v ON_ERROR_STOP=1 -d postgres "${@:2}" <<<"$1"; }
rename_db() { statement 'ALTER DATABASE :"from" RENAME TO :"to"' -v from="$1" -v to="$2"; }
drop_db() { statement 'DROP DATABASE :"name"' -v name="$1"; }

# The dumps of two databases call them the same; and roles of a copy by the names that the original's have, with "swapped".
as_called() { # as_called DATABASE COMMAND...: runs it while the database is called "database"
    local status
    rename_db "$1" database || return 1
    "${@:2}"
    status=$?
    rename_db database "$1" && return $status
}
swapped() {
    local status
    statement 'CALL swap_roles()' || return 1
    "$@"
    status=$?
    statement 'CALL swap_roles()' && return $status
}
# Without rows of hash partitions by enum: they are where OIDs say.
in_order() { PGUSER=postgres sql_file postgres in-order.sql; }
dump_into() { # dump_into FILE DATABASE: all, with the database's own properties
    in_order && as_called "$2" dump database -C "${by_mood[@]}" >"$1"
}
dump_rows() { # all but those: pg_restore, told no database to create, leaves them alone
    in_order && as_called "$2" dump database "${by_mood[@]}" >"$1"
}
grants() { psql -XqAt -v ON_ERROR_STOP=1 -d "$(conn "$1")" -f "$SQL/acls.sql"; }
state_into() { # state_into FILE DATABASE: all but rows, with grants in no order
    in_order && { as_called "$2" dump database -C -s -x -b && as_called "$2" grants database; } >"$1"
}

# No byte that could do something to a terminal, and each message in a line of its own.
printable() { ! LC_ALL=C grep -aPn '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]' out err; }
kura_is() { # kura_is STATUS ARG...: and what it prints is fit for a terminal
    status_is "$1" kura "${@:2}" && printable
}
# is_clean ARG...: whether an audit finds nothing; names that are short stand in strings, which it may tell.
is_clean() {
    json_is '0|3' audit "$@" && jq -e '(.audit.problems == []) and ([.findings[].code] - ["role-mentioned"] == [])' out
}
json_is() { # json_is STATUS ARG...: and what it prints is one JSON document, and lines of JSON
    status_is "$1" kura "${@:2}" --json && jq -es 'length == 1' out && jq -es 'all(.[]; has("event"))' err
}

load() { # load SEED: zoo and names; sets $db, $map and the names of databases to come
    local i
    PGUSER=postgres
    mkdir -m 700 main/space && chown postgres:postgres main/space || return 1
    sql postgres 'CREATE ROLE kq_operator SUPERUSER LOGIN' || return 1
    PGUSER=kq_operator
    createdb_as zoo && sql_file zoo zoo.sql && PGUSER=postgres sql_file zoo rename.sql -v seed="$1" -v tablespace="$PWD/main/space" &&
        PGUSER=postgres sql_file postgres rename-roles.sql -v seed="$1" -v database=zoo || return 1
    name_of operator old && operator=$REPLY
    name_of database old && db=$REPLY
    for i in 0 1 2 3 4 5 6 7; do
        name_of target old $i && target[i]=$REPLY
    done
    value "SELECT string_agg(concat('\"', replace(old, '\"', '\"\"'), '\"=\"', replace(new, '\"', '\"\"'), '\"'), ',') FROM pair WHERE kind = 'role'" && map=$REPLY
    value "SELECT string_agg(concat('\"', replace(old, '\"', '\"\"'), '\" = \"', replace(new, '\"', '\"\"'), '\" # a rule'), E'\n') FROM pair WHERE kind = 'role'"
    printf '%s\n' "$REPLY" >map
    PGUSER=$operator
    mapfile -d '' -t by_mood < <(psql -XqAt0 -v ON_ERROR_STOP=1 -d "$(conn "$db")" -c "
        SELECT concat('--exclude-table=\"', replace(nspname, '\"', '\"\"'), '\".\"', replace(relname, '\"', '\"\"'), '\"')
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_partition_tree((SELECT partrelid FROM pg_partitioned_table WHERE partstrat = 'h')) ON relid = c.oid")
    [ ${#by_mood[@]} = 4 ]
}

# each QUERY [DATABASE]: runs every statement that the query gives.
each() { psql -XqAt0 -v ON_ERROR_STOP=1 -d "$(conn "${2:-postgres}")" -c "$1" | xargs -0r -n 1 psql -Xq -v ON_ERROR_STOP=1 -d "$(conn "${2:-postgres}")" -c; }
drop_subscriptions() {
    each "SELECT format('DROP SUBSCRIPTION %I', subname) FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())" "$1"
}
unload() {
    local name
    PGUSER=postgres
    psql -XqAt0 -d postgres -c "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')" >left
    while IFS= read -r -d '' name; do
        drop_subscriptions "$name" && drop_db "$name" || return 1
    done <left
    each "SELECT format('DROP TABLESPACE %I', spcname) FROM pg_tablespace WHERE spcname !~ '^pg_'
          UNION ALL SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE oid >= 16384" || return 1
    rm -rf main/space repo ./*.sql ./*.archive export
}

one_seed() {
    local at="seed $1"
    check "$at: the zoo under new names" load "$1" || return
    echo "# $at: database $(quoted "$db" | tr '[:cntrl:]' '?'), superuser $(quoted "$operator" | tr '[:cntrl:]' '?')"
    check "$at: init" kura_is 0 init --repo repo
    check "$at: backup" kura_is '0|3' backup --repo repo --db "$(conn "$db")"
    check "$at: digests equal those of pg_dump" digests_agree repo "$(latest repo)" "$db"
    check "$at: original's dump" dump_into original.sql "$db"
    shown
    restored
    exported
    repaired "$1"
    kept
}

shown() {
    check "$at: list" kura_is 0 list --repo repo
    check "$at: in two lines" test "$(wc -l <out)" = 2
    check "$at: show" kura_is '0|3' show latest --repo repo --roles --tables --map "$map"
    check "$at: list as JSON" json_is 0 list --repo repo
    member '.backups[0].database.name'
    check "$at: tells the database" test "$REPLY" = "$db"
    check "$at: show as JSON" json_is '0|3' show latest --repo repo --roles --tables --map "$map"
    statement "SELECT json_build_array(old, new) FROM pair WHERE kind = 'role'" | jq -c . | sort >roles.wanted
    jq -c '.roles[] | select(.becomes != .name) | [.name, .becomes]' out | sort >roles.shown
    check "$at: every role is shown, and what it becomes" same roles.wanted roles.shown
    psql -XqAt -d "$(conn "$db")" -c "SELECT json_build_array(nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relkind = 'r' AND c.oid >= 16384 AND relnamespace <> 'kura_test'::regnamespace" | jq -c . | sort >tables.wanted
    jq -c '.tables[] | [.schema, .name] | select(.[0] != "kura_test")' out | sort >tables.shown
    check "$at: and every table" same tables.wanted tables.shown
}

restored() {
    check "$at: plan of a restore" kura_is '0|3' restore latest --repo repo --db "$(conn "${target[0]}")" --map-file map --plan
    check "$at: restore with every role renamed" kura_is '0|3' restore latest --repo repo --db "$(conn "${target[0]}")" --map "$map"
    check "$at: its dump" swapped dump_into mapped.sql "${target[0]}"
    check "$at: is the original's, but for the roles" same original.sql mapped.sql
    check "$at: audit of it under the map is clean" is_clean --repo repo --backup latest --db "$(conn "${target[0]}")" --map "$map"
    # pg_dump 14 to 16 do not record who owns a multirange type made by its range, nor its grants
    check "$at: repaired after the original" kura_is '0|3' repair --like "$(conn "$db")" --db "$(conn "${target[0]}")" --map "$map" --apply --undo-file like.sql
    check "$at: audit against that is clean, too" is_clean --like "$(conn "$db")" --db "$(conn "${target[0]}")" --map-file map
    check "$at: restore without a map" json_is '0|3' restore latest --repo repo --db "$(uri "${target[1]}")"
    check "$at: its dump " dump_into copy.sql "${target[1]}"
    check "$at: is the original's" same original.sql copy.sql
}

# As a URI, where everything is hostile.
uri() { jq -rn --arg host "$PGHOST" --arg user "$PGUSER" --arg db "$1" '"postgresql://\($user | @uri)@/\($db | @uri)?host=\($host | @uri)"'; }

exported() {
    check "$at: export under the map" kura_is '0|3' export latest export --repo repo --compress none --map-file map
    statement 'CREATE DATABASE :"name" TEMPLATE template0' -v name="${target[2]}"
    check "$at: pg_restore takes it" "$bin/pg_restore" --exit-on-error -d "$(conn "${target[2]}")" export/database
    check "$at: dump of what it makes" swapped dump_rows exported.sql "${target[2]}"
    dump_rows original-rows.sql "$db"
    check "$at: is the original's, but for the roles " same original-rows.sql exported.sql
    "$bin/pg_dump" -Fc -d "$(conn "$db")" -f pg.archive || die 'pg_dump failed'
    check "$at: remap of pg_dump's archive" kura_is '0|3' remap pg.archive -o mapped.archive --map "$map"
    check "$at: show of the archive" kura_is '0|3' show mapped.archive --roles
    statement 'CREATE DATABASE :"name" TEMPLATE template0' -v name="${target[3]}"
    check "$at: pg_restore takes that" "$bin/pg_restore" --exit-on-error -d "$(conn "${target[3]}")" mapped.archive
    check "$at: dump of what that makes" swapped dump_rows remapped.sql "${target[3]}"
    check "$at: is the original's, but for the roles  " same original-rows.sql remapped.sql
    check "$at: restore of pg_dump's archive" kura_is '0|3' restore pg.archive --db "$(conn "${target[4]}")" --map-file map
    check "$at: its dump  " swapped dump_into archive.sql "${target[4]}"
    check "$at: is the original's, but for the roles   " same original.sql archive.sql
}

repaired() {
    state_into original.state "$db"
    check "$at: audit is clean" kura_is 0 audit --repo repo --backup latest --db "$(conn "$db")"
    check "$at: scrambled" psql -XqAt -v ON_ERROR_STOP=1 -v seed="$1" -v roles='^(?!pg_|postgres$)' -d "$(conn "$db")" -f "$SQL/scramble.sql"
    state_into scrambled.state "$db"
    check "$at: is not what it was" bash -c '! cmp -s original.state scrambled.state'
    check "$at: audit finds it" kura_is 3 audit --repo repo --backup latest --db "$(conn "$db")"
    check "$at: as JSON, too" json_is 3 audit --repo repo --backup latest --db "$(conn "$db")"
    check "$at: repair plans" kura_is 3 repair --repo repo --backup latest --db "$(conn "$db")"
    cp out plan.sql
    check "$at: repair" kura_is 0 repair --repo repo --backup latest --db "$(conn "$db")" --apply --undo-file undo.sql
    state_into repaired.state "$db"
    check "$at: all is as it was" same original.state repaired.state
    check "$at: taken back" kura_is 0 repair --db "$(conn "$db")" --undo undo.sql --apply
    state_into undone.state "$db"
    check "$at: to what it was then" same scrambled.state undone.state
    check "$at: the plan runs with psql" psql -Xq -v ON_ERROR_STOP=1 -d "$(conn "$db")" -f plan.sql
    state_into repaired.state "$db"
    check "$at: and does the same" same original.state repaired.state
    check "$at: so does the undo file" psql -Xq -v ON_ERROR_STOP=1 -d "$(conn "$db")" -f undo.sql
    state_into undone.state "$db"
    check "$at: and does, too" same scrambled.state undone.state
}

kept() {
    check "$at: restore in the place of that" kura_is '0|3' restore latest --repo repo --db "$(conn "$db")" --swap
    dump_into swapped.sql "$db"
    check "$at: is the original" same original.sql swapped.sql
    check "$at: kura undo" kura_is '0|3' undo --db "$(conn "$db")"
    state_into undone.state "$db"
    check "$at: brings the other back" same scrambled.state undone.state
    check "$at: prune lists what is kept" json_is 0 prune --old-databases --db "$(conn "$db")"
    check "$at: one" jq -e '.databases | length == 1' out
    member '.databases[0].name'
    check "$at: whose subscription goes" drop_subscriptions "$REPLY"
    check "$at: and drops it" kura_is 0 prune --old-databases --db "$(conn "$db")" --older-than 0 --drop
}

target=()
for seed in $(seq "$first" $((first + seeds - 1))); do
    one_seed "$seed"
    unload || die 'something is in the way of the next seed'
done
finish
