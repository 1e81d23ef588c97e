-- Sequences that fill a column of whole numbers, with what they gave last (NULL: nothing yet), for columns whose largest
-- value is cheap to find: an index begins with them, or the table is small. Last: whether each value may be there once.
SELECT pg_catalog.format('%I.%I', sn.nspname, s.relname), pg_catalog.format('%I.%I', tn.nspname, t.relname),
    pg_catalog.quote_ident(a.attname), q.seqincrement, q.seqstart, CASE WHEN s.relkind = 'S' THEN pg_catalog.pg_sequence_last_value(s.oid) END,
    EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = t.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1
            AND i.indkey[0] = a.attnum)
FROM (
        SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS number
        FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.refobjsubid > 0
            AND d.deptype IN ('a', 'i')
        UNION
        SELECT d.refobjid, f.adrelid, f.adnum
        FROM pg_catalog.pg_depend AS d
            JOIN pg_catalog.pg_attrdef AS f ON f.oid = d.objid
        WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    ) AS u
    JOIN pg_catalog.pg_class AS s ON s.oid = u.sequence AND s.relkind = 'S'
    JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.relnamespace
    JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = s.oid
    JOIN pg_catalog.pg_class AS t ON t.oid = u.relation AND t.relkind IN ('r', 'p')
    JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = u.number
WHERE NOT q.seqcycle
    AND a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype, 'int8'::pg_catalog.regtype)
    -- a condition may be looked at before the join: the function wants nothing but sequences
    AND CASE WHEN s.relkind = 'S' THEN pg_catalog.has_sequence_privilege(s.oid, 'USAGE, SELECT') END
    AND pg_catalog.has_column_privilege(t.oid, a.attnum, 'SELECT')
    AND pg_catalog.has_schema_privilege(tn.oid, 'USAGE')
    AND (t.relkind = 'p' OR pg_catalog.pg_relation_size(t.oid) > 0)
    AND (t.relkind = 'r' AND t.relpages < 100
        OR EXISTS (
            SELECT FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum
                AND i.indclass[0] IN (SELECT o.oid FROM pg_catalog.pg_opclass AS o
                    JOIN pg_catalog.pg_am AS m ON m.oid = o.opcmethod AND m.amname = 'btree')))
ORDER BY 1, 2, 3
