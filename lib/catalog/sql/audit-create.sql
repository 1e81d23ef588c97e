-- $1: the application's role. Schemas in which it has tables, and schema public, where it may not create.
SELECT n.nspname, pg_catalog.pg_get_userbyid(n.nspowner),
    n.nspname = 'public' AND n.nspowner = (SELECT o.oid FROM pg_catalog.pg_roles AS o WHERE o.rolname = 'pg_database_owner')
FROM pg_catalog.pg_namespace AS n
    JOIN pg_catalog.pg_roles AS r ON r.rolname = $1
WHERE n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND NOT (pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE')
        AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE'))
    AND EXISTS (
        SELECT FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace = n.oid
            AND c.relkind IN ('r', 'p')
            AND (n.nspname = 'public' OR c.relowner = r.oid))
ORDER BY 1
