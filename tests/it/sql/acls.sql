-- Every grant of a database, one a row: the object, grantor, grantee, privilege, grant option. What pg_dump writes in the
-- order in which grants were made, which means nothing. One line each, whatever the names: as JSON.
SET search_path = '';
WITH acl (class, object, part, kind, owner, acl) AS (
    SELECT c.tableoid, c.oid, 0, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END, relowner, relacl FROM pg_catalog.pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL SELECT c.tableoid, c.oid, attnum, 'c', relowner, attacl FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute ON attrelid = c.oid WHERE attacl IS NOT NULL
    UNION ALL SELECT tableoid, oid, 0, 'f', proowner, proacl FROM pg_catalog.pg_proc p -- those of constructors of ranges are in no dump
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = p.tableoid AND objid = p.oid AND deptype = 'i')
    UNION ALL SELECT tableoid, oid, 0, 'T', typowner, typacl FROM pg_catalog.pg_type
    UNION ALL SELECT tableoid, oid, 0, 'n', nspowner, nspacl FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
    UNION ALL SELECT tableoid, oid, 0, 'l', lanowner, lanacl FROM pg_catalog.pg_language
    UNION ALL SELECT 'pg_catalog.pg_largeobject'::regclass, oid, 0, 'L', lomowner, lomacl FROM pg_catalog.pg_largeobject_metadata
    UNION ALL SELECT tableoid, oid, 0, 'F', fdwowner, fdwacl FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL SELECT tableoid, oid, 0, 'S', srvowner, srvacl FROM pg_catalog.pg_foreign_server
    UNION ALL SELECT tableoid, oid, 0, 'd', datdba, datacl FROM pg_catalog.pg_database WHERE datname = current_database()
), one AS (
    SELECT (SELECT identity FROM pg_catalog.pg_identify_object(class, object, part)) AS identity, class::regclass::text AS kind, x.*
    FROM acl, LATERAL pg_catalog.aclexplode(COALESCE(acl, pg_catalog.acldefault(acl.kind::"char", owner))) x WHERE acl.kind <> 'd'
    UNION ALL SELECT '(database)', 'pg_database', x.* FROM acl, LATERAL pg_catalog.aclexplode(COALESCE(acl, pg_catalog.acldefault('d', owner))) x WHERE acl.kind = 'd'
    UNION ALL SELECT pg_catalog.concat_ws('/', pg_catalog.pg_get_userbyid(defaclrole), defaclnamespace::regnamespace, defaclobjtype), 'pg_default_acl', x.*
    FROM pg_catalog.pg_default_acl, LATERAL pg_catalog.aclexplode(defaclacl) x
)
SELECT pg_catalog.json_build_array(kind, identity, pg_catalog.pg_get_userbyid(grantor), CASE WHEN grantee <> 0 THEN pg_catalog.pg_get_userbyid(grantee) END, privilege_type, is_grantable)
FROM one ORDER BY pg_catalog.json_build_array(kind, identity, pg_catalog.pg_get_userbyid(grantor), CASE WHEN grantee <> 0 THEN pg_catalog.pg_get_userbyid(grantee) END, privilege_type, is_grantable)::text COLLATE "C";
