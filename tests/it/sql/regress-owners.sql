-- Hands the objects of PostgreSQL's regression database that belong to the bootstrap superuser, nearly all, in turn to
-- three roles, and grants to a fourth. The three are superusers, because some of the objects can belong to nobody else.
CREATE ROLE "kq first" SUPERUSER;
CREATE ROLE "kq""second;" SUPERUSER;
CREATE ROLE "kq第三" SUPERUSER;
CREATE ROLE kq_reader;

DO $$
DECLARE
    owners name[] := ARRAY['kq first', 'kq"second;', 'kq第三'];
    object record;
BEGIN
    FOR object IN
        SELECT CASE WHEN o.classid = 'pg_proc'::regclass THEN 'routine' WHEN i.type = 'statistics object' THEN 'statistics'
                ELSE replace(i.type, '-', ' ') END AS type,
            -- A procedure's OUT arguments are part of its name in ALTER.
            CASE i.type WHEN 'procedure' THEN format('%I.%I(%s)', i.schema, (SELECT proname FROM pg_proc WHERE oid = o.objid),
                pg_get_function_identity_arguments(o.objid)) ELSE i.identity END AS identity,
            row_number() OVER (ORDER BY o.classid, o.objid) AS n
        FROM (
            SELECT 'pg_class'::regclass AS classid, oid AS objid, relowner AS owner FROM pg_class
                WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
            UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
            UNION ALL SELECT 'pg_type'::regclass, t.oid, typowner FROM pg_type t LEFT JOIN pg_class c ON c.oid = typrelid
                WHERE coalesce(relkind, 'c') = 'c' AND typsubscript <> 'array_subscript_handler'::regproc
            UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner FROM pg_operator
            UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner FROM pg_opclass
            UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner FROM pg_opfamily
            UNION ALL SELECT 'pg_collation'::regclass, oid, collowner FROM pg_collation
            UNION ALL SELECT 'pg_conversion'::regclass, oid, conowner FROM pg_conversion
            UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner FROM pg_ts_dict
            UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner FROM pg_ts_config
            UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner FROM pg_statistic_ext
            UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace WHERE nspname !~ '^pg_'
            UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner FROM pg_foreign_data_wrapper
            UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner FROM pg_foreign_server
            UNION ALL SELECT 'pg_language'::regclass, oid, lanowner FROM pg_language
            UNION ALL SELECT 'pg_publication'::regclass, oid, pubowner FROM pg_publication
            UNION ALL SELECT 'pg_event_trigger'::regclass, oid, evtowner FROM pg_event_trigger
            UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner FROM pg_largeobject_metadata
        ) o, pg_identify_object(o.classid, o.objid, 0) i
        WHERE o.objid >= 16384 AND o.owner = 'postgres'::regrole AND i.schema IS DISTINCT FROM 'pg_toast'
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.objsubid = 0
                AND (d.deptype IN ('e', 'i') OR d.deptype = 'a' AND i.type = 'sequence'))
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO %I', object.type, object.identity, owners[1 + object.n % 3]);
    END LOOP;
END $$;

-- default_seq and insert_seq fill columns by an expression: they get the owner of their tables.
DO $$
DECLARE
    sequence record;
BEGIN
    FOR sequence IN
        SELECT DISTINCT d.refobjid::regclass AS name, pg_get_userbyid(t.relowner) AS owner
        FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid JOIN pg_class t ON t.oid = f.adrelid
            JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
        WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND t.relowner <> s.relowner
            AND NOT EXISTS (SELECT FROM pg_depend l WHERE l.classid = 'pg_class'::regclass AND l.objid = s.oid AND l.deptype IN ('a', 'i'))
    LOOP
        EXECUTE format('ALTER SEQUENCE %s OWNER TO %I', sequence.name, sequence.owner);
    END LOOP;
END $$;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO kq_reader;
GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO kq_reader WITH GRANT OPTION;
GRANT UPDATE (unique1, stringu1) ON tenk1 TO kq_reader;
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA public TO kq_reader;
GRANT USAGE ON TYPE widget, insenum, aggtype TO kq_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE "kq第三" IN SCHEMA public GRANT SELECT ON TABLES TO kq_reader;
ALTER DATABASE regression OWNER TO "kq""second;";
ALTER ROLE kq_reader IN DATABASE regression SET search_path = public;
