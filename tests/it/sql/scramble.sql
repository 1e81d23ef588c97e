-- Puts owners and grants of a database in disorder, the same way for the same seed: owners, grants with and without grant
-- option, by owners and by others, on columns, on members of extensions and on the server's own; default privileges,
-- policies. Knows nothing of kura: objects are named by the server (pg_identify_object). Variables: seed; roles, a
-- pattern of the roles that take part. What the server refuses does not count; the number of changes is told.
SELECT set_config('scramble.seed', :'seed', false), set_config('scramble.roles', :'roles', false) \g /dev/null
CREATE FUNCTION pg_temp.pick(list text[]) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT list[1 + floor(random() * cardinality(list))::int]';
-- classid and oid of what can be owned, with the words of ALTER and of GRANT
CREATE FUNCTION pg_temp.things() RETURNS TABLE (class regclass, object oid, alter_words text, grant_words text, rights text[])
LANGUAGE sql AS $$
    SELECT c.tableoid, c.oid, CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
        CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
        CASE relkind WHEN 'S' THEN '{SELECT,USAGE,UPDATE,ALL}' ELSE '{SELECT,INSERT,"UPDATE, DELETE",TRUNCATE,REFERENCES,TRIGGER,ALL}' END::text[]
    FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND oid >= 16384
    UNION ALL SELECT p.tableoid, p.oid, CASE prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, CASE prokind WHEN 'a' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, '{EXECUTE}' FROM pg_proc p WHERE oid >= 16384
    UNION ALL SELECT t.tableoid, t.oid, CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, 'TYPE', '{USAGE}' FROM pg_type t WHERE oid >= 16384 AND typtype IN ('b', 'c', 'd', 'e', 'r') AND typelem = 0 AND (typrelid = 0 OR (SELECT relkind FROM pg_class WHERE oid = typrelid) = 'c')
    UNION ALL SELECT tableoid, oid, 'SCHEMA', 'SCHEMA', '{USAGE,CREATE,ALL}' FROM pg_namespace WHERE oid >= 16384 OR nspname = 'public'
    UNION ALL SELECT tableoid, oid, 'OPERATOR', NULL, NULL FROM pg_operator WHERE oid >= 16384
    UNION ALL SELECT tableoid, oid, 'OPERATOR CLASS', NULL, NULL FROM pg_opclass WHERE oid >= 16384
    UNION ALL SELECT tableoid, oid, 'OPERATOR FAMILY', NULL, NULL FROM pg_opfamily WHERE oid >= 16384
    UNION ALL SELECT tableoid, oid, 'COLLATION', NULL, NULL FROM pg_collation WHERE oid >= 16384
    UNION ALL SELECT tableoid, oid, 'CONVERSION', NULL, NULL FROM pg_conversion WHERE oid >= 16384
    UNION ALL SELECT tableoid, oid, 'STATISTICS', NULL, NULL FROM pg_statistic_ext WHERE oid >= 16384
    UNION ALL SELECT tableoid, oid, 'TEXT SEARCH CONFIGURATION', NULL, NULL FROM pg_ts_config WHERE oid >= 16384
    UNION ALL SELECT tableoid, oid, 'TEXT SEARCH DICTIONARY', NULL, NULL FROM pg_ts_dict WHERE oid >= 16384
    UNION ALL SELECT tableoid, oid, 'FOREIGN DATA WRAPPER', 'FOREIGN DATA WRAPPER', '{USAGE}' FROM pg_foreign_data_wrapper
    UNION ALL SELECT tableoid, oid, 'SERVER', 'FOREIGN SERVER', '{USAGE}' FROM pg_foreign_server
    UNION ALL SELECT tableoid, oid, 'LANGUAGE', 'LANGUAGE', '{USAGE}' FROM pg_language WHERE oid >= 16384
    UNION ALL SELECT 'pg_largeobject'::regclass, oid, 'LARGE OBJECT', 'LARGE OBJECT', '{SELECT,UPDATE,ALL}' FROM pg_largeobject_metadata
    UNION ALL SELECT tableoid, oid, 'PUBLICATION', NULL, NULL FROM pg_publication
    UNION ALL SELECT 'pg_subscription'::regclass, oid, 'SUBSCRIPTION', NULL, NULL FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL SELECT tableoid, oid, 'EVENT TRIGGER', NULL, NULL FROM pg_event_trigger
    UNION ALL SELECT tableoid, oid, 'DATABASE', 'DATABASE', '{CONNECT,CREATE,TEMPORARY,ALL}' FROM pg_database WHERE datname = current_database()
$$;
DO $$
DECLARE
    roles text[] := ARRAY(SELECT rolname FROM pg_roles WHERE rolname ~* current_setting('scramble.roles') ORDER BY rolname COLLATE "C");
    grantees text[] := roles || '{PUBLIC}';
    thing record;
    name text;
    role text;
    other text;
    statement text[];
    is_member boolean;
    done integer := 0;
    refused integer := 0;
