-- Grants on columns.
SELECT a.attrelid, a.attname, a.attacl::pg_catalog.text, i.initprivs::pg_catalog.text
FROM pg_catalog.pg_attribute AS a
    LEFT JOIN pg_catalog.pg_init_privs AS i
        ON i.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.objoid = a.attrelid AND i.objsubid = a.attnum
WHERE NOT a.attisdropped
    AND (a.attacl IS NOT NULL OR i.initprivs IS NOT NULL)
