#!/bin/bash
# kura prune: backups go by a policy and nothing else does; what stays is whole, whatever happens meanwhile: a kill at any
# moment, a backup, clocks that are wrong, a key that may not delete, damages. In a directory, on S3, encrypted.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/tools/clock.sh"
kills=${KURA_PRUNE_KILLS:-12}

# at MOMENT ARG...: kura with that clock; times of files and deadlines stay as they are.
at() { HOME=$WORK TMPDIR=$WORK/tmp FAKETIME="@$1" TZ=UTC faked timeout --foreground -k 10 300 "$KURA" -q "${@:2}"; }
policy=(--keep-daily 7 --keep-weekly 4 --keep-monthly 12)
today='2026-12-11 04:00:00'
json() { jq -e "$1" "$WORK/out"; }
ids() { kura -q list --json "$@" | jq -r '.backups[].id'; }
count() { ids "$@" | wc -l; }
blobs() { find "$1/blobs" -type f | wc -l; }

# A night of a site: files come, change and go; the state of each is kept beside.
media=$WORK/media
night() {
    local n=$1 i
    mkdir -p "$media/$((n % 5))"
    for i in 1 2 3 4 5 6; do head -c $((3000 + n * 100 + i)) /dev/urandom >"$media/$((n % 5))/$n-$i"; done
    head -c 20000 /dev/urandom >"$media/avatar"
    [ "$n" -lt 2 ] || rm -f "$media/$(((n - 2) % 5))/$((n - 2))-"[1-4]
    rm -rf "$WORK/nights/$n"
    mkdir -p "$WORK/nights"
    cp -a "$media" "$WORK/nights/$n"
}
# year REPO... : 40 nights from 1 November 2026 on into a new repository.
year() {
    local n day
    rm -rf "$media" "$WORK/nights"
    for ((n = 0; n < 40; n++)); do
        night $n
        day=$(date -u -d "2026-11-01 + $n days" +%F)
        at "$day 03:15:00" backup "$@" --files "media=$media" --app site >"$WORK/out" 2>"$WORK/err" || {
            cat "$WORK/err"
            return 1
        }
    done
}
# whole REPO...: every backup verifies, byte by byte, and is the state of its night.
whole() {
    local id n
    kura -q verify --read-data "$@" || return 1
    for id in $(ids "$@"); do
        n=$((($(date -u -d "${id:0:8}" +%s) - $(date -u -d 20261101 +%s)) / 86400))
        rm -rf "$WORK/back"
        kura -q restore "$id" "$@" --files "media=$WORK/back" || return 1
        diff -r "$WORK/nights/$n" "$WORK/back" || return 1
    done
}
tars_are_whole() {
    local tar
    for tar in "$1"/blobs/*/*.tar; do tar -tf "$tar" >/dev/null || return 1; done
}
# ---- the policy ----
whole=$WORK/whole
check 'init' status_is 0 kura init --repo "$whole"
check '40 nights' year --repo "$whole"
check 'without a policy nothing happens' status_is 2 kura prune --repo "$whole"
check 'and what is missing is named' says '--keep-daily'
check 'a policy that would keep nothing is refused' status_is 2 at "$today" prune --repo "$whole" --keep-tag never-used
check 'with the reason' says 'would keep none of the 40 backups of "site"'
check 'a plan' status_is 0 at "$today" prune --repo "$whole" "${policy[@]}" --grace 0s --plan --json
cp "$WORK/out" "$WORK/plan.json"
# From 4 December on; the Sundays 22 and 29 November, 6 December being one of the days; 30 November.
check 'it keeps 7 days, two more weeks and one more month' json '[.prune.backups[] | select(.stays)] | length == 10'
check 'each with its reasons' json '[.prune.backups[] | select(.stays and (.reasons | length) == 0)] == []'
check 'also those that go' json '[.prune.backups[] | select(.stays | not) | .reasons | length] | all(. == 1)'
check 'the newest has several' json '.prune.backups[-1].reasons == ["daily 2026-12-10", "weekly 2026-W50", "monthly 2026-12", "last good"]'
check 'a plan changes nothing' test "$(count --repo "$whole")" = 40
check 'a plan for people' status_is 0 at "$today" prune --repo "$whole" "${policy[@]}" --plan
check 'says what would go' says 'would go +20261101T031500Z-site-.... +newer one of monthly 2026-11'
check 'and that what is young waits' says 'waiting.*too young'

fresh() { rm -rf "$WORK/repo" && cp -a "$whole" "$WORK/repo"; }
repo=(--repo "$WORK/repo")
fresh
before=$(repo_bytes "$WORK/repo/blobs")
check 'prune' status_is 0 at "$today" prune "${repo[@]}" "${policy[@]}" --grace 0s --max-unused 100 --json
check 'it says the same' test "$(jq -c '[.prune.backups[] | [.id, .stays, .reasons]]' "$WORK/out")" = "$(jq -c '[.prune.backups[] | [.id, .stays, .reasons]]' "$WORK/plan.json")"
check 'as many stay' test "$(count "${repo[@]}")" = 10
check 'what it freed is what is gone' test $((before - $(find "$WORK/repo/blobs" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }') )) -ge "$(jq .prune.freed_bytes "$WORK/out")"
check 'the plan said how much' test "$(jq .prune.freed_bytes "$WORK/out")" = "$(jq .prune.freed_bytes "$WORK/plan.json")"
check 'all that stays is whole' whole "${repo[@]}"
check 'nothing is left over' status_is 0 kura verify "${repo[@]}" --json
check 'no orphans' json '.verify.orphans == 0'
check 'again, nothing to do' status_is 0 at "$today" prune "${repo[@]}" "${policy[@]}" --grace 0s --json
check 'nothing done' json '.prune | .going == 0 and .freed_blobs == 0'

# ---- packs are rewritten ----
fresh
check 'prune that rewrites packs' status_is 0 at "$today" prune "${repo[@]}" "${policy[@]}" --grace 0s --max-unused 0 --json
check 'some were' json '.prune.packs > 0 and .prune.packs_freed > 0'
check 'manifests have a second revision' test -n "$(ls "$WORK"/repo/backups/*.2.json)"
check 'each backup has one manifest' test "$(find "$WORK/repo/backups" -type f | wc -l)" = 10
check 'all is whole' whole "${repo[@]}"
check 'packs are tars' tars_are_whole "$WORK/repo"
check 'and GNU tar finds files in them' bash -c "tar -tvf \$(ls $WORK/repo/blobs/*/*.tar | head -n 1) | grep -E '[0-9]+-[0-9]'"
check 'no orphans' bash -c "'$KURA' -q verify ${repo[*]} --json | jq -e '.verify.orphans == 0'"
check 'again' status_is 0 at "$today" prune "${repo[@]}" "${policy[@]}" --grace 0s --max-unused 0 --json
check 'nothing is rewritten twice' json '.prune | .packs == 0 and .freed_blobs == 0'
check 'a backup after it' status_is 0 at '2026-12-11 05:00:00' backup "${repo[@]}" --files "media=$media" --app site --json
check 'finds all of it there' json '.backup.stored_new < 20000'

