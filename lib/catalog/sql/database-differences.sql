-- The statements that would give the database $2 (an OID; it is or will be called $3) the properties of the database $1.
WITH
property (oid, rank, apply, revert) AS (
    SELECT d.oid, 1, pg_catalog.format('ALTER DATABASE %I OWNER TO %I', $3::pg_catalog.text, pg_catalog.pg_get_userbyid(d.datdba)), NULL
    FROM pg_catalog.pg_database AS d
    UNION ALL
    SELECT d.oid, 2, pg_catalog.format('ALTER DATABASE %I CONNECTION LIMIT %s', $3::pg_catalog.text, d.datconnlimit), NULL
    FROM pg_catalog.pg_database AS d
    UNION ALL
    SELECT d.oid, 3, pg_catalog.format('ALTER DATABASE %I ALLOW_CONNECTIONS %s', $3::pg_catalog.text, d.datallowconn), NULL
    FROM pg_catalog.pg_database AS d
    UNION ALL
    SELECT d.oid, 4, pg_catalog.format('ALTER DATABASE %I IS_TEMPLATE %s', $3::pg_catalog.text, d.datistemplate), NULL
    FROM pg_catalog.pg_database AS d
    UNION ALL
    -- the owner's own privileges follow the owner
    SELECT d.oid, 5,
        pg_catalog.format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, $3::pg_catalog.text,
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
            CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END),
        pg_catalog.format('REVOKE %s ON DATABASE %I FROM %s', a.privilege_type, $3::pg_catalog.text,
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)
    FROM pg_catalog.pg_database AS d,
        LATERAL pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS a
    WHERE a.grantee <> d.datdba
),
setting (oid, target, name, value) AS (
    SELECT s.setdatabase,
        CASE s.setrole WHEN 0 THEN pg_catalog.format('ALTER DATABASE %I', $3::pg_catalog.text)
            ELSE pg_catalog.format('ALTER ROLE %I IN DATABASE %I', pg_catalog.pg_get_userbyid(s.setrole), $3::pg_catalog.text) END,
        pg_catalog.split_part(c.setting, '=', 1),
        pg_catalog.substr(c.setting, pg_catalog.strpos(c.setting, '=') + 1)
    FROM pg_catalog.pg_db_role_setting AS s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (setting)
),
statement (rank, text) AS (
    SELECT p.rank, p.apply FROM property AS p
    WHERE p.oid = $1::pg_catalog.oid
        AND NOT EXISTS (SELECT FROM property AS n WHERE n.oid = $2::pg_catalog.oid AND n.apply = p.apply)
    UNION ALL
    SELECT 6, n.revert FROM property AS n
    WHERE n.oid = $2::pg_catalog.oid AND n.revert IS NOT NULL
        AND NOT EXISTS (SELECT FROM property AS p WHERE p.oid = $1::pg_catalog.oid AND p.revert = n.revert)
    UNION ALL
    -- values of lists are stored as SQL writes them
    SELECT 7, pg_catalog.format('%s SET %s TO %s', s.target, s.name,
        CASE WHEN s.name IN ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries')
                AND s.value <> ''
            THEN s.value ELSE pg_catalog.quote_literal(s.value) END)
    FROM setting AS s
    WHERE s.oid = $1::pg_catalog.oid
        AND NOT EXISTS (SELECT FROM setting AS n WHERE n.oid = $2::pg_catalog.oid
            AND (n.target, n.name, n.value) = (s.target, s.name, s.value))
    UNION ALL
    SELECT 8, pg_catalog.format('%s RESET %s', n.target, n.name)
    FROM setting AS n
    WHERE n.oid = $2::pg_catalog.oid
        AND NOT EXISTS (SELECT FROM setting AS s WHERE s.oid = $1::pg_catalog.oid
            AND (s.target, s.name) = (n.target, n.name))
)
SELECT s.text FROM statement AS s ORDER BY s.rank, s.text
