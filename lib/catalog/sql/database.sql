-- Columns that only some versions have are read through JSON: an absent one is NULL.
SELECT d.datname, pg_catalog.pg_is_in_recovery(), pg_catalog.pg_get_userbyid(d.datdba),
    pg_catalog.pg_encoding_to_char(d.encoding),
    CASE j.v ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
    d.datcollate, d.datctype,
    coalesce(j.v ->> 'datlocale', j.v ->> 'daticulocale'),
    j.v ->> 'datcollversion',
    t.spcname, d.datconnlimit,
    pg_catalog.shobj_description(d.oid, 'pg_database'),
    d.datacl IS NULL,
    pg_catalog.pg_database_size(d.oid),
    pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
FROM pg_catalog.pg_database AS d
    JOIN pg_catalog.pg_tablespace AS t ON t.oid = d.dattablespace
    CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(d) AS v) AS j
WHERE d.datname = pg_catalog.current_database()
