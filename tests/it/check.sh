#!/bin/bash
# kura check: constraints that do not exist yet, on live data.
. "$(dirname "$0")/lib.sh"

version=15
start $version main
createdb_as shop
sql shop 'CREATE EXTENSION citext'
sql shop "
CREATE SCHEMA store;
CREATE TABLE store.orders (id bigint PRIMARY KEY, region text, code text, UNIQUE (region, code));
CREATE TABLE store.goods (id int PRIMARY KEY, order_id int, sku text, title text, price numeric, region text, code text);
INSERT INTO store.orders SELECT i, 'r' || i % 3, 'c' || i FROM generate_series(1, 1000) i;
INSERT INTO store.goods SELECT i, i % 1000 + 1, 's' || i, 't', i, 'r' || i % 3, 'c' || i FROM generate_series(1, 1000) i;
CREATE TABLE \"we ird\" (\"a|b\" int, \"rows\" int, \"x\"\"; DROP TABLE y\" text);
INSERT INTO \"we ird\" VALUES (1, 2, E'line\nbreak'), (1, 2, NULL), (NULL, 3, 'z');
CREATE TABLE loose (n int REFERENCES store.orders, m text);
CREATE TABLE mail (address citext UNIQUE); INSERT INTO mail VALUES ('Who@example.net');
CREATE TABLE letter (address citext); INSERT INTO letter VALUES ('who@EXAMPLE.net'), ('nobody@example.net');
CREATE TABLE parted (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE parted1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO parted VALUES (1, '2026-01-05'), (2, '2026-01-05');
CREATE TABLE base (id int); CREATE TABLE heir () INHERITS (base); INSERT INTO base VALUES (1); INSERT INTO heir VALUES (1), (NULL);
CREATE VIEW seen AS SELECT 1 AS id;
CREATE ROLE app LOGIN; GRANT USAGE ON SCHEMA store TO app; GRANT SELECT ON store.goods, store.orders TO app"
before=$(dump shop -s | grep -v restrict | md5sum)

look() { kura check "$1" "$2" --db "$(conn shop)" "${@:3}"; }
# the printed statements, run by psql
add() { status_is 0 look "$1" "$2" --json && jq -r '.check.statements[]' "$WORK/out" | psql -XqAt -v ON_ERROR_STOP=1 -d "$(conn shop)"; }

# Foreign keys
check 'a foreign key that holds' status_is 0 look fk 'store.goods(order_id) -> store.orders(id)'
check 'can be added' says 'can be added now +yes'
check 'says how' says 'FOREIGN KEY \(order_id\) REFERENCES store.orders \(id\) NOT VALID'
check 'without the referenced columns it is the primary key' status_is 0 look fk 'store.goods(order_id) -> store.orders'
sql shop 'UPDATE store.goods SET order_id = 5000 + id % 2 WHERE id <= 3; UPDATE store.goods SET order_id = NULL WHERE id = 4'
check 'one that does not hold' status_is 3 look fk 'store.goods(order_id) -> store.orders(id)'
check 'counts rows and values' says '3 rows, 2 distinct values'
check 'and shows them' says '5001 +2'
check 'NULL references nothing' bash -c "! grep -q '^ *NULL' '$WORK/out'"
check 'its query lists the violations' test "$(look fk 'store.goods(order_id) -> store.orders' --json | jq -r .check.query | psql -XqAt -d "$(conn shop)" | sort | tr '\n' ' ')" = '5000|1 5001|2 '
check 'a part of them' test "$(look fk 'store.goods(order_id) -> store.orders' --json --show 1 | jq -c .check.sample)" = '[["5001","2"]]'
sql shop 'UPDATE store.goods SET order_id = id WHERE id <= 4'
check 'two columns' status_is 0 look fk 'store.goods(region, code) -> store.orders(region, code)'
check 'in another order' status_is 0 look fk 'store.goods(code, region) -> store.orders(code, region)'
check 'what nothing can reference' status_is 3 look fk 'store.goods(code) -> store.orders(code)'
check 'is named' says 'no unique index of store.orders is on exactly \(code\)'
check 'equality is the type'"'"'s own' status_is 3 look fk 'letter(address) -> mail(address)'
check 'not that of text' says '1 row, 1 distinct value'
check 'types that do not fit' status_is 1 look fk 'store.goods(title) -> store.orders(id)'
check 'are told' says 'types .* cannot be matched'
check 'the foreign key as advised' add fk 'store.goods(order_id) -> store.orders(id)'

# Unique
check 'unique' add unique 'store.goods(sku)'
check 'is unique now' test "$(sql shop "SELECT count(*) FROM pg_constraint WHERE conrelid = 'store.goods'::regclass AND contype = 'u' AND convalidated")" = 1
check 'not unique' status_is 3 look unique '"we ird"("a|b", "rows")'
check 'with rows and values' says '2 rows, 1 distinct value'
check 'with hostile columns' status_is 0 look unique '"we ird"("x""; DROP TABLE y")'
check 'only own rows are compared' status_is 0 look unique 'base(id)'
check 'nulls are distinct' status_is 0 look unique 'heir(id)'
check 'of a partitioned table' status_is 3 look unique 'parted(day)'

# NOT NULL
check 'not null' add not-null 'store.goods(title)'
check 'is not null now' test "$(sql shop "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'store.goods'::regclass AND attname = 'title'")" = t
check 'and no other constraint stays' test "$(sql shop "SELECT count(*) FROM pg_constraint WHERE conrelid = 'store.goods'::regclass AND contype = 'c'")" = 0
check 'some are null' status_is 3 look not-null '"we ird" ("x""; DROP TABLE y")'
check 'with where they are' says 'ctid'
check 'heirs count' status_is 3 look not-null 'base(id)'

# CHECK
check 'an expression' add check 'store.goods(price >= 0 AND (title) IS NOT NULL)'
check 'one that does not hold' status_is 3 look check 'store.goods(price > 10 -- not all'"
)"
check 'shows the primary key and what it is about' test "$(look check 'store.goods(price > 999)' --json --show 1 | jq -c .check.columns)" = '["id","price"]'
check 'unknown passes' status_is 0 look check 'heir(id > 0)'
check 'a broken expression' status_is 1 look check 'store.goods(price >>>> )'
check 'a second statement is none' status_is '1|2' look check 'store.goods(true); DROP TABLE store.goods; --)'
check 'nor is one inside' status_is '1|2' look check 'store.goods(true) ; DROP TABLE loose; SELECT (1)'
check 'a function may not write' bash -c "psql -Xqd \"$(conn shop)\" -c \"CREATE FUNCTION hurt() RETURNS bool LANGUAGE plpgsql AS 'BEGIN DELETE FROM loose; RETURN true; END'\" && ! '$KURA' check check 'store.goods(hurt())' --db \"$(conn shop)\""
sql shop 'DROP FUNCTION hurt()'

