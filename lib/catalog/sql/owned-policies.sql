-- Row-level security policies: a row for each role they are for; no name: PUBLIC. An extension's are its own business.
SELECT n.nspname, c.relname, p.polname, g.rolname
FROM pg_catalog.pg_policy AS p
    JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL pg_catalog.unnest(p.polroles) AS r (role)
    LEFT JOIN pg_catalog.pg_roles AS g ON g.oid = r.role
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend AS d
    WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
        AND d.objid = p.oid
        AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        AND d.deptype = 'e')
ORDER BY 1, 2, 3
