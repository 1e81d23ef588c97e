-- The roles with this comment that nothing depends on.
SELECT r.rolname
FROM pg_catalog.pg_roles AS r
    JOIN pg_catalog.pg_shdescription AS c ON c.objoid = r.oid AND c.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass
WHERE c.description = $1
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_shdepend AS d
        WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.refobjid = r.oid
            AND d.classid <> 'pg_catalog.pg_auth_members'::pg_catalog.regclass)
ORDER BY r.rolname
