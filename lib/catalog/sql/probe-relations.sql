-- Tables, views and sequences that the current role owns, is granted, or finds among its own; extensions' are theirs.
WITH relation AS (
    SELECT c.oid, n.oid AS namespace, n.nspname, c.relname, c.relkind, c.relispopulated,
        pg_catalog.pg_get_userbyid(c.relowner) AS owner,
        pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
        CASE WHEN c.relkind = 'S'
            THEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT, UPDATE')
            ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')
                OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE')
        END AS granted
    FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                AND d.objid = c.oid
                AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                AND d.deptype = 'e')
),
home AS (
    SELECT DISTINCT r.namespace FROM relation AS r WHERE r.owned
)
SELECT r.nspname, r.relname, r.relkind, r.owner, r.owned, r.granted, r.relispopulated,
    pg_catalog.has_schema_privilege(r.namespace, 'USAGE') AS usage,
    r.relkind <> 'S' AND (pg_catalog.has_table_privilege(r.oid, 'SELECT')
        OR pg_catalog.has_any_column_privilege(r.oid, 'SELECT')) AS readable,
    CASE WHEN r.relkind <> 'S' THEN pg_catalog.has_table_privilege(r.oid, 'SELECT') END AS wholly_readable,
    CASE WHEN r.owned AND r.relkind IN ('r', 'p') THEN concat_ws(', ',
        CASE WHEN NOT pg_catalog.has_table_privilege(r.oid, 'SELECT') THEN 'SELECT' END,
        CASE WHEN NOT pg_catalog.has_table_privilege(r.oid, 'INSERT') THEN 'INSERT' END,
        CASE WHEN NOT pg_catalog.has_table_privilege(r.oid, 'UPDATE') THEN 'UPDATE' END,
        CASE WHEN NOT pg_catalog.has_table_privilege(r.oid, 'DELETE') THEN 'DELETE' END)
    WHEN r.owned AND r.relkind IN ('v', 'm') AND NOT pg_catalog.has_table_privilege(r.oid, 'SELECT') THEN 'SELECT'
    WHEN r.owned AND r.relkind = 'S' AND NOT pg_catalog.has_sequence_privilege(r.oid, 'USAGE') THEN 'USAGE'
    ELSE '' END AS missing
FROM relation AS r
    LEFT JOIN home AS h ON h.namespace = r.namespace
WHERE r.owned OR r.granted OR h.namespace IS NOT NULL
ORDER BY r.nspname, r.relname
