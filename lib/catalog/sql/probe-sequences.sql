-- Sequences that fill columns of tables the current role may INSERT into, but that it may not use. The column's default
-- depends on the sequence; that of an identity column needs no privilege.
SELECT DISTINCT sn.nspname, s.relname, tn.nspname, t.relname
FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_attrdef AS a ON a.oid = d.objid
    JOIN pg_catalog.pg_class AS t ON t.oid = a.adrelid
    JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
    JOIN pg_catalog.pg_class AS s ON s.oid = d.refobjid AND s.relkind = 'S'
    JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.relnamespace
WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND tn.nspname !~ '^pg_'
    AND pg_catalog.has_table_privilege(t.oid, 'INSERT')
    AND NOT (pg_catalog.has_sequence_privilege(s.oid, 'USAGE, UPDATE')
        AND pg_catalog.has_schema_privilege(sn.oid, 'USAGE'))
ORDER BY 1, 2, 3, 4
