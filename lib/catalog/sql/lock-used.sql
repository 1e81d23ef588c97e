SELECT count(*) FROM pg_catalog.pg_locks AS l WHERE NOT l.fastpath
