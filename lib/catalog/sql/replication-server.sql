-- A standby is known to its primary by the application_name of its connection, else by its cluster_name.
SELECT pg_catalog.pg_is_in_recovery(),
    CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() ELSE false END,
    extract(epoch FROM pg_catalog.pg_postmaster_start_time()),
    pg_catalog.host(pg_catalog.inet_server_addr()),
    coalesce((SELECT pg_catalog.substring(w.conninfo, 'application_name=([^ '']+)') FROM pg_catalog.pg_stat_wal_receiver AS w),
        nullif(pg_catalog.current_setting('cluster_name'), '')),
    CASE WHEN pg_catalog.pg_is_in_recovery()
        THEN extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) END,
    pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
