-- The grants of role $1 to role $2. Before 16 there is one at most, and it has neither of the options.
SELECT g.rolname, m.xmin::pg_catalog.text,
    coalesce((pg_catalog.to_jsonb(m) ->> 'inherit_option')::boolean, true) AS inherits,
    coalesce((pg_catalog.to_jsonb(m) ->> 'set_option')::boolean, true) AS becomes
FROM pg_catalog.pg_auth_members AS m
    JOIN pg_catalog.pg_roles AS r ON r.oid = m.roleid
    JOIN pg_catalog.pg_roles AS u ON u.oid = m.member
    LEFT JOIN pg_catalog.pg_roles AS g ON g.oid = m.grantor
WHERE r.rolname = $1 AND u.rolname = $2
