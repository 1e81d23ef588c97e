-- What the current role may do with each role: use its rights, become it, grant it to others.
SELECT r.rolname, r.rolsuper,
    pg_catalog.pg_has_role(r.oid, 'USAGE') AS inherits,
    CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000
        THEN pg_catalog.pg_has_role(r.oid, 'SET')
        ELSE pg_catalog.pg_has_role(r.oid, 'MEMBER')
    END AS becomes,
    CASE WHEN pg_catalog.current_setting('server_version_num')::int < 160000 AND me.rolcreaterole
        THEN NOT r.rolsuper OR me.rolsuper
        ELSE pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')
    END AS grants
FROM pg_catalog.pg_roles AS r
    JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
ORDER BY r.rolname
