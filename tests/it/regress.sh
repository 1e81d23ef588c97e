#!/bin/bash
# PostgreSQL's own regression database: whatever its developers thought of testing and left there. The reference is what
# pg_dump and pg_restore alone make of it; where that differs from the original is listed here, with the reason.
. "$(dirname "$0")/lib.sh"

version=15
bin=$(pg_bindir $version)
tests=$KURA_TEST_CACHE/regress$version
repo=$WORK/repo
renames=$WORK/renames.sed

# What differs between a database and pg_restore's copy of it, entry by entry. All of it is the order of columns in children
# of an inheritance tree: pg_dump writes CREATE TABLE .. (own columns) INHERITS (parent), which puts the parent's columns
# first. The test shows of each that its columns and rows are the same when the columns are taken by name.
sed '/^#/d' >"$WORK/expected" <<'LIST'
# Parent a_star got column "a" (e_star: "e") when its children had columns of their own.
b_star; Type: TABLE DATA; Schema: public
c_star; Type: TABLE DATA; Schema: public
d_star; Type: TABLE DATA; Schema: public
e_star; Type: TABLE DATA; Schema: public
f_star; Type: TABLE DATA; Schema: public
# Made with (b, a), then ALTER TABLE .. INHERIT a parent that has (a, b). It is empty: there is no other entry.
gtestxx_4; Type: TABLE; Schema: public
# Parent renamecolumn got column "w" when its children had columns of their own.
renamecolumnanother; Type: TABLE DATA; Schema: public
renamecolumnchild; Type: TABLE DATA; Schema: public
# Made with their columns in three orders, then ALTER TABLE .. INHERIT the same parent.
test_type_diff2_c1; Type: TABLE; Schema: public
test_type_diff2_c1; Type: TABLE DATA; Schema: public
test_type_diff2_c2; Type: TABLE; Schema: public
test_type_diff2_c2; Type: TABLE DATA; Schema: public
# Its parent test_type_diff got column "f2" when it had "extra".
test_type_diff_c; Type: TABLE DATA; Schema: public
LIST

make_regression() {
    local status
    mkdir "$WORK/regress"
    chown postgres "$WORK/regress"
    (cd "$WORK/regress" && setpriv --reuid=postgres --regid=postgres --clear-groups \
        "/usr/lib/postgresql/$version/lib/pgxs/src/test/regress/pg_regress" --host="$PGHOST" --user=postgres \
        --dbname=regression --inputdir="$tests" --outputdir="$WORK/regress" --dlpath="$tests/lib" --bindir="$bin" \
        --schedule="$tests/parallel_schedule" --max-connections=20) >"$WORK/regress.log" 2>&1
    status=$?
    tail -n 20 "$WORK/regress.log"
    [ $status -le 1 ] # 1: some test's output is not the expected one
}

# Every line of a dump behind the entry it belongs to; rows, which have no order, sorted.
normal() {
    awk -v OFS='\t' '
        !rows { n++ }
        !rows && /^-- (Data for )?Name: .*; Type: / {
            entry = $0
            sub(/^-- (Data for )?Name: /, "", entry)
            sub(/; Owner: .*/, "", entry)
        }
        rows && $0 == "\\." { rows = 0; n++ }
        { print n, entry, $0 }
        !rows && /^COPY .* FROM stdin;$/ { rows = 1; n++ }' | LC_ALL=C sort -t $'\t' -k 1,1n | cut -f 2-
}
dump_of() { dump "$1" | normal; }
differing() { diff -a "$1" "$2" | sed -n 's/^[<>] \([^\t]*\)\t.*/\1/p' | LC_ALL=C sort -u; } # the entries

# As the renamed copy's dump should look. A name inside a string or a row is no role's; the system catalogue belongs to
# the target's first superuser.
renamed() { sed -f "$renames"; }
roles="SELECT rolname AS old, CASE rolname WHEN 'postgres' THEN 'new; root' ELSE 'new ' || rolname END AS new, rolsuper, oid
    FROM pg_roles WHERE rolname ~ '^(kq|regress_rls_|postgres\$)'"
