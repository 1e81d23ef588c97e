-- Gives new names to all that has one in a database, columns, labels and constraints included, and makes what cannot be
-- renamed anew. The server's own objects and members of extensions keep theirs. Ends with an error when the server
-- refuses a name for any other reason than that it is taken or reserved. Variables: seed, tablespace (a directory).
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir names.sql
SET search_path = '';

CREATE FUNCTION pg_temp.is_ours(class regclass, object oid) RETURNS boolean LANGUAGE sql AS $$
    SELECT object >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = class AND objid = object AND deptype IN ('e', 'i'))
$$;

-- What to rename: a catalogue, an object, a part of it where one is meant, and the statement up to the new name; %1$s
-- stands for the object as it is called by then, %2$s for the part as an identifier, %3$s for it as a string.
CREATE TEMPORARY TABLE thing AS
    SELECT tableoid::regclass AS class, oid AS object, NULL::name AS part, 0 AS step, CASE relkind
        WHEN 'i' THEN 'ALTER INDEX' WHEN 'I' THEN 'ALTER INDEX' WHEN 'S' THEN 'ALTER SEQUENCE' WHEN 'v' THEN 'ALTER VIEW' WHEN 'm' THEN 'ALTER MATERIALIZED VIEW'
        WHEN 'f' THEN 'ALTER FOREIGN TABLE' ELSE 'ALTER TABLE' END || ' %1$s RENAME TO ' AS statement
    FROM pg_catalog.pg_class c
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND relnamespace <> 'pg_toast'::regnamespace AND pg_temp.is_ours(tableoid, oid)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint JOIN pg_catalog.pg_class t ON t.oid = conrelid WHERE conindid = c.oid AND t.reloftype = 0)
    UNION ALL SELECT 'pg_catalog.pg_class', attrelid, attname, 1, CASE WHEN relkind = 'c' THEN 'ALTER TYPE %1$s RENAME ATTRIBUTE %2$s TO ' ELSE 'ALTER TABLE %1$s RENAME COLUMN %2$s TO ' END
    FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_class c ON c.oid = attrelid
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND attnum > 0 AND NOT attisdropped AND attinhcount = 0 AND reloftype = 0 AND pg_temp.is_ours('pg_catalog.pg_class', attrelid)
    UNION ALL SELECT 'pg_catalog.pg_class', conrelid, conname, 1, 'ALTER TABLE %1$s RENAME CONSTRAINT %2$s TO '
    FROM pg_catalog.pg_constraint JOIN pg_catalog.pg_class c ON c.oid = conrelid WHERE reloftype = 0 AND contype <> 't' AND coninhcount = 0 AND conparentid = 0 AND pg_temp.is_ours('pg_catalog.pg_class', conrelid)
    UNION ALL SELECT 'pg_catalog.pg_type', contypid, conname, 1, 'ALTER DOMAIN %1$s RENAME CONSTRAINT %2$s TO '
    FROM pg_catalog.pg_constraint WHERE contypid <> 0 AND pg_temp.is_ours('pg_catalog.pg_type', contypid) AND contype = 'c'
    UNION ALL SELECT 'pg_catalog.pg_class', ev_class, rulename, 1, 'ALTER RULE %2$s ON %1$s RENAME TO '
    FROM pg_catalog.pg_rewrite WHERE rulename <> '_RETURN' AND pg_temp.is_ours('pg_catalog.pg_class', ev_class)
    UNION ALL SELECT 'pg_catalog.pg_class', tgrelid, tgname, 1, 'ALTER TRIGGER %2$s ON %1$s RENAME TO '
    FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgparentid = 0 AND tgconstraint = 0 AND pg_temp.is_ours('pg_catalog.pg_class', tgrelid)
    UNION ALL SELECT 'pg_catalog.pg_class', polrelid, polname, 1, 'ALTER POLICY %2$s ON %1$s RENAME TO ' FROM pg_catalog.pg_policy
    UNION ALL SELECT 'pg_catalog.pg_type', enumtypid, enumlabel, 1, 'ALTER TYPE %1$s RENAME VALUE %3$s TO ' FROM pg_catalog.pg_enum
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER ' || CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END || ' %1$s RENAME TO '
    FROM pg_catalog.pg_type WHERE typisdefined AND typelem = 0 AND (typrelid = 0 OR (SELECT relkind FROM pg_catalog.pg_class WHERE oid = typrelid) = 'c') AND (pg_temp.is_ours(tableoid, oid) OR (typtype = 'm' AND oid >= 16384))
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER ' || CASE prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'ROUTINE' END || ' %1$s RENAME TO ' FROM pg_catalog.pg_proc WHERE pg_temp.is_ours(tableoid, oid) AND pronamespace <> pg_my_temp_schema()
    UNION ALL SELECT tableoid, oid, NULL, 2, 'ALTER SCHEMA %1$s RENAME TO ' FROM pg_catalog.pg_namespace WHERE nspname <> 'kura_test' AND nspname !~ '^pg_' AND pg_temp.is_ours(tableoid, oid)
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER COLLATION %1$s RENAME TO ' FROM pg_catalog.pg_collation WHERE pg_temp.is_ours(tableoid, oid)
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER CONVERSION %1$s RENAME TO ' FROM pg_catalog.pg_conversion WHERE pg_temp.is_ours(tableoid, oid)
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER OPERATOR CLASS %1$s RENAME TO ' FROM pg_catalog.pg_opclass WHERE pg_temp.is_ours(tableoid, oid)
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER OPERATOR FAMILY %1$s RENAME TO ' FROM pg_catalog.pg_opfamily WHERE pg_temp.is_ours(tableoid, oid)
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER STATISTICS %1$s RENAME TO ' FROM pg_catalog.pg_statistic_ext
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER TEXT SEARCH PARSER %1$s RENAME TO ' FROM pg_catalog.pg_ts_parser WHERE pg_temp.is_ours(tableoid, oid)
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER TEXT SEARCH TEMPLATE %1$s RENAME TO ' FROM pg_catalog.pg_ts_template WHERE pg_temp.is_ours(tableoid, oid)
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER TEXT SEARCH DICTIONARY %1$s RENAME TO ' FROM pg_catalog.pg_ts_dict WHERE pg_temp.is_ours(tableoid, oid)
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER TEXT SEARCH CONFIGURATION %1$s RENAME TO ' FROM pg_catalog.pg_ts_config WHERE pg_temp.is_ours(tableoid, oid)
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER FOREIGN DATA WRAPPER %1$s RENAME TO ' FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER SERVER %1$s RENAME TO ' FROM pg_catalog.pg_foreign_server
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER LANGUAGE %1$s RENAME TO ' FROM pg_catalog.pg_language WHERE pg_temp.is_ours(tableoid, oid)
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER EVENT TRIGGER %1$s RENAME TO ' FROM pg_catalog.pg_event_trigger
    UNION ALL SELECT tableoid, oid, NULL, 0, 'ALTER PUBLICATION %1$s RENAME TO ' FROM pg_catalog.pg_publication
    UNION ALL SELECT 'pg_catalog.pg_subscription', oid, NULL, 0, 'ALTER SUBSCRIPTION %1$s RENAME TO ' FROM pg_catalog.pg_subscription WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database());

