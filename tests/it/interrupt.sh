#!/bin/bash
# Interrupted at any moment, a backup or a restore stops cleanly: the right exit status, no process, no database, no
# temporary file left, and the next run works. Killed outright, what is in the repository stays good.
. "$(dirname "$0")/lib.sh"

start 15 main -c wal_level=logical
install_extension 15
createdb_as site
sql_file site site.sql -v scale=0.4 || die 'site.sql failed'
createdb_as zoodb
sql_file zoodb zoo.sql >/dev/null 2>&1 || die 'zoo.sql failed'
bash "$SQL/media.sh" "$WORK/media"
repo=$WORK/repo
kura init --repo "$repo" >/dev/null || die 'no repository'
before=$(databases)
mark=KURA_TEST_MARK=$$.$RANDOM
RANDOM=4711

clean() {
    local running
    running=$(left_running)
    [ -z "$running" ] || { echo "$running"; return 1; }
    nothing_left "$before" "$repo"
}

# interrupted SIGNAL DELAY-MS COMMAND...: the exit status of kura, signalled after a delay; if it had finished, $took is
# how long it took.
interrupted() {
    local status started
    started=$(milliseconds) took=''
    HOME=$WORK TMPDIR=$WORK/tmp signalled "$1" "$2" env "$mark" "$KURA" "${@:3}" >"$WORK/out" 2>"$WORK/err"
    status=$?
    [ $status != 0 ] && [ $status != 3 ] || took=$(($(milliseconds) - started))
    return $status
}
wanted() { case $1 in INT) echo 130 ;; TERM) echo 143 ;; KILL) echo 137 ;; esac; }
stops() { # stops SIGNAL DELAY COMMAND...: right status, or it had finished
    local status
    interrupted "$@"
    status=$?
    cat "$WORK/out" "$WORK/err"
    echo "exit status $status"
    [ -z "$took" ] || return 0
    echo "$1" >>"$WORK/stopped"
    [ $status = "$(wanted "$1")" ]
}

database_backup=(backup --repo "$repo" --db "$(conn site)" --files "media=$WORK/media" --app site --jobs 2)
started=$(milliseconds)
check 'a first backup, for its length' status_is '0|3' kura "${database_backup[@]}"
backup_ms=$(($(milliseconds) - started))
id=$(latest "$repo")
started=$(milliseconds)
check 'a first restore, for its length' status_is '0|3' kura restore "$id" --repo "$repo" --db "$(conn copy)" --files "media=$WORK/media.copy" --jobs 2
restore_ms=$(($(milliseconds) - started))
check 'backup of the zoo' status_is '0|3' kura backup --repo "$repo" --db "$(conn zoodb)" --app zoo
zoo=$(latest "$repo")
started=$(milliseconds)
check 'restore of the zoo' status_is '0|3' kura restore "$zoo" --repo "$repo" --db "$(conn zoocopy)"
zoo_ms=$(($(milliseconds) - started))
sql zoocopy 'ALTER SUBSCRIPTION fed DISABLE; ALTER SUBSCRIPTION fed SET (slot_name = NONE); DROP SUBSCRIPTION fed'
sql postgres 'DROP DATABASE copy'
sql postgres 'DROP DATABASE zoocopy'
rm -rf "$WORK/media.copy"

# Each into an empty repository, so that there is something to do.
signals=(INT TERM)
for round in 1 2 3 4 5 6 7 8; do
    signal=${signals[round % 2]}
    delay=$((backup_ms * round / 9 + RANDOM % (backup_ms / 9 + 1)))
    fresh=$WORK/fresh
    rm -rf "$fresh"
    kura init --repo "$fresh" >/dev/null
    check "backup, $signal after $delay ms" stops "$signal" "$delay" backup --repo "$fresh" --db "$(conn site)" --files "media=$WORK/media" --app site --jobs 2
    backup_ms=${took:-$backup_ms}
    check "backup, $signal after $delay ms: nothing is left" eventually clean
    check "backup, $signal after $delay ms: no temporary file" nothing_left "$before" "$fresh"
    check "backup, $signal after $delay ms: the next works" status_is '0|3' kura backup --repo "$fresh" --db "$(conn site)" --app site --jobs 2