make_renames() {
    sql postgres "SELECT format(E'/; Schema: pg_catalog; /!s/^\\\\(-- .*; Owner: \\\\)%s\$/\\\\1%s/\n', old, new)
        || E'/^\\\\(ALTER\\\\|GRANT\\\\|REVOKE\\\\|CREATE POLICY\\\\|SET SESSION\\\\) /'
        || format(E's/\\\\(\\\\(TO\\\\|FROM\\\\|BY\\\\|ROLE\\\\|AUTHORIZATION\\\\) \\\\|, \\\\)%s\\\\([ ,;]\\\\|\$\\\\)/\\\\1%s\\\\3/g', quote_ident(old), quote_ident(new))
        FROM ($roles) r ORDER BY oid" >"$renames"
}

# A table's columns by name, with its own rows.
by_name() { # by_name DATABASE TABLE
    local columns
    columns=$(sql "$1" "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) FROM pg_attribute WHERE attrelid = '$2'::regclass AND attnum > 0 AND NOT attisdropped")
    sql "$1" "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attinhcount, attislocal FROM pg_attribute WHERE attrelid = '$2'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname"
    sql "$1" "COPY (SELECT $columns FROM ONLY $2) TO STDOUT" | LC_ALL=C sort
}
same_by_name() { # same_by_name DATABASE TABLE
    by_name regression "$2" >"$WORK/by-name.1"
    by_name "$1" "$2" >"$WORK/by-name.2"
    same "$WORK/by-name.1" "$WORK/by-name.2"
}
properties() { dump "$1" -C -s | grep -aE '^(CREATE|ALTER|GRANT .*|REVOKE .*) DATABASE |^ALTER ROLE ' | sed "s/ DATABASE $1 / DATABASE x /"; }
audit_codes() { # audit_codes DATABASE BACKUP [OPTION..]: the kinds of an audit's findings
    kura audit --db "$(conn "$1")" --repo "$repo" --backup "$2" --json "${@:3}" 2>"$WORK/err" |
        jq -r '.audit.problems[].code, (.audit.missing // [] | .[])' | sort | tr '\n' ' '
}

check "PostgreSQL's own regression tests can be had" "$TEST_TOOLS/pgregress.sh" $version "$tests" || die 'nothing to restore'
start $version main -c wal_level=logical -c max_prepared_transactions=2
check 'they run' make_regression || die 'no regression database'
ok=$(grep -c ' \.\.\. ok ' "$WORK/regress.log")
# Some print other things than in the source's minor release, where that is not the server's.
check 'most of them as expected' test "$ok" -ge 190
sql_file regression regress-owners.sql || die 'regress-owners.sql failed'
check 'it has every kind of object' test "$(sql regression "SELECT count(*) > 500 FROM pg_class WHERE relkind IN ('r', 'p')
    UNION ALL SELECT count(*) > 300 FROM pg_proc WHERE oid >= 16384 UNION ALL SELECT count(*) > 10 FROM pg_operator WHERE oid >= 16384" | sort -u)" = t

# The reference.
createdb_as control 'TEMPLATE template0'
"$bin/pg_dump" -Fc -d "$(conn regression)" -f "$WORK/control.dump" || die 'pg_dump failed'
check 'pg_restore alone' "$bin/pg_restore" --exit-on-error -d "$(conn control)" "$WORK/control.dump"
dump_of regression >"$WORK/original"
dump_of control >"$WORK/control"
differing "$WORK/original" "$WORK/control" >"$WORK/differing"
LC_ALL=C sort -o "$WORK/expected" "$WORK/expected"
check "pg_restore's copy differs from the original in what is listed, and in nothing else" same "$WORK/expected" "$WORK/differing"

# kura's.
check 'init' status_is 0 kura init --repo "$repo"
check 'backup' status_is 0 kura backup --repo "$repo" --db "$(conn regression)" --app regression
id=$(latest "$repo")
check 'digests equal those of pg_dump' digests_agree "$repo" "$id" regression
check 'restore' status_is '0|3' kura restore "$id" --repo "$repo" --db "$(conn copy)" --app-role kq_reader
check 'every table was read back' says 'digests +([0-9,]+) of \1 tables read back, count and digest equal'
check 'nothing is wrong with it' bash -c "! grep -E '^(warning|error)' '$WORK/err'"
dump_of copy >"$WORK/copy"
check 'the copy equals that of pg_restore' same "$WORK/control" "$WORK/copy"
properties regression >"$WORK/properties"
properties copy >"$WORK/properties.copy"
check 'with its database properties' same "$WORK/properties" "$WORK/properties.copy"
sed -n 's/^\([^;]*\); Type: TABLE\( DATA\)\?; Schema: \(.*\)$/\3.\1/p' "$WORK/expected" | sort -u >"$WORK/tables"
while read -r table; do
    check "by the names of its columns, $table is the original" same_by_name copy "$table"
