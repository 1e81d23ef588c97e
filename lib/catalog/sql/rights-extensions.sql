-- The extensions that the server has, in the version it would install, and whether this database has them.
SELECT v.name, v.trusted, v.superuser,
    EXISTS (SELECT FROM pg_catalog.pg_extension AS x WHERE x.extname = v.name) AS present
FROM pg_catalog.pg_available_extensions AS e
    JOIN pg_catalog.pg_available_extension_versions AS v ON v.name = e.name AND v.version = e.default_version
ORDER BY v.name