# Use
check 'a kind that is none' status_is 2 look primary 'a(b)'
check 'names those there are' says 'fk, unique, not-null and check'
check 'a text that is none' status_is 2 look fk 'goods(order_id) orders(id)'
check 'shows how it is written' says 'table\(column, \.\.\) -> other'
check 'an end too early' status_is 2 look unique 'goods(a'
check 'an unfinished quote' status_is 2 look unique '"goods(a)'
check 'no such table' status_is 1 look unique 'nothing(a)'
check 'no such column' status_is 1 look unique 'store.goods(nothing)'
check 'a view' status_is 1 look unique 'seen(id)'
check 'no database' status_is 2 kura check unique 'a(b)'
check 'a time limit' status_is 1 look check 'store.goods(pg_sleep(1) IS NOT NULL)' --timeout 0.5
check 'is told as such' says 'took longer'
check 'the application may ask' status_is 0 kura check fk 'store.goods(order_id) -> store.orders' --db "$(conn shop) user=app"
sql shop "ALTER TABLE store.orders ENABLE ROW LEVEL SECURITY"
check 'but not look past row security' status_is 1 kura check fk 'store.goods(order_id) -> store.orders' --db "$(conn shop) user=app"
sql shop "ALTER TABLE store.orders DISABLE ROW LEVEL SECURITY"
PGAPPNAME='busy bee' hold shop 'SELECT count(*) FROM store.goods' || die 'nobody holds the table'
check 'who holds the table is told' status_is 0 look unique 'store.goods(id, sku)'
check 'by name' says 'busy bee.* holds AccessShareLock'
unhold

sql shop 'ALTER TABLE store.goods DROP CONSTRAINT goods_order_id_fkey, DROP CONSTRAINT goods_sku_key, DROP CONSTRAINT goods_check, ALTER title DROP NOT NULL'
check 'nothing else has changed' test "$(dump shop -s | grep -v restrict | md5sum)" = "$before"

finish
