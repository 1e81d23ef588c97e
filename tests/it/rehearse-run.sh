#!/bin/bash
# kura rehearse --run: tomorrow's migrations on tonight's data. Story 002: a foreign key that rows of the site violate.
. "$(dirname "$0")/lib.sh"

start 15 main
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
server="host=$PGHOST user=postgres"
createdb_as shop
sql shop "CREATE ROLE shopkeeper LOGIN; ALTER DATABASE shop OWNER TO shopkeeper; GRANT ALL ON SCHEMA public TO shopkeeper;
    ALTER ROLE shopkeeper IN DATABASE shop SET search_path = \"\$user\", public; ALTER ROLE shopkeeper IN DATABASE shop SET work_mem = '5MB'"
sql shop "SET ROLE shopkeeper;
    CREATE TABLE orders (id int PRIMARY KEY, placed timestamptz DEFAULT now());
    CREATE TABLE goods (id int PRIMARY KEY, order_id int, price numeric, old text);
    CREATE TYPE mood AS ENUM ('good', 'bad');
    INSERT INTO orders SELECT generate_series(1, 1000);
    INSERT INTO goods SELECT i, i, 1.5 FROM generate_series(1, 1000) i;
    INSERT INTO goods VALUES (2001, 4711, 2), (2002, 4712, 2);
    CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, script text, success bool);
    INSERT INTO flyway_schema_history VALUES (1, 'V1__begin.sql', true)"
check 'backup' status_is 0 kura backup --repo "$repo" --db "$(conn shop)" --app shop
dump shop -C >"$WORK/shop.sql"
rehearse() { kura rehearse latest --repo "$repo" --server "$server" --no-progress --nice 1 --json "$@"; }
databases_before=$(databases)
unchanged() {
    nothing_left "$databases_before" "$repo" && dump shop -C >"$WORK/shop.now" && same "$WORK/shop.sql" "$WORK/shop.now" &&
        [ "$(sql postgres "SELECT count(*) FROM pg_roles WHERE rolname ~ '^kura'")" = 0 ]
}
run() { # run CONDITION: of the last result's run
    jq '.rehearsal.run' "$WORK/out"
    jq -r '.findings[].message' "$WORK/out"
    cat "$WORK/err"
    jq -e ".rehearsal.run | $1" "$WORK/out"
}

# A tool in the manner of Flyway: each new file in its transaction, the history beside it.
mkdir "$WORK/sql"
cat >"$WORK/migrate" <<'END'
#!/bin/sh
# migrate DIR
for file in "$1"/V*.sql; do
    script=$(basename "$file")
    [ "$(psql -XqAt "$DATABASE_URL" -c "SELECT count(*) FROM flyway_schema_history WHERE script = '$script' AND success")" = 0 ] || continue
    echo "Migrating schema \"public\" to version \"$script\""
    { echo 'BEGIN;'; cat "$file"; echo "INSERT INTO flyway_schema_history SELECT max(installed_rank) + 1, '$script', true FROM flyway_schema_history; COMMIT;"; } |
        psql -Xq -v ON_ERROR_STOP=1 "$DATABASE_URL" || exit 1
done
END
chmod 755 "$WORK/migrate"

# --- the migration as it was written: the constraint comes before the data is right
echo 'ALTER TABLE goods ADD CONSTRAINT goods_order FOREIGN KEY (order_id) REFERENCES orders (id);' >"$WORK/sql/V2__constraint.sql"
check 'story 002: the migration fails' status_is 1 rehearse --run "'$WORK/migrate' '$WORK/sql'"
check 'story 002: the verdict' jq -e '.rehearsal | .verdict == "failed" and .error == null' "$WORK/out"
check 'story 002: it names the constraint' run '.status == 1 and (.output | test("violates foreign key constraint \"goods_order\""))'
check 'story 002: and a row' run '.output | test("Key \\(order_id\\)=\\(471[12]\\) is not present in table \"orders\"")'
check 'story 002: what was tried' run '.output | test("Migrating schema \"public\" to version \"V2__constraint.sql\"")'
check 'story 002: nothing was changed by it' run '.changes == [] and .rows == []'
check 'story 002: what the backup is was proven' jq -e '[.rehearsal.proofs[] | select(.failed > 0) | .name] == ["run"]' "$WORK/out"
check 'story 002: nothing is left' unchanged

