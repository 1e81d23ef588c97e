-- What belongs to the database $1 (an OID) besides its rows and sessions: kind, name.
SELECT 'prepared transaction', p.gid
FROM pg_catalog.pg_prepared_xacts AS p JOIN pg_catalog.pg_database AS d ON d.datname = p.database
WHERE d.oid = $1::pg_catalog.oid
UNION ALL
SELECT 'replication slot', s.slot_name::pg_catalog.text
FROM pg_catalog.pg_replication_slots AS s
WHERE s.datoid = $1::pg_catalog.oid
UNION ALL
SELECT 'subscription', s.subname::pg_catalog.text
FROM pg_catalog.pg_subscription AS s
WHERE s.subdbid = $1::pg_catalog.oid
ORDER BY 1, 2
