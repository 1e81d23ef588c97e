-- Whether whoever wrote the comment of database $1 (an OID) may have borrowed membership in role $2 for role $3: not from
-- or for a superuser, and only as somebody who has the rights of the database's owner.
SELECT NOT r.rolsuper AND NOT u.rolsuper AND pg_catalog.pg_has_role(u.oid, d.datdba, 'MEMBER')
FROM pg_catalog.pg_database AS d, pg_catalog.pg_roles AS r, pg_catalog.pg_roles AS u
WHERE d.oid = $1::pg_catalog.oid AND r.rolname = $2 AND u.rolname = $3
