-- Whether we may rename the database $1 (an OID): its owner may, with CREATEDB.
SELECT me.rolsuper OR (me.rolcreatedb AND pg_catalog.pg_has_role(d.datdba, 'USAGE')), pg_catalog.pg_get_userbyid(d.datdba)
FROM pg_catalog.pg_database AS d JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
WHERE d.oid = $1::pg_catalog.oid
