SELECT pg_catalog.pg_get_userbyid(a.grantor),
    CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee) END,
    a.privilege_type, a.is_grantable
FROM pg_catalog.pg_database AS d, LATERAL pg_catalog.aclexplode(d.datacl) AS a
WHERE d.datname = pg_catalog.current_database()
ORDER BY 2 NULLS FIRST, 1, 3
