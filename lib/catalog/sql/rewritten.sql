-- pg_class as the snapshot sees it against pg_relation_filenode(), which always tells the present.
SELECT count(*)
FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm')
    AND c.relfilenode <> 0
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid)
    -- an extension's own tables are not dumped, but for its configuration tables
    AND (NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                AND d.objid = c.oid
                AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                AND d.deptype = 'e')
        OR EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE c.oid = ANY (e.extconfig)))
