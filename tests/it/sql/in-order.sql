-- Brings roles and settings in the order of their OIDs within their catalogues: renaming puts them in disorder, and pg_dump
-- lists the roles of a policy, and the settings of roles in a database, as they lie there.
\set ON_ERROR_STOP 1
VACUUM FULL pg_catalog.pg_authid;
VACUUM FULL pg_catalog.pg_db_role_setting;
BEGIN;
CREATE TEMPORARY TABLE role AS SELECT * FROM pg_catalog.pg_authid WHERE oid >= 16384;
DELETE FROM pg_catalog.pg_authid WHERE oid >= 16384;
INSERT INTO pg_catalog.pg_authid SELECT * FROM role ORDER BY oid;
CREATE TEMPORARY TABLE setting AS SELECT * FROM pg_catalog.pg_db_role_setting;
DELETE FROM pg_catalog.pg_db_role_setting;
INSERT INTO pg_catalog.pg_db_role_setting SELECT * FROM setting ORDER BY setdatabase, setrole;
COMMIT;
