-- What role $1 gets for synchronous_commit when it logs into this database: the server's value is hidden behind the
-- settings of the role that asks, where there are any.
WITH stored AS (
    SELECT s.setrole, s.setdatabase, pg_catalog.substr(c.entry, pg_catalog.strpos(c.entry, '=') + 1) AS value
    FROM pg_catalog.pg_db_role_setting AS s
    CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (entry)
    LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
    LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
    WHERE c.entry LIKE 'synchronous\_commit=%'
        AND (s.setrole = 0 OR r.rolname = $1)
        AND (s.setdatabase = 0 OR d.datname = pg_catalog.current_database()))
SELECT pg_catalog.current_setting('synchronous_standby_names'),
    CASE WHEN $1 = session_user THEN p.reset_val
    ELSE coalesce((SELECT value FROM stored ORDER BY setrole <> 0 DESC, setdatabase <> 0 DESC LIMIT 1),
        CASE WHEN p.source IN ('default', 'configuration file', 'command line', 'environment variable') THEN p.reset_val END)
    END
FROM pg_catalog.pg_settings AS p
WHERE p.name = 'synchronous_commit'
