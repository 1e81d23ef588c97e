-- $1: a role. Tables whose rows it cannot read, so that a backup as this role fails: a privilege is missing, or row-level
-- security would filter.
SELECT n.nspname, c.relname, pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT')
        AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_roles AS r ON r.rolname = $1
WHERE c.relkind IN ('r', 'p', 'S')
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND NOT (pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT')
        AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
        AND (NOT c.relrowsecurity
            OR r.rolbypassrls
            OR r.rolsuper
            OR (pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE') AND NOT c.relforcerowsecurity)))
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.objid = c.oid
            AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            AND d.deptype = 'e')
ORDER BY 1, 2
