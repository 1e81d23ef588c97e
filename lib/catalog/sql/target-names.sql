-- What exists in the cluster: kind and name.
SELECT 'r', r.rolname::pg_catalog.text FROM pg_catalog.pg_roles AS r
UNION ALL
SELECT 'd', d.datname FROM pg_catalog.pg_database AS d
UNION ALL
SELECT 'e', e.name FROM pg_catalog.pg_available_extensions AS e
UNION ALL
SELECT 't', t.spcname FROM pg_catalog.pg_tablespace AS t
ORDER BY 1, 2
