#!/bin/bash
# The pages of rehearsals and repositories in a real browser: nothing scrolls sideways on a phone, nothing is asked for,
# axe finds nothing, and what names and texts of a database bring with them stays text.
# KURA_LOOK_ALL=1: all kinds of pages, and axe on each width in light and dark. KURA_SHOTS=DIR: leaves screenshots there.
. "$(dirname "$0")/lib.sh"
. "$HERE/../tools/browser.sh"

browser_setup || die 'no browser to look at the pages with'
[ -z "${KURA_SHOTS:-}" ] || mkdir -p "$KURA_SHOTS"
pages=$WORK/pages
mkdir "$pages"
repo=$WORK/repo
app='site <b>"&]]>'

# --- pages of a database with hostile names, made by kura itself
start 15 main
createdb_as site
sql site 'CREATE TABLE "<script>alert(1)</script>" (id int PRIMARY KEY, at timestamptz DEFAULT now());
    INSERT INTO "<script>alert(1)</script>" SELECT generate_series(1, 1000);
    CREATE TABLE "]]> --> </style></title> {} {=}" (t text); CREATE TABLE "台帳台帳台帳台帳台帳台帳台帳台帳台帳台帳台" (t text);
    CREATE SCHEMA "a	b"; CREATE TABLE "a	b"."right '$'\u202e''to left" (t text)' || die 'no site'
kura init --repo "$repo" >/dev/null || die 'no repository'
check 'report: an empty repository' status_is 0 kura report --repo "$repo" --output "$pages/empty.html"
check 'report: says so' says 'there is no backup in this repository'
next_second() {
    local now=$EPOCHSECONDS
    while [ "$EPOCHSECONDS" = "$now" ]; do sleep 0.05; done
}
rehearse() { kura rehearse latest --repo "$repo" --app "$app" --server "host=$PGHOST user=postgres" "$@"; }
check 'backup' status_is '0|3' kura backup --repo "$repo" --db "$(conn site)" --app "$app"
check 'list: never rehearsed' bash -c "'$KURA' list --repo '$repo' | grep -q '  never'"
check 'rehearse --report' status_is '0|3' rehearse --report "$WORK/first.html"
sql site 'INSERT INTO "<script>alert(1)</script>" SELECT generate_series(1001, 9000)' || die 'no rows'
next_second
check 'another backup' status_is '0|3' kura backup --repo "$repo" --db "$(conn site)" --app "$app"
check 'another rehearsal' status_is '0|3' rehearse --report "$pages/rehearsed.html" --json
check 'no false alarm: what the verdict passes no proof fails' jq -e '.rehearsal | .verdict == "passed" and all(.proofs[]; .failed == 0)' "$WORK/out"
check 'its page says so' grep -qF '<h1>This backup would come back.</h1>' "$pages/rehearsed.html"
check 'its JSON tells those before' jq -e '.rehearsal.id as $id | .earlier | length == 1 and all(.id < $id and (.tables | length == 4))' "$WORK/out"
next_second # ids of one second have no order
check 'a rehearsal with a migration that fails' status_is 1 rehearse --report "$pages/migrated.html" --run \
    'psql -v ON_ERROR_STOP=1 -c "CREATE TABLE \"<b>new\" (id int)" -c "DELETE FROM \"<script>alert(1)</script>\" WHERE id = 7" -c "SELECT 1/0"'