done
for round in 1 2 3 4 5 6 7 8; do
    signal=${signals[round % 2]}
    delay=$((restore_ms * round / 9 + RANDOM % (restore_ms / 9 + 1)))
    check "restore, $signal after $delay ms" stops "$signal" "$delay" restore "$id" --repo "$repo" --db "$(conn copy)" --jobs 2
    restore_ms=${took:-$restore_ms}
    if has_db copy; then
        sql postgres 'DROP DATABASE copy' # it had finished
    fi
    check "restore, $signal after $delay ms: nothing is left" eventually clean
done
for round in 1 2 3 4 5 6; do
    delay=$((zoo_ms * (3 + round) / 10))
    check "restore of the zoo, TERM after $delay ms" stops TERM "$delay" restore "$zoo" --repo "$repo" --db "$(conn zoocopy)"
    zoo_ms=${took:-$zoo_ms}
    if has_db zoocopy; then
        sql zoocopy 'ALTER SUBSCRIPTION fed DISABLE; ALTER SUBSCRIPTION fed SET (slot_name = NONE); DROP SUBSCRIPTION fed'
        sql postgres 'DROP DATABASE zoocopy'
    fi
    check "restore of the zoo, TERM after $delay ms: nothing is left" eventually clean
done
check 'most runs were really stopped' test "$(wc -l <"$WORK/stopped")" -ge 12
check 'after all that a restore works' status_is '0|3' kura restore "$id" --repo "$repo" --db "$(conn copy)" --jobs 2
sql postgres 'DROP DATABASE copy'

# Killed outright: no clean-up can be asked for, but the repository stays good and nothing is in the way.
# What a killed one leaves in the temporary directory is the system's to sweep.
gone() { [ -z "$(left_running)" ]; }
for round in 1 2 3 4 5; do
    delay=$((backup_ms * round / 6))
    fresh=$WORK/fresh
    rm -rf "$fresh"
    kura init --repo "$fresh" >/dev/null
    interrupted KILL "$delay" backup --repo "$fresh" --db "$(conn site)" --files "media=$WORK/media" --app site --jobs 2
    check "backup killed after $delay ms: its children end by themselves" eventually gone
    check "backup killed after $delay ms: list works" status_is 0 kura list --repo "$fresh"
    check "backup killed after $delay ms: the next works" status_is '0|3' kura backup --repo "$fresh" --db "$(conn site)" --files "media=$WORK/media" --app site --jobs 2
    check "backup killed after $delay ms: and restores" status_is '0|3' kura restore latest --repo "$fresh" --db "$(conn copy)" --no-verify --jobs 2
    sql postgres 'DROP DATABASE copy'
done
for round in 1 2 3; do
    delay=$((restore_ms * round / 4))
    interrupted KILL "$delay" restore "$id" --repo "$repo" --db "$(conn copy)" --jobs 2
    check "restore killed after $delay ms: its children end by themselves" eventually gone
    if has_db copy; then # it had come to its end
        check "restore killed after $delay ms: what has the final name is whole" test "$(sql copy 'SELECT count(*) FROM note')" = 60000
        sql postgres 'DROP DATABASE copy'
    fi
    check "restore killed after $delay ms: the next works" status_is '0|3' kura restore "$id" --repo "$repo" --db "$(conn copy)" --no-verify --jobs 2
    rm -rf "$WORK"/tmp/*
    for name in $(databases); do # what a killed restore leaves is a person's to drop
        grep -qx "$name" <<<"$before" || psql -Xqc "DROP DATABASE \"$name\" WITH (FORCE)"
    done
done

finish