# ---- pins, tags, applications ----
fresh
first=$(ids "${repo[@]}" | head -n 1)
check 'pin' status_is 0 kura pin "$first" "${repo[@]}" --reason 'before the move'
check 'twice' status_is 1 kura pin "$first" "${repo[@]}"
check 'one that is not there' status_is 1 kura pin 20200101T000000Z-site-aaaa "${repo[@]}"
check 'list shows it' bash -c "'$KURA' -q list ${repo[*]} | grep '$first.*\[pinned\]'"
check 'show tells why' bash -c "'$KURA' -q show $first ${repo[*]} | grep 'pinned by .*: before the move'"
at '2026-11-20 12:00:00' backup "${repo[@]}" --files "media=$media" --app site --tag pre-upgrade >/dev/null 2>&1
at '2026-10-01 12:00:00' backup "${repo[@]}" --files "media=$media" --app other >/dev/null 2>&1
check 'prune of one application' status_is 0 at "$today" prune "${repo[@]}" --keep-last 2 --keep-tag pre-upgrade --app site --json
check 'keeps pin, tag and the last' json '[.prune.backups[] | select(.stays) | .reasons[0]] == ["pinned", "tag pre-upgrade", "last", "last"]'
check 'the other application is left alone' test "$(count "${repo[@]}" --app other)" = 1
check 'a pinned one is not given up' status_is 1 kura prune "${repo[@]}" --remove "$first"
check 'with the way' says "kura unpin $first"
check 'unpin' status_is 0 kura unpin "${first:0:10}" "${repo[@]}"
check 'not pinned any more' status_is 1 kura unpin "$first" "${repo[@]}"
check 'it is given up by name' status_is 0 kura prune "${repo[@]}" --remove "$first" --json
check 'it alone' json '.prune.going == 1'
check 'the last one of an application is not' status_is 2 kura prune "${repo[@]}" --remove "$(ids "${repo[@]}" --app other)"
cat >"$WORK/kura.conf" <<CONF
[kura]
keep-last = 1
[app site]
keep-last = 3
CONF
check 'a policy of its own is respected' status_is 2 kura prune "${repo[@]}" --config "$WORK/kura.conf"
check 'and named' says 'kura prune --app site'
check 'it counts' status_is 0 at "$today" prune "${repo[@]}" --config "$WORK/kura.conf" --app site --plan --json
check 'as three' json '[.prune.backups[] | select(.stays)] | length == 3'