check 'its page shows what it did' grep -qF 'ERROR:  division by zero' "$pages/migrated.html"
check 'its page shows the new table' grep -qF '<bdi>public.&quot;&lt;b&gt;new&quot;</bdi>' "$pages/migrated.html"
check 'its page shows whose rows it changed' grep -qE 'alert\(1\)&lt;/script&gt;&quot;</bdi></th><td class=n>9,000</td><td class=n>8,999</td>' "$pages/migrated.html"
check 'its page shows what has grown' grep -q 'Since last' "$pages/rehearsed.html"
check 'the first one had nothing to compare' bash -c '! grep -q "Since last" "$1"' - "$WORK/first.html"
check 'the table is on it, as text' grep -qF '<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>' "$pages/rehearsed.html"
check 'verify: rehearsals are in nobodys way' status_is 0 kura verify --repo "$repo"
check 'list: rehearsed' bash -c "'$KURA' list --repo '$repo' | tail -n 1 | grep -qE '  failed, [0-9.]+ (s|min [0-9]+ s) ago'"
check 'list --json' status_is 0 kura list --repo "$repo" --json
check 'list --json: rehearsed' jq -e '.backups | length == 2 and (map(.rehearsal.verdict) | .[0] != "failed" and .[1] == "failed") and all(.rehearsal | .age >= 0 and .restore_seconds > 0)' "$WORK/out"
check 'report' status_is 0 kura report --repo "$repo" --output "$pages/repository.html"
check 'report --json' status_is 0 kura report --repo "$repo" --json
check 'report --json: as the page' jq -e --arg app "$app" '.report.apps[0] | .app == $app and (.backups | length == 2) and (.rehearsals | length == 3) and .never_rehearsed == 0' "$WORK/out"
check 'report to standard output' bash -c "'$KURA' report --repo '$repo' | grep -q '^</html>'"
check 'a page where none can be written' status_is 1 kura report --repo "$repo" --output "$WORK/none/page.html"

# --- an encrypted one: read with the identity alone
export KURA_KEY_FILE=$WORK/host.key
kura init --repo "$WORK/sealed" --encrypt --identity-out "$WORK/identity.txt" >/dev/null || die 'no encrypted repository'
check 'encrypted: backup' status_is '0|3' kura backup --repo "$WORK/sealed" --db "$(conn site)" --app site
check 'encrypted: rehearse' status_is '0|3' kura rehearse latest --repo "$WORK/sealed" --app site --identity "$WORK/identity.txt" \
    --server "host=$PGHOST user=postgres" --report "$WORK/sealed.html"
check 'encrypted: it is sealed' bash -c 'for f in "$1"/rehearsals/*; do [[ $f == *.json.age ]] && ! grep -qa verdict "$f" || exit 1; done' - "$WORK/sealed"
check 'encrypted: no report without the identity' status_is 12 kura report --repo "$WORK/sealed"
check 'encrypted: report' status_is 0 kura report --repo "$WORK/sealed" --identity "$WORK/identity.txt" --output "$WORK/sealed.html"
check 'encrypted: verify' status_is 0 kura verify --repo "$WORK/sealed" --identity "$WORK/identity.txt"
unset KURA_KEY_FILE

# --- every kind of page, in the browser
mkdir "$WORK/all"
"$BUILD/tests/tools/report-pages" "$WORK/all" || die 'report-pages failed'
look() { TMPDIR=$WORK timeout --foreground 900 bash -c '. "$1"; browser_look "$2" ${KURA_SHOTS:+"$KURA_SHOTS"}' - "$HERE/../tools/browser.sh" "$1"; }

# That it would see what is wrong: a page that has all of it.
mkdir "$WORK/broken"
sed -e '/Content-Security-Policy/d' -e '/^img-src/d' -e 's|<main.*>|&<p style="color:#eee;background:#fff">pale</p><div style="width:2000px">wide</div>\
<img src="https://example.invalid/a.png"><script>console.error("noise")</script>|' "$WORK/all/bare.html" >"$WORK/broken/broken.html"
check 'a broken page' status_is 0 look "$WORK/broken"
for what in 'nothing scrolls sideways' 'axe finds nothing' "the markup is the program's" 'nothing on the console' 'nothing is requested'; do
    check "a broken page is told: $what" grep -q "^not ok broken.*: $what" "$WORK/out"
done

for page in "$WORK"/all/*.html; do
    case ${KURA_LOOK_ALL:-}$(basename "$page" .html) in
    1* | passed | hostile | migrated) cp "$page" "$pages/sample-$(basename "$page")" ;;
    esac
done
cp "$WORK/all/repository.html" "$pages/sample-repository.html"
check 'the browser looks at every page' status_is 0 look "$pages"
check 'each page was looked at' grep -qx "done $(find "$pages" -name '*.html' | wc -l)" "$WORK/out"
cp "$WORK/out" "$WORK/looked"
while read -r line; do
    case $line in
    'ok '*) record pass "${line#ok }" ;;
    'not ok '*)
        echo "$line" >"$WORK/check.out"
        record fail "${line#not ok }" "$WORK/check.out"
        ;;
    esac
done <"$WORK/looked"
finish
