-- The roles this database refers to, and the roles those are members of. The bootstrap superuser and the predefined
-- roles leave no trace in pg_shdepend: the one is always listed, the others (which exist everywhere) only as member_of.
-- One row of kind 0 for each role, followed by its memberships (1) and its settings (2).
WITH RECURSIVE this AS (
    SELECT d.oid, d.datdba FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
),
named (oid) AS (
    SELECT 10::pg_catalog.oid
    UNION SELECT this.datdba FROM this
    UNION SELECT s.refobjid
        FROM pg_catalog.pg_shdepend AS s, this
        WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
            AND (s.dbid = this.oid
                OR (s.dbid = 0 AND s.objid = this.oid
                    AND s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass))
    UNION SELECT s.setrole FROM pg_catalog.pg_db_role_setting AS s JOIN this ON s.setdatabase = this.oid
    UNION SELECT s.subowner FROM pg_catalog.pg_subscription AS s JOIN this ON s.subdbid = this.oid
),
wanted (oid) AS (
    SELECT named.oid FROM named
    UNION SELECT m.roleid FROM wanted JOIN pg_catalog.pg_auth_members AS m ON m.member = wanted.oid
),
listed AS (
    SELECT r.*
    FROM pg_catalog.pg_roles AS r JOIN wanted ON wanted.oid = r.oid
    WHERE r.oid = 10 OR r.rolname !~ '^pg_'
)
SELECT r.rolname, 0 AS kind, NULL AS value, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,
    r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.oid = 10
FROM listed AS r
UNION ALL
SELECT DISTINCT r.rolname, 1, g.rolname::pg_catalog.text, NULL::bool, NULL::bool, NULL::bool, NULL::bool, NULL::bool,
    NULL::bool, NULL::bool, NULL::int, NULL::bool
FROM listed AS r
    JOIN pg_catalog.pg_auth_members AS m ON m.member = r.oid
    JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid
UNION ALL
SELECT r.rolname, 2, c.setting, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM listed AS r, LATERAL pg_catalog.unnest(r.rolconfig) AS c (setting)
ORDER BY 1, 2, 3
