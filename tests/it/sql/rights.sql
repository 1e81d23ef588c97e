-- A site with several owners that a role without superuser can restore whole: its schemas, grants and policies are in
-- each other's way on purpose. Roles: rt_owner, rt_second, rt_reader, rt_"quo ted".
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT current_setting('server_version_num')::int >= 150000 AS pg15 \gset
SELECT format('CREATE ROLE %I', name) FROM (VALUES ('rt_owner'), ('rt_second'), ('rt_reader'), ('rt_"quo;ted')) r (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER DATABASE :"DBNAME" OWNER TO rt_owner;
ALTER DATABASE :"DBNAME" SET work_mem = '5MB';
ALTER ROLE rt_second IN DATABASE :"DBNAME" SET search_path = shop;
REVOKE CONNECT ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO rt_second WITH GRANT OPTION;
CREATE EXTENSION hstore;
CREATE SCHEMA shop AUTHORIZATION rt_owner;
CREATE SCHEMA "Sec ond" AUTHORIZATION rt_second;
GRANT USAGE ON SCHEMA shop TO rt_reader, rt_second;
\if :pg15
ALTER SCHEMA public OWNER TO rt_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO rt_reader, rt_second;
\endif

SET ROLE rt_owner;
SET search_path = shop, public;
ALTER DEFAULT PRIVILEGES FOR ROLE rt_owner GRANT SELECT ON TABLES TO rt_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE rt_owner IN SCHEMA shop GRANT USAGE ON SEQUENCES TO rt_second;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE item (id serial PRIMARY KEY, num integer GENERATED ALWAYS AS IDENTITY, m mood, p positive, t text NOT NULL);
INSERT INTO item (m, p, t) SELECT 'ok', n, 'item ' || n FROM generate_series(1, 3000) n;
CREATE TABLE part (id integer, at date) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE part_2 PARTITION OF part DEFAULT;
INSERT INTO part SELECT n, date '2023-12-01' + n FROM generate_series(1, 500) n;
CREATE INDEX item_t ON item (lower(t));
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = shop AS 'SELECT count(*) FROM item';
REVOKE ALL ON FUNCTION total() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION total() TO rt_reader;
CREATE AGGREGATE summed(integer) (sfunc = int4pl, stype = integer);
CREATE FUNCTION mood_rank(mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT length($1::text)';
CREATE CAST (mood AS integer) WITH FUNCTION mood_rank(mood);
COMMENT ON CAST (mood AS integer) IS 'of the face';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW cheap AS SELECT id, t FROM item WHERE p < 10;
CREATE COLLATION phonebook (provider = icu, locale = 'de-u-co-phonebk');
CREATE TEXT SEARCH DICTIONARY dict (TEMPLATE = pg_catalog.simple);
CREATE STATISTICS related ON m, p FROM item;
COMMENT ON TABLE item IS 'what is sold';

-- Closed to its own owner, to readers but for columns, and granted on by one who was granted.
CREATE TABLE closed (a integer REFERENCES item, b text);
INSERT INTO closed SELECT n, 'b' FROM generate_series(1, 50) n;
REVOKE ALL ON closed FROM rt_owner;
GRANT SELECT (id), UPDATE (t) ON item TO rt_reader;
GRANT SELECT ON item TO rt_second WITH GRANT OPTION;
RESET ROLE;
SET ROLE rt_second;
GRANT SELECT ON shop.item TO "rt_""quo;ted";
CREATE TABLE "Sec ond"."T able" (id integer PRIMARY KEY, h public.hstore);
CREATE TABLE "Sec ond"."Clo.sed ""x" (a integer);
REVOKE ALL ON "Sec ond"."Clo.sed ""x" FROM rt_second;
GRANT INSERT, UPDATE (a) ON "Sec ond"."Clo.sed ""x" TO rt_reader;
RESET ROLE;
INSERT INTO "Sec ond"."T able" VALUES (1, 'a=>1'), (2, NULL);

-- Belongs to a role that may not create in its schema.
CREATE TABLE shop.guest (id serial, note text);
INSERT INTO shop.guest (note) SELECT 'g' FROM generate_series(1, 20);
ALTER TABLE shop.guest OWNER TO rt_second;
CREATE MATERIALIZED VIEW shop.counted AS SELECT count(*) AS n FROM shop.item;
ALTER MATERIALIZED VIEW shop.counted OWNER TO rt_second;
REFRESH MATERIALIZED VIEW shop.counted;

-- Under policies, its owner too.
CREATE TABLE shop.secured (who text, secret text);
INSERT INTO shop.secured SELECT 'w' || n, 's' FROM generate_series(1, 100) n;
ALTER TABLE shop.secured OWNER TO rt_owner;
ALTER TABLE shop.secured ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.secured FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.secured TO rt_second USING (who = 'w1');
COMMENT ON POLICY own ON shop.secured IS 'one row';
GRANT SELECT ON shop.secured TO rt_second;

SELECT lo_from_bytea(9001, '\x00ff'), lo_from_bytea(9002, decode(repeat('5c0a00', 1000), 'hex')), lo_from_bytea(9003, 'x') \g /dev/null
ALTER LARGE OBJECT 9001 OWNER TO rt_owner;
ALTER LARGE OBJECT 9002 OWNER TO rt_second;
ALTER LARGE OBJECT 9003 OWNER TO rt_second;
GRANT SELECT ON LARGE OBJECT 9002 TO rt_reader;
COMMENT ON LARGE OBJECT 9002 IS 'large';
CREATE PUBLICATION news FOR TABLE shop.item;
ALTER PUBLICATION news OWNER TO rt_owner;
