-- The tables that the current role may write to, each with its statements: one that changes a row into itself, so that its
-- triggers run, and one that inserts no row.
WITH writable AS (
    SELECT r.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(r.relname) AS name, a.attname, a.attnum,
        pg_catalog.has_column_privilege(r.oid, a.attnum, 'SELECT, UPDATE') AND NOT a.attidentity = 'a' AS updatable,
        pg_catalog.has_table_privilege(r.oid, 'INSERT') AND pg_catalog.has_table_privilege(r.oid, 'SELECT') AS insertable
    FROM pg_catalog.pg_class AS r
        JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE r.relkind IN ('r', 'p')
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                AND d.objid = r.oid
                AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                AND d.deptype = 'e')
)
SELECT w.name,
    (SELECT pg_catalog.format(
            'UPDATE %s AS t SET %I = t.%I WHERE (t.tableoid, t.ctid) = (SELECT s.tableoid, s.ctid FROM %s AS s LIMIT 1)',
            w.name, u.attname, u.attname, w.name)
        FROM writable AS u
        WHERE u.oid = w.oid AND u.updatable AND pg_catalog.has_table_privilege(u.oid, 'SELECT')
            -- a partition's key could move the row
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_partitioned_table AS k
                WHERE k.partrelid = u.oid AND u.attnum = ANY (k.partattrs))
        ORDER BY u.attnum DESC LIMIT 1),
    CASE WHEN pg_catalog.bool_or(w.insertable) THEN
        pg_catalog.format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s WHERE false', w.name,
            string_agg(pg_catalog.quote_ident(w.attname), ', ' ORDER BY w.attnum),
            string_agg(pg_catalog.quote_ident(w.attname), ', ' ORDER BY w.attnum), w.name)
    END
FROM writable AS w
GROUP BY w.oid, w.name
HAVING pg_catalog.bool_or(w.updatable) OR pg_catalog.bool_or(w.insertable)
ORDER BY w.name
