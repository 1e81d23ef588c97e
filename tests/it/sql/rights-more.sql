-- What needs more rights than a role without superuser has: added to rights.sql.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
COMMENT ON EXTENSION hstore IS 'changed too';
CREATE FUNCTION shop.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1; END';
ALTER FUNCTION shop.on_ddl() OWNER TO rt_owner;
CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION shop.on_ddl();
CREATE PUBLICATION "All of it" FOR ALL TABLES;
CREATE CAST (shop.pair AS shop.mood) WITH INOUT;
CREATE CAST (integer AS shop.mood) WITH INOUT;
CREATE CAST (point AS bytea) WITH INOUT;
CREATE FOREIGN DATA WRAPPER elsewhere;
CREATE SERVER far FOREIGN DATA WRAPPER elsewhere;
ALTER SERVER far OWNER TO rt_owner;
GRANT USAGE ON FOREIGN SERVER far TO rt_reader;
CREATE USER MAPPING FOR rt_owner SERVER far OPTIONS (password 'mapping-secret');
CREATE FOREIGN TABLE shop.away (id integer) SERVER far;
ALTER FOREIGN TABLE shop.away OWNER TO rt_owner;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_logdir() TO rt_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON TABLES TO rt_reader;
