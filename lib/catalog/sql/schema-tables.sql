-- Tables that may be a migration tool's own: schema, name, and " column type" of each column, one a line. $1: the name
-- of one, with or without its schema; NULL: the usual ones.
SELECT n.nspname, c.relname,
    pg_catalog.string_agg(E'\n' || a.attname || ' ' || pg_catalog.format_type(a.atttypid, NULL) || E'\n', '' ORDER BY a.attnum)
FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND CASE WHEN $1::pg_catalog.text IS NULL
        THEN c.relname IN ('schema_migrations', 'migrations', 'flyway_schema_history', 'schema_version', 'django_migrations',
            'alembic_version', '_prisma_migrations', '_sqlx_migrations', '__diesel_schema_migrations', 'version',
            'application')
        ELSE $1 IN (c.relname, n.nspname || '.' || c.relname)
    END
GROUP BY n.nspname, c.relname
ORDER BY n.nspname <> 'public', n.nspname, c.relname