done <"$WORK/tables"

# Every role renamed.
make_renames
map=$(sql regression "SELECT string_agg(quote_ident(old) || '=' || quote_ident(new), ',' ORDER BY oid) FROM ($roles) r")
# pg_dump lists the roles of a policy in the order in which the roles were created.
sql postgres "SELECT string_agg(format('CREATE ROLE %I %s', new, CASE WHEN rolsuper THEN 'SUPERUSER' END), ';' ORDER BY oid) FROM ($roles) r" |
    psql -Xq -v ON_ERROR_STOP=1 || die 'the new roles could not be created'
check 'restore with every role renamed' status_is '0|3' kura restore "$id" --repo "$repo" --db "$(conn renamed)" --map "$map" --app-role 'new kq_reader'
check 'every table of it was read back' says 'digests +([0-9,]+) of \1 tables read back, count and digest equal'
dump control | renamed | normal >"$WORK/control.renamed"
dump_of renamed >"$WORK/renamed"
check 'the renamed copy equals that of pg_restore with names replaced' same "$WORK/control.renamed" "$WORK/renamed"
renamed <"$WORK/properties" >"$WORK/properties.expected"
properties renamed >"$WORK/properties.copy"
check 'with its database properties, renamed' same "$WORK/properties.expected" "$WORK/properties.copy"
check 'no old role is left in it' test "$(sql renamed "SELECT count(*) FROM pg_shdepend d JOIN ($roles) r ON r.oid = d.refobjid AND d.refclassid = 'pg_authid'::regclass
    WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())")" = 0

# Sequences that the tests themselves left behind their columns' values are all that an audit finds, here and there.
check 'audit of the original' test "$(audit_codes regression "$id")" = 'sequence-behind sequence-repeats '
check 'audit of the copy' test "$(audit_codes copy "$id")" = 'sequence-behind sequence-repeats '
check 'audit of the renamed copy' test "$(audit_codes renamed "$id" --map "$map")" = 'sequence-behind sequence-repeats '

# Everything given to one role, and back.
dump regression -C -s -b >"$WORK/before"
sql postgres 'CREATE ROLE app LOGIN CREATEDB'
check 'repair' status_is '0|3' kura repair --db "$(conn regression)" --app-role app --apply --undo-file "$WORK/undo.sql"
check 'the application owns all but what only a superuser may own' test "$(dump regression -s | sed -n 's/^-- .*; Type: \(.*\); Schema: .*; Owner: \(kq.*\|postgres\)$/\1/p' | grep -avxE 'FOREIGN DATA WRAPPER|PUBLICATION.*|ACL|DEFAULT ACL' | sort -u)" = ''
check 'repair --undo' status_is '0|3' kura repair --db "$(conn regression)" --undo "$WORK/undo.sql" --apply
dump regression -C -s -b >"$WORK/after"
check 'brings back what was' same "$WORK/before" "$WORK/after"

# Without superuser: code in C cannot be, and is said to be so first; with an administrator's help all of it can.
as_app() { kura restore "$id" --repo "$repo" --db "host=$PGHOST user=app dbname=$1" --app-role kq_reader "${@:2}"; }
before=$(databases)
check 'without superuser it is refused' status_is 1 as_app scratch --map '*=app'
check 'with the types that only a superuser makes' says 'error: TYPE public.myshell needs more rights than there are'
check 'with grants on system tables' says 'ACL pg_catalog.COLUMN pg_authid.rolname is skipped, it needs more rights'
check 'and makes nothing' test "$(databases)" = "$before"
check 'with an administrator it works' status_is '0|3' as_app helped --admin-db "$(conn postgres)"
check 'nothing is missing' bash -c "! grep -E '^(warning|error)' '$WORK/err'"
dump_of helped >"$WORK/helped"
check 'that copy equals that of pg_restore, too' same "$WORK/control" "$WORK/helped"

finish
