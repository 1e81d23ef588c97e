-- What the lock table is made from: locks per transaction, and the number of transactions there can be.
SELECT pg_catalog.current_setting('max_locks_per_transaction'),
    sum(s.setting::pg_catalog.int8) FILTER (WHERE s.name <> 'autovacuum_max_workers' OR NOT EXISTS (
        SELECT FROM pg_catalog.pg_settings AS w WHERE w.name = 'autovacuum_worker_slots'))
FROM pg_catalog.pg_settings AS s
WHERE s.name IN ('max_connections', 'max_prepared_transactions', 'autovacuum_max_workers', 'autovacuum_worker_slots',
    'max_worker_processes', 'max_wal_senders')
