-- What the schemas of users hold, one thing a row: what it is, its name, its definition. Sorted by bytes, so that two
-- states can be compared row by row.
WITH spaces AS (
    SELECT n.oid, pg_catalog.quote_ident(n.nspname) AS name, n.nspowner
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
),
relations AS (
    SELECT c.oid, s.name || '.' || pg_catalog.quote_ident(c.relname) AS name, c.relkind, c.relpersistence, c.relowner,
        CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view'
            WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' END AS what
    FROM pg_catalog.pg_class AS c
        JOIN spaces AS s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
),
types AS (
    SELECT t.oid, s.name || '.' || pg_catalog.quote_ident(t.typname) AS name, t.typtype, t.typowner, t.typbasetype, t.typtypmod,
        t.typnotnull, t.typdefault
    FROM pg_catalog.pg_type AS t
        JOIN spaces AS s ON s.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd', 'r')
),
routines AS (
    SELECT p.oid, s.name || '.' || pg_catalog.quote_ident(p.proname) || '('
            || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS name, p.prokind, p.proowner
    FROM pg_catalog.pg_proc AS p
        JOIN spaces AS s ON s.oid = p.pronamespace
),
things (what, name, definition) AS (
    SELECT 'schema', s.name, '' FROM spaces AS s
    UNION ALL
    SELECT r.what, r.name, CASE
        WHEN r.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(r.oid)
        WHEN r.relkind = 'p' THEN 'PARTITION BY ' || pg_catalog.pg_get_partkeydef(r.oid)
        WHEN r.relpersistence = 'u' THEN 'UNLOGGED'
        ELSE '' END
    FROM relations AS r
    UNION ALL
    SELECT 'column', r.name || '.' || pg_catalog.quote_ident(a.attname),
        pg_catalog.format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
            || CASE WHEN a.attidentity <> '' THEN ' GENERATED AS IDENTITY' ELSE '' END
            || CASE WHEN a.attgenerated <> '' THEN ' GENERATED' ELSE '' END
            || coalesce(' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
    FROM relations AS r
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE r.relkind <> 'S'
    UNION ALL
    SELECT 'constraint', r.name || '.' || pg_catalog.quote_ident(c.conname), pg_catalog.pg_get_constraintdef(c.oid)
    FROM relations AS r
        JOIN pg_catalog.pg_constraint AS c ON c.conrelid = r.oid AND c.contype <> 'n'
    UNION ALL
    SELECT 'index', s.name || '.' || pg_catalog.quote_ident(x.relname), pg_catalog.pg_get_indexdef(i.indexrelid)
        || CASE WHEN i.indisvalid THEN '' ELSE ' (not valid)' END
    FROM pg_catalog.pg_index AS i
        JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
        JOIN spaces AS s ON s.oid = x.relnamespace
    UNION ALL
    SELECT 'trigger', r.name || '.' || pg_catalog.quote_ident(t.tgname), pg_catalog.pg_get_triggerdef(t.oid)
        || CASE t.tgenabled WHEN 'D' THEN ' (disabled)' ELSE '' END
    FROM relations AS r
        JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT 'type', t.name, CASE t.typtype
        WHEN 'e' THEN 'ENUM (' || coalesce((SELECT string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
            FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid), '') || ')'
        WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END
            || coalesce(' DEFAULT ' || t.typdefault, '')
            || coalesce((SELECT string_agg(' ' || pg_catalog.pg_get_constraintdef(c.oid), '' ORDER BY c.conname)
                FROM pg_catalog.pg_constraint AS c WHERE c.contypid = t.oid), '')
        ELSE 'RANGE' END
    FROM types AS t
    UNION ALL
    SELECT 'function', p.name, CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) ELSE 'AGGREGATE' END
    FROM routines AS p
    UNION ALL
    SELECT 'policy', r.name || '.' || pg_catalog.quote_ident(p.polname), concat_ws(' ', p.polcmd, p.polpermissive,
        pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
    FROM relations AS r
        JOIN pg_catalog.pg_policy AS p ON p.polrelid = r.oid
    UNION ALL
    SELECT 'extension', pg_catalog.quote_ident(e.extname), e.extversion FROM pg_catalog.pg_extension AS e
    UNION ALL
    SELECT 'owner', o.name, pg_catalog.pg_get_userbyid(o.owner)
    FROM (
        SELECT s.name, s.nspowner AS owner FROM spaces AS s
        UNION ALL SELECT r.name, r.relowner FROM relations AS r
        UNION ALL SELECT t.name, t.typowner FROM types AS t
        UNION ALL SELECT p.name, p.proowner FROM routines AS p) AS o
)
SELECT t.what, t.name, t.definition
FROM things AS t
ORDER BY t.what COLLATE pg_catalog."C", t.name COLLATE pg_catalog."C", t.definition COLLATE pg_catalog."C"
