-- The current role, and whether a provider counts it among its administrators: their servers allow these more than
-- PostgreSQL itself does.
SELECT r.rolname, r.rolsuper, r.rolcreaterole, r.rolinherit,
    EXISTS (
        SELECT FROM pg_catalog.pg_roles AS p
        WHERE p.rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'alloydbsuperuser', 'azure_pg_admin', 'neon_superuser')
            AND pg_catalog.pg_has_role(p.oid, 'MEMBER')) AS managed
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = current_user
