-- Everything in this database that has an owner: the users' (OIDs from 16384 on, the database, schema public, large
-- objects, subscriptions), and what else has an access control list. As pg_dump does, information_schema is left alone,
-- as are functions that came with a range type and operators that others name but nobody defined. Names come as they
-- are, with the arguments of those that need them. A pg_dump-like search_path (empty) makes types of arguments fully
-- qualified.
WITH member AS (
    SELECT d.classid, d.objid
    FROM pg_catalog.pg_depend AS d
    WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
),
-- a sequence of a column has the owner of its table
linked AS (
    SELECT d.objid, min(d.refobjid) AS parent
    FROM pg_catalog.pg_depend AS d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjsubid > 0
        AND d.deptype IN ('a', 'i')
    GROUP BY 1
),
-- a sequence that a column's default names
used AS (
    SELECT d.refobjid AS sequence, min(a.adrelid) AS relation
    FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_attrdef AS a ON a.oid = d.objid
    WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjid <> a.adrelid
    GROUP BY 1
),
indexes AS (
    SELECT i.indrelid, count(*) AS n FROM pg_catalog.pg_index AS i GROUP BY 1
),
object (kind, classid, oid, namespace, name, args, types, owner, acl, parent, used_by, special, locks) AS (
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
            WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
        c.tableoid, c.oid, c.relnamespace, c.relname::pg_catalog.text, NULL::pg_catalog.text, NULL::pg_catalog.text,
        c.relowner, c.relacl, l.parent, CASE WHEN c.relkind = 'S' THEN u.relation END, false,
        1 + coalesce(x.n, 0) + CASE WHEN c.reltoastrelid <> 0 THEN 2 ELSE 0 END
    FROM pg_catalog.pg_class AS c
        LEFT JOIN linked AS l ON l.objid = c.oid AND c.relkind = 'S'
        LEFT JOIN used AS u ON u.sequence = c.oid
        LEFT JOIN indexes AS x ON x.indrelid = c.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    UNION ALL
    SELECT CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
        p.tableoid, p.oid, p.pronamespace, p.proname,
        CASE WHEN p.oid < 16384 AND p.proacl IS NULL THEN NULL
            WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '(*)'
            ELSE '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' END,
        CASE WHEN p.prokind = 'a' AND p.oid >= 16384 THEN '(' || (
            SELECT coalesce(pg_catalog.string_agg(pg_catalog.format_type(t.type, NULL), ', ' ORDER BY t.n), '')
            FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS t (type, n)) || ')' END,
        p.proowner, p.proacl, NULL, NULL, p.prosecdef, 1
    FROM pg_catalog.pg_proc AS p
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = p.tableoid AND d.objid = p.oid AND d.deptype = 'i')
    UNION ALL
    -- neither arrays nor row types of tables: they have the owner of what they are made of
    SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.tableoid, t.oid, t.typnamespace, t.typname, NULL,
        NULL, t.typowner, t.typacl,
        CASE WHEN t.typtype = 'm' THEN (
            SELECT d.refobjid FROM pg_catalog.pg_depend AS d
            WHERE d.classid = t.tableoid AND d.objid = t.oid AND d.refclassid = t.tableoid AND d.deptype = 'i'
            LIMIT 1) END, NULL, false, 1
    FROM pg_catalog.pg_type AS t
        LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
        LEFT JOIN pg_catalog.pg_type AS e ON e.typarray = t.oid
    WHERE e.oid IS NULL AND (t.typrelid = 0 OR c.relkind = 'c') AND (t.typtype <> 'p' OR NOT t.typisdefined)
    UNION ALL
    SELECT 'SCHEMA', n.tableoid, n.oid, NULL, n.nspname, NULL, NULL, n.nspowner, n.nspacl, NULL, NULL, false, 1
    FROM pg_catalog.pg_namespace AS n
    UNION ALL
    SELECT 'DATABASE', d.tableoid, d.oid, NULL, d.datname, NULL, NULL, d.datdba, d.datacl, NULL, NULL, false, 1
    FROM pg_catalog.pg_database AS d
    WHERE d.datname = pg_catalog.current_database()
    UNION ALL
    SELECT 'COLLATION', c.tableoid, c.oid, c.collnamespace, c.collname, NULL, NULL, c.collowner, NULL, NULL, NULL, false, 1
    FROM pg_catalog.pg_collation AS c
    UNION ALL
    SELECT 'CONVERSION', c.tableoid, c.oid, c.connamespace, c.conname, NULL, NULL, c.conowner, NULL, NULL, NULL, false, 1
    FROM pg_catalog.pg_conversion AS c
    UNION ALL
    SELECT 'OPERATOR', o.tableoid, o.oid, o.oprnamespace, o.oprname,
        CASE WHEN o.oid >= 16384 THEN ' ('
            || CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprleft, NULL) END || ', '
            || CASE WHEN o.oprright = 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprright, NULL) END || ')' END,
        NULL, o.oprowner, NULL, NULL, NULL, false, 1
    FROM pg_catalog.pg_operator AS o
    WHERE o.oprcode <> 0
    UNION ALL
    SELECT 'OPERATOR CLASS', o.tableoid, o.oid, o.opcnamespace, o.opcname, ' USING ' || pg_catalog.quote_ident(a.amname),
        NULL, o.opcowner, NULL, NULL, NULL, false, 1
    FROM pg_catalog.pg_opclass AS o
        JOIN pg_catalog.pg_am AS a ON a.oid = o.opcmethod
    UNION ALL
    SELECT 'OPERATOR FAMILY', o.tableoid, o.oid, o.opfnamespace, o.opfname,
        ' USING ' || pg_catalog.quote_ident(a.amname), NULL, o.opfowner, NULL, NULL, NULL, false, 1
    FROM pg_catalog.pg_opfamily AS o
        JOIN pg_catalog.pg_am AS a ON a.oid = o.opfmethod
    UNION ALL
    SELECT 'STATISTICS', s.tableoid, s.oid, s.stxnamespace, s.stxname, NULL, NULL, s.stxowner, NULL, NULL, NULL, false, 1
    FROM pg_catalog.pg_statistic_ext AS s
    UNION ALL
    SELECT 'TEXT SEARCH DICTIONARY', t.tableoid, t.oid, t.dictnamespace, t.dictname, NULL, NULL, t.dictowner, NULL, NULL,
        NULL, false, 1
    FROM pg_catalog.pg_ts_dict AS t
    UNION ALL
    SELECT 'TEXT SEARCH CONFIGURATION', t.tableoid, t.oid, t.cfgnamespace, t.cfgname, NULL, NULL, t.cfgowner, NULL, NULL,
        NULL, false, 1
    FROM pg_catalog.pg_ts_config AS t
    UNION ALL
    SELECT 'FOREIGN DATA WRAPPER', f.tableoid, f.oid, NULL, f.fdwname, NULL, NULL, f.fdwowner, f.fdwacl, NULL, NULL, true, 1
    FROM pg_catalog.pg_foreign_data_wrapper AS f
    UNION ALL
    SELECT 'SERVER', s.tableoid, s.oid, NULL, s.srvname, NULL, NULL, s.srvowner, s.srvacl, NULL, NULL, false, 1
    FROM pg_catalog.pg_foreign_server AS s
    UNION ALL
    SELECT 'LANGUAGE', l.tableoid, l.oid, NULL, l.lanname, NULL, NULL, l.lanowner, l.lanacl, NULL, NULL, false, 1
    FROM pg_catalog.pg_language AS l
    UNION ALL
    SELECT 'LARGE OBJECT', 'pg_catalog.pg_largeobject'::pg_catalog.regclass, l.oid, NULL, l.oid::pg_catalog.text, NULL,
        NULL, l.lomowner, l.lomacl, NULL, NULL, false, 1
    FROM pg_catalog.pg_largeobject_metadata AS l
    UNION ALL
    SELECT 'PUBLICATION', p.tableoid, p.oid, NULL, p.pubname, NULL, NULL, p.pubowner, NULL, NULL, NULL, p.puballtables OR EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = pg_catalog.to_regclass('pg_catalog.pg_publication_namespace')
                AND d.refclassid = p.tableoid
                AND d.refobjid = p.oid), 1
    FROM pg_catalog.pg_publication AS p
    UNION ALL
    -- PostgreSQL 13 lets only superusers read their OID
    SELECT 'SUBSCRIPTION', 'pg_catalog.pg_subscription'::pg_catalog.regclass, 0, NULL, s.subname, NULL, NULL,
        s.subowner, NULL, NULL, NULL, true, 1
    FROM pg_catalog.pg_subscription AS s
        JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid
    WHERE d.datname = pg_catalog.current_database()
    UNION ALL
    SELECT 'EVENT TRIGGER', e.tableoid, e.oid, NULL, e.evtname, NULL, NULL, e.evtowner, NULL, NULL, NULL, true, 1
    FROM pg_catalog.pg_event_trigger AS e
)
SELECT o.kind, n.nspname, o.name, o.args, o.types, o.oid, pg_catalog.pg_get_userbyid(o.owner), o.acl::pg_catalog.text,
    i.initprivs::pg_catalog.text, m.objid IS NOT NULL, NOT o.users, o.parent, o.used_by, o.special, o.locks
FROM (
        SELECT object.*, object.oid >= 16384 OR object.kind IN ('DATABASE', 'LARGE OBJECT', 'SUBSCRIPTION')
                OR (object.kind = 'SCHEMA' AND object.name = 'public') AS users
        FROM object
    ) AS o
    LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = o.namespace
    LEFT JOIN member AS m ON m.classid = o.classid AND m.objid = o.oid
    LEFT JOIN pg_catalog.pg_init_privs AS i ON i.classoid = o.classid AND i.objoid = o.oid AND i.objsubid = 0
WHERE (o.users OR o.acl IS NOT NULL)
    AND (n.nspname IS NULL OR n.nspname !~ '^(pg_(toast|temp)|information_schema$)')
    AND NOT (o.kind = 'SCHEMA' AND o.name ~ '^(pg_(toast|temp)|information_schema$)')
ORDER BY n.nspname, o.name, o.args
