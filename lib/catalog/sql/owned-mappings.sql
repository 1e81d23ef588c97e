-- Who has a user mapping on a foreign server: a row for each, no name: PUBLIC; and one without for a server that has none.
-- Options hold passwords: they are nobody's business here.
SELECT s.srvname, m.umid IS NOT NULL, g.rolname
FROM pg_catalog.pg_foreign_server AS s
    LEFT JOIN pg_catalog.pg_user_mappings AS m ON m.srvid = s.oid
    LEFT JOIN pg_catalog.pg_roles AS g ON g.oid = m.umuser
ORDER BY 1, 3
