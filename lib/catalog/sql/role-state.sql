-- $1: a role. No row: there is none.
SELECT r.rolsuper, r.rolcanlogin, coalesce(r.rolvaliduntil < pg_catalog.now(), false)
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = $1
