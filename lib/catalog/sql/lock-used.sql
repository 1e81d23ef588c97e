-- What other sessions have in the lock table: locks, and what they are on.
SELECT count(*),
    count(DISTINCT (l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid::pg_catalog.text,
        l.classid, l.objid, l.objsubid))
FROM pg_catalog.pg_locks AS l
WHERE NOT l.fastpath
    AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
