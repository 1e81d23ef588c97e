-- Rows below 100 come with the extension; those of the user are the others: pg_dump takes only these.
CREATE TABLE setting (id integer PRIMARY KEY, value text NOT NULL);
INSERT INTO setting SELECT n, 'built in ' || n FROM generate_series(1, 10) n;
SELECT pg_catalog.pg_extension_config_dump('setting', 'WHERE id >= 100');

-- All rows are the user's; refers to the table above, whose rows must therefore come first.
CREATE TABLE override (setting integer REFERENCES setting, note text);
SELECT pg_catalog.pg_extension_config_dump('override', '');

CREATE SEQUENCE setting_id START 100;
SELECT pg_catalog.pg_extension_config_dump('setting_id', '');

CREATE FUNCTION answer() RETURNS integer LANGUAGE sql AS 'SELECT 42';
