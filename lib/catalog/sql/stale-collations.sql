-- Collations that columns of the database use, whose recorded version is not that of the library which is there now.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.collname), c.collversion,
    pg_catalog.pg_collation_actual_version(c.oid)
FROM pg_catalog.pg_collation AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
WHERE c.collversion <> pg_catalog.pg_collation_actual_version(c.oid)
    AND EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
            JOIN pg_catalog.pg_class AS r ON r.oid = a.attrelid
            JOIN pg_catalog.pg_namespace AS s ON s.oid = r.relnamespace
        WHERE a.attcollation = c.oid AND NOT a.attisdropped AND s.nspname !~ '^pg_' AND s.nspname <> 'information_schema')
ORDER BY 1
