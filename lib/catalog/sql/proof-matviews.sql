-- How many materialized views there are, and those that are not populated: a SELECT from them fails.
WITH views AS (
    SELECT n.nspname, c.relname, c.relispopulated
    FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
)
SELECT (SELECT count(*) FROM views), v.nspname, v.relname
FROM (SELECT) AS once
    LEFT JOIN views AS v ON NOT v.relispopulated
ORDER BY 2, 3
