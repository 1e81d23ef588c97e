-- One of every kind of object that pg_dump dumps, with names, owners and grants as nasty as the server allows.
-- Every role begins with "kq" and nothing else contains these letters, so that a test can rename all of them in a dump
-- by replacing text. Security labels are missing: they need a provider module, and Debian ships none that runs without
-- SELinux.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT current_setting('server_version_num')::int >= 140000 AS pg14, current_setting('server_version_num')::int >= 150000 AS pg15,
       current_setting('server_version_num')::int >= 160000 AS pg16, current_setting('server_version_num')::int >= 170000 AS pg17,
       current_setting('server_version_num')::int >= 180000 AS pg18 \gset

-- Roles ------------------------------------------------------------------------------------------------------------
SELECT format('CREATE ROLE %I %s', name, attributes)
FROM (VALUES ('kq_super', 'SUPERUSER'), ('kq_owner', 'LOGIN'), ('kq we ird', ''), ('kq_Straße', ''), ('kq_日本', ''), ('KQ_UP', ''),
             ('kq"quote''s', ''), ('kq,comma=equals', ''), (E'kq\nnewline', ''), ('kq\back', ''), ('kq_default', ''), ('kq_chain', ''),
             ('kq_mapped', 'LOGIN')) r (name, attributes)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER DATABASE :"DBNAME" OWNER TO kq_owner;
COMMENT ON DATABASE :"DBNAME" IS 'one of every kind';
ALTER DATABASE :"DBNAME" SET work_mem = '5MB';
ALTER DATABASE :"DBNAME" SET "zoo.custom" = 'it''s';
ALTER ROLE kq_owner IN DATABASE :"DBNAME" SET search_path = zoo, public;
ALTER ROLE "KQ_UP" IN DATABASE :"DBNAME" SET datestyle = 'German, DMY';
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"DBNAME" TO "kq we ird" WITH GRANT OPTION;
GRANT ALL ON DATABASE :"DBNAME" TO "kq,comma=equals";

-- Schemas, extensions ------------------------------------------------------------------------------------------------
CREATE SCHEMA zoo AUTHORIZATION kq_owner;
COMMENT ON SCHEMA zoo IS E'line one\nline two -- \\connect nowhere';
CREATE SCHEMA "Nasty ""Schema"" 日本" AUTHORIZATION "kq we ird";
CREATE SCHEMA "line
break" AUTHORIZATION "kq_日本";
CREATE SCHEMA shared AUTHORIZATION kq_super;
GRANT USAGE ON SCHEMA shared TO kq_owner;
ALTER SCHEMA public OWNER TO "KQ_UP";
COMMENT ON SCHEMA public IS 'not as it was';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO "kq_Straße";
GRANT USAGE, CREATE ON SCHEMA zoo TO "kq_日本" WITH GRANT OPTION;
GRANT USAGE ON SCHEMA zoo TO PUBLIC;
CREATE EXTENSION hstore SCHEMA shared;
COMMENT ON EXTENSION hstore IS 'moved and described anew';
GRANT EXECUTE ON FUNCTION shared.hstore(text, text) TO kq_owner;
CREATE SCHEMA kura_test;
CREATE EXTENSION kura_test;
INSERT INTO kura_test.setting VALUES (100, 'mine'), (101, E'tab\there');
INSERT INTO kura_test.override VALUES (5, 'built in, overridden'), (101, 'mine, overridden');
SELECT nextval('kura_test.setting_id'), nextval('kura_test.setting_id') \g /dev/null

SET ROLE kq_owner;
SET search_path = zoo;

-- Default privileges: global, in a schema, and a role that is granted something only here ---------------------------------
ALTER DEFAULT PRIVILEGES FOR ROLE kq_owner GRANT SELECT ON TABLES TO kq_default;
ALTER DEFAULT PRIVILEGES FOR ROLE kq_owner IN SCHEMA zoo GRANT SELECT, INSERT ON TABLES TO "kq we ird", "kq\back" WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE kq_owner IN SCHEMA zoo GRANT USAGE ON SEQUENCES TO "kq_日本";
ALTER DEFAULT PRIVILEGES FOR ROLE kq_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE kq_owner REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE kq_owner GRANT USAGE ON SCHEMAS TO "KQ_UP";
\if :pg18
ALTER DEFAULT PRIVILEGES FOR ROLE kq_owner GRANT SELECT ON LARGE OBJECTS TO "kq_Straße";
\endif

