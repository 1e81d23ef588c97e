-- The role that is probed, run as that role.
SELECT r.rolsuper, r.rolcanlogin,
    pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CONNECT')
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = current_user
