-- A site shaped like Misskey: what an application leaves in a database after some years. The roles are "misskey", who
-- owns everything, and "reader", who may look. Variable scale: 1 gives about 360,000 rows.
\set ON_ERROR_STOP 1
\if :{?scale} \else \set scale 1 \endif
SET client_min_messages = warning;
SELECT 'CREATE ROLE misskey LOGIN PASSWORD ''pw-of-misskey'''
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'misskey') \gexec
SELECT 'CREATE ROLE reader LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') \gexec

ALTER DATABASE :"DBNAME" OWNER TO misskey;
ALTER DATABASE :"DBNAME" SET statement_timeout = '10min';
ALTER ROLE reader IN DATABASE :"DBNAME" SET default_transaction_read_only = on;
COMMENT ON DATABASE :"DBNAME" IS 'みすきー';
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO reader;
CREATE EXTENSION pg_trgm;
GRANT ALL ON SCHEMA public TO misskey;
GRANT USAGE ON SCHEMA public TO reader;

SET ROLE misskey;
ALTER DEFAULT PRIVILEGES FOR ROLE misskey IN SCHEMA public GRANT SELECT ON TABLES TO reader;

CREATE TYPE note_visibility_enum AS ENUM ('public', 'home', 'followers', 'specified');
CREATE TYPE meta_sensitivemediadetection_enum AS ENUM ('none', 'all', 'local', 'remote');
CREATE DOMAIN host_name AS varchar(512) CHECK (VALUE = lower(VALUE));

CREATE TABLE migrations (
    id serial PRIMARY KEY,
    "timestamp" bigint NOT NULL,
    name varchar NOT NULL
);
INSERT INTO migrations ("timestamp", name)
SELECT 1500000000000 + n * 1234567, 'migration' || n || 1500000000000 + n * 1234567 FROM generate_series(1, 380) n;

CREATE TABLE meta (
    id varchar(32) PRIMARY KEY,
    name varchar(1024),
    "disableRegistration" boolean DEFAULT false NOT NULL,
    "pinnedUsers" varchar(256)[] DEFAULT '{}' NOT NULL,
    policies jsonb DEFAULT '{}' NOT NULL,
    "sensitiveMediaDetection" meta_sensitivemediadetection_enum DEFAULT 'none' NOT NULL,
    "swPrivateKey" varchar(1024)
);
INSERT INTO meta VALUES ('x', '倉', false, '{@alice,"@bob@host.example"}', '{"gtlAvailable": true, "driveCapacityMb": 500}', 'local', 'secret-vapid-key');

CREATE TABLE "user" (
    id varchar(32) PRIMARY KEY,
    username varchar(128) NOT NULL,
    "usernameLower" varchar(128) GENERATED ALWAYS AS (lower(username)) STORED,
    host host_name,
    name varchar(128),
    "followersCount" integer DEFAULT 0 NOT NULL,
    "isBot" boolean DEFAULT false NOT NULL,
    emojis varchar(128)[] DEFAULT '{}' NOT NULL,
    token char(16) UNIQUE,
    "updatedAt" timestamptz
);
COMMENT ON COLUMN "user"."usernameLower" IS 'The username (lowercased) of the User.';
INSERT INTO "user" (id, username, host, name, "followersCount", "isBot", emojis, token, "updatedAt")
SELECT 'u' || lpad(n::text, 9, '0'), 'User_' || n, CASE WHEN n % 10 <> 0 THEN 'host' || n % 777 || '.example' END,
       (ARRAY['あいこ', '京都の狐', 'Ünïcödé', '🦊 fox', NULL])[1 + n % 5], n % 3000, n % 50 = 0,
       CASE WHEN n % 4 = 0 THEN ARRAY['blobcat', '猫', 'with,comma', 'with"quote'] ELSE '{}' END,
       CASE WHEN n % 10 = 0 THEN substr(md5(n::text), 1, 16) END, timestamptz '2020-01-01 00:00+00' + n * interval '7 minutes'
FROM generate_series(1, (20000 * :scale)::int) n;

CREATE TABLE drive_file (
    id varchar(32) PRIMARY KEY,
    "userId" varchar(32) REFERENCES "user" ON DELETE SET NULL,
    md5 varchar(32) NOT NULL,
    name varchar(256) NOT NULL,
    size integer NOT NULL,
    properties jsonb DEFAULT '{}' NOT NULL,
    "storedInternal" boolean NOT NULL,
    "accessKey" varchar(256)
);
INSERT INTO drive_file
SELECT 'f' || lpad(n::text, 9, '0'), 'u' || lpad((1 + n % (20000 * :scale)::int)::text, 9, '0'), md5(n::text), '写真 ' || n || '.webp', n * 37 % 5000000,
       jsonb_build_object('width', n % 4000, 'height', n % 3000, 'orientation', NULL), n % 3 = 0, CASE WHEN n % 3 = 0 THEN md5((n + 1)::text) END
FROM generate_series(1, (30000 * :scale)::int) n;

