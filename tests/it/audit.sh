#!/bin/bash
# A site restored the way people do it, found out and repaired without any backup of kura's; and what else an audit finds.
. "$(dirname "$0")/lib.sh"

version=${KURA_TEST_PG:-15}
start "$version" main
createdb_as src
sql_file src site.sql -v scale=0.02 || die 'site.sql failed'
"$(pg_bindir "$version")/pg_dump" -Fc -d "$(conn src)" -f "$WORK/misskey.dump"
createdb_as naive 'TEMPLATE template0'
"$(pg_bindir "$version")/pg_restore" --no-owner --no-acl -d "$(conn naive)" "$WORK/misskey.dump" || die 'pg_restore failed'
cd "$WORK" || die "no $WORK"
as() { psql -XqAt -v ON_ERROR_STOP=1 -d "host=$PGHOST user=$1 dbname=$2" -c "$3"; }
audit() { kura audit --db "$(conn "$1")" "${@:2}"; }
repair() { kura repair --db "$(conn "$1")" "${@:2}"; }
finds() { # finds CODE: a finding of the last --json audit
    jq -e --arg code "$1" '[.audit.problems[] | select(.code == $code)] | length > 0' out >check.code || {
        jq '.audit.problems' out
        return 1
    }
}
finds_not() { ! finds "$1" >/dev/null; }
field() { jq -r --arg code "$1" ".audit.problems[] | select(.code == \$code) | .$2" out; }
statements() { psql -XqAt -v ON_ERROR_STOP=1 -d "$(conn "$1")"; }

# Who may log in where: user mappings, whose options are secrets -----------------------------------------------------------
createdb_as far
sql far "CREATE ROLE map_one; CREATE ROLE \"map two\"; CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER \"s 1\" FOREIGN DATA WRAPPER nowhere;
    CREATE SERVER s2 FOREIGN DATA WRAPPER nowhere; CREATE USER MAPPING FOR map_one SERVER \"s 1\" OPTIONS (password 'secret-of-map');
    CREATE USER MAPPING FOR PUBLIC SERVER s2 OPTIONS (password 'secret-of-map')" || die 'no foreign servers'
kura init --repo far-repo >/dev/null && kura backup --repo far-repo --db "$(conn far)" --app far >/dev/null 2>&1
[ -n "$(latest far-repo)" ] || die 'no backup of foreign servers'
createdb_as near 'TEMPLATE far'
check 'user mappings: the same' status_is 0 audit far --backup latest --repo far-repo
check 'user mappings: the same as another database' status_is 0 audit near --like "$(conn far)"
sql near 'DROP USER MAPPING FOR map_one SERVER "s 1"; DROP USER MAPPING FOR PUBLIC SERVER s2;
    CREATE USER MAPPING FOR "map two" SERVER s2 OPTIONS (password '"'secret-of-map'"')'
for against in like backup; do
    options=(--like "$(conn far)")
    [ $against = like ] || options=(--backup latest --repo far-repo)
    check "user mappings: audit --$against" status_is 3 audit near "${options[@]}" --json
    check "user mappings: missing ones, --$against" test "$(field user-mapping-missing message | sort | tr '\n' ';')" = 'everybody (PUBLIC) lacks the user mapping on 1 foreign server that it should have;role "map_one" lacks the user mapping on 1 foreign server that it should have;'
    check "user mappings: what to do, --$against" test "$(field user-mapping-missing cure | sort | tail -n 1)" = 'CREATE USER MAPPING FOR map_one SERVER "s 1" OPTIONS (..); with the password there'
    check "user mappings: one too many, --$against" test "$(field user-mapping-extra cure)" = 'DROP USER MAPPING FOR "map two" SERVER s2;'
    check "user mappings: no secret is told, --$against" bash -c '! grep -q secret-of-map out err'
done
check 'user mappings: a plan' status_is 3 repair near --like "$(conn far)"
check 'user mappings: does not touch them' bash -c "! grep -E '^(CREATE|ALTER|DROP) USER' out"

