-- Locks on tables of users that clients hold in this database now, but for those that nobody has to wait for.
SELECT l.virtualtransaction, l.relation, l.mode,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'm')
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid AND a.backend_type IN ('client backend', 'parallel worker')
WHERE l.locktype = 'relation'
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    AND l.granted
    AND l.pid <> pg_catalog.pg_backend_pid()
    AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
