-- $1: a relation's name. Who holds or awaits a lock on it, the oldest transaction first.
SELECT l.pid, a.usename, a.application_name, l.mode, a.state,
    extract(epoch FROM pg_catalog.now() - a.xact_start)::pg_catalog.int8
FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_database AS d ON d.oid = l.database
    LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'relation'
    AND d.datname = pg_catalog.current_database()
    AND l.relation = pg_catalog.to_regclass($1)
    AND l.pid <> pg_catalog.pg_backend_pid()
ORDER BY l.granted DESC, a.xact_start
LIMIT 1