BEGIN
    PERFORM setseed(current_setting('scramble.seed')::int / 100000.0);
    SET LOCAL client_min_messages = error;
    SET LOCAL search_path = '';
    FOR thing IN SELECT * FROM pg_temp.things() t, LATERAL (SELECT pg_describe_object(class, object, 0) AS text, random() AS dice, random() AS order_by) d
                 ORDER BY d.order_by LIMIT 20 + floor(random() * 60)
    LOOP
        SELECT CASE WHEN thing.alter_words = 'DATABASE' THEN quote_ident(current_database()) ELSE identity END INTO name
            FROM pg_identify_object(thing.class, thing.object, 0);
        SELECT count(*) > 0 INTO is_member FROM pg_depend WHERE classid = thing.class AND objid = thing.object AND deptype = 'e';
        role := pg_temp.pick(grantees);
        other := pg_temp.pick(roles);
        statement := CASE
            WHEN thing.dice < 0.35 AND NOT is_member THEN ARRAY[format('ALTER %s %s OWNER TO %I', thing.alter_words, name, other)]
            WHEN thing.dice < 0.5 AND thing.grant_words = 'TABLE' THEN ARRAY[
                format('GRANT %s (%s) ON TABLE %s TO %s %s', pg_temp.pick('{SELECT,INSERT,UPDATE,REFERENCES}'),
                    (SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = thing.object AND attnum > 0 AND NOT attisdropped ORDER BY random() LIMIT 1), name, quote_ident(other), pg_temp.pick('{"",WITH GRANT OPTION}'))]
            WHEN thing.dice < 0.7 AND thing.grant_words IS NOT NULL THEN ARRAY[
                format('GRANT %s ON %s %s TO %s %s', pg_temp.pick(thing.rights), thing.grant_words, name, CASE role WHEN 'PUBLIC' THEN role ELSE quote_ident(role) END,
                    CASE WHEN role <> 'PUBLIC' AND random() < 0.4 THEN 'WITH GRANT OPTION' ELSE '' END)]
            WHEN thing.dice < 0.8 AND thing.grant_words IS NOT NULL THEN ARRAY[
                format('GRANT %s ON %s %s TO %I WITH GRANT OPTION', thing.rights[1], thing.grant_words, name, other), format('SET LOCAL ROLE %I', other),
                format('GRANT %s ON %s %s TO %s', thing.rights[1], thing.grant_words, name, CASE role WHEN 'PUBLIC' THEN role ELSE quote_ident(role) END), 'RESET ROLE']
            WHEN thing.dice < 0.95 AND thing.grant_words IS NOT NULL THEN ARRAY[
                format('REVOKE %s ON %s %s FROM %s CASCADE', pg_temp.pick(thing.rights), thing.grant_words, name, CASE role WHEN 'PUBLIC' THEN role ELSE quote_ident(role) END)]
            WHEN random() < 0.3 THEN ARRAY[
                format('ALTER DEFAULT PRIVILEGES FOR ROLE %I %s GRANT %s TO %s', other, pg_temp.pick('{"","IN SCHEMA public"}'),
                    pg_temp.pick('{SELECT ON TABLES,ALL ON TABLES,USAGE ON SEQUENCES,EXECUTE ON FUNCTIONS,USAGE ON TYPES}'), CASE role WHEN 'PUBLIC' THEN role ELSE quote_ident(role) END)]
            WHEN random() < 0.3 THEN ARRAY[
                format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE %s FROM %s', COALESCE((SELECT pg_get_userbyid(defaclrole) FROM pg_default_acl ORDER BY random() LIMIT 1), other),
                    pg_temp.pick('{SELECT ON TABLES,ALL ON TABLES,EXECUTE ON FUNCTIONS,USAGE ON TYPES}'), CASE role WHEN 'PUBLIC' THEN role ELSE quote_ident(role) END)]
            WHEN random() < 0.5 THEN ARRAY[
                format('GRANT %s TO %I', pg_temp.pick('{EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision),SELECT ON TABLE pg_catalog.pg_authid,EXECUTE ON FUNCTION pg_catalog.pg_reload_conf()}'), other)]
            ELSE ARRAY[
                (SELECT format('ALTER POLICY %I ON %s TO %s', polname, polrelid::regclass, CASE role WHEN 'PUBLIC' THEN role ELSE quote_ident(role) || ', ' || quote_ident(other) END) FROM pg_policy ORDER BY random() LIMIT 1)]
            END;
        BEGIN
            FOR i IN 1 .. cardinality(statement) LOOP
                EXECUTE statement[i];
            END LOOP;
            done := done + 1;
        EXCEPTION WHEN OTHERS THEN
            refused := refused + 1;
        END;
    END LOOP;
    PERFORM set_config('scramble.done', done::text, false), set_config('scramble.refused', refused::text, false);
END $$;
SELECT current_setting('scramble.done'), current_setting('scramble.refused');
