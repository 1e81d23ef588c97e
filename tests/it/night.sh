#!/bin/bash
# Nights with nobody watching: hooks, pings, notifications, metrics, the journal, kura status, units of systemd.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/tools/clock.sh"
unset JOURNAL_STREAM

repo=$WORK/repo config=$WORK/kura.conf state=$KURA_STATE_DIR
kura init --repo "$repo" >/dev/null || die 'no repository'
mkdir "$WORK/media" && echo one >"$WORK/media/one" || die 'no files'

monitor=$WORK/monitor
mkdir "$monitor"
python3 "$HERE/../tools/ping-server.py" "$monitor" &
eventually test -s "$monitor/port" || die 'the monitor does not listen'
url=http://127.0.0.1:$(cat "$monitor/port")

# A program that leaves a note of what it was told.
cat >"$WORK/hook" <<'END_OF_HOOK'
#!/bin/bash
env | grep ^KURA_ | sort >"$1.env"
printf '%s\n' "${@:2}" >"$1.args"
cat >"$1.stdin"
echo "$(basename "$1")" >>"$(dirname "$1")/order"
echo "hook $1 speaks"
exit "${HOOK_STATUS:-0}"
END_OF_HOOK
chmod +x "$WORK/hook"

# configure LINE...: one application with these lines beside its files.
configure() {
    {
        printf '[repository main]\nlocation = %s\n[app shop]\nfiles = media=%s\n' "$repo" "$WORK/media"
        printf '%s\n' "$@"
    } >"$config"
    chmod 600 "$config"
    rm -f "$WORK"/*.env "$WORK"/*.args "$WORK"/*.stdin "$WORK/order" "$monitor"/requests
    : >"$monitor/requests"
}
night() { kura --config "$config" "$@" --app shop; }
told() { # told EVENT VARIABLE=VALUE...: what a hook saw in its environment
    local file=$WORK/$1.env wanted
    cat "$file" || return 1
    for wanted in "${@:2}"; do
        grep -qxE "$wanted" "$file" || { echo "not there: $wanted"; return 1; }
    done
}
last() { # last COMMAND CONDITION: of what the host remembers
    jq . "$state/shop.json" || return 1
    jq -e ".\"$1\".last | $2" "$state/shop.json" >/dev/null
}
requested() { # requested LINE...: exactly these requests came, in this order
    printf '%s\n' "$@" >"$WORK/wanted"
    [ $# != 0 ] || : >"$WORK/wanted"
    grep -v ' /slow/' "$monitor/requests" | diff "$WORK/wanted" -
}
backups() { find "$repo/backups" -name '*.json' | wc -l; }

# --- a hook that hangs and a monitor that does, in the background: their deadlines take a while
mkdir "$WORK/slow" && cp "$WORK/media/one" "$WORK/slow/"
kura init --repo "$WORK/slow-repo" >/dev/null || die 'no repository'
printf '[app slow]\nrepo = %s\nfiles = media=%s\nping-start-url = %s\n' "$WORK/slow-repo" "$WORK/slow" "$url/slow/start" >"$WORK/slow.conf"
chmod 600 "$WORK/slow.conf"
(
    began=$SECONDS
    kura --config "$WORK/slow.conf" backup --app slow
    echo "status $?"
    echo "seconds $((SECONDS - began))"
) >"$WORK/slow.out" 2>&1 &
slow=$!

# --- hooks
configure "before-backup = $WORK/hook $WORK/first 'one  word' \"two \\\"words\\\"\" \$HOME *" \
    "before-backup = $WORK/hook $WORK/second" \
    "after-backup = $WORK/hook $WORK/after"
check 'hooks: a backup' status_is 0 night backup
id=$(latest "$repo")
check 'hooks: before in their order, then after' bash -c '[ "$(tr "\n" " " <"$0")" = "first second after " ]' "$WORK/order"
check 'hooks: words as they were written, no shell' bash -c 'printf "%s\n" "one  word" "two \"words\"" "\$HOME" "*" | cmp - "$0"' "$WORK/first.args"
check 'hooks: before are told' told first KURA_HOOK=before-backup KURA_COMMAND=backup KURA_APP=shop "KURA_REPOSITORY=$repo"
check 'hooks: before do not know the end' bash -c '! grep -e STATUS -e ERROR "$0"' "$WORK/first.env"
check 'hooks: after are told' told after KURA_HOOK=after-backup KURA_STATUS=success KURA_EXIT_STATUS=0 KURA_ERROR= "KURA_BACKUP_ID=$id" 'KURA_SECONDS=[0-9]+'
check 'hooks: what they say is in the log' says 'before-backup: hook .*/first speaks'
check 'hooks: their input is empty' bash -c '! [ -s "$0" ]' "$WORK/first.stdin"

before=$(backups)
configure "before-backup = sh -c 'echo cannot stop the site; exit 7'" "before-backup = $WORK/hook $WORK/second" \
    "after-backup = $WORK/hook $WORK/after" "notify-command = $WORK/hook $WORK/notified"
check 'a before hook fails: so does the run' status_is 1 night backup
check '.. the error names it, its status and what it said' says 'error: before-backup: "sh" ended with status 7: cannot stop the site'
check '.. there is no backup' [ "$(backups)" = "$before" ]
check '.. hooks behind it do not run, those after do, and who is notified' bash -c '[ "$(tr "\n" " " <"$0")" = "after notified " ]' "$WORK/order"
check '.. and know why' told after KURA_STATUS=failure KURA_EXIT_STATUS=1 'KURA_ERROR=before-backup: .* status 7.*' KURA_BACKUP_ID=
check '.. the host remembers it' last backup '.status == 1 and (.error | contains("status 7")) and .backup == null'
check '.. and the good one before it' jq -e --arg id "$id" '.backup.good.backup == $id' "$state/shop.json"

configure "before-backup = sh -c 'echo \$\$ >$WORK/hanging; sleep 1000 & echo \$! >>$WORK/hanging; trap \"\" TERM; wait; sleep 1000'" \
    'hook-timeout = 0.5s' "after-backup = $WORK/hook $WORK/after"
check 'a hook hangs: the run fails' status_is 1 night backup
check '.. and says so' says 'before-backup: "sh" did not end within 0.5 s and was ended'
check '.. nothing of it is left' bash -c '! kill -0 $(cat "$0") 2>/dev/null' "$WORK/hanging"
check '.. hooks after it run' told after KURA_STATUS=failure

configure "after-backup = $WORK/no-such-program" "after-backup = sh -c 'exit 5'" "after-backup = $WORK/hook $WORK/after"
check 'after hooks fail: done, with warnings' status_is 3 night backup --json
check '.. each is told, in JSON too' jq -e '[.findings[] | select(.code == "hook-failed") | .message] | length == 2 and (.[1] | contains("status 5"))' "$WORK/out"
check '.. the backup is there' jq -e '.backup.id' "$WORK/out"
check '.. the last one ran nevertheless' told after KURA_STATUS=success
check '.. the host remembers a good backup with warnings' last backup '.status == 3 and .warnings == 2 and .backup != null'

configure "before-backup = sh -c 'kill -TERM \$PPID; sleep 100'" "after-backup = $WORK/hook $WORK/after" "notify-command = $WORK/hook $WORK/notified"
check 'interrupted: exit status of a stop' status_is 143 night backup
check '.. hooks after it run, and who is notified' bash -c '[ "$(tr "\n" " " <"$0")" = "after notified " ]' "$WORK/order"
check '.. and know' told after KURA_STATUS=failure KURA_EXIT_STATUS=143
check '.. the host remembers it' last backup '.status == 143'

configure "before-restore = $WORK/hook $WORK/first" "after-restore = $WORK/hook $WORK/after" "before-backup = false"
check 'restore: a backup to restore' status_is 0 kura backup --repo "$repo" --files "media=$WORK/media" --app shop
check 'restore' status_is 0 night restore latest --files "media=$WORK/restored"
check '.. its hooks are told' told first KURA_HOOK=before-restore KURA_COMMAND=restore
check '.. after, too' told after KURA_HOOK=after-restore KURA_STATUS=success
check '.. what was restored' same "$WORK/media/one" "$WORK/restored/one"
configure "before-restore = false" "after-restore = $WORK/hook $WORK/after"
check 'restore: a hook fails before it' status_is 1 night restore latest --files "media=$WORK/never"
check '.. nothing was restored' [ ! -e "$WORK/never" ]
rm -f "$WORK/after.env"
check 'restore --plan runs no hook' status_is 0 night restore latest --files "media=$WORK/never" --plan
check '.. indeed' [ ! -e "$WORK/after.env" ]

# --- who may write the configuration may run programs
configure "before-backup = $WORK/hook $WORK/first"
chmod 620 "$config"
check 'a configuration that a group may write: no hook runs' status_is 1 night backup
check '.. and why' says 'names programs to run, and others may write to it'
check '.. with the remedy' says 'hint: .*chmod go-w'
check '.. indeed' [ ! -e "$WORK/first.env" ]
if [ "$(id -u)" = 0 ]; then
    chmod 600 "$config" && chown nobody "$config"
    check 'a configuration of somebody else: no hook runs' status_is 1 night backup
    check '.. and why ' says 'and somebody else owns it'
    chown root "$config"
fi
chmod 644 "$config"
check 'what needs no hook works' status_is 0 night list
check 'no hook on the command line' status_is 2 kura backup --before-backup true --repo "$repo" --files "media=$WORK/media"
check '.. with the remedy ' says 'hint: .*into the configuration file'
configure "before-backup = sh -c 'echo"
check 'a command line that does not end is found when the file is read' status_is 2 night list
check '.. with its line' says "kura.conf:5: key \"before-backup\": a command line has a ' that does not end"

# --- pings
configure "ping-url = $url/secret-token?create=1"
check 'pings: a backup' status_is 0 night backup
check 'pings: start, then success' requested 'POST /secret-token/start?create=1 200' 'POST /secret-token?create=1 200'
check 'pings: with a summary' grep -q '^files: 1 ' "$monitor/body.$(find "$monitor" -name 'body.*' | wc -l)"
check 'pings: other commands are not the backup' status_is 0 night verify
check '.. and are not told of' requested 'POST /secret-token/start?create=1 200' 'POST /secret-token?create=1 200'
configure "ping-url = $url/{app}-{command}"
check 'pings: one check for each command' status_is 0 night verify
check '.. by its name' requested 'POST /shop-verify/start 200' 'POST /shop-verify 200'
configure "ping-url = $url/secret-token" "before-backup = sh -c 'echo the disk is full; false'"
check 'pings: a failure' status_is 1 night backup
check '.. is told' requested 'POST /secret-token/start 200' 'POST /secret-token/fail 200'
check '.. with the reason' grep -q 'error: before-backup: .*the disk is full' "$monitor/body.$(find "$monitor" -name 'body.*' | wc -l)"
configure "ping-url = $url/flaky/x"
check 'pings: a server that fails twice' status_is 0 night backup
check '.. is asked again' requested 'POST /flaky/x/start 503' 'POST /flaky/x/start 503' 'POST /flaky/x/start 200' 'POST /flaky/x 200'
configure "ping-start-url = $url/gone/secret-token" "ping-success-url = $url/away/secret-token"
check 'pings: one that nobody takes changes nothing' status_is 0 night backup
check '.. and is told, by its host' says 'warning: pinging "127.0.0.1": the server answered with HTTP status 404'
check '.. a redirect is not followed' requested 'POST /gone/secret-token 404' 'POST /away/secret-token 302'
check '.. the host counts no warning' last backup '.status == 0 and .warnings == 0'
check 'pings: no URL in the log' bash -c '! grep -r secret-token "$0"/out "$0"/err' "$WORK"
configure 'ping-url = http://127.0.0.1:1/secret-token'
check 'pings: nobody listens' status_is 0 night -v backup
check '.. is told' says 'warning: pinging "127.0.0.1": .*connect'
check '.. without the URL' bash -c '! grep -r secret-token "$0"/out "$0"/err' "$WORK"
configure 'ping-url = http://monitor.example/secret-token'
check 'pings: in the clear to another host: refused before anything' status_is 2 night backup
check '.. with the remedy' says 'hint: .*ping-allow-http'
configure 'ping-url = ftp://monitor.example/secret-token'
check 'pings: no such scheme' status_is 2 night backup
check '.. without the URL ' bash -c '! grep -r secret-token "$0"/out "$0"/err' "$WORK"
configure "ping-url = $url/x"
chmod 644 "$config"
check 'pings: a URL that everybody may read is a warning' status_is 3 night backup
check '.. says so' says 'everybody may read it'

# --- notifications
mailer=$WORK/mailer
printf '#!/bin/sh\ncat >"%s.mail"\nprintf "%%s\\n" "$@" >"%s.args"\n' "$mailer" "$mailer" >"$mailer"
chmod +x "$mailer"
configure "notify-command = $WORK/hook $WORK/notified" 'mail-to = root@localhost' 'mail-to = second@example.org' "sendmail = $mailer -i -t"
check 'no notification of what went well' status_is 0 night backup
check '.. indeed' [ ! -e "$WORK/notified.env" ] && check '.. nor a mail' [ ! -e "$mailer.mail" ]
configure "notify-command = $WORK/hook $WORK/notified" 'mail-to = root@localhost' 'mail-to = second@example.org' "sendmail = $mailer -i -t" \
    "before-backup = sh -c 'printf \"first\\nBcc: evil@example.org\\n\"; exit 1'"
check 'a failure' status_is 1 night backup
check '.. is told to a program' told notified KURA_HOOK=notify-command KURA_STATUS=failure KURA_EXIT_STATUS=1
check '.. with a text' grep -q '^kura: backup of shop on .*: failure, exit status 1' "$WORK/notified.stdin"
check '.. with the error' grep -q '^error: before-backup: .*Bcc: evil' "$WORK/notified.stdin"
check '.. and by mail' grep -qx 'To: root@localhost, second@example.org' "$mailer.mail"
check '.. whose header nobody adds to' bash -c '! sed "/^\$/q" "$0" | grep -i bcc' "$mailer.mail"
check '.. with a subject' grep -qE '^Subject: kura: backup of shop on .*: failure$' "$mailer.mail"
check '.. by the program that is named' bash -c 'printf "%s\n" -i -t | cmp - "$0"' "$mailer.args"
configure 'mail-to = root@localhost, Bcc: evil@example.org'
check 'mail to what is no address is refused' status_is 2 night backup
configure "notify-command = sh -c 'exit 9'" 'before-backup = false'
check 'a notifier that fails' status_is 1 night backup
check '.. is told' says 'warning: notify-command: "sh" ended with status 9'

# --- metrics
promtool=$(sh "$HERE/../tools/promtool.sh") || die 'no promtool'
metrics=$WORK/prom/kura.prom
mkdir "$WORK/prom"
with_metrics() { printf '[kura]\nmetrics-file = %s\n' "$metrics" >>"$config"; }
metric() { # metric LINE-PATTERN
    cat "$metrics" || return 1
    grep -qE "^$1\$" "$metrics"
}
configure
with_metrics
check 'metrics: a backup' status_is 0 night backup
check 'metrics: another application, with an odd name' status_is 0 kura --config "$config" backup --app $'odd "\\\nname\xff' --files "media=$WORK/media" --repo "$repo"
check 'metrics: promtool likes them' bash -c 'said=$("$0" check metrics <"$1" 2>&1) && [ -z "$said" ] || { echo "$said"; false; }' "$promtool" "$metrics"
check 'metrics: everybody may read them' [ "$(stat -c %a "$metrics")" = 644 ]
check 'metrics: nothing beside them' [ "$(ls "$WORK/prom")" = kura.prom ]
check 'metrics: the last success' metric "kura_last_success_timestamp_seconds\{app=\"shop\",command=\"backup\"\} $(date -d "$(jq -r .backup.good.finished "$state/shop.json")" +%s)"
check 'metrics: figures' metric 'kura_backup_files\{app="shop"\} 1'
check 'metrics: of all applications' metric 'kura_backup_file_bytes\{app="odd \\"\\\\\\nname\\\\xff"\} 4'
sed -i 's/^files = .*/files = media=\/nonexistent/' "$config"
check 'metrics: a failure' status_is 1 night backup
check '.. counts' metric 'kura_last_run_exit_status\{app="shop",command="backup"\} 1'
check '.. and forgets no success' metric 'kura_last_success_timestamp_seconds\{app="shop",command="backup"\} [0-9]+'
printf '[kura]\nmetrics-file = /nonexistent/kura.prom\n' >"$WORK/extra" && configure && cat "$WORK/extra" >>"$config"
check 'metrics that cannot be written fail nothing' status_is 0 night backup
check '.. and are told' says 'warning: no metrics are written'

# --- the journal: standard error is what JOURNAL_STREAM names
configure "before-backup = printf 'two\\nlines\\n'" "after-backup = false"
journal() { # with a stream of its own, and the variable as systemd sets it
    kura --config "$config" "$@" >"$WORK/out" 2>"$WORK/journal"
}
: >"$WORK/journal"
export JOURNAL_STREAM=$(stat -c %d:%i "$WORK/journal")
check 'journal: a backup' bash -c '[ "$0" = 3 ]' "$(journal -v backup --app shop; echo $?)"
check 'journal: each line says how grave it is' bash -c '[ -s "$0" ] && ! grep -avE "^<[3-7]>[^<]" "$0"' "$WORK/journal"
check 'journal: a line of a hook' grep -qx '<6>before-backup: lines' "$WORK/journal"
check 'journal: a warning' grep -q '^<4>warning: after-backup: "false" ended with status 1' "$WORK/journal"
check 'journal: details' grep -q '^<7>debug: ' "$WORK/journal"
check 'journal: an error' bash -c '[ "$0" = 10 ]' "$(journal backup --app shop --repo "$WORK/nowhere"; echo $?)"
check 'journal: is grave' grep -q '^<3>kura: error: ' "$WORK/journal"
check 'not the journal: plain lines' status_is 3 night backup
check '.. indeed' bash -c '! grep "^<" "$0"' "$WORK/err"
unset JOURNAL_STREAM

# --- what the host remembers
configure
check 'state: readable by a group, and by nobody else' [ "$(stat -c '%a' "$state") $(stat -c '%a' "$state/shop.json")" = '750 640' ]
check 'state: a directory that cannot be written fails nothing' status_is 0 kura --config "$config" backup --app shop --state-dir /proc/nowhere
check '.. and is told' says 'warning: how this run ends is not remembered'
for i in 1 2 3 4 5 6; do
    night verify >/dev/null 2>&1 &
    runs[i]=$!
done
check 'state: a backup beside six verifications' status_is 0 night backup
for i in 1 2 3 4 5 6; do wait "${runs[i]}"; done
check '.. all is remembered' jq -e '.backup.last.status == 0 and .verify.last.status == 0 and .verify.last.finished != null' "$state/shop.json"
check '.. nothing beside it' bash -c '! ls "$0" | grep -v "\.json$"' "$state"
configure "before-backup = sh -c 'kill -KILL \$PPID; sleep 1'"
check 'killed' status_is 137 night backup
check '.. is remembered as not ended' last backup '.finished == null'
check '.. status knows that it was killed' status_is 3 night status
check '.. and says so' says 'was killed, or its host went down'
configure
check 'the next one is fine' status_is 0 night backup
check '.. and status too' status_is 0 night status

# --- status
check 'status: young enough' status_is 0 night status --max-age 26h
check '.. tells the backup' says "newest backup +$(latest "$repo"), .* old"
later() { at "$1" env HOME="$WORK" TMPDIR="$WORK/tmp" "$KURA" --config "$config" "${@:2}" --app shop; } # later OFFSET ARG...
check 'status: after two days' status_is 3 later +2d status --max-age 26h
check '.. too old' says 'error: the newest backup of "shop", .*, is .* old, and may be 26 h 00 min'
check 'status: from the future' status_is 3 later -2d status --max-age 26h
check '.. told' says 'of the future'
check 'status: never rehearsed' status_is 3 night status --max-rehearsal-age 35d
check '.. told' says 'no backup of "shop" was ever rehearsed'
check 'status: verified' status_is 0 night status --max-verify-age 8d
check 'status: verified long ago' status_is 3 later +9d status --max-verify-age 8d
check 'status: JSON' status_is 3 later +2d status --max-age 1d --json
check '.. figures' jq -e '.apps[0] | .app == "shop" and .backup_age > 172000 and .reached and .runs.backup.good' "$WORK/out"
check '.. findings' jq -e '.findings[0].code == "backup-too-old"' "$WORK/out"
nagios() { # nagios WANTED-STATUS WANTED-LINE ARG...
    local wanted=$1 line=$2
    shift 2
    status_is "$wanted" "$@" --nagios && [ "$(wc -l <"$WORK/out")" = 1 ] && grep -qE "$line" "$WORK/out"
}
check 'nagios: fine' nagios 0 "^KURA OK - shop backed up .* ago \| 'shop backup age'=[0-9]+s;;93600;0 'shop verify age'=[0-9]+s;;;0\$" night status --max-age 26h
check 'nagios: a warning' nagios 1 '^KURA WARNING - no backup of "shop" was ever rehearsed \| ' night status --max-rehearsal-age 35d
check 'nagios: critical' nagios 2 '^KURA CRITICAL - the newest backup of "shop", .* is .* old, and may be' later +2d status --max-age 26h
check 'nagios: unknown' nagios 3 '^KURA UNKNOWN - configuration file: cannot open' kura --config "$WORK/nowhere" status
check 'nagios: no application is known' nagios 3 '^KURA UNKNOWN - no application is known' kura --state-dir "$WORK/nowhere" --repo "$repo" status
check 'nagios: no backup' nagios 2 '^KURA CRITICAL - there is no backup of "blog"' kura --repo "$repo" status --app blog
check 'nagios: a name that would be data' nagios 2 'there is no backup of "a/b=c.x"[^|]*\|$' kura --repo "$repo" status --app "a|b=c'x"
check 'a duration without a unit is refused' status_is 2 night status --max-age 26
check '.. with examples' says 'a duration is needed, such as 90s, 26h or 35d'
check 'all applications of this host' status_is 3 kura --config "$config" status --json --max-age 26h
check '.. are told' jq -e '[.apps[].app] | index("shop") and index("slow") and any(.[]; startswith("odd"))' "$WORK/out"

mv "$repo" "$repo.away"
check 'status without the repository' status_is 3 night status --max-age 26h
check '.. says so, and what the host remembers' says 'could not be looked at, what this host remembers is told'
check '.. the backup is known' says 'newest backup +2.*-shop-.* old'
check 'nagios: that is a warning' nagios 1 'KURA WARNING - the repository of "shop" could not be looked at' night status --max-age 26h
check 'nagios: and an old backup is critical also then' nagios 2 'KURA CRITICAL - the newest backup' later +2d status --max-age 26h
check 'a backup without its repository' status_is 10 night backup
mv "$repo.away" "$repo"
check 'status: the last backup failed' status_is 3 night status
check '.. tells why' says 'the last backup of "shop", at .*, failed: there is no repository'
night backup >/dev/null 2>&1
blob=$(find "$repo/blobs" -type f | sort | head -n 1)
mv "$blob" "$WORK/blob"
check 'damage is found' status_is 3 night verify
check 'status: knows' status_is 3 night status
check '.. and says so' says 'error: [0-9]+ things in backups of "shop" are missing or damaged'
mv "$WORK/blob" "$blob"
check 'mended' status_is 0 kura --config "$config" verify --repo "$repo"
check 'status: a verification of the whole repository counts' status_is 0 night status --max-verify-age 1h
check 'status: also one of another host' status_is 0 night status --max-verify-age 1h --state-dir "$WORK/nowhere"
check 'status: never read through' status_is 3 night status --max-read-age 31d
check '.. told' says 'the backups of "shop" were never read through'
check 'read through' status_is 0 night verify --read-data
check 'status: read through' status_is 0 night status --max-read-age 31d

# --- prune: never after a failed backup
configure "keep-last = 1" "before-backup = false"
check 'prune: a failed backup' status_is 1 night backup
check 'prune: refused' status_is 1 night prune --grace 0s
check '.. why' says 'nothing is removed, for the last backup of "shop" on this host, .* failed: before-backup'
check '.. with the remedy' says 'hint: .*that succeeds first'
check '.. nothing is gone' [ "$(backups)" -gt 2 ]
check '.. and is remembered' jq -e '.prune.last | .status == 1 and (.error | contains("nothing is removed"))' "$state/shop.json"
configure "keep-last = 1"
with_metrics
check 'prune: a backup' status_is 0 night backup
check 'prune' status_is 0 night prune --grace 0s
check '.. what it freed is remembered' jq -e '.prune.last | .status == 0 and .repository_bytes > 0' "$state/shop.json"
check '.. and told as a metric' metric 'kura_prune_freed_bytes\{app="shop"\} [0-9]+'
check '.. promtool likes it' "$promtool" check metrics <"$metrics"
check '.. status is fine' status_is 0 night status

kura init --repo "$WORK/sealed" --encrypt --identity-out "$WORK/identity" --key-file "$WORK/host.key" >"$WORK/log" 2>&1 || die 'no encrypted repository'
sealed() { kura "$@" --repo "$WORK/sealed" --key-file "$WORK/host.key" --app vault; }
check 'encrypted: a backup' status_is 0 sealed backup --files "media=$WORK/media"
check 'encrypted: status needs no identity' status_is 0 sealed status --max-age 1h
check '.. and tells the backup' says 'newest backup +2'
check 'encrypted: also where nothing is remembered' status_is 0 sealed status --max-age 1h --state-dir "$WORK/nowhere"

# --- a second repository
second=$WORK/second
kura init --repo "$second" >/dev/null || die 'no second repository'
printf '[repository main]\nlocation = %s\n[repository second]\nlocation = %s\n[app pair]\nrepo = main\nrepo = second\nfiles = media=%s\n' \
    "$repo" "$second" "$WORK/media" >"$WORK/pair.conf"
pair() { kura --config "$WORK/pair.conf" "$@" --app pair; }
check 'two repositories: a backup' status_is 0 pair backup
check '.. its figures are remembered' jq -e '.backup.last | .files == 1 and .backup != null' "$state/pair.json"
check '.. status looks at both' nagios 0 "'pair backup age'=.* 'pair $second backup age'=" pair status --max-age 1h
mv "$second" "$second.away"
check 'two repositories: one is away' status_is 3 pair backup
check '.. status tells which' status_is 3 pair status
check '.. by its name' says "the repository of \"pair\" in \"$second\" could not be looked at"
mv "$second.away" "$second"
rm "$second"/backups/*
check 'two repositories: one has no backup' nagios 2 "CRITICAL - there is no backup of \"pair\" in \"$second\"" pair status
check '.. a copy' status_is 0 kura copy --config "$WORK/pair.conf" --app pair --to second
check '.. is remembered' jq -e '.copy.last | .status == 0 and .new_bytes >= 0' "$state/pair.json"
check '.. cures it' status_is 0 pair status

# --- what hung meanwhile
wait "$slow"
cat "$WORK/slow.out" >"$WORK/out"
: >"$WORK/err"
check 'a monitor that hangs is given up, and the backup is made' says '^status 0'
check '.. and told' says 'warning: pinging "127.0.0.1": .*[Tt]ime'
check '.. within a minute' bash -c 'seconds=$(sed -n "s/^seconds //p" "$0"); echo "$seconds"; [ "${seconds:-99}" -lt 60 ]' "$WORK/slow.out"

# --- units
units=$WORK/units
mkdir "$units"
for file in "$BUILD"/share/systemd/kura*@.*; do
    sed "s|^ExecStart=[^ ]*/kura |ExecStart=$KURA |" "$file" >"$units/$(basename "$file")"
done
printf '[app blog]\nfiles = media=%s\nserver = host=/tmp\n' "$WORK/media" >>"$config"
check 'install-timer: what it would do' status_is 0 kura --config "$config" install-timer --app shop --unit-dir "$units"
check '.. changes nothing' [ ! -e "$units/kura@shop.service.d" ]
check 'install-timer' status_is 0 kura --config "$config" install-timer --unit-dir "$units" --calendar '*-*-* 00/6:00:00' --apply --json
check '.. which timers' jq -e '.timers == ["kura@shop.timer", "kura-verify@shop.timer", "kura-prune@shop.timer", "kura@blog.timer", "kura-verify@blog.timer", "kura-rehearse@blog.timer"]' "$WORK/out"
check '.. where the repository is may be written to' grep -qx "ReadWritePaths=\"$repo\"" "$units/kura@shop.service.d/kura.conf"
check '.. by which configuration' grep -qx "Environment=\"KURA_CONFIG=$config\"" "$units/kura@shop.service.d/kura.conf"
check '.. when' grep -qx 'OnCalendar=\*-\*-\* 00/6:00:00' "$units/kura@shop.timer.d/kura.conf"
check 'install-timer: a name that is no instance' status_is 2 kura --config "$config" install-timer --app 'a b' --unit-dir "$units"
for unit in kura kura-verify kura-prune kura-rehearse; do
    check "$unit@.service: systemd likes it" bash -c 'said=$(SYSTEMD_UNIT_PATH=$0: systemd-analyze verify --man=no "$0/$1@blog.service" "$0/$1@blog.timer" 2>&1) && ! grep -F "$1@" <<<"$said" || { echo "$said"; false; }' "$units" "$unit"
    check "$unit@.service: little is exposed" systemd-analyze security --offline=yes --threshold=25 --no-pager "$units/$unit@.service"
done
check 'a calendar that systemd takes' bash -c 'grep -h ^OnCalendar= "$0"/*.timer | cut -d= -f2 | while read -r when; do systemd-analyze calendar "$when" || exit 1; done' "$units"

# What the unit permits, as far as it can be had without systemd: the capabilities, no new privileges, and a file system that
# is read-only but for the directories that it names. (Of the filter for system calls and the address families systemd-analyze
# only says that they are well-formed.)
hardened() {
    unshare --mount --propagation private bash -c '
        for dir in "$0" "$1"; do mount --bind "$dir" "$dir" || exit 99; done
        mount --bind / / -o ro,remount 2>/dev/null || mount -o remount,bind,ro / || exit 99
        mount -t tmpfs tmpfs /tmp || exit 99
        shift
        exec setpriv --bounding-set=-all,+dac_read_search --inh-caps=-all --no-new-privs "$@"' "$repo" "$state" "$@"
}
if [ "$(id -u)" = 0 ]; then
    mkdir -p /var/tmp/kura-night.$$ && mv "$repo" "$state" "$WORK/media" /var/tmp/kura-night.$$/ && cp "$KURA" /var/tmp/kura-night.$$/kura || die 'no room elsewhere'
    repo=/var/tmp/kura-night.$$/repo state=/var/tmp/kura-night.$$/run-state
    elsewhere_end() { rm -rf /var/tmp/kura-night.$$; }
    at_end+=(elsewhere_end)
    echo two >/var/tmp/kura-night.$$/media/private && chmod 000 /var/tmp/kura-night.$$/media/private && chown nobody /var/tmp/kura-night.$$/media/private
    check 'under what the unit permits: a backup, also of what only its owner may read' status_is 0 \
        env HOME=/root KURA_STATE_DIR="$state" bash -c "$(declare -f hardened); repo=$repo state=$state; hardened /var/tmp/kura-night.$$/kura backup --no-cache --app shop --repo '$repo' --files media=/var/tmp/kura-night.$$/media"
    check '.. which is whole' jq -e '.filesets[0].files == 2' "$(manifest "$repo" "$(latest "$repo")")"
    check '.. and remembered' jq -e '.backup.last.status == 0' "$state/shop.json"
    check '.. but nothing else can be written' bash -c "$(declare -f hardened); repo=$repo state=$state; ! hardened touch /var/tmp/kura-night.$$/elsewhere /etc/elsewhere"
    check '.. a verification' status_is 0 env HOME=/root KURA_STATE_DIR="$state" bash -c "$(declare -f hardened); repo=$repo state=$state; hardened /var/tmp/kura-night.$$/kura verify --read-data --app shop --repo '$repo'"
fi

finish
