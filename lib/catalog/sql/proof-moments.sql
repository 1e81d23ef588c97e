-- Columns whose largest value tells when rows were made, each with the query for it: where an index begins with it, or the
-- table is small. $1: moments after it are none of the past.
SELECT pg_catalog.format('%I.%I.%I', n.nspname, r.relname, a.attname),
    pg_catalog.format('SELECT extract(epoch FROM max(%I)) FROM %I.%I WHERE %I <= %L', a.attname, n.nspname, r.relname,
        a.attname, $1::pg_catalog.text)
FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_class AS r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p') AND NOT r.relispartition
    JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
    LEFT JOIN LATERAL (
        SELECT true AS found
        FROM pg_catalog.pg_index AS i
            JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
            JOIN pg_catalog.pg_am AS m ON m.oid = x.relam AND m.amname = 'btree'
        WHERE i.indrelid = r.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum
        LIMIT 1) AS i ON true
WHERE a.attnum > 0 AND NOT a.attisdropped
    AND a.atttypid IN ('timestamptz'::pg_catalog.regtype, 'timestamp'::pg_catalog.regtype)
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND (i.found OR r.relpages <= 4096)
ORDER BY i.found DESC NULLS LAST, r.relpages DESC, 1
LIMIT 500