# Story 001 -----------------------------------------------------------------------------------------------------------------
check 'the application is shut out' bash -c "! PGUSER=misskey psql -XqAt -d naive -c 'SELECT count(*) FROM note' 2>/dev/null"
check 'audit says so' status_is 3 audit naive --app-role misskey --json
check 'wrong owners, in one finding' test "$(field owner-wrong message)" = '16 objects belong to superuser "postgres", expected "misskey" (2 types, 1 domain, 1 function, 7 tables, 2 sequences, 1 view, 1 materialized view, 1 large object)'
check 'with the consequence' test "$(field owner-wrong consequence)" = 'SELECT from public.drive_file fails for misskey (permission denied), and its migrations cannot alter the table'
check 'and the command' test "$(field owner-wrong cure)" = "kura repair --db '$(conn naive | sed "s/'/'\\\\''/g")' --app-role 'misskey' --apply"
check 'the database too' finds database-owner
check 'the function that gives away a superuser' finds security-definer
[ "$version" -lt 15 ] || check 'and the schema public' finds schema-create
kura audit --db "$(conn naive) password=secret-of-conn" --app-role misskey --verbose >secret.out 2>&1
check 'a password is not told' bash -c '[ -s secret.out ] && ! grep -q secret-of-conn secret.out'
check 'the database in the command is left out where it has a password' bash -c "grep -q \"kura repair --db \.\. --app-role 'misskey' --apply\" secret.out"
check 'what nobody can know is told' status_is 3 audit naive --app-role misskey
check 'with the remedy' says 'no other role has been granted anything here.*grants-unknown'
check 'nothing says what is right' status_is 2 audit naive
check 'where the name of the role stands' says 'hint: .*\.config/default\.yml.*the dump that was restored'
check 'a mistyped role' status_is 1 audit naive --app-role Misskey
check 'those that are there are named' says 'hint: The roles here are .*misskey.*CREATE ROLE "Misskey" LOGIN'
check 'the plan of who cannot run it' status_is 3 kura repair --db "host=$PGHOST user=misskey dbname=naive" --app-role misskey
check 'says so' says 'this connection cannot run the plan: role "misskey" is no superuser'
check 'and does not tell of backups by the application' bash -c '! grep -q backup-unreadable out'
check 'nor runs it' status_is 1 kura repair --db "host=$PGHOST user=misskey dbname=naive" --app-role misskey --apply --undo-file never.sql
check 'nor leaves a way back from nothing' test ! -e never.sql
dump naive -C >before.sql
check 'a plan is shown and changes nothing' status_is 3 repair naive --app-role misskey
cp out plan.sql
dump naive -C >same.sql
check 'nothing' same before.sql same.sql
check 'apply' status_is 0 repair naive --app-role misskey --apply --undo-file undo.sql
check 'the undo file is for the owner only' test "$(stat -c %a undo.sql)" = 600
check 'the application reads and writes' as misskey naive "SELECT count(*) FROM note; INSERT INTO \"user\" (id, username) VALUES ('new', 'New'); DELETE FROM \"user\" WHERE id = 'new'"
check 'its migrations run' as misskey naive 'CREATE TABLE later (a integer); DROP TABLE later; ALTER TABLE note ADD x integer; ALTER TABLE note DROP x; REFRESH MATERIALIZED VIEW instance_summary'
check 'nobody becomes a superuser' test "$(sql naive "SELECT proowner::regrole FROM pg_proc WHERE proname = 'purge_user'")" = misskey
check 'audit is clean' status_is 0 audit naive --app-role misskey
check 'an undo file is never overwritten' status_is 0 repair naive --app-role misskey --apply --undo-file undo.sql
check 'undo is shown' status_is 0 kura repair --undo undo.sql
check 'undo' status_is 0 repair naive --undo undo.sql --apply
dump naive -C >undone.sql
check 'brings back what was' same before.sql undone.sql
check 'the plan runs with psql, twice' bash -c "psql -Xq -v ON_ERROR_STOP=1 -d naive -f plan.sql && psql -Xq -v ON_ERROR_STOP=1 -d naive -f plan.sql"
check 'and does the same' status_is 0 audit naive --app-role misskey
check 'the undo file runs with psql' psql -Xq -v ON_ERROR_STOP=1 -d naive -f undo.sql
dump naive -C >undone.sql
check 'too' same before.sql undone.sql
check 'undo of another database is refused' status_is 2 repair src --undo undo.sql --apply
check 'and says which' says 'is for database "naive", not for "src"'
printf 'DROP TABLE note;\n' >no.sql
check 'other SQL is no undo file' status_is 2 repair naive --undo no.sql --apply
sed 's/^COMMIT;/DROP TABLE note; COMMIT;/' undo.sql >no.sql
check 'nor with a statement more' status_is 2 repair naive --undo no.sql --apply
check 'a grant from an archive' status_is 0 repair naive --backup ./misskey.dump --apply --undo-file undo2.sql
dump src >src.sql
dump naive >naive.sql
check 'gives back all' same src.sql naive.sql
check 'audit against another database is clean' status_is 0 audit naive --like "$(conn src)"
sql naive 'REVOKE SELECT ON note FROM reader'
check 'and not when a grant is gone' status_is 3 audit naive --like "$(conn src)" --json
check 'which it names' test "$(field grant-missing consequence)" = 'SELECT on TABLE public.note fails for role "reader"'
check 'repaired after it' status_is 0 repair naive --like "$(conn src)" --apply
check 'with an undo file of its own' test "$(find . -name 'kura-undo-*.sql' | wc -l)" = 1
dump naive >naive.sql
check 'and equal' same src.sql naive.sql

