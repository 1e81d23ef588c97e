-- Those who replay what this server writes. What the role may not see is NULL. How far they are behind counts from $1.
SELECT r.application_name, pg_catalog.host(r.client_addr), r.state, r.sync_state,
    extract(epoch FROM r.replay_lag),
    greatest(pg_catalog.pg_wal_lsn_diff(coalesce($1::pg_catalog.pg_lsn,
        CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
        ELSE pg_catalog.pg_current_wal_lsn() END), r.replay_lsn), 0)
FROM pg_catalog.pg_stat_replication AS r
WHERE r.state IS DISTINCT FROM 'backup'
    AND NOT coalesce(r.state = 'streaming' AND r.write_lsn IS NOT NULL AND r.replay_lsn IS NULL, false)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots AS s
        WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
ORDER BY 1, 2
