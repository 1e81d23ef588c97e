-- The table $1 (an OID): schema, name, kind, and its columns with whether they are of the primary key and may be null.
SELECT n.nspname, c.relname, c.relkind, a.attname, a.attnotnull,
    EXISTS (SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.oid = $1::pg_catalog.oid
ORDER BY a.attnum
