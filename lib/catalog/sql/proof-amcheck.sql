-- The B-tree indexes that amcheck can look into, the smallest first, and whether reading their tables too is cheap.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(x.relname), i.indexrelid,
    i.indpred IS NULL AND pg_catalog.pg_table_size(i.indrelid) <= $1::pg_catalog.int8
FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid AND x.relkind = 'i' AND x.relpersistence <> 't'
    JOIN pg_catalog.pg_am AS m ON m.oid = x.relam AND m.amname = 'btree'
    JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace
WHERE i.indisvalid AND i.indisready AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY x.relpages, 1
