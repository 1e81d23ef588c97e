#!/bin/bash
# What a night costs: bytes stored on night two, for one kind of change after the other and for several parameters of the
# segments; what sorted rows would save, and cost. The figures in kura-format(5) are from here.
#
#   nights.sh [--dir DIR] [--keep] [--scale S] [--params "MIN+MEAN ..."] [SCENARIO]...
#
# MIN and MEAN are segment.min and segment.mean in KiB. --scale 0.2 is 400 MB of tables. See db.sh for DIR and --keep;
# the two need DIRs of their own.
. "$(dirname "$0")/lib.sh"

dir='' keep=0 scale=0.2 params='128+128 512+512 1024+512 2048+2048 8192+8192' wanted=()
while [ $# -gt 0 ]; do
    case $1 in
    --dir) dir=$2 && shift ;;
    --keep) keep=1 ;;
    --scale) scale=$2 && shift ;;
    --params) params=$2 && shift ;;
    *) wanted+=("$1") ;;
    esac
    shift
done
[ -n "$dir" ] || dir=$(mktemp -d /tmp/kura-bench.XXXXXX)
mkdir -p "$dir"
chmod 755 "$dir"
TIMES=$(mktemp -d)
work=$dir/work
finish() {
    psql -Xqd postgres -c 'ALTER SYSTEM RESET autovacuum' 2>/dev/null
    clusters_stop
    rm -rf "$TIMES" "$work"
    [ $keep = 1 ] || rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
rm -rf "$work"
mkdir "$work"

bench_database "$dir" "$work" "$scale"
sql postgres 'ALTER SYSTEM SET autovacuum = off' # it would come at another moment in each run
sql postgres 'SELECT pg_reload_conf()' >/dev/null

# Each is one night's change; what autovacuum does follows the changes, as at night.
declare -A scenario
order=(nothing appends recent scattered deletes night vacuum-full cluster-key cluster-other)
tables='accounts statuses favourites deliveries'
scenario[nothing]=''
scenario[appends]="
INSERT INTO deliveries SELECT m + id, inbox, 0, filler FROM deliveries, (SELECT max(id) AS m FROM deliveries) t WHERE id % 100 = 0;
INSERT INTO favourites SELECT m + f.id, account_id, status_id, created_at FROM favourites f, (SELECT max(id) AS m FROM favourites) t WHERE f.id % 100 = 0;
INSERT INTO statuses SELECT m + 65536 * n, account_id, uri || '/n', NULL, reverse(text), spoiler_text, visibility, language, tags, poll, reactions, score, created_at, updated_at
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM statuses) s, (SELECT max(id) AS m FROM statuses) t WHERE n % 100 = 0"
# counters of what was written lately: 1 % of all rows, among the newest twentieth
scenario[recent]="
UPDATE statuses SET reactions = reactions || '{\":n:\": 1}' WHERE id > (SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY id) FROM statuses) AND hashint8(id) % 5 = 0;
UPDATE deliveries SET attempts = attempts + 1 WHERE id > (SELECT max(id) * 0.95 FROM deliveries) AND id % 5 = 0"
# counters anywhere: 1 % of all rows
scenario[scattered]="
UPDATE statuses SET reactions = reactions || '{\":n:\": 1}' WHERE hashint8(id) % 100 = 0;
UPDATE deliveries SET attempts = attempts + 1 WHERE hashint8(id) % 100 = 0"
# 0.5 % of the rows, the oldest ones, and as many anywhere
scenario[deletes]="
DELETE FROM deliveries WHERE id < (SELECT max(id) * 0.005 FROM deliveries) OR hashint8(id) % 200 = 0;
DELETE FROM favourites WHERE id < (SELECT max(id) * 0.005 FROM favourites) OR hashint8(id) % 200 = 0"
scenario[night]="$(cat "$BENCH/night.sql")"
scenario[vacuum-full]="${scenario[night]}; VACUUM FULL"
scenario[cluster-key]="${scenario[night]}; CLUSTER statuses USING statuses_pkey; CLUSTER deliveries USING deliveries_pkey; CLUSTER favourites USING favourites_pkey; CLUSTER accounts USING accounts_pkey"
scenario[cluster-other]="CLUSTER statuses USING statuses_account"
[ ${#wanted[@]} -gt 0 ] || wanted=("${order[@]}")

backup() { "$KURA" -q backup --repo "$1" --db "$(conn "$2")" --jobs 2 --app site >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }; }
stored() { find "$1/backups" -name '*.json' | sort | tail -n 1 | xargs jq .stored_new; }
blobs() { find "$1/blobs" -type f | wc -l; }
mib() { awk -v b="$1" 'BEGIN { printf "%.1f", b / 1048576 }'; }

# first PARAM DATABASE: a repository of these parameters with the first night in it.
first() {
    local repo=$work/first-$1
    "$KURA" init --repo "$repo" >/dev/null || exit 1
    jq --argjson min $((${1%+*} * 1024)) --argjson mean $((${1#*+} * 1024)) '.segment.min = $min | .segment.mean = $mean' \
        "$repo/kura.json" >"$work/kura.json"
    cp "$work/kura.json" "$repo/kura.json"
    backup "$repo" "$2"
}

# second PARAM DATABASE: what the second night adds, in bytes; the first one stays as it was.
second() {
    rm -rf "$work/second"
    cp -al "$work/first-$1" "$work/second"
    backup "$work/second" "$2"
    stored "$work/second"
}

copy_database() { # copy_database NAME TEMPLATE
    psql -Xqd postgres -c 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1 TEMPLATE $2"
}
change() { # change DATABASE SCENARIO: as a user would, then as autovacuum would
    # without a transaction around: VACUUM and CLUSTER want none
    printf '%s;\n' "${scenario[$2]}" | psql -Xq -v ON_ERROR_STOP=1 -d "$1" >/dev/null || exit 1
    sql "$1" 'VACUUM ANALYZE'
}

row() { printf "%-15s" "$1"; shift; printf ' %15s' "$@"; echo; }
percent_of() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f MiB %.1f%%", a / 1048576, a * 100 / b }'; }

echo "rows: $(for t in $tables; do sql bench "SELECT pg_table_size('$t')"; done | awk '{ n += $1 } END { printf "%d MiB", n / 1048576 }') in tables, without indexes"
declare -A base
# shellcheck disable=SC2086
row 'KiB' $params
line=() counts=()
for param in $params; do
    first "$param" bench
    base[$param]=$(stored "$work/first-$param")
    line+=("$(mib "${base[$param]}") MiB") counts+=("$(blobs "$work/first-$param")")
done
row 'first night' "${line[@]}"
row '.. blobs' "${counts[@]}"
for name in "${wanted[@]}"; do
    copy_database night bench
    change night "$name"
    line=()
    for param in $params; do
        line+=("$(percent_of "$(second "$param" night)" "${base[$param]}")")
    done
    row "$name" "${line[@]}"
done
# A second such night, onto the room that the first one's dead rows left.
copy_database night bench
for round in 1 2; do
    change night recent
    change night deletes
    change night scattered
    line=()
    for param in $params; do
        backup "$work/first-$param" night
        line+=("$(percent_of "$(stored "$work/first-$param")" "${base[$param]}")")
    done
    row "mixed night $round" "${line[@]}"
done
# Would an order of its own help? Rows sorted by their key, on both nights, and what sorting takes.
copy_database sorted bench
cluster="CLUSTER statuses USING statuses_pkey; CLUSTER deliveries USING deliveries_pkey; CLUSTER favourites USING favourites_pkey; CLUSTER accounts USING accounts_pkey"
sql sorted "$cluster"
line=()
rm -rf "$work"/first-*
for param in $params; do
    first "$param" sorted
done
change sorted night
sql sorted "$cluster"
for param in $params; do
    line+=("$(percent_of "$(second "$param" sorted)" "${base[$param]}")")
done
row 'night, sorted' "${line[@]}"
for table in $tables; do
    timed "read $table" psql -Xqd bench -c "COPY $table TO '/dev/null'"
    timed "sort $table" psql -Xqd bench -c "COPY (SELECT * FROM $table ORDER BY id) TO '/dev/null'"
done
