-- Encoding and locale of the database $1 (an OID); columns that only some versions have are read through JSON.
SELECT pg_catalog.pg_encoding_to_char(d.encoding),
    CASE j.v ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
    d.datcollate, d.datctype, coalesce(j.v ->> 'datlocale', j.v ->> 'daticulocale')
FROM pg_catalog.pg_database AS d CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(d) AS v) AS j
WHERE d.oid = $1::pg_catalog.oid
