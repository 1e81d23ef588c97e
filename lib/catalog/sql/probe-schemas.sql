-- Schemas with tables of the current role in which it may not do what an application and its migrations do.
SELECT n.nspname, s.missing
FROM pg_catalog.pg_namespace AS n
    CROSS JOIN LATERAL (SELECT concat_ws(' and ',
        CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'USAGE' END,
        CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE') THEN 'CREATE' END)) AS s (missing)
WHERE n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND s.missing <> ''
    AND EXISTS (
        SELECT FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace = n.oid
            AND c.relkind IN ('r', 'p')
            AND pg_catalog.pg_has_role(c.relowner, 'USAGE'))
ORDER BY 1
