-- A database of :tables tables, spread over schemas of a thousand: every table has a primary key, every second one a
-- sequence, every third a further index, every fourth a foreign key to the one before it; one in five is empty, and one
-- in a hundred has partitions. For tests/it/manytables.sh and tests/bench/manytables.sh. To be run outside a
-- transaction, so that it fits into the lock table of any server.
SET client_min_messages = warning;
SELECT format('CREATE SCHEMA IF NOT EXISTS part_%s', n) FROM generate_series(0, (:tables - 1) / 1000) n \gexec
SELECT format($$CREATE TABLE %s (id %s PRIMARY KEY, ref bigint %s, name text NOT NULL, at timestamptz DEFAULT '2026-01-01Z')%s$$,
    t, CASE WHEN n % 2 = 0 THEN 'bigserial' ELSE 'bigint' END,
    CASE WHEN n % 4 = 3 THEN format('REFERENCES part_%s.table_%s', (n - 1) / 1000, n - 1) END,
    CASE WHEN n % 100 = 50 THEN ' PARTITION BY RANGE (id)' END)
FROM generate_series(1, :tables) n, format('part_%s.table_%s', (n - 1) / 1000, n) t \gexec
SELECT format('CREATE TABLE part_%s.table_%s_p%s PARTITION OF part_%1$s.table_%2$s FOR VALUES FROM (%4$s) TO (%5$s)',
    (n - 1) / 1000, n, p, p * 20, p * 20 + 20)
FROM generate_series(50, :tables, 100) n, generate_series(0, 1) p \gexec
SELECT format('INSERT INTO part_%s.table_%s (id, name) SELECT i, md5(i::text || %2$s) FROM generate_series(1, %s) i',
    (n - 1) / 1000, n, n % 5 * (1 + n % 7))
FROM generate_series(1, :tables) n WHERE n % 5 > 0 \gexec
SELECT format('CREATE INDEX ON part_%s.table_%s (name)', (n - 1) / 1000, n) FROM generate_series(3, :tables, 3) n \gexec