# ---- what stands against it ----
fresh
kept=$(ids "${repo[@]}" | tail -n 1)
refused() { # refused STATUS WHY
    status_is "$1" at "$today" prune "${repo[@]}" "${policy[@]}" --grace 0s && says "$2" && test "$(find "$WORK/repo/backups" -type f | wc -l)" -ge 40
}
echo '{' >"$WORK/repo/backups/20260101T000000Z-site-bad0.json"
check 'an unreadable manifest' refused 1 'nothing is removed.*cannot be read'
check 'the way out is named' says 'kura prune --remove 20260101T000000Z-site-bad0'
check 'and works' status_is 0 kura prune "${repo[@]}" --remove 20260101T000000Z-site-bad0
touch "$WORK/repo/backups/20270101T000000Z-site-new0.v9.json"
check 'what a newer kura may have written' refused 1 'is no backup that this kura understands'
rm "$WORK/repo/backups/20270101T000000Z-site-new0.v9.json"
index=$(jq -r '.filesets[0].index[0].blob' "$WORK"/repo/backups/$kept*)
mv "$WORK/repo/blobs/${index:0:2}/$index" "$WORK/index"
check 'an index is missing' refused 1 'nothing is removed, for 1 blobs of backup .* are missing'
head -c 10 "$WORK/index" >"$WORK/repo/blobs/${index:0:2}/$index"
check 'an index is short' refused 1 'nothing is removed'
tr 'a' 'b' <"$WORK/index" >"$WORK/repo/blobs/${index:0:2}/$index"
check 'an index is damaged' refused 1 'nothing is removed, for the index of fileset "media"'
cp "$WORK/index" "$WORK/repo/blobs/${index:0:2}/$index"

tr 'a' 'b' <"$WORK/index" >"$WORK/repo/blobs/${index:0:2}/$index"
kura -q verify --read-data "${repo[@]}" >/dev/null 2>&1
cp "$WORK/index" "$WORK/repo/blobs/${index:0:2}/$index"
check 'a damage that verify knows' refused 1 "nothing is removed, for \"blobs/${index:0:2}/$index\" was found damaged"
check 'verify sees that it is gone' status_is 0 kura verify --read-data "${repo[@]}"
check 'then it goes on' status_is 0 at "$today" prune "${repo[@]}" "${policy[@]}" --plan

