-- How many constraints there are, and those that are not proven by the server: NOT VALID ones, with queries that count the
-- rows that violate them and show some, to be run as the owner of the table.
WITH constraints AS (
    SELECT c.oid, c.conname, c.contype, c.convalidated, c.conrelid, c.confrelid, c.conkey, c.confkey, c.conpfeqop, c.conbin,
        pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(r.relname) AS relation,
        pg_catalog.pg_get_userbyid(r.relowner) AS owner
    FROM pg_catalog.pg_constraint AS c
        JOIN pg_catalog.pg_class AS r ON r.oid = c.conrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
),
violations AS (
    SELECT c.oid, CASE c.contype
        WHEN 'f' THEN (
            SELECT pg_catalog.format('FROM %s AS f WHERE %s AND NOT EXISTS (SELECT FROM %s AS p WHERE %s)',
                c.relation,
                string_agg(pg_catalog.format('f.%I IS NOT NULL', fa.attname), ' AND ' ORDER BY k.place),
                c.confrelid::pg_catalog.regclass,
                string_agg(pg_catalog.format('p.%I OPERATOR(%I.%s) f.%I', pa.attname, o_n.nspname, o.oprname, fa.attname),
                    ' AND ' ORDER BY k.place))
            FROM unnest(c.conkey, c.confkey, c.conpfeqop) WITH ORDINALITY AS k (foreign_key, primary_key, operator, place)
                JOIN pg_catalog.pg_attribute AS fa ON fa.attrelid = c.conrelid AND fa.attnum = k.foreign_key
                JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid = c.confrelid AND pa.attnum = k.primary_key
                JOIN pg_catalog.pg_operator AS o ON o.oid = k.operator
                JOIN pg_catalog.pg_namespace AS o_n ON o_n.oid = o.oprnamespace)
        WHEN 'c' THEN pg_catalog.format('FROM %s WHERE NOT (%s)', c.relation, pg_catalog.pg_get_expr(c.conbin, c.conrelid))
        END AS rows,
        (SELECT string_agg(pg_catalog.format('%s%I', CASE c.contype WHEN 'f' THEN 'f.' ELSE '' END, a.attname), ', '
                ORDER BY k.place)
            FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place)
                JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.number) AS columns
    FROM constraints AS c
    WHERE NOT c.convalidated
)
SELECT (SELECT count(*) FROM constraints), c.conname, c.relation, c.owner, pg_catalog.pg_get_constraintdef(c.oid),
    'SELECT count(*) ' || v.rows,
    pg_catalog.format('SELECT DISTINCT ROW(%s)::pg_catalog.text %s LIMIT 3', v.columns, v.rows)
FROM (SELECT) AS once
    LEFT JOIN (constraints AS c JOIN violations AS v ON v.oid = c.oid) ON true
ORDER BY c.relation, c.conname
