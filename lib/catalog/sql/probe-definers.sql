-- Functions that give everybody a superuser's rights.
SELECT n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid), r.rolname
FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_roles AS r ON r.oid = p.proowner
WHERE p.prosecdef
    AND r.rolsuper
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND pg_catalog.has_function_privilege('public', p.oid, 'EXECUTE')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            AND d.objid = p.oid
            AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            AND d.deptype = 'e')
ORDER BY 1, 2, 3
