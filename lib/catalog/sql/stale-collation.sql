-- PostgreSQL 15 and newer: the version of the library that sorted the database $1 (an OID), and of the one that is there
-- now, where they differ.
SELECT d.datcollversion, pg_catalog.pg_database_collation_actual_version(d.oid)
FROM pg_catalog.pg_database AS d
WHERE d.oid = $1::pg_catalog.oid AND d.datcollversion <> pg_catalog.pg_database_collation_actual_version(d.oid)