CREATE TABLE note (
    id varchar(32) PRIMARY KEY,
    "replyId" varchar(32),
    "userId" varchar(32) NOT NULL,
    text text,
    cw varchar(512),
    visibility note_visibility_enum NOT NULL,
    "fileIds" varchar(32)[] DEFAULT '{}' NOT NULL,
    tags varchar(128)[] DEFAULT '{}' NOT NULL,
    reactions jsonb DEFAULT '{}' NOT NULL,
    "hasPoll" boolean DEFAULT false NOT NULL,
    "createdAt" timestamptz NOT NULL
);
INSERT INTO note
SELECT 'n' || lpad(n::text, 9, '0'), CASE WHEN n > 100 AND n % 5 = 0 THEN 'n' || lpad((n - 1 - n % 97)::text, 9, '0') END,
       'u' || lpad((1 + n * 7 % (20000 * :scale)::int)::text, 9, '0'),
       (ARRAY[E'おはよう、世界\nline two\tand a tab', 'A back\slash and "quotes"', '蔵に米を入れる 🌾 ', '', NULL, E'\\.'])[1 + n % 6] || md5(n::text) || repeat(' 猫', n % 23),
       CASE WHEN n % 40 = 0 THEN 'ネタバレ' END, (enum_range(NULL::note_visibility_enum))[1 + n % 4],
       CASE WHEN n % 9 = 0 THEN ARRAY['f' || lpad((1 + n % (30000 * :scale)::int)::text, 9, '0')] ELSE '{}' END,
       CASE WHEN n % 7 = 0 THEN ARRAY['タグ', 'tag' || n % 100] ELSE '{}' END,
       CASE WHEN n % 2 = 0 THEN jsonb_build_object('❤', n % 12, ':blob' || n % 90 || ':', 1) ELSE '{}' END, n % 60 = 0,
       timestamptz '2021-01-01 00:00+09' + n * interval '13 seconds'
FROM generate_series(1, (150000 * :scale)::int) n;
CREATE INDEX "IDX_note_user" ON note ("userId", id DESC);
CREATE INDEX "IDX_note_tags" ON note USING gin (tags);
CREATE INDEX "IDX_note_text" ON note USING gin (text public.gin_trgm_ops) WHERE visibility = 'public';
ALTER TABLE note ADD CONSTRAINT "FK_note_user" FOREIGN KEY ("userId") REFERENCES "user" ON DELETE CASCADE;

CREATE TABLE following (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    "followerId" varchar(32) NOT NULL REFERENCES "user" ON DELETE CASCADE,
    "followeeId" varchar(32) NOT NULL REFERENCES "user" ON DELETE CASCADE,
    notify varchar(32)
);
INSERT INTO following ("followerId", "followeeId", notify)
SELECT 'u' || lpad((1 + n % (20000 * :scale)::int)::text, 9, '0'), 'u' || lpad((1 + (n * 11 + n / 3) % (20000 * :scale)::int)::text, 9, '0'),
       CASE WHEN n % 30 = 0 THEN 'normal' END
FROM generate_series(1, (60000 * :scale)::int) n;

CREATE TABLE note_reaction (
    id varchar(32) PRIMARY KEY,
    "noteId" varchar(32) NOT NULL REFERENCES note ON DELETE CASCADE,
    "userId" varchar(32) NOT NULL REFERENCES "user" ON DELETE CASCADE,
    reaction varchar(260) NOT NULL
);
INSERT INTO note_reaction
SELECT 'r' || lpad(n::text, 9, '0'), 'n' || lpad((1 + n * 3 % (150000 * :scale)::int)::text, 9, '0'),
       'u' || lpad((1 + n % (20000 * :scale)::int)::text, 9, '0'), (ARRAY['❤', '👍', ':blobcat@.:', '🍮'])[1 + n % 4]
FROM generate_series(1, (100000 * :scale)::int) n;

CREATE MATERIALIZED VIEW instance_summary AS
SELECT host, count(*) AS users, sum("followersCount") AS followers FROM "user" WHERE host IS NOT NULL GROUP BY host;
CREATE UNIQUE INDEX instance_summary_host ON instance_summary (host);
CREATE VIEW local_user AS SELECT * FROM "user" WHERE host IS NULL;

ALTER TABLE drive_file ENABLE ROW LEVEL SECURITY;
CREATE POLICY drive_file_readers ON drive_file FOR SELECT TO reader USING (NOT "storedInternal");

CREATE FUNCTION purge_user(uid varchar) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS 'DELETE FROM "user" WHERE id = uid';
REVOKE EXECUTE ON FUNCTION purge_user(varchar) FROM PUBLIC;

SELECT lo_from_bytea(424242, convert_to(repeat('大きな物 ', 50000), 'UTF8')) AS lo \gset
GRANT SELECT ON LARGE OBJECT :lo TO reader;
COMMENT ON LARGE OBJECT :lo IS 'an avatar from 2014';
RESET ROLE;
ANALYZE;
