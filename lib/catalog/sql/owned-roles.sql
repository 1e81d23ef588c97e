SELECT r.rolname, r.rolsuper, r.oid = 10 FROM pg_catalog.pg_roles AS r