# What an audit finds -----------------------------------------------------------------------------------------------------------
createdb_as shop 'OWNER misskey'
statements shop <<'SQL' || die 'shop'
CREATE ROLE keeper LOGIN; CREATE ROLE gone; CREATE ROLE "o'dd ""one""; DROP TABLE x"; CREATE ROLE app2;
ALTER SCHEMA public OWNER TO misskey;
SET ROLE misskey;
CREATE TABLE public.item (id serial PRIMARY KEY, v text);
INSERT INTO public.item (id, v) SELECT n, 'x' FROM generate_series(1, 50) n;
CREATE TABLE public.behind (n bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY);
INSERT INTO public.behind SELECT generate_series(5, 9);
CREATE TABLE public.repeats (n serial, m int, UNIQUE (n, m));
INSERT INTO public.repeats VALUES (7, 1);
GRANT SELECT ON public.item TO keeper, gone;
CREATE TABLE public.hidden (a integer);
RESET ROLE;
CREATE SEQUENCE public.numbers;
GRANT USAGE ON SEQUENCE public.numbers TO misskey;
CREATE TABLE public.numbered (n bigint DEFAULT nextval('public.numbers'));
ALTER TABLE public.numbered OWNER TO misskey;
CREATE TABLE public.later (a integer);
-- what comes along has no owner in any dump: the constructors of a range, an operator that another one only names
CREATE TYPE public.span AS RANGE (subtype = date);
ALTER TYPE public.span OWNER TO misskey;
SELECT format('ALTER TYPE %s OWNER TO misskey', oid::regtype) FROM pg_type -- from 17 on it follows the range's
WHERE typname = 'span_multirange' AND current_setting('server_version_num')::int < 170000 \gexec
CREATE OPERATOR public.<<< (FUNCTION = int4lt, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = OPERATOR(public.>>>));
ALTER OPERATOR public.<<< (integer, integer) OWNER TO misskey;
DO 'BEGIN PERFORM lo_create(42); END'; -- and this one has, though its number is one of the system's
SQL
check 'audit of the shop' status_is 3 audit shop --app-role misskey --role keeper --json
check 'sequences behind their columns' test "$(field sequence-behind 'objects | sort | join(",")')" = 'SEQUENCE public.behind_n_seq,SEQUENCE public.item_id_seq'
check 'with the statement that cures them' statements shop <<<"$(field sequence-behind cure)"
check 'one whose column may repeat' test "$(field sequence-repeats 'objects | join(",")')" = 'SEQUENCE public.repeats_n_seq'
check 'a sequence and a table of two owners' finds sequence-owner
check 'what the backup role cannot read' test "$(field backup-unreadable 'objects | length')" -ge 4
check 'objects of the wrong role' test "$(field owner-wrong objects[])" = $'TABLE public.later\nSEQUENCE public.numbers\nLARGE OBJECT 42'
check 'the sequence is cured' status_is 3 audit shop --app-role misskey --json
check 'the other is not' test "$(field sequence-behind objects[] | wc -l)" = 1
sql shop "UPDATE pg_class SET relacl = relacl || makeaclitem(99999, (SELECT oid FROM pg_roles WHERE rolname = 'misskey'), 'SELECT', false) WHERE relname = 'hidden'"
check 'a grant to a role that is gone' status_is 3 audit shop --app-role misskey --json
check 'with its number' test "$(field grant-dangling 'objects | join(",")')" = 'TABLE public.hidden'
check 'which is in the way of no repair' status_is 3 repair shop --map 'gone=keeper' --apply --undo-file gone.sql
check 'nor of going back' status_is 0 repair shop --undo gone.sql --apply
sql shop "UPDATE pg_class SET relacl = NULL WHERE relname = 'hidden'"

# A map over the live roles
check 'a map of the live roles' status_is 3 audit shop --map 'misskey=app2,keeper=@drop,postgres="o'\''dd ""one""; DROP TABLE x"' --json
check 'hostile names are only names' status_is '0|3' repair shop --map 'misskey=app2,keeper=@drop,postgres="o'\''dd ""one""; DROP TABLE x"' --apply
check 'done' test "$(sql shop "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') AND relowner::regrole::text IN ('misskey', 'postgres')")" = 0
check 'nothing else in the cluster' status_is 0 audit naive --like "$(conn src)"
check 'a role that is not there' status_is 3 audit shop --map 'app2=nobody_here' --json
check 'is a finding' finds role-missing
check 'and refused' status_is 1 repair shop --map 'app2=nobody_here' --apply
check 'before anything' status_is 1 repair shop --app-role nobody_here --apply

