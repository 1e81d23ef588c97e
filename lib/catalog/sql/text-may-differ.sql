-- Why the text of a column of table $1.$2 may be another one than where it comes from: it names roles or other objects, or
-- ($3: another major) its type is an extension's, or ($4: from before 15 to 15 or later) it is "char".
SELECT why
FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (SELECT pg_catalog.format_type(COALESCE(NULLIF(t.typelem, 0), t.oid), NULL) AS type) AS of_type
    CROSS JOIN LATERAL (SELECT CASE
            WHEN type IN ('regrole', 'aclitem') THEN 'roles'
            WHEN type ~ '^reg(class|proc|procedure|oper|operator|type|config|dictionary|namespace|collation)$' THEN 'objects'
            WHEN type = '"char"' AND $4::pg_catalog.bool THEN 'char'
            WHEN $3::pg_catalog.bool AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.deptype = 'e'
                        AND d.objid = COALESCE(NULLIF(t.typelem, 0), t.oid)) THEN 'extension' END AS why) AS reason
WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped AND why IS NOT NULL
ORDER BY a.attnum
LIMIT 1