# --- the other order: first the data, then the constraint
cat >"$WORK/sql/V2__constraint.sql" <<'END'
DELETE FROM goods WHERE order_id NOT IN (SELECT id FROM orders);
ALTER TABLE goods ADD CONSTRAINT goods_order FOREIGN KEY (order_id) REFERENCES orders (id);
END
cat >"$WORK/sql/V3__more.sql" <<'END'
CREATE TABLE "Ta""ble; 日本" (id int PRIMARY KEY, order_id int REFERENCES orders);
INSERT INTO "Ta""ble; 日本" VALUES (1, 1), (2, 2);
ALTER TABLE goods ALTER COLUMN price TYPE numeric(10, 2), DROP COLUMN old;
ALTER TABLE goods ADD COLUMN tax numeric NOT NULL DEFAULT 0;
CREATE INDEX goods_price ON goods (price);
ALTER TYPE mood ADD VALUE 'mixed';
SELECT pg_sleep(0.4);
END
check 'the fixed order passes' status_is 0 rehearse --run "'$WORK/migrate' '$WORK/sql'"
check 'the verdict' jq -e '.rehearsal.verdict == "passed"' "$WORK/out"
change() { run "any(.changes[]; .kind == \"$1\" and .what == \"$2\" and .name == \"$3\" and $4)"; }
check 'the constraint was added' change added constraint public.goods.goods_order '(.after | test("FOREIGN KEY")) and .before == null'
check 'a table was added' change added table 'public.\"Ta\"\"ble; 日本\"' true
check 'its owner is the application' change added owner 'public.\"Ta\"\"ble; 日本\"' '.after == "shopkeeper"'
check 'a column was removed' change removed column public.goods.old true
check 'a column was added' change added column public.goods.tax '.after == "numeric NOT NULL DEFAULT 0"'
check 'a type of a column was changed' change changed column public.goods.price '.before == "numeric" and .after == "numeric(10,2)"'
check 'an index was added' change added index public.goods_price true
check 'a type was changed' change changed type public.mood '.after == "ENUM ('"'good', 'bad', 'mixed'"')"'
check 'the rows that changed' run '[.rows[] | [.table, .before, .after]] ==
    [["public.\"Ta\"\"ble; 日本\"", 0, 2], ["public.flyway_schema_history", 1, 3], ["public.goods", 1002, 1000]]'
check 'the longest lock' run 'any(.locks[]; .table == "public.goods" and .mode == "AccessExclusiveLock" and .seconds > 0.3 and .seconds < 10) and .locks == (.locks | sort_by(-.seconds))'
check 'nothing is left' unchanged
check 'for people, too' status_is 0 kura rehearse latest --repo "$repo" --server "$server" --run "'$WORK/migrate' '$WORK/sql'"
check 'what changed' says 'changed +column +public.goods.price +numeric\(10,2\), was numeric'

# --- how a program finds the database
check 'the environment' status_is 0 rehearse --run 'psql -XqAtc "SELECT current_user || session_user || current_database() || current_setting('"'work_mem'"')"
    test "$KURA_DATABASE" = "$PGDATABASE" && echo "url: $KURA_JDBC_URL" && echo err >&2
    psql -XqAt "$DATABASE_URL" -c "SELECT current_user"'
