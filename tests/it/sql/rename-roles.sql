-- Gives new names to the roles of zoo.sql, to the superuser kq_operator, to the tablespace of rename.sql and to a database,
-- and makes for every role of the zoo another one, which it shall become, in the same order. Leaves the names in the table
-- public.pair of the database it runs in: what they were, are, and shall become. Variables: seed, database.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir names.sql
DROP TABLE IF EXISTS public.pair;
CREATE TABLE public.pair (id serial, kind text, was text, old text, new text);

CREATE FUNCTION pg_temp.rename_roles() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    this record;
BEGIN
    FOR this IN SELECT oid, rolname, rolsuper FROM pg_catalog.pg_roles WHERE rolname ~* '^kq' ORDER BY oid LOOP
        INSERT INTO public.pair (kind, was, old) VALUES (CASE this.rolname WHEN 'kq_operator' THEN 'operator' ELSE 'role' END, this.rolname,
            pg_temp.run_named(format('ALTER ROLE %I RENAME TO ', this.rolname)));
    END LOOP;
    FOR this IN SELECT id, rolsuper FROM public.pair JOIN pg_catalog.pg_roles ON rolname = old WHERE kind = 'role' ORDER BY id LOOP
        UPDATE public.pair SET new = pg_temp.run_named('CREATE ROLE ', CASE WHEN this.rolsuper THEN ' SUPERUSER' ELSE '' END) WHERE id = this.id;
    END LOOP;
    INSERT INTO public.pair (kind, was, old) VALUES ('tablespace', 'kq_space', pg_temp.run_named('ALTER TABLESPACE kq_space RENAME TO '));
    INSERT INTO public.pair (kind, was, old) VALUES ('database', current_setting('names.database'), pg_temp.run_named(format('ALTER DATABASE %I RENAME TO ', current_setting('names.database'))));
    -- of databases to restore into
    WHILE (SELECT count(*) FROM public.pair WHERE kind = 'target') < 8 LOOP
        INSERT INTO public.pair (kind, old) SELECT 'target', name FROM pg_temp.fresh_name() f (name)
        WHERE NOT EXISTS (SELECT FROM public.pair WHERE kind IN ('database', 'target') AND old = name) AND name NOT IN ('postgres', 'template1');
    END LOOP;
    IF EXISTS (SELECT FROM public.pair WHERE old IS NULL OR kind = 'role' AND new IS NULL) THEN
        RAISE EXCEPTION 'not every name was given';
    END IF;
END $$;
SELECT set_config('names.database', :'database', false), pg_temp.rename_roles() \g /dev/null

-- Each role gets the name of the one that it became, and that one its name: to compare dumps.
CREATE OR REPLACE PROCEDURE public.swap_roles() LANGUAGE plpgsql AS $$
DECLARE
    this record;
BEGIN
    FOR this IN SELECT old, new, 'kq_swap_' || id AS between FROM public.pair WHERE kind = 'role' LOOP
        EXECUTE format('ALTER ROLE %I RENAME TO %I', this.old, this.between);
        EXECUTE format('ALTER ROLE %I RENAME TO %I', this.new, this.old);
        EXECUTE format('ALTER ROLE %I RENAME TO %I', this.between, this.new);
    END LOOP;
END $$;
