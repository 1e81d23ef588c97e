-- The names of rehearsals that have a database or, by their comments ($1 and the name), roles.
SELECT d.datname
FROM pg_catalog.pg_database AS d
WHERE d.datname ~ '^kura_rehearsal_[0-9a-f]{8}$'
UNION
SELECT substr(c.description, length($1::pg_catalog.text) + 1)
FROM pg_catalog.pg_shdescription AS c
WHERE c.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass
    AND starts_with(c.description, $1::pg_catalog.text)
    AND substr(c.description, length($1::pg_catalog.text) + 1) ~ '^kura_rehearsal_[0-9a-f]{8}$'
ORDER BY 1
