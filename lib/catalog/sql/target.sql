SELECT r.rolsuper, r.rolcreatedb, r.rolcreaterole, pg_catalog.pg_is_in_recovery(), b.rolname
FROM pg_catalog.pg_roles AS r
    LEFT JOIN pg_catalog.pg_roles AS b ON b.oid = 10
WHERE r.rolname = current_user
