#!/bin/bash
# kura rehearse finds damage and names it: in the repository, in what was restored, in what the site itself has wrong.
# KURA_CLEAN: how many rehearsals of a sound backup must raise no alarm (default 2).
. "$(dirname "$0")/lib.sh"

start 15 main
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
server="host=$PGHOST user=postgres"
createdb_as shop
mkdir -p "$WORK/media/a" "$WORK/media/b"
for i in $(seq 40); do head -c $((i * 700)) /dev/urandom >"$WORK/media/a/$i.png"; done
sql shop "CREATE ROLE shopkeeper LOGIN; CREATE ROLE clerk LOGIN; ALTER DATABASE shop OWNER TO shopkeeper; GRANT ALL ON SCHEMA public TO shopkeeper"
sql shop "SET ROLE shopkeeper;
    CREATE TABLE orders (id serial PRIMARY KEY, placed timestamptz NOT NULL DEFAULT now(), note text);
    CREATE INDEX orders_placed ON orders (placed);
    CREATE TABLE goods (id serial PRIMARY KEY, order_id int REFERENCES orders, picture text, CONSTRAINT some_picture CHECK (picture <> ''));
    CREATE INDEX goods_order ON goods (order_id);
    CREATE FUNCTION wait() RETURNS int LANGUAGE plpgsql AS \$f\$
        DECLARE deadline timestamptz := clock_timestamp() + interval '60 s';
        BEGIN
            WHILE EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'hold') AND clock_timestamp() < deadline LOOP
                PERFORM pg_catalog.pg_sleep(0.01);
            END LOOP;
            RETURN 1;
        END \$f\$;
    INSERT INTO orders (note, placed) SELECT repeat(md5(i::text), 4), now() - i * interval '1 minute' FROM generate_series(1, 2000) i;
    INSERT INTO goods (order_id, picture) SELECT i, 'a/' || i || '.png' FROM generate_series(1, 40) i;
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER stamped BEFORE UPDATE ON goods FOR EACH ROW EXECUTE FUNCTION stamp();
    CREATE MATERIALIZED VIEW totals AS SELECT order_id, count(*) FROM goods GROUP BY 1;
    CREATE MATERIALIZED VIEW zz_gate AS SELECT public.wait();
    CREATE VIEW pictures AS SELECT picture FROM goods;
    GRANT SELECT ON orders, goods TO clerk;
    ALTER DEFAULT PRIVILEGES FOR ROLE shopkeeper GRANT SELECT ON TABLES TO clerk"
query=(--media-query 'media=SELECT picture FROM goods')
backup() { kura backup --repo "$repo" --db "$(conn shop)" --app shop --files "media=$WORK/media"; }
rehearse() { kura rehearse "${id:-latest}" --repo "$repo" --server "$server" --nice 1 --no-progress "${query[@]}" "$@"; }
scratch() { databases | grep '^kura_rehearsal_'; }
verdict() { jq -r '.findings[] | .message' "$WORK/out"; jq -e --arg verdict "$1" '.rehearsal.verdict == $verdict' "$WORK/out"; }
fails() { # fails PROOF: of the last --json, this proof and, beside those named after it, no other has failed
    local also=" $* " name
    jq -r '.rehearsal.proofs[] | select(.failed > 0) | .name' "$WORK/out" >"$WORK/failed"
    cat "$WORK/failed" "$WORK/err"
    grep -qx "$1" "$WORK/failed" || return 1
    while read -r name; do
        [[ "$also" == *" $name "* ]] || return 1
    done <"$WORK/failed"
}

# tells PATTERN: whether a finding of the last --json says something like it
tells() {
    jq -r '.findings[] | .severity + ": " + .message' "$WORK/out" >"$WORK/told"
    cat "$WORK/told" "$WORK/err"
    grep -qE -e "$1" "$WORK/told"
}

