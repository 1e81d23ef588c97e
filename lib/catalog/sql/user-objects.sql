-- Whether the database has anything of its users': extensions alone do not count.
WITH member AS (
    SELECT d.classid, d.objid
    FROM pg_catalog.pg_depend AS d
    WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
),
object (classid, objid, namespace) AS (
    SELECT c.tableoid, c.oid, c.relnamespace FROM pg_catalog.pg_class AS c WHERE c.oid >= 16384
    UNION ALL
    SELECT p.tableoid, p.oid, p.pronamespace FROM pg_catalog.pg_proc AS p WHERE p.oid >= 16384
    UNION ALL
    SELECT t.tableoid, t.oid, t.typnamespace FROM pg_catalog.pg_type AS t
    WHERE t.oid >= 16384 AND t.typrelid = 0 AND t.typelem = 0
    UNION ALL
    SELECT o.tableoid, o.oid, o.oprnamespace FROM pg_catalog.pg_operator AS o WHERE o.oid >= 16384
    UNION ALL
    SELECT n.tableoid, n.oid, n.oid FROM pg_catalog.pg_namespace AS n WHERE n.oid >= 16384 AND n.nspname <> 'public'
    UNION ALL
    SELECT t.tableoid, t.oid, t.cfgnamespace FROM pg_catalog.pg_ts_config AS t WHERE t.oid >= 16384
    UNION ALL
    SELECT t.tableoid, t.oid, t.dictnamespace FROM pg_catalog.pg_ts_dict AS t WHERE t.oid >= 16384
    UNION ALL
    SELECT s.tableoid, s.oid, NULL FROM pg_catalog.pg_foreign_server AS s
    UNION ALL
    SELECT l.tableoid, l.oid, NULL FROM pg_catalog.pg_largeobject_metadata AS l
    UNION ALL
    SELECT p.tableoid, p.oid, NULL FROM pg_catalog.pg_publication AS p
)
SELECT EXISTS (
    SELECT
    FROM object AS o
        LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = o.namespace
    WHERE (n.nspname IS NULL OR (n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'))
        AND NOT EXISTS (
            SELECT FROM member AS m
            -- an index or a composite type belongs to the extension through its table, which is a member itself
            WHERE (m.classid, m.objid) = (o.classid, o.objid)
                OR (o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    AND m.classid = o.classid
                    AND m.objid IN (SELECT i.indrelid FROM pg_catalog.pg_index AS i WHERE i.indexrelid = o.objid))))
