#!/bin/bash
# Owners and grants of a large database: 20,000 objects, 200 roles. Prints the times of an audit, of a repair's plan, of
# mapping the table of contents, and applying the plan against psql running the same statements in one transaction.
#
#   roles.sh [--rounds N]
. "$(dirname "$0")/lib.sh"

bench_options '' '' "$@"
bench_begin

cluster_init 15 "$dir" || exit 1
cluster_run 15 bench "$dir" -c shared_buffers=512MB -c max_wal_size=4GB -c fsync=off -c max_locks_per_transaction=2048 || exit 1
use bench
sql postgres 'CREATE DATABASE site'
psql -Xq -v ON_ERROR_STOP=1 -d site >/dev/null <<'SQL' || exit 1
SELECT format('CREATE ROLE role_%s', n) FROM generate_series(1, 200) n \gexec
SELECT format('CREATE SCHEMA s%s AUTHORIZATION role_%s', n, n) FROM generate_series(1, 50) n \gexec
SELECT format('CREATE TABLE s%1$s.t%2$s (id serial PRIMARY KEY, v text); ALTER TABLE s%1$s.t%2$s OWNER TO role_%3$s; GRANT SELECT ON s%1$s.t%2$s TO role_%4$s, role_%5$s WITH GRANT OPTION; GRANT UPDATE (v) ON s%1$s.t%2$s TO role_%5$s',
    1 + n % 50, n, 1 + n % 200, 1 + (n * 7) % 200, 1 + (n * 13 + 5) % 200) FROM generate_series(1, 6000) n \gexec
SELECT format('CREATE VIEW s%1$s.v%2$s AS SELECT 1 AS one; ALTER VIEW s%1$s.v%2$s OWNER TO role_%3$s; GRANT SELECT ON s%1$s.v%2$s TO PUBLIC',
    1 + n % 50, n, 1 + n % 200) FROM generate_series(1, 3000) n \gexec
SELECT format('CREATE FUNCTION s%1$s.f%2$s(a integer, b text) RETURNS integer LANGUAGE sql AS ''SELECT 1''; ALTER FUNCTION s%1$s.f%2$s OWNER TO role_%3$s; REVOKE ALL ON FUNCTION s%1$s.f%2$s FROM PUBLIC; GRANT EXECUTE ON FUNCTION s%1$s.f%2$s TO role_%4$s',
    1 + n % 50, n, 1 + n % 200, 1 + (n * 3) % 200) FROM generate_series(1, 4000) n \gexec
SELECT format('CREATE TYPE s%1$s.e%2$s AS ENUM (''a''); ALTER TYPE s%1$s.e%2$s OWNER TO role_%3$s', 1 + n % 50, n, 1 + n % 200) FROM generate_series(1, 1000) n \gexec
SQL
archive=$work/site.dump
"$(pg_bindir 15)/pg_dump" -Fc -s -f "$archive" site || exit 1
# What --no-owner --no-acl makes of it, without the time it takes.
psql -Xq -v ON_ERROR_STOP=1 -d site >/dev/null <<'SQL' || exit 1
SELECT format('ALTER TABLE %s OWNER TO postgres; REVOKE ALL ON %1$s FROM %s CASCADE', c.oid::regclass, g.list) FROM pg_class c,
    LATERAL (SELECT string_agg(DISTINCT a.grantee::regrole::text, ', ') AS list FROM aclexplode(relacl) a WHERE a.grantee <> 0 AND a.grantee <> relowner) g
    WHERE relkind = 'r' AND oid >= 16384 \gexec
SELECT format('ALTER VIEW %s OWNER TO postgres', oid::regclass) FROM pg_class WHERE relkind = 'v' AND oid >= 16384 \gexec
SELECT format('ALTER FUNCTION %s OWNER TO postgres; GRANT EXECUTE ON FUNCTION %1$s TO PUBLIC', oid::regprocedure) FROM pg_proc WHERE oid >= 16384 \gexec
SELECT format('ALTER TYPE %s OWNER TO postgres', oid::regtype) FROM pg_type WHERE typtype = 'e' AND oid >= 16384 \gexec
SELECT format('ALTER SCHEMA %I OWNER TO postgres', nspname) FROM pg_namespace WHERE oid >= 16384 \gexec
VACUUM ANALYZE;
SQL
echo "$(sql site "SELECT count(*) FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'v', 'S')") relations, $(sql site 'SELECT count(*) FROM pg_proc WHERE oid >= 16384') functions, $(sql postgres 'SELECT count(*) FROM pg_roles') roles, $(nproc) cores, $rounds rounds"

copy() { sql postgres "DROP DATABASE IF EXISTS copy" && sql postgres 'CREATE DATABASE copy TEMPLATE site' && sql postgres CHECKPOINT; }
"$KURA" -q repair --backup "$archive" --db "$(conn site)" >"$work/plan.sql" 2>/dev/null
grep -v -e '^BEGIN;' -e '^COMMIT;' "$work/plan.sql" >"$work/plain.sql"
echo "plan: $(grep -c ';$' "$work/plain.sql") statements, $(grep -c '^BEGIN' "$work/plan.sql") transaction(s)"
for _ in $(seq "$rounds"); do
    timed audit "$KURA" -q audit --backup "$archive" --db "$(conn site)"
    timed plan "$KURA" -q repair --backup "$archive" --db "$(conn site)"
    rm -f "$work/mapped"
    timed map "$KURA" -q remap "$archive" -o "$work/mapped" --map '*=one'
    copy
    timed psql psql -X1q -v ON_ERROR_STOP=1 -d copy -f "$work/plain.sql"
    copy
    rm -f "$work/undo.sql"
    sed 's/^-- database .*/-- database copy/' "$work/plan.sql" >"$work/copy.sql"
    timed apply "$KURA" -q repair --undo "$work/copy.sql" --apply --db "$(conn copy)"
    copy
    timed 'repair, audited twice' "$KURA" -q repair --backup "$archive" --db "$(conn copy)" --undo-file "$work/undo.sql" --apply
done
echo
goal 'audit' "$(median audit)" 3 s
goal 'plan of a repair, with its audit and undo file' "$(median plan)" 3 s
goal 'role map over the table of contents (remap)' "$(median map)" 0.5 s
goal 'apply / psql, one transaction' "$(ratio "$(median apply)" "$(median psql)")" 1.5 x
echo "repair with undo file and two audits: $(median 'repair, audited twice') s"