# Something changes the restored database before it is proven: refreshing the materialized view "zz_gate", the last thing
# that pg_restore does, takes as long as there is a role "hold".
sabotaged() { # sabotaged WANTED-STATUS STATEMENT: roles are called KEEPER and CLERK in it
    local status pid database sql=$2
    sql postgres 'CREATE ROLE hold'
    rehearse --json >"$WORK/out" 2>"$WORK/err" &
    pid=$!
    eventually waits
    database=$(waiting)
    sql=${sql//KEEPER/$(sql postgres "SELECT rolname FROM pg_roles WHERE rolname ~ '^kura_.*shopkeeper'")}
    sql=${sql//CLERK/$(sql postgres "SELECT rolname FROM pg_roles WHERE rolname ~ '^kura_.*clerk'")}
    sql "$database" "$sql" && echo "sabotaged $database"
    sql postgres 'DROP ROLE hold'
    wait "$pid"
    status=$?
    echo "exit status $status"
    [ $status = "$1" ]
}
waiting() { sql postgres "SELECT datname FROM pg_stat_activity WHERE datname ~ '^kura_rehearsal' AND query ~ 'REFRESH.*zz_gate' AND state = 'active'"; }
waits() { [ -n "$(waiting)" ]; }

# --- no false alarm
check 'backup' status_is 0 backup
for i in $(seq "${KURA_CLEAN:-2}"); do
    check "clean run $i" status_is 0 rehearse --json
    check "clean run $i: passed" verdict passed
done
check 'all that can be proven was' jq -e '[.rehearsal.proofs[] | select(.skipped == null and .checked > 0) | .name] | sort ==
    ["amcheck", "blobs", "collations", "constraints", "default-privileges", "files", "grants", "indexes", "matviews", "media-references",
     "owners", "probe", "rows", "schema", "sequences", "triggers", "write-probe"]' "$WORK/out"
check 'the newest row is told' jq -e '.rehearsal | .newest_row_where == "public.orders.placed" and .newest_row_age > 0 and .newest_row_age < 600' "$WORK/out"

# --- what was changed after the restore
damage() { # damage NAME STATEMENT SAYS PROOF...
    local name=$1 statement=$2 words=$3
    shift 3
    check "$name: has failed" sabotaged 1 "$statement"
    check "$name: the proof" fails "$@"
    check "$name: is named" tells "$words"
}
damage 'a row changed' "UPDATE orders SET note = 'x' WHERE id = 77" 'table "public"."orders": 2000 rows, digest .*; the backup has 2000 rows' rows
damage 'a row lost' 'DELETE FROM goods WHERE id = 3' 'table "public"."goods": 39 rows' rows
damage 'a grant dropped' 'REVOKE SELECT ON goods FROM "CLERK"' 'missing: GRANT SELECT ON .*goods TO clerk' grants
damage 'a grant too many' 'GRANT DELETE ON goods TO "CLERK"' 'not asked for: GRANT DELETE ON .*goods TO clerk' grants
damage 'an owner changed' 'ALTER TABLE goods OWNER TO postgres' 'TABLE public.goods belongs to "postgres", expected "shopkeeper"' owners grants probe media-references
damage 'default privileges dropped' 'ALTER DEFAULT PRIVILEGES FOR ROLE "KEEPER" REVOKE SELECT ON TABLES FROM "CLERK"' 'missing: GRANT SELECT ON .*TABLES TO clerk' default-privileges
damage 'a trigger disabled' 'ALTER TABLE goods DISABLE TRIGGER stamped' 'trigger "stamped" on public.goods is disabled' triggers schema
damage 'an index invalid' "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'goods_order'::regclass" 'index public.goods_order on public.goods is not valid' indexes schema
damage 'a sequence set back' "SELECT setval('goods_id_seq', 5)" 'sequence is behind.*goods_id_seq' sequences schema
damage 'a materialized view emptied' 'REFRESH MATERIALIZED VIEW totals WITH NO DATA' 'MATERIALIZED VIEW DATA public.totals is not in the restored database' schema
damage 'a view changed' "CREATE OR REPLACE VIEW pictures AS SELECT picture FROM goods WHERE id > 1" 'VIEW public.pictures is defined in another way' schema
damage 'a constraint lost' 'ALTER TABLE goods DROP CONSTRAINT some_picture' 'some_picture|TABLE public.goods is defined in another way' schema
damage 'foreign keys off' 'ALTER TABLE goods DISABLE TRIGGER ALL' 'the trigger of constraint "goods_order_id_fkey"' triggers schema

# --- in the repository
blob_of() { # blob_of FILTER: the path of a blob that the manifest names
    local name
    name=$(jq -r "$1" "$(manifest "$repo" "$(latest "$repo")")")
    find "$repo/blobs" -name "$name*"
}
segment=$(blob_of '.database.tables[] | select(.name == "orders") | .segments[0].blob | if type == "object" then .hash else . end')
check 'a segment is there' test -f "$segment"
cp -a "$segment" "$WORK/segment"
printf '\377' | dd of="$segment" bs=1 seek=$(($(stat -c %s "$segment") / 2)) conv=notrunc status=none
check 'a byte of a segment: has failed' status_is 1 rehearse --json
check 'a byte of a segment: the verdict' verdict failed
check 'a byte of a segment: is named' tells "loading table public.orders.*$(basename "$segment" .zst)"
rm "$segment"
check 'a segment missing: has failed' status_is 1 rehearse --json
check 'a segment missing: the proof' fails blobs rows
check 'a segment missing: is named' tells "loading table public.orders.*$(basename "$segment" .zst)"
cp -a "$WORK/segment" "$segment"
pack=$(find "$repo/blobs" -name '*.tar' | head -n 1)
cp -a "$pack" "$WORK/pack"
printf '\377' | dd of="$pack" bs=1 seek=$(($(stat -c %s "$pack") / 2)) conv=notrunc status=none
check 'a byte of a file: has failed' status_is 1 rehearse --json --sample 100%
check 'a byte of a file: the proof' fails files
check 'a byte of a file: is named' tells 'file "a/[0-9]+.png" of fileset "media" does not come back'
rm "$pack"
check 'a pack missing: has failed' status_is 1 rehearse --json
check 'a pack missing: the proof' fails blobs files
check 'a pack missing: is named' tells "$(basename "$pack" .tar)"
cp -a "$WORK/pack" "$pack"
check 'all is well again' status_is 0 rehearse

# --- what the site has wrong itself: it came back, but a person should look
rm "$WORK/media/a/7.png"
echo nobody >"$WORK/media/b/orphan.png"
sql shop "ALTER TABLE goods DROP CONSTRAINT goods_order_id_fkey; INSERT INTO goods (order_id, picture) VALUES (9001, 'a/1.png'), (9002, 'a/1.png');
    ALTER TABLE goods ADD CONSTRAINT goods_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders NOT VALID;
    SET ROLE shopkeeper;
    ALTER TABLE goods DISABLE TRIGGER stamped;
    CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''nobody writes here''; END';
    CREATE TRIGGER guarded BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION fails();
    CREATE TABLE odd (n int); INSERT INTO odd SELECT generate_series(1, 100);
    CREATE FUNCTION unsteady(int) RETURNS float LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN random(); END';
    CREATE INDEX odd_unsteady ON odd (unsteady(n))"
check 'backup of that' status_is 0 backup
check 'an index that is not sound' status_is 1 rehearse --json
check 'an index that is not sound: is named' tells 'index public.odd_unsteady is not sound'
sql shop 'DROP TABLE odd'
check 'backup without it' status_is 0 backup
check 'findings' status_is 3 rehearse --json
check 'findings: the verdict' verdict findings
check 'a missing file is named' tells '1 file that rows refer to is not in fileset "media", such as "a/7.png"'
check 'a file too many is named' tells '1 file of fileset "media" no row refers to, such as "b/orphan.png"'
check 'orphan rows are counted and shown' tells 'constraint "goods_order_id_fkey" on public.goods is NOT VALID: 2 rows violate it, such as \(9001\), \(9002\)'
check 'a disabled trigger is named' tells 'trigger "stamped" on public.goods is disabled'
check 'a trigger that fails is named' tells 'UPDATE of public.orders as role "shopkeeper" fails: nobody writes here'
check 'a media query that is wrong' status_is 3 rehearse --json --media-query 'media=SELECT nothing FROM nowhere'
check 'a media query that is wrong: is told' tells 'the media query for fileset "media": relation "nowhere" does not exist'
check 'a media query for no fileset' status_is 3 rehearse --json --media-query 'none=SELECT 1'
check 'a media query for no fileset: is told' tells 'a media query for fileset "none", which the backup does not have'
check 'nothing is left' test -z "$(scratch)$(sql postgres "SELECT rolname FROM pg_roles WHERE rolname ~ '^kura'")"
finish