# Without superuser -----------------------------------------------------------------------------------------------------------------
sql postgres 'CREATE ROLE one; CREATE ROLE two'
createdb_as small 'OWNER one'
statements small <<'SQL' || die 'small'
CREATE ROLE helper LOGIN; GRANT one TO helper;
GRANT ALL ON SCHEMA public TO one, two;
SET ROLE one; CREATE TABLE public.t (a serial); GRANT SELECT ON public.t TO keeper; CREATE SCHEMA s; CREATE FUNCTION s.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
SQL
helper() { kura "$1" --db "host=$PGHOST user=helper dbname=small" "${@:2}"; }
check 'no superuser, and no member of the new owner' status_is 1 helper repair --map one=two --apply
check 'is told before the first statement' says 'is no superuser and no member of "two"'
sql postgres 'GRANT two TO helper'
sql postgres 'GRANT CREATE ON DATABASE small TO two'
check 'nor one who may not give a database away' status_is 1 helper repair --map one=two --apply
check 'told before, too' says 'lacks CREATEDB'
sql postgres 'ALTER ROLE helper CREATEDB'
check 'a member of both repairs' status_is '0|3' helper repair --map one=two --apply --undo-file small.sql
check 'all of it' test "$(sql small "SELECT relowner::regrole || ' ' || relacl::text FROM pg_class WHERE relname = 't'" | sed 's/two=[a-zA-Z]*/two=all/')" = 'two {two=all/two,keeper=r/two}'
check 'and goes back' status_is 0 helper repair --undo small.sql --apply
check 'to what was' test "$(sql small "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = refobjid WHERE rolname = 'two' AND deptype = 'o' AND dbid = (SELECT oid FROM pg_database WHERE datname = 'small')")" = 0

# Locks ----------------------------------------------------------------------------------------------------------------------------
busy() { PGAPPNAME='busy bee' hold shop 'SELECT count(*) FROM public.item' || die 'nobody holds the table'; }
# waits_for_lock FILE: a repair in the background, which is to leave the way back in that file, and is in want of a lock.
waits_for_lock() {
    rm -f err # of the one before
    HOME=$WORK TMPDIR=$WORK/tmp env --default-signal=INT "$KURA" repair --db "$(conn shop)" --app-role misskey --apply --lock-timeout 0.1 \
        --undo-file "$1" >out 2>err &
    repairing=$!
    eventually grep 'no lock for' err
}
busy
check 'a busy table is waited for' waits_for_lock busy.sql
unhold
wait $repairing
status=$?
check 'until it is free' test $status = 0 -o $status = 3
check 'and who was in the way is told' says 'ALTER TABLE public.item OWNER TO misskey: process [0-9]+ \(role "postgres", busy bee\) holds AccessShareLock'
sql shop 'ALTER TABLE public.item OWNER TO postgres'
busy
check 'it is waited for again' waits_for_lock never.sql
check 'the way back is there before anything is changed' test -s never.sql
kill -INT $repairing
wait $repairing
check 'a repair that waits can be interrupted' test $? = 130
check 'and leaves no way back from nothing' test ! -e never.sql
check 'and nothing changed' test "$(sql shop "SELECT relowner::regrole FROM pg_class WHERE relname = 'item'")" = postgres
unhold
check 'then it works' status_is '0|3' repair shop --app-role misskey --apply --undo-file later.sql

# More objects than the lock table has room for
cluster_stop main
cluster_run "$version" main "$WORK/main" -c fsync=off -c max_locks_per_transaction=10 -c max_connections=20 || die 'no restart'
createdb_as many
for batch in 1 2 3 4 5 6; do
    sql many "SELECT format('CREATE TABLE m%s_%s (a integer);', $batch, n) FROM generate_series(1, 60) n" | statements many || die 'many'
done
check 'a plan for many tables' status_is 3 repair many --app-role misskey --json
check 'is divided' test "$(jq .repair.transactions out)" -gt 1
check 'and says so' says 'transactions are needed'
check 'it fits' status_is 0 repair many --app-role misskey --apply --undo-file many.sql
check 'and so does the way back' status_is 0 repair many --undo many.sql --apply
check 'which was one' test "$(sql many "SELECT count(*) FROM pg_class WHERE relowner = 'postgres'::regrole AND relname LIKE 'm%\_%'")" = 360

# Use ----------------------------------------------------------------------------------------------------------------------------------
check 'nothing says what is right' status_is 2 audit shop
check 'two things do' status_is 2 audit shop --backup ./misskey.dump --like "$(conn src)"
check 'no database' status_is 2 kura audit --app-role misskey

finish