check 'as the application, with its settings, all in order' run '.output | test("^shopkeeperpostgreskura_rehearsal_[0-9a-f]{8}5MB\nurl: jdbc:postgresql://localhost:5432/kura_rehearsal_[0-9a-f]{8}\\?user=postgres&options=.*\nerr\nshopkeeper\n$")'
sql postgres "CREATE ROLE locked LOGIN SUPERUSER PASSWORD 'hun?er 2'"
check 'a password' status_is 0 env PGPASSWORD='hun?er 2' HOME="$WORK" TMPDIR="$WORK/tmp" "$KURA" rehearse latest --repo "$repo" --server "host=$PGHOST user=locked" --no-progress --json \
    --run 'psql -XqAtc "SELECT 1" && psql -XqAt "$DATABASE_URL" -c "SELECT 2" && echo "$PGPASSWORD $DATABASE_URL"'
check 'works, and is not shown' run '.output | test("^1\n2\n\\*{8} postgresql://locked:\\*+@")'
check 'is nowhere' bash -c '! grep -F -e "hun?er" -e "hun%3Fer" "$0/out" "$0/err"' "$WORK"
sql postgres 'DROP ROLE locked'

# --- how it ends
check 'the status is kept' status_is 1 rehearse --run 'exit 7'
check 'and told' run '.status == 7 and .timed_out == false'
started=$SECONDS
check 'a deadline' status_is 1 rehearse --run-timeout 1 --run 'sleep 600 & psql -Xqc "SELECT pg_sleep(600)"; true'
check 'is told' run '.timed_out and .seconds >= 1 and .seconds < 10'
check 'ends it in time' test $((SECONDS - started)) -lt 30
check 'what it started in the background is ended' status_is 0 rehearse --run "sh -c 'echo \$\$ >$WORK/pid; exec sleep 600' & until [ -s $WORK/pid ]; do :; done"
check 'it is gone' bash -c 'pid=$(cat "$0/pid") && { [ ! -e "/proc/$pid" ] || grep "^State:.Z" "/proc/$pid/status"; }' "$WORK"
check 'much output' status_is 0 rehearse --run 'seq 200000'
check 'its end is kept' run '.truncated and (.output | length <= 262144 and length > 200000 and endswith("199999\n200000\n"))'
check 'no output' status_is 0 rehearse --run true
check 'is none' run '.output == "" and .truncated == false'
check 'a migration that drops everything' status_is 0 rehearse --run 'psql -Xqc "DROP TABLE goods, orders, flyway_schema_history"'
check 'is told' run '[.changes[] | select(.kind == "removed" and .what == "table") | .name] == ["public.flyway_schema_history", "public.goods", "public.orders"] and (.rows | length) == 3'
check 'nothing is left' unchanged

HOME=$WORK TMPDIR=$WORK/tmp env --default-signal=INT,TERM "$KURA" rehearse latest --repo "$repo" --server "$server" --keep-on-failure \
    --run "echo \$\$ >'$WORK/begun'; sleep 600" >"$WORK/out" 2>"$WORK/err" &
pid=$!
check 'the command has begun' eventually test -s "$WORK/begun"
kill -TERM "$pid"
wait "$pid"
status=$?
check 'interrupted: the exit status' test $status = 143
check 'interrupted: the command is gone' bash -c '! kill -0 "$(cat "$0/begun")"' "$WORK"
check 'interrupted: nothing is left, whatever was to be kept' unchanged

# --- left for a look
check 'kept' status_is 1 rehearse --keep-on-failure --run 'psql -Xqc "CREATE TABLE half_done ()"; exit 1'
kept=$(databases | grep '^kura_rehearsal_')
check 'the database is there' test "$(sql "$kept" "SELECT count(*) FROM half_done")" = 0
check 'it is told' jq -e --arg kept "$kept" '.rehearsal.kept == $kept' "$WORK/out"
hint=$(jq -r '.findings[] | select(.code == "rehearsal-kept") | .hint' "$WORK/out")
check 'how to look, and how to drop it' grep -q "psql, dbname=$kept. Drop it with: DROP DATABASE $kept; DROP ROLE kura_" <<<"$hint"
check 'the next one leaves it alone' status_is 0 rehearse --keep-on-failure
check 'it is still there' has_db "$kept"
sql postgres "DROP DATABASE $kept"
check 'its roles follow' status_is 0 rehearse
check 'nothing is left' unchanged
finish
