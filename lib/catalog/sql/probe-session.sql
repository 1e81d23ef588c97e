-- As an application's session is: a backup's settings (row_security off makes every policy an error) do not count.
SELECT count(pg_catalog.set_config(s.name, v.value, true))
FROM (VALUES ('search_path', ''), ('row_security', 'on'), ('restrict_nonsystem_relation_kind', '')) AS v (name, value)
    JOIN pg_catalog.pg_settings AS s ON s.name = v.name
