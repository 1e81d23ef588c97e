-- A night in the year of a site that doubles in it: of each table 1/365 of the first night's rows (:first of them, in
-- statuses) is appended; among the newest twentieth as many rows change, and a fifth of that goes; and half a per cent of
-- the accounts, all over the table, were seen.
SELECT setseed(:night / 1000.0);
CREATE TEMP TABLE sizes AS
SELECT (SELECT count(*) FROM accounts) AS accounts, (SELECT count(*) FROM statuses) AS statuses,
       (SELECT count(*) FROM favourites) AS favourites, (SELECT count(*) FROM deliveries) AS deliveries;
CREATE TEMP TABLE grow AS
SELECT ceil(accounts / (365.0 + :night))::int AS accounts, ceil(statuses / (365.0 + :night))::int AS statuses,
       ceil(favourites / (365.0 + :night))::int AS favourites, ceil(deliveries / (365.0 + :night))::int AS deliveries
FROM sizes;

UPDATE accounts SET updated_at = updated_at + interval '1 day' WHERE random() < 0.005;
UPDATE statuses SET reactions = reactions || '{":new:": 1}', updated_at = updated_at + interval '1 day'
WHERE id IN (SELECT id FROM (SELECT id FROM statuses ORDER BY id DESC LIMIT (SELECT statuses / 20 FROM sizes)) t
             ORDER BY random() LIMIT (SELECT statuses FROM grow));
UPDATE deliveries SET attempts = attempts + 1
WHERE id IN (SELECT id FROM (SELECT id FROM deliveries ORDER BY id DESC LIMIT (SELECT deliveries / 20 FROM sizes)) t
             ORDER BY random() LIMIT (SELECT deliveries FROM grow));
DELETE FROM deliveries
WHERE id IN (SELECT id FROM (SELECT id FROM deliveries ORDER BY id DESC LIMIT (SELECT deliveries / 20 FROM sizes)) t
             ORDER BY random() LIMIT (SELECT deliveries / 5 FROM grow));
DELETE FROM favourites
WHERE id IN (SELECT id FROM (SELECT id FROM favourites ORDER BY id DESC LIMIT (SELECT favourites / 20 FROM sizes)) t
             ORDER BY random() LIMIT (SELECT favourites / 5 FROM grow));

INSERT INTO accounts
SELECT max_id + 1000 * n, username || 'n', domain, display_name, note || ' ' || n, uri || '/n', fields, md5(random()::text) || public_key, created_at, updated_at
FROM (SELECT *, row_number() OVER () AS n FROM (SELECT * FROM accounts ORDER BY random() LIMIT (SELECT accounts FROM grow)) a) t,
     (SELECT max(id) AS max_id FROM accounts) m;
INSERT INTO statuses
SELECT max_id + 65536 * n, account_id, uri || '/n', NULL, translate(text, 'abcdefghijk', 'kdjfhabgcei') || random(), spoiler_text, visibility, language, tags, poll, reactions, score, created_at, updated_at
FROM (SELECT *, row_number() OVER () AS n FROM (SELECT * FROM statuses ORDER BY random() LIMIT (SELECT statuses FROM grow)) a) t,
     (SELECT max(id) AS max_id FROM statuses) m;
INSERT INTO favourites
SELECT max_id + n, account_id, status_id, created_at + interval '1 day' * :night
FROM (SELECT *, row_number() OVER () AS n FROM (SELECT * FROM favourites ORDER BY random() LIMIT (SELECT favourites FROM grow)) a) t,
     (SELECT max(id) AS max_id FROM favourites) m
ON CONFLICT DO NOTHING;
INSERT INTO deliveries
SELECT max_id + n, inbox, attempts, md5(random()::text) || filler
FROM (SELECT *, row_number() OVER () AS n FROM (SELECT * FROM deliveries ORDER BY random() LIMIT (SELECT deliveries FROM grow)) a) t,
     (SELECT max(id) AS max_id FROM deliveries) m;
