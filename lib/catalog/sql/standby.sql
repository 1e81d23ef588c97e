-- How far a standby is behind, in seconds: 0 while it is connected and has replayed all it received.
SELECT pg_catalog.pg_is_in_recovery(),
    CASE
        WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver AS w WHERE w.pid IS NOT NULL)
            AND pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0
        ELSE extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())
    END,
    pg_catalog.current_setting('hot_standby_feedback')::pg_catalog.bool,
    pg_catalog.current_setting('max_standby_streaming_delay')