-- Collation, conversion ----------------------------------------------------------------------------------------------
CREATE COLLATION phonebook (provider = icu, locale = 'de-u-co-phonebk');
CREATE COLLATION "Case Less" (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
COMMENT ON COLLATION phonebook IS 'ä as ae';
RESET ROLE;
CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
ALTER CONVERSION latin OWNER TO "kq we ird";
COMMENT ON CONVERSION latin IS 'by way of pg_catalog';

-- Types ----------------------------------------------------------------------------------------------------------------
CREATE TYPE shell_only;
ALTER TYPE shell_only OWNER TO kq_owner;
CREATE TYPE pound;
CREATE FUNCTION pound_in(cstring) RETURNS pound LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION pound_out(pound) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE pound (INPUT = pound_in, OUTPUT = pound_out, LIKE = int4, DEFAULT = '7', CATEGORY = 'N');
ALTER TYPE pound OWNER TO "kq_日本";
ALTER FUNCTION pound_in(cstring) OWNER TO kq_owner;
GRANT USAGE ON TYPE pound TO "KQ_UP" WITH GRANT OPTION;
COMMENT ON TYPE pound IS '£';
SET ROLE kq_owner;
CREATE TYPE mood AS ENUM ('sad', 'o''k', '嬉しい', 'Very Happy');
GRANT USAGE ON TYPE mood TO PUBLIC;
CREATE TYPE point3 AS (x double precision, y double precision, "z axis" numeric(10, 3));
COMMENT ON COLUMN point3."z axis" IS 'upwards';
CREATE TYPE span AS RANGE (subtype = double precision, subtype_diff = float8mi);
\if :pg14
CREATE TYPE words AS RANGE (subtype = text, collation = "C", multirange_type_name = many_words);
\endif
CREATE DOMAIN positive AS integer DEFAULT 1 NOT NULL CONSTRAINT above_zero CHECK (VALUE > 0);
COMMENT ON DOMAIN positive IS 'counts';
COMMENT ON CONSTRAINT above_zero ON DOMAIN positive IS 'not even zero';
CREATE DOMAIN "Dom Ain" AS text COLLATE "C" CHECK (VALUE !~ '''');
ALTER DOMAIN "Dom Ain" ADD CONSTRAINT later CHECK (length(VALUE) < 500) NOT VALID;
GRANT USAGE ON TYPE positive TO "kq""quote's";

-- Functions, procedures, aggregates -------------------------------------------------------------------------------------
CREATE FUNCTION plain(a integer, b text DEFAULT 'it''s $$ fine', VARIADIC rest numeric[] DEFAULT '{}') RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 7 AS 'SELECT b || a';
CREATE FUNCTION "Güt; DROP"(OUT one integer, OUT two text) RETURNS SETOF record LANGUAGE plpgsql ROWS 3 AS $body$
BEGIN
    RETURN QUERY SELECT 1, 'two $$ ; -- not a comment'::text; -- a comment
END $body$;
CREATE FUNCTION by_owner() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = zoo, pg_temp SET work_mem = '1MB'
    AS 'SELECT current_user::text';
REVOKE ALL ON FUNCTION by_owner() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION by_owner() TO "kq we ird" WITH GRANT OPTION;
CREATE FUNCTION table_of(n integer) RETURNS TABLE (i integer, t text) LANGUAGE sql STABLE AS 'SELECT n, n::text';
CREATE FUNCTION poly(anyelement, anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
\if :pg14
CREATE FUNCTION modern(a integer) RETURNS integer LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT a + 1; END;
\endif
CREATE PROCEDURE proceed(INOUT a integer) LANGUAGE plpgsql AS 'BEGIN a := a + 1; END';
COMMENT ON PROCEDURE proceed(integer) IS 'and on';
GRANT EXECUTE ON PROCEDURE proceed(integer) TO "KQ_UP";
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE AGGREGATE total(integer) (sfunc = int4pl, stype = integer, initcond = '0', combinefunc = int4pl, msfunc = int4pl, minvfunc = int4mi, mstype = integer, minitcond = '0', parallel = safe);
COMMENT ON AGGREGATE total(integer) IS 'sum, said otherwise';
GRANT EXECUTE ON FUNCTION total(integer) TO "kq_Straße";
RESET ROLE;
CREATE AGGREGATE "Any ""Thing"""(VARIADIC "any" ORDER BY VARIADIC "any") (sfunc = ordered_set_transition_multi, stype = internal, finalfunc = rank_final, finalfunc_extra, hypothetical);
ALTER AGGREGATE "Any ""Thing"""(VARIADIC "any" ORDER BY VARIADIC "any") OWNER TO "kq_日本";

-- Operators, classes, families; casts; transform; language; access methods ------------------------------------------------
CREATE FUNCTION pound_lt(pound, pound) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION pound_le(pound, pound) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4le';
CREATE FUNCTION pound_eq(pound, pound) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION pound_ge(pound, pound) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ge';
CREATE FUNCTION pound_gt(pound, pound) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';
CREATE FUNCTION pound_cmp(pound, pound) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE OPERATOR < (FUNCTION = pound_lt, LEFTARG = pound, RIGHTARG = pound, COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR <= (FUNCTION = pound_le, LEFTARG = pound, RIGHTARG = pound, COMMUTATOR = >=, NEGATOR = >);
CREATE OPERATOR = (FUNCTION = pound_eq, LEFTARG = pound, RIGHTARG = pound, COMMUTATOR = =, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR >= (FUNCTION = pound_ge, LEFTARG = pound, RIGHTARG = pound, COMMUTATOR = <=, NEGATOR = <);
CREATE OPERATOR > (FUNCTION = pound_gt, LEFTARG = pound, RIGHTARG = pound, COMMUTATOR = <, NEGATOR = <=);
ALTER OPERATOR <= (pound, pound) OWNER TO kq_owner;
COMMENT ON OPERATOR < (pound, pound) IS 'poorer';
CREATE OPERATOR FAMILY "Pound Family" USING btree;
CREATE OPERATOR CLASS pound_ops DEFAULT FOR TYPE pound USING btree FAMILY "Pound Family" AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 pound_cmp(pound, pound);
ALTER OPERATOR CLASS pound_ops USING btree OWNER TO kq_owner;
ALTER OPERATOR FAMILY "Pound Family" USING btree OWNER TO "kq_日本";
COMMENT ON OPERATOR CLASS pound_ops USING btree IS 'sorted by wealth';
COMMENT ON OPERATOR FAMILY "Pound Family" USING btree IS 'old money';
CREATE CAST (pound AS integer) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION mood_rank(mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT length($1::text)';
CREATE CAST (mood AS integer) WITH FUNCTION mood_rank(mood) AS ASSIGNMENT;
CREATE CAST (point3 AS jsonb) WITH INOUT;
COMMENT ON CAST (mood AS integer) IS 'length of the face';
CREATE TRANSFORM FOR int4 LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
COMMENT ON TRANSFORM FOR int4 LANGUAGE sql IS 'borrowed from the regression tests';
CREATE FUNCTION shared.pidgin_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION shared.pidgin_inline(internal) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION shared.pidgin_validator(oid) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE LANGUAGE pidgin HANDLER shared.pidgin_handler INLINE shared.pidgin_inline VALIDATOR shared.pidgin_validator;
ALTER LANGUAGE pidgin OWNER TO kq_super;
COMMENT ON LANGUAGE pidgin IS 'PL/pgSQL under another name';
CREATE TRUSTED LANGUAGE creole HANDLER shared.pidgin_handler;
GRANT USAGE ON LANGUAGE creole TO "kq,comma=equals" WITH GRANT OPTION;
REVOKE USAGE ON LANGUAGE creole FROM PUBLIC;
CREATE FUNCTION in_pidgin() RETURNS integer LANGUAGE pidgin AS 'BEGIN RETURN 1; END';
CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD gist_too TYPE INDEX HANDLER gisthandler;
CREATE OPERATOR CLASS box_too DEFAULT FOR TYPE box USING gist_too AS OPERATOR 3 &&, FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal),
    FUNCTION 2 gist_box_union(internal, internal), FUNCTION 5 gist_box_penalty(internal, internal, internal),
    FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal);
COMMENT ON ACCESS METHOD pile IS 'a heap, said otherwise';

-- Text search ------------------------------------------------------------------------------------------------------------
CREATE TEXT SEARCH PARSER scan (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE stem (INIT = dsimple_init, LEXIZE = dsimple_lexize);
COMMENT ON TEXT SEARCH PARSER scan IS 'the default one';
COMMENT ON TEXT SEARCH TEMPLATE stem IS 'simple';
SET ROLE kq_owner;
CREATE TEXT SEARCH DICTIONARY dict (TEMPLATE = stem, ACCEPT = 'false');
CREATE TEXT SEARCH CONFIGURATION "Con fig" (PARSER = scan);
ALTER TEXT SEARCH CONFIGURATION "Con fig" ADD MAPPING FOR asciiword, word WITH dict, pg_catalog.simple;
COMMENT ON TEXT SEARCH CONFIGURATION "Con fig" IS 'words only';
COMMENT ON TEXT SEARCH DICTIONARY dict IS 'knows nothing';
RESET ROLE;
ALTER TEXT SEARCH DICTIONARY dict OWNER TO "kq we ird";

-- Foreign data -------------------------------------------------------------------------------------------------------------
CREATE FOREIGN DATA WRAPPER elsewhere OPTIONS (far 'very');
ALTER FOREIGN DATA WRAPPER elsewhere OWNER TO kq_super;
GRANT USAGE ON FOREIGN DATA WRAPPER elsewhere TO kq_owner WITH GRANT OPTION;
COMMENT ON FOREIGN DATA WRAPPER elsewhere IS 'goes nowhere';
CREATE SERVER "Ser ver" TYPE 'none' VERSION '1' FOREIGN DATA WRAPPER elsewhere OPTIONS (host 'nowhere.example');
ALTER SERVER "Ser ver" OWNER TO kq_owner;
GRANT USAGE ON FOREIGN SERVER "Ser ver" TO kq_mapped, "kq_Straße";
COMMENT ON SERVER "Ser ver" IS 'serves nobody';
CREATE USER MAPPING FOR kq_mapped SERVER "Ser ver" OPTIONS ("user" 'far', password 'mapping-secret');
CREATE USER MAPPING FOR "kq_日本" SERVER "Ser ver";
CREATE USER MAPPING FOR PUBLIC SERVER "Ser ver" OPTIONS ("user" 'anybody');
CREATE FOREIGN TABLE away (id integer OPTIONS (name 'ID') NOT NULL, t text COLLATE "C", CONSTRAINT far_check CHECK (id > 0)) SERVER "Ser ver" OPTIONS ("table" 'x');
ALTER FOREIGN TABLE away OWNER TO "KQ_UP";
COMMENT ON FOREIGN TABLE away IS 'not here';
GRANT SELECT (id) ON away TO "kq\back";

-- Tables ---------------------------------------------------------------------------------------------------------------------
SET ROLE kq_owner;
CREATE TABLE everything (
    id integer GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 5) PRIMARY KEY,
    also bigint GENERATED BY DEFAULT AS IDENTITY,
    old_serial serial,
    dropped_1 text,
    b boolean DEFAULT true, i2 smallint, f4 real, f8 double precision, n numeric, n2 numeric(12, 4), m money,
    t text COLLATE phonebook, v varchar(50), c char(6), nm name, ch "char", by bytea,
    d date, tm time, tmz timetz, ts timestamp, tsz timestamptz, iv interval,
    u uuid, ip inet, ci cidr, mac macaddr, mac8 macaddr8, bt bit(5), vb bit varying,
    p point, ln line, ls lseg, bx box, pa path, po polygon, ci2 circle,
    js json, jb jsonb, jp jsonpath, x xml, tv tsvector, tq tsquery,
    ai integer[], at text[][], am mood[], md mood, p3 point3, p3a point3[], pd pound, ps positive, dm "Dom Ain",
    ir int4range, sp span, rc regclass, rp regprocedure, rt regtype, lsn pg_lsn,
    hs shared.hstore,
    dropped_2 integer,
    doubled numeric GENERATED ALWAYS AS (n * 2) STORED,
    "Col ""Umn" text DEFAULT E'back\\slash', "select" text, "日本 列" text DEFAULT '既定', "col
umn" integer
);
ALTER TABLE everything DROP COLUMN dropped_1, DROP COLUMN dropped_2;
ALTER TABLE everything ALTER t SET STORAGE EXTERNAL, ALTER v SET STATISTICS 77, ALTER n SET (n_distinct = -0.5);
ALTER TABLE everything SET (fillfactor = 80, autovacuum_enabled = false, toast.autovacuum_enabled = false);
COMMENT ON TABLE everything IS 'of every type';
COMMENT ON COLUMN everything."Col ""Umn" IS 'quo"te';
INSERT INTO everything (b, i2, f4, f8, n, n2, m, t, v, c, nm, ch, by, d, tm, tmz, ts, tsz, iv, u, ip, ci, mac, mac8, bt, vb, p, ln, ls, bx, pa, po, ci2,
    js, jb, jp, x, tv, tq, ai, at, am, md, p3, p3a, pd, ps, dm, ir, sp, rc, rp, rt, lsn, hs, "Col ""Umn", "select", "日本 列", "col
umn")
VALUES (true, -32768, 'NaN', '-Infinity', 'NaN', 12345678.9012, '12.34', E'tab\t nl\n cr\r bs\\ \\. \b\f\v 🌾', 'v', 'c', 'n', 'x', '\x00ff5c0a09', 'infinity',
    '24:00', '12:34:56.789+05:30', '4713-01-01 BC', '294276-12-31 23:59:59.999999+00', '-1 year -2 mons +3 days -04:05:06.000007',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1/64', '10.1.0.0/16', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'10101', B'1', '(1,2.5)', '{1,2,3}', '[(0,0),(1,1)]',
    '((1,1),(0,0))', '[(0,0),(1,1)]', '((0,0),(1,1),(1,0))', '<(0,0),3>', '{"a":  1, "a": 2}', '{"b": [1, null, "\u00e9"], "a": 1e400}', '$.a[*] ? (@ > 1)',
    '<a b="c">d &amp; e</a>', '''a'':1A b:2', 'a & !b:*', '{1,NULL,3}', '{{"a b","c,d"},{"e\"f","NULL"}}', ARRAY['sad', '嬉しい']::mood[], 'o''k',
    ROW(1.1, 'Infinity', 2.345), ARRAY[ROW(0, 0, 0), NULL]::point3[], '41', 3, 'plain', '[1,5)', '(,3.5]', 'everything', 'plain(int,text,numeric[])', 'mood', '16/B374D848',
    '"a b"=>"c", d=>NULL', E'\\', '', NULL, 1),
    (NULL, NULL, 1e-37, 0.1::float8 + 0.2, '1e-1000', NULL, NULL, '', '', '', '', '', '', '0001-01-01 BC', NULL, NULL, '-infinity', NULL, '0', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'null', 'null', NULL, NULL, '', NULL, '{}', '{}', '{}', NULL, NULL, NULL, NULL, 1, '', 'empty', 'empty', NULL, NULL, NULL, NULL, '', NULL, '\N', 'x', NULL);
INSERT INTO everything (n, t) SELECT n, repeat('長い行 ', 20000 * n) FROM generate_series(1, 4) n; -- compressed and toasted
INSERT INTO everything (by) SELECT decode(string_agg(md5(n::text), ''), 'hex') FROM generate_series(1, 8000) n;
INSERT INTO everything (n, v) SELECT n, 'row ' || n FROM generate_series(1, 2000) n;
\if :pg14
CREATE TABLE ranged (w words, m many_words, im int4multirange);
INSERT INTO ranged VALUES ('[a,b)', '{[a,b),["c,d",e)}', '{[1,2),[5,9)}');
ALTER TABLE everything ALTER v SET COMPRESSION lz4;
\endif

CREATE TABLE nothing ();
INSERT INTO nothing SELECT FROM generate_series(1, 7);
CREATE TABLE no_rows (a integer, b text);
CREATE UNLOGGED TABLE fleeting (a integer PRIMARY KEY, b text);
INSERT INTO fleeting SELECT n, 'x' FROM generate_series(1, 50) n;
CREATE TABLE typed OF point3 (x WITH OPTIONS PRIMARY KEY, "z axis" WITH OPTIONS DEFAULT 1);
INSERT INTO typed VALUES (1, 2, 3);
CREATE TABLE piled (a integer) USING pile;
INSERT INTO piled SELECT generate_series(1, 10);
CREATE TABLE "Ta""ble; 日本
next line" ("A" integer, "a" integer, "tab	col" text);
INSERT INTO "Ta""ble; 日本
next line" VALUES (1, 2, '三');
COMMENT ON TABLE "Ta""ble; 日本
next line" IS E'two\nlines';

CREATE TABLE parent (id integer, t text, CHECK (id > 0) NO INHERIT);
CREATE TABLE child (extra boolean) INHERITS (parent);
CREATE TABLE grandchild (CONSTRAINT own CHECK (t <> 'x')) INHERITS (child);
INSERT INTO parent VALUES (1, 'p');
INSERT INTO child VALUES (2, 'c', true);
INSERT INTO grandchild VALUES (3, 'g', NULL);
ALTER TABLE child ALTER t SET DEFAULT 'child''s';

CREATE TABLE by_time (id bigint, at date NOT NULL, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE by_time_2024 PARTITION OF by_time FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE by_time_2025 PARTITION OF by_time FOR VALUES FROM ('2025-01-01') TO (MAXVALUE) PARTITION BY LIST (id);
CREATE TABLE by_time_2025_a PARTITION OF by_time_2025 FOR VALUES IN (700, 701);
CREATE TABLE by_time_2025_rest PARTITION OF by_time_2025 DEFAULT;
CREATE TABLE by_time_rest (note text, at date NOT NULL, id bigint NOT NULL); -- columns in another order
ALTER TABLE by_time ATTACH PARTITION by_time_rest DEFAULT;
CREATE INDEX by_time_note ON by_time (note);
CREATE INDEX only_parent ON ONLY by_time (at);
INSERT INTO by_time SELECT n, date '2023-06-01' + n, (ARRAY['a', 'b', NULL])[1 + n % 3] FROM generate_series(1, 1000) n;
CREATE TABLE by_mood (m mood, n integer) PARTITION BY HASH (m);
CREATE TABLE by_mood_0 PARTITION OF by_mood FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE by_mood_1 PARTITION OF by_mood FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE by_mood_2 PARTITION OF by_mood FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO by_mood SELECT (enum_range(NULL::mood))[1 + n % 4], n FROM generate_series(1, 400) n;

CREATE TABLE constrained (
    id integer PRIMARY KEY, late integer UNIQUE DEFERRABLE INITIALLY DEFERRED,
    parent integer REFERENCES constrained (id) ON UPDATE CASCADE ON DELETE SET DEFAULT DEFERRABLE,
    pair_a integer, pair_b text, r int4range,
    UNIQUE (pair_a, pair_b) INCLUDE (id),
    EXCLUDE USING gist (r WITH &&) WHERE (r IS NOT NULL),
    CONSTRAINT "Check ""this" CHECK (pair_a IS NULL OR pair_a > 0)
);
INSERT INTO constrained SELECT n, n, 1 + n / 2, n, 'b', CASE WHEN n % 2 = 0 THEN int4range(n * 10, n * 10 + 5) END FROM generate_series(1, 100) n;
COMMENT ON CONSTRAINT "Check ""this" ON constrained IS 'commented';
CREATE TABLE referring (a integer REFERENCES constrained MATCH FULL DEFERRABLE, b text, e integer);
INSERT INTO referring VALUES (1, 'fine', 10), (NULL, NULL, 999);
ALTER TABLE constrained ADD CONSTRAINT big_enough CHECK (id > 50) NOT VALID;
ALTER TABLE referring ADD CONSTRAINT dangling FOREIGN KEY (e) REFERENCES everything (id) NOT VALID;
\if :pg15
CREATE TABLE set_null (a integer, b integer, UNIQUE NULLS NOT DISTINCT (a), FOREIGN KEY (a) REFERENCES constrained (id) ON DELETE SET NULL (a));
CREATE UNLOGGED SEQUENCE fleeting_numbers;
\endif
\if :pg18
CREATE TABLE virtual (a integer, twice integer GENERATED ALWAYS AS (a * 2) VIRTUAL, CONSTRAINT named_not_null NOT NULL a);
INSERT INTO virtual SELECT generate_series(1, 20);
ALTER TABLE no_rows ADD CONSTRAINT late_not_null NOT NULL b NOT VALID;
COMMENT ON CONSTRAINT late_not_null ON no_rows IS 'some day';
CREATE TABLE temporal (k int4range, during daterange, PRIMARY KEY (k, during WITHOUT OVERLAPS));
CREATE TABLE temporal_ref (k int4range, during daterange, FOREIGN KEY (k, PERIOD during) REFERENCES temporal (k, PERIOD during));
ALTER TABLE referring ADD CONSTRAINT loose CHECK (a > 1000) NOT ENFORCED;
\endif
CREATE UNIQUE INDEX everything_md ON everything (md, id DESC NULLS LAST) WHERE n > 0;
CREATE INDEX "Ex pr" ON everything (lower(v), (n + 1)) WITH (fillfactor = 60);
CREATE INDEX everything_gin ON everything USING gin (jb jsonb_path_ops);
CREATE INDEX everything_pd ON everything (pd);
CREATE INDEX everything_too ON everything USING gist_too (bx);
COMMENT ON INDEX "Ex pr" IS 'of an expression';
ALTER INDEX "Ex pr" ALTER COLUMN 2 SET STATISTICS 500;
ALTER TABLE everything CLUSTER ON everything_pkey;
CREATE UNIQUE INDEX typed_identity ON typed ("z axis") INCLUDE (y);
ALTER TABLE constrained REPLICA IDENTITY FULL;

-- Sequences, views, rules, triggers, statistics ---------------------------------------------------------------------------------
CREATE SEQUENCE counter AS smallint INCREMENT -3 MINVALUE -300 MAXVALUE 300 START 30 CACHE 4 CYCLE;
SELECT nextval('counter') \g /dev/null
COMMENT ON SEQUENCE counter IS 'downwards';
CREATE SEQUENCE unused;
GRANT USAGE ON SEQUENCE counter TO "kq""quote's";

CREATE VIEW simple AS SELECT id, v AS "Vee", md FROM everything WHERE n > 0 WITH LOCAL CHECK OPTION;
ALTER VIEW simple ALTER "Vee" SET DEFAULT 'by the view';
COMMENT ON VIEW simple IS 'short';
COMMENT ON COLUMN simple."Vee" IS 'v';
CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM parent WHERE by_owner() IS NOT NULL;
\if :pg15
CREATE VIEW invoker WITH (security_invoker = true) AS SELECT id FROM constrained;
\endif
CREATE RECURSIVE VIEW countdown (n) AS VALUES (10) UNION ALL SELECT n - 1 FROM countdown WHERE n > 0;
CREATE VIEW circle_a AS SELECT 1 AS a;
CREATE VIEW circle_b AS SELECT a FROM circle_a;
CREATE OR REPLACE VIEW circle_a AS SELECT (SELECT max(a) FROM circle_b WHERE false) AS a; -- pg_dump breaks the loop
CREATE MATERIALIZED VIEW mat AS SELECT md, count(*) AS n FROM by_mood JOIN everything e ON e.md = by_mood.m GROUP BY md;
CREATE UNIQUE INDEX mat_md ON mat (md);
CREATE MATERIALIZED VIEW mat_of_mat AS SELECT sum(n) FROM mat;
CREATE MATERIALIZED VIEW mat_empty AS SELECT * FROM parent WITH NO DATA;
COMMENT ON MATERIALIZED VIEW mat IS 'kept';

CREATE RULE also_log AS ON INSERT TO no_rows WHERE NEW.a > 5 DO ALSO INSERT INTO parent VALUES (NEW.a, 'from a rule');
CREATE RULE "Rule" AS ON DELETE TO simple DO INSTEAD NOTHING;
ALTER TABLE no_rows DISABLE RULE also_log;
COMMENT ON RULE also_log ON no_rows IS 'asleep';
CREATE TRIGGER every_row BEFORE INSERT OR UPDATE OF v, n ON everything FOR EACH ROW WHEN (NEW.n > 1e6) EXECUTE FUNCTION touch('arg''1', '2');
CREATE TRIGGER "After All" AFTER INSERT ON everything REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION touch();
CREATE CONSTRAINT TRIGGER checked AFTER UPDATE ON constrained DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER into_view INSTEAD OF UPDATE ON simple FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER on_all_partitions AFTER INSERT ON by_time FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE by_time_2024 DISABLE TRIGGER on_all_partitions;
ALTER TABLE everything ENABLE ALWAYS TRIGGER every_row, DISABLE TRIGGER "After All";
ALTER TABLE constrained ENABLE REPLICA TRIGGER checked;
COMMENT ON TRIGGER every_row ON everything IS 'rarely';
CREATE STATISTICS related (ndistinct, dependencies, mcv) ON v, n FROM everything;
ALTER STATISTICS related SET STATISTICS 321;
COMMENT ON STATISTICS related IS 'v and n';
\if :pg14
CREATE STATISTICS "Expr Stat" ON (n % 7), lower(v) FROM everything;
\endif

-- Row security -------------------------------------------------------------------------------------------------------------------
CREATE TABLE secured (owner_name text, secret text);
INSERT INTO secured VALUES ('a', '秘'), ('b', 'hidden');
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
ALTER TABLE secured FORCE ROW LEVEL SECURITY;
CREATE POLICY "Pol icy" ON secured USING (owner_name = current_setting('zoo.me', true));
CREATE POLICY readers ON secured AS RESTRICTIVE FOR SELECT TO "kq we ird", "kq_日本", "kq,comma=equals" USING (secret <> 'TO PUBLIC');
CREATE POLICY writers ON secured FOR INSERT TO "KQ_UP" WITH CHECK (true);
CREATE POLICY everybody ON secured FOR UPDATE TO PUBLIC USING (true) WITH CHECK (secret IS NOT NULL);
COMMENT ON POLICY readers ON secured IS 'and no others';

-- Grants -------------------------------------------------------------------------------------------------------------------------
GRANT SELECT (id, v), UPDATE (n, "Col ""Umn") ON everything TO "kq_Straße";
GRANT REFERENCES (id) ON everything TO "kq_日本" WITH GRANT OPTION;
GRANT ALL ON constrained TO kq_chain WITH GRANT OPTION;
REVOKE DELETE ON constrained FROM kq_owner;
REVOKE ALL ON referring FROM kq_owner;
GRANT TRUNCATE, TRIGGER ON parent TO PUBLIC;
GRANT SELECT ON parent TO pg_monitor WITH GRANT OPTION;
GRANT SELECT ON simple, mat TO "kq
newline", "kq\back";
SET ROLE kq_chain;
GRANT SELECT ON constrained TO "kq we ird" WITH GRANT OPTION;
GRANT UPDATE (pair_a) ON constrained TO "KQ_UP";
SET ROLE "kq we ird";
GRANT SELECT ON constrained TO "kq_Straße", PUBLIC;
GRANT EXECUTE ON FUNCTION zoo.by_owner() TO "kq,comma=equals";
SET ROLE "kq_日本";
GRANT USAGE ON SCHEMA zoo TO "kq""quote's";
RESET ROLE;
ALTER TABLE "Ta""ble; 日本
next line" OWNER TO "kq_日本";
ALTER SEQUENCE unused OWNER TO "kq we ird";
ALTER MATERIALIZED VIEW mat_empty OWNER TO "KQ_UP";
GRANT SELECT ON pg_catalog.pg_authid TO kq_owner;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) TO "KQ_UP";

CREATE TABLE "Nasty ""Schema"" 日本"."Table"  ("select" integer PRIMARY KEY);
INSERT INTO "Nasty ""Schema"" 日本"."Table" VALUES (1), (2);
ALTER TABLE "Nasty ""Schema"" 日本"."Table" OWNER TO "kq""quote's";
CREATE TABLE "line
break"."t
t" (a text);
INSERT INTO "line
break"."t
t" VALUES (E'\n\n\\.\n');
ALTER TABLE "line
break"."t
t" OWNER TO "kq
newline";

-- Large objects --------------------------------------------------------------------------------------------------------------------
SELECT lo_create(16001), lo_from_bytea(16002, '\x00ff'), lo_from_bytea(3000000000, decode(repeat('5c0a00', 100000), 'hex')), lo_from_bytea(16003, 'owned') \g /dev/null
ALTER LARGE OBJECT 16002 OWNER TO "kq_日本";
ALTER LARGE OBJECT 16003 OWNER TO kq_owner;
ALTER LARGE OBJECT 3000000000 OWNER TO kq_owner;
GRANT SELECT, UPDATE ON LARGE OBJECT 16003 TO "kq we ird" WITH GRANT OPTION;
GRANT SELECT ON LARGE OBJECT 3000000000 TO PUBLIC;
COMMENT ON LARGE OBJECT 16003 IS 'large, 大';

-- Event trigger, publications, subscription ------------------------------------------------------------------------------------------
CREATE FUNCTION shared.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1; END';
CREATE EVENT TRIGGER "Ev ent" ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION shared.on_ddl();
ALTER EVENT TRIGGER "Ev ent" OWNER TO kq_super;
CREATE EVENT TRIGGER asleep ON sql_drop EXECUTE FUNCTION shared.on_ddl();
ALTER EVENT TRIGGER asleep DISABLE;
COMMENT ON EVENT TRIGGER "Ev ent" IS 'watches';
CREATE PUBLICATION news FOR TABLE zoo.constrained, ONLY zoo.parent WITH (publish = 'insert, update');
ALTER PUBLICATION news OWNER TO kq_super;
CREATE PUBLICATION "All of it" FOR ALL TABLES WITH (publish_via_partition_root = true);
COMMENT ON PUBLICATION news IS 'news';
\if :pg15
CREATE PUBLICATION by_schema FOR TABLES IN SCHEMA zoo, "Nasty ""Schema"" 日本";
\endif
\if :pg15
CREATE PUBLICATION chosen FOR TABLE zoo.everything (id, n) WHERE (n > 5);
ALTER PUBLICATION by_schema OWNER TO kq_super;
\endif
CREATE SUBSCRIPTION fed CONNECTION 'host=nowhere.example dbname=x user=y password=subscription-secret' PUBLICATION news, "All of it"
    WITH (connect = false, enabled = false, slot_name = NONE);
ALTER SUBSCRIPTION fed OWNER TO kq_super;
COMMENT ON SUBSCRIPTION fed IS 'from nowhere';