# rehearsed ID VERDICT STAMP: a rehearsal of a backup, as it would be stored.
rehearsed() {
    mkdir -p "$WORK/repo/rehearsals"
    jq --arg id "$3-site-aaaa" --arg backup "$1" --arg verdict "$2" '.id = $id | .backup = $backup | .app = "site" | .verdict = $verdict' \
        "$TOP/tests/unit/repo/rehearsal.json" >"$WORK/repo/rehearsals/$3-site-aaaa.json"
}
rehearsed "$kept" failed 20261210T050000Z
check 'the newest backup failed its rehearsal' refused 1 "the newest backup of \"site\" failed its rehearsal"
rehearsed "$kept" passed 20261210T060000Z
check 'and passed a later one' status_is 0 at "$today" prune "${repo[@]}" --keep-last 1 --plan --json
check 'which protects it' json '.prune.backups[-1].reasons == ["last", "last good", "last rehearsed"]'
rm "$WORK"/repo/rehearsals/*
third=$(ids "${repo[@]}" | sed -n 3p)
rehearsed "$third" passed 20261103T060000Z
rehearsed "$first" passed 20261203T060000Z
rehearsed "$(ids "${repo[@]}" | sed -n 5p)" findings 20261106T060000Z
check 'an older one is the last rehearsed' status_is 0 at "$today" prune "${repo[@]}" --keep-last 1 --plan --json
check 'and stays' json "[.prune.backups[] | select(.stays) | .id] == [\"$third\", \"$kept\"]"
check 'a backup that fails' status_is 1 at '2026-12-11 03:15:00' backup "${repo[@]}" --files "media=$WORK/nowhere" --app site
check 'is known on this host' refused 1 'the last backup of "site" on this host.* failed'
check 'with the remedy' says 'kura backup --app site'
check 'an application without backups is none to prune' status_is 1 at "$today" prune "${repo[@]}" --keep-last 1 --app nothing-there --keep-tag x --plan
check 'a backup that succeeds' status_is '0|3' at '2026-12-11 03:20:00' backup "${repo[@]}" --files "media=$media" --app site
check 'then it goes on' status_is 0 at "$today" prune "${repo[@]}" "${policy[@]}" --plan

# ---- clocks ----
fresh
check 'a clock that fell back to 1970 keeps all' status_is 0 at '1970-01-02 00:00:00' prune "${repo[@]}" --keep-last 1 --json
check 'they are in the future' json '.prune.going == 0 and .prune.backups[0].reasons == ["in the future"]'
check 'a host whose clock is ten years ahead' status_is 0 at '2036-01-01 00:00:00' prune "${repo[@]}" "${policy[@]}" --keep-within 5d --json
check 'keeps the same' json '[.prune.backups[] | select(.stays)] | length == 10'
check 'and no young blob goes, by the clock of the store' json '.prune.freed_blobs == 0 and .prune.young_blobs > 0'
find "$WORK/repo/blobs" -type f -exec touch -d '25 hours ago' {} +
check 'nor does a clock that is behind keep an old one' status_is 0 at '2000-01-01 00:00:00' prune "${repo[@]}" --keep-last 1 --json
check 'they are gone' json '.prune.young_blobs == 0 and .prune.freed_blobs > 0'
check 'all is whole' whole "${repo[@]}"

# ---- killed ----
fresh
killed=0
for ((n = 1; n <= kills; n++)); do
    # At the n-th file that is removed or gets its name.
    call=$([ $((n % 2)) = 0 ] && echo unlinkat || echo renameat2)
    fresh
    HOME=$WORK TMPDIR=$WORK/tmp FAKETIME="@$today" strace -f -qqq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$((n * n / 2 + 2))" \
        -E LD_PRELOAD="$FAKETIME_LIB" -E NO_FAKE_STAT=1 -E FAKETIME_DONT_FAKE_MONOTONIC=1 \
        "$KURA" -q prune "${repo[@]}" "${policy[@]}" --grace 0s --max-unused 0 >"$WORK/out" 2>&1
    status=$?
    [ $status = 0 ] || killed=$((killed + 1))
    check "killed at the $((n * n / 2 + 2)). $call ($status): what there is verifies" status_is 0 kura verify "${repo[@]}"
    check 'the next one does the rest' status_is 0 at "$today" prune "${repo[@]}" "${policy[@]}" --grace 0s --max-unused 0
    check 'all is as it should be' bash -c "test \$(ls '$WORK/repo/backups' | wc -l) = 10 && '$KURA' -q verify ${repo[*]} --json | jq -e '.verify.orphans == 0'"
done
check "most were killed ($killed of $kills)" test $((killed * 2)) -ge "$kills"
check 'all is whole' whole "${repo[@]}"

# ---- a backup meanwhile ----
fresh
start 15 main
createdb_as site
sql site 'CREATE TABLE note (id int)'
hold site 'LOCK TABLE note IN ACCESS EXCLUSIVE MODE' || die 'no lock'
kura -q backup "${repo[@]}" --db "$(conn site)" --app db >/dev/null 2>&1 &
backup=$!
has_lock() { [ -n "$(ls -A "$WORK/repo/locks" 2>/dev/null)" ]; }
check 'a backup waits for a table' eventually has_lock
check 'prune meanwhile' status_is 11 kura prune "${repo[@]}" --keep-last 1
check 'it is told who' says 'locked for "backup"'
check 'a plan is made all the same' status_is 0 kura prune "${repo[@]}" --keep-last 1 --plan
unhold
wait $backup
HOME=$WORK strace -f -qqq -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_exit=60000000:when=1 "$KURA" -q prune "${repo[@]}" --keep-last 1 >/dev/null 2>&1 &
prune=$!
check 'a prune is slow' eventually has_lock
check 'a backup meanwhile' status_is 11 kura backup "${repo[@]}" --files "media=$media" --app site
check 'it is told why' says 'locked for "prune"'
check 'so is a pin' status_is 11 kura pin latest "${repo[@]}"
kill -KILL "$(pgrep -P $prune)" 2>/dev/null
wait $prune 2>/dev/null

# ---- encrypted ----
sealed=(--repo "$WORK/sealed" --key-file "$WORK/host.key")
check 'encrypted: init' status_is 0 kura init --encrypt "${sealed[@]}" --identity-out "$WORK/identity"
check 'encrypted: 40 nights' year "${sealed[@]}"
check 'encrypted: without the identity nothing is removed' status_is 12 at "$today" prune "${sealed[@]}" "${policy[@]}"
reader=("${sealed[@]}" --identity "$WORK/identity")
check 'encrypted: pin' status_is 0 kura pin "$(find "$WORK/sealed/backups" -type f -printf '%f\n' | sort | head -n 1 | cut -c 1-25)" "${sealed[@]}" --reason secret
check 'encrypted: the reason is not to be seen' bash -c "! grep -rq secret '$WORK/sealed/pins'"
check 'encrypted: prune' status_is 0 at "$today" prune "${reader[@]}" "${policy[@]}" --grace 0s --json
check 'encrypted: no packs are rewritten unless asked' json '.prune.packs == 0 and ([.prune.backups[] | select(.stays)] | length == 11)'
check 'encrypted: all is whole' whole "${reader[@]}"
check 'encrypted: packs are rewritten' status_is 0 at "$today" prune "${reader[@]}" "${policy[@]}" --grace 0s --max-unused 0 --json
check 'encrypted: some' json '.prune.packs > 0'
check 'encrypted: all is whole then' whole "${reader[@]}"
check 'encrypted: a manifest has a revision' test -n "$(ls "$WORK"/sealed/backups/*.2.json.age)"

# ---- S3 ----
s3_start rgw ceph || die 'no S3 server'
s3_bucket ceph site || die 'no bucket'
remote=(--repo s3://site/year --s3-endpoint "$S3_ENDPOINT" --cache-dir "$WORK/cache")
other=(--repo s3://site/year --s3-endpoint "$S3_ENDPOINT")
check 'S3: init' status_is 0 kura init "${other[@]}"
year "${remote[@]}" >"$WORK/out" 2>&1
check 'S3: 40 nights' test "$(count "${other[@]}")" = 40
check 'S3: young blobs stay' status_is 0 at "$today" prune "${other[@]}" "${policy[@]}" --max-unused 100 --json
check 'S3: by the clock of the server' json '.prune.freed_blobs == 0 and .prune.young_blobs > 20'
check 'S3: prune' status_is 0 at "$today" prune "${other[@]}" "${policy[@]}" --grace 0s --max-unused 0 --json
check 'S3: blobs go and packs are rewritten' json '.prune.freed_blobs > 20 and .prune.packs > 0'
check 'S3: all is whole' whole "${other[@]}"
night 40
check 'S3: a backup with a cache from before' status_is '0|3' at '2026-12-11 03:15:00' backup "${remote[@]}" --files "media=$media" --app site --json
check 'S3: it stores what is new' json '.backup.stored_new < 100000'
check 'S3: all is whole then' whole "${other[@]}"
s3_append_only ceph site || die 'no second key'
s3_as appendkey appendsecret
check 'S3: a key that may not delete' status_is 1 at "$today" prune "${other[@]}" --keep-last 1 --grace 0s
check 'S3: is told what to do' says 'with a key that may remove'
check 'S3: nothing is half done' status_is 0 kura verify "${other[@]}"
check 'S3: as many are there' test "$(count "${other[@]}")" = 11
s3_use ceph
finish
