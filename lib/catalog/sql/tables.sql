-- The relations whose rows, or locks, a dump needs: ordinary and partitioned tables and materialised views outside the
-- system's schemas and extensions, and the configuration tables of extensions.
-- pg_relation_size() would wait for whoever holds or awaits an exclusive lock, so such tables keep their last known size.
WITH config AS (
    SELECT t.relid, nullif(t.condition, '') AS condition
    FROM pg_catalog.pg_extension AS e,
        LATERAL ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition)) AS t (relid, condition)
    WHERE e.oid >= 16384
),
member AS (
    SELECT d.objid, e.extname
    FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        AND d.objsubid = 0
        AND d.deptype = 'e'
),
busy AS (
    SELECT DISTINCT l.relation
    FROM pg_catalog.pg_locks AS l
        JOIN pg_catalog.pg_database AS d ON d.oid = l.database
    WHERE l.locktype = 'relation'
        AND l.mode = 'AccessExclusiveLock'
        AND d.datname = pg_catalog.current_database()
),
listed AS (
    SELECT c.*, n.nspname, m.extname, f.relid IS NOT NULL AS config, f.condition,
        pg_catalog.current_setting('block_size')::pg_catalog.int8 AS block_size,
        CASE WHEN b.relation IS NULL THEN pg_catalog.pg_relation_size(c.oid) END AS main_size,
        CASE WHEN b.relation IS NULL AND c.reltoastrelid <> 0
            THEN pg_catalog.pg_relation_size(c.reltoastrelid) END AS toast_size,
        CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid) END AS root
    FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN member AS m ON m.objid = c.oid
        LEFT JOIN config AS f ON f.relid = c.oid
        LEFT JOIN busy AS b ON b.relation = c.oid
    WHERE c.relkind IN ('r', 'm', 'p')
        AND (f.relid IS NOT NULL
            OR (m.objid IS NULL AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'))
        AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())
)
SELECT l.oid, l.nspname, l.relname, l.relkind, l.relpersistence,
    greatest(coalesce(l.main_size, 0), l.relpages * l.block_size)
        + greatest(coalesce(l.toast_size, 0), coalesce(t.relpages, 0) * l.block_size) AS bytes,
    coalesce(l.main_size / l.block_size, l.relpages) AS blocks,
    coalesce(pg_catalog.has_schema_privilege(l.relnamespace, 'USAGE')
        AND pg_catalog.has_table_privilege(l.oid, 'SELECT'), false) AS readable,
    l.relrowsecurity AND pg_catalog.row_security_active(l.oid) AS row_security,
    l.extname, l.config, l.condition,
    rn.nspname AS root_schema, r.relname AS root_name, a.amname
FROM listed AS l
    LEFT JOIN pg_catalog.pg_class AS t ON t.oid = l.reltoastrelid
    LEFT JOIN pg_catalog.pg_class AS r ON r.oid = l.root
    LEFT JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
    LEFT JOIN pg_catalog.pg_am AS a ON a.oid = l.relam
ORDER BY l.oid
