-- The sessions of databases $1 (an array of OIDs): process, role, application, kind, and whether we may end them. The
-- server ends an autovacuum worker by itself when somebody wants its database; the kind of a process is not for
-- everybody's eyes, but only workers have no user.
SELECT a.pid, a.usename, a.application_name, a.backend_type,
    me.rolsuper OR (r.rolsuper IS FALSE AND (pg_catalog.pg_has_role(r.oid, 'USAGE')
        OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')))
FROM pg_catalog.pg_stat_activity AS a
    JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
    LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.usesysid
WHERE a.datid = ANY ($1::pg_catalog.oid[]) AND a.pid <> pg_catalog.pg_backend_pid()
    AND a.usesysid IS NOT NULL AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
ORDER BY a.pid
