-- A day in the life: of each table 1 % of rows appended, 1 % changed and 0.2 % deleted, the latter two among the newest
-- twentieth. :rows of each table are known from generate.c, ids are dense in n.
CREATE TEMP TABLE newest_accounts AS SELECT id, row_number() OVER (ORDER BY id DESC) AS age FROM accounts;
CREATE TEMP TABLE newest_statuses AS SELECT id, row_number() OVER (ORDER BY id DESC) AS age FROM statuses;
CREATE TEMP TABLE newest_favourites AS SELECT id, row_number() OVER (ORDER BY id DESC) AS age FROM favourites;
CREATE TEMP TABLE newest_deliveries AS SELECT id, row_number() OVER (ORDER BY id DESC) AS age FROM deliveries;
CREATE TEMP TABLE counts AS
SELECT (SELECT count(*) FROM accounts) AS accounts, (SELECT count(*) FROM statuses) AS statuses,
       (SELECT count(*) FROM favourites) AS favourites, (SELECT count(*) FROM deliveries) AS deliveries;
ANALYZE newest_accounts, newest_statuses, newest_favourites, newest_deliveries;

-- Of the newest twentieth every fifth row changes (1 % of all) and every 25th goes (0.2 %).
UPDATE accounts t SET note = note || ' !', updated_at = updated_at + interval '1 day'
FROM newest_accounts n, counts WHERE n.id = t.id AND age <= accounts / 20 AND age % 5 = 0;
UPDATE statuses t SET reactions = reactions || '{":new:": 1}', updated_at = updated_at + interval '1 day'
FROM newest_statuses n, counts WHERE n.id = t.id AND age <= statuses / 20 AND age % 5 = 0;
UPDATE favourites t SET created_at = created_at + interval '1 day'
FROM newest_favourites n, counts WHERE n.id = t.id AND age <= favourites / 20 AND age % 5 = 0;
UPDATE deliveries t SET attempts = attempts + 1
FROM newest_deliveries n, counts WHERE n.id = t.id AND age <= deliveries / 20 AND age % 5 = 0;

DELETE FROM deliveries t USING newest_deliveries n, counts WHERE n.id = t.id AND age <= deliveries / 20 AND age % 25 = 1;
DELETE FROM favourites t USING newest_favourites n, counts WHERE n.id = t.id AND age <= favourites / 20 AND age % 25 = 1;
-- Statuses that nobody marked as a favourite: the cascade would delete older rows of favourites too.
CREATE TEMP TABLE gone AS SELECT id FROM newest_statuses n, counts
WHERE age <= statuses / 20 AND NOT EXISTS (SELECT FROM favourites f WHERE f.status_id = n.id) ORDER BY hashint8(id) LIMIT (SELECT statuses / 500 FROM counts);
UPDATE statuses SET in_reply_to_id = NULL WHERE in_reply_to_id IN (SELECT id FROM gone);
DELETE FROM statuses t USING gone WHERE gone.id = t.id;

INSERT INTO accounts
SELECT max_id + 1000 * n, username || 'n', domain, display_name, note || ' ' || n, uri || '/n', fields, md5(n::text) || public_key, created_at, updated_at
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM accounts ORDER BY id LIMIT (SELECT accounts / 100 FROM counts)) t,
     (SELECT max(id) AS max_id FROM accounts) m;
INSERT INTO statuses
SELECT max_id + 65536 * n, account_id, uri || '/n', NULL, translate(text, 'abcdefghijk', 'kdjfhabgcei'), spoiler_text, visibility, language, tags, poll, reactions, score, created_at, updated_at
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM statuses ORDER BY id LIMIT (SELECT statuses / 100 FROM counts)) t,
     (SELECT max(id) AS max_id FROM statuses) m;
INSERT INTO favourites
SELECT max_id + n, account_id, status_id, created_at + interval '3 years'
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM favourites ORDER BY id LIMIT (SELECT favourites / 100 FROM counts)) t,
     (SELECT max(id) AS max_id FROM favourites) m;
INSERT INTO deliveries
SELECT max_id + n, inbox, attempts, filler
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM deliveries ORDER BY id LIMIT (SELECT deliveries / 100 FROM counts)) t,
     (SELECT max(id) AS max_id FROM deliveries) m;
