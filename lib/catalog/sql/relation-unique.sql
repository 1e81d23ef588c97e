-- Whether some unique index of table $1 (an OID), as a foreign key needs it, is on exactly the columns $2 (an array).
SELECT EXISTS (SELECT FROM pg_catalog.pg_index AS i
    WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
        AND i.indpred IS NULL AND i.indexprs IS NULL
        AND (SELECT pg_catalog.array_agg(a.attname ORDER BY a.attname) FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = i.indrelid
                AND a.attnum = ANY ((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1]))
            = (SELECT pg_catalog.array_agg(name ORDER BY name) FROM pg_catalog.unnest($2::pg_catalog.name[]) AS name))
