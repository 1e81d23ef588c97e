-- Sessions in this database that have been idle in a transaction for longer than $1 seconds, and transactions that were
-- prepared longer ago: what they are, whose, since how many seconds.
SELECT 's', a.pid::pg_catalog.text, a.usename, coalesce(nullif(a.application_name, ''), 'unnamed'),
    pg_catalog.date_part('epoch', pg_catalog.now() - a.state_change)
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = pg_catalog.current_database() AND a.state IN ('idle in transaction', 'idle in transaction (aborted)')
    AND a.state_change < pg_catalog.now() - pg_catalog.make_interval(secs => $1::pg_catalog.float8)
UNION ALL
SELECT 'p', p.gid, p.owner, '', pg_catalog.date_part('epoch', pg_catalog.now() - p.prepared)
FROM pg_catalog.pg_prepared_xacts AS p
WHERE p.database = pg_catalog.current_database()
    AND p.prepared < pg_catalog.now() - pg_catalog.make_interval(secs => $1::pg_catalog.float8)
ORDER BY 5 DESC
