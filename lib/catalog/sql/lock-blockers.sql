-- $1: oids. Who holds or awaits an exclusive lock on one of them.
SELECT n.nspname, c.relname, l.pid, l.granted
FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_database AS d ON d.oid = l.database
    JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation'
    AND l.mode = 'AccessExclusiveLock'
    AND d.datname = pg_catalog.current_database()
    AND l.relation = ANY ($1::pg_catalog.oid[])
    AND l.pid <> pg_catalog.pg_backend_pid()
ORDER BY l.granted DESC, n.nspname, c.relname
LIMIT 1
