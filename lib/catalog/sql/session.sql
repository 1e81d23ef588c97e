-- The settings of the session, those that this server knows. pg_dump's own, and those that change the bytes COPY makes.
SELECT count(pg_catalog.set_config(s.name, v.value, false))
FROM (VALUES
        ('search_path', ''),
        ('DateStyle', 'ISO'),
        ('IntervalStyle', 'postgres'),
        ('extra_float_digits', '3'),
        ('synchronize_seqscans', 'off'),
        ('statement_timeout', '0'),
        ('lock_timeout', '0'),
        ('idle_in_transaction_session_timeout', '0'),
        ('idle_session_timeout', '0'),
        ('transaction_timeout', '0'),
        ('row_security', 'off'),
        ('restrict_nonsystem_relation_kind', 'view, foreign-table'),
        ('client_encoding', pg_catalog.getdatabaseencoding()),
        -- not pg_dump's: equal rows give equal text
        ('TimeZone', 'UTC'),
        ('bytea_output', 'hex'),
        ('lc_monetary', 'C'),
        ('xmlbinary', 'base64'),
        ('quote_all_identifiers', 'off'),
        -- not pg_dump's: our own statements
        ('standard_conforming_strings', 'on'),
        ('client_min_messages', 'warning'),
        ('jit', 'off')
    ) AS v (name, value)
    JOIN pg_catalog.pg_settings AS s ON lower(s.name) = lower(v.name)
