-- How many indexes there are, and those that queries do not use because they are not valid. That of a partitioned table is
-- not, as long as a partition has none to attach to it.
WITH indexes AS (
    SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(x.relname) AS name,
        i.indrelid::pg_catalog.regclass::pg_catalog.text AS relation, x.relkind = 'I' OR i.indisvalid AND i.indisready AND i.indislive AS valid
    FROM pg_catalog.pg_index AS i
        JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
)
SELECT (SELECT count(*) FROM indexes), i.name, i.relation
FROM (SELECT) AS once
    LEFT JOIN indexes AS i ON NOT i.valid
ORDER BY 2
