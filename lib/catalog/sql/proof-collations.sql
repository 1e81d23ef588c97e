-- How many collations the database and its columns use, and those whose recorded version is not the one of the library
-- that is there now.
WITH used AS (
    SELECT DISTINCT a.attcollation AS oid
    FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_class AS r ON r.oid = a.attrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
    WHERE a.attcollation <> 0 AND NOT a.attisdropped AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
),
versions AS (
    SELECT pg_catalog.quote_ident(c.collname) AS name, c.collversion AS recorded,
        CASE WHEN c.collversion IS NOT NULL THEN pg_catalog.pg_collation_actual_version(c.oid) END AS actual
    FROM used AS u
        JOIN pg_catalog.pg_collation AS c ON c.oid = u.oid
)
SELECT (SELECT count(*) FROM versions), v.name, v.recorded, v.actual
FROM (SELECT) AS once
    LEFT JOIN versions AS v ON v.recorded <> v.actual
ORDER BY 2