CREATE FUNCTION pg_temp.rename_all() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    this pg_temp.thing;
    renamed integer := 0;
BEGIN
    FOR this IN SELECT * FROM pg_temp.thing ORDER BY step = 2, class::text COLLATE "C", object, step, part COLLATE "C" LOOP
        IF pg_temp.run_named(format(this.statement, (SELECT identity FROM pg_catalog.pg_identify_object(this.class, this.object, 0)), quote_ident(this.part), quote_literal(this.part)),
                CASE WHEN this.statement ~ 'ATTRIBUTE' THEN ' CASCADE' ELSE '' END, this.statement ~ 'RENAME VALUE') IS NOT NULL THEN
            renamed := renamed + 1;
        END IF;
    END LOOP;
    IF renamed < (SELECT count(*) FROM pg_temp.thing) THEN
        RAISE EXCEPTION 'only % names were given', renamed;
    END IF;
    -- a sequence may not be made where a type has its name, but renamed it may be
    LOOP
        SELECT c.oid::regclass INTO this.object FROM pg_catalog.pg_class c JOIN pg_catalog.pg_type t ON typnamespace = relnamespace AND typname = relname AND typrelid <> c.oid WHERE relkind = 'S' LIMIT 1;
        EXIT WHEN NOT FOUND;
        PERFORM pg_temp.run_named(format('ALTER SEQUENCE %s RENAME TO ', this.object::regclass));
    END LOOP;
    RETURN renamed;
END $$;
SELECT pg_temp.rename_all() AS renamed \gset

-- What has no ALTER .. RENAME: parameters of functions, access methods, tablespaces; and settings that hold names.
SELECT pg_temp.run_named('CREATE SCHEMA ', ' AUTHORIZATION kq_owner') AS schema \gset
SELECT pg_temp.run_named(format('CREATE FUNCTION %I.parameters(', :'schema'), ' integer DEFAULT 1) RETURNS integer LANGUAGE sql AS ''SELECT $1''') \g /dev/null
SELECT pg_temp.run_named(format('CREATE FUNCTION %I.row(OUT a integer, OUT ', :'schema'), ' integer) LANGUAGE sql AS ''SELECT 1, 2''') \g /dev/null
SELECT pg_temp.run_named('CREATE ACCESS METHOD ', ' TYPE TABLE HANDLER heap_tableam_handler') AS method \gset
SELECT pg_temp.run_named(format('CREATE TABLE %I.', :'schema'), format(' (a integer, b text) USING %I', :'method')) AS table \gset
INSERT INTO :"schema".:"table" VALUES (1, E'\\.'), (2, NULL);
ALTER TABLE :"schema".:"table" OWNER TO kq_owner;
SELECT pg_temp.run_named(format('COMMENT ON TABLE %I.%I IS ', :'schema', :'table'), '', true), pg_temp.run_named(format('COMMENT ON DATABASE %I IS ', current_database()), '', true),
       pg_temp.run_named(format('COMMENT ON SCHEMA %I IS ', :'schema'), '', true) \g /dev/null
SELECT format('ALTER ROLE kq_chain IN DATABASE %I SET search_path = %s', current_database(), string_agg(quote_ident(nspname), ', ')) FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' \gexec
-- (ALTER TRIGGER .. RENAME leaves the constraint of a constraint trigger its name, and a dump of both may not restore)
SELECT pg_temp.run_named('CREATE CONSTRAINT TRIGGER ', format(' AFTER UPDATE ON %I.%I FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()', :'schema', :'table')) \g /dev/null
-- pg_dump before 15 does not record who owns schema public
SELECT current_setting('server_version_num')::int < 150000 AS before_15 \gset
\if :before_15
ALTER SCHEMA public OWNER TO postgres;
\endif
CREATE TABLESPACE kq_space LOCATION :'tablespace';
ALTER TABLE :"schema".:"table" SET TABLESPACE kq_space;
SELECT :renamed;
