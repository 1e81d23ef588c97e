-- How many triggers there are, and those that are disabled; the ones behind foreign keys too.
WITH triggers AS (
    SELECT t.tgname, t.tgenabled, t.tgisinternal,
        pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(r.relname) AS relation, c.conname
    FROM pg_catalog.pg_trigger AS t
        JOIN pg_catalog.pg_class AS r ON r.oid = t.tgrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
        LEFT JOIN pg_catalog.pg_constraint AS c ON c.oid = t.tgconstraint
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
)
SELECT (SELECT count(*) FROM triggers), coalesce(t.conname, t.tgname), t.relation, t.conname IS NOT NULL
FROM (SELECT) AS once
    LEFT JOIN (SELECT DISTINCT t.conname, t.tgname, t.relation FROM triggers AS t WHERE t.tgenabled = 'D') AS t ON true
ORDER BY 3, 2
