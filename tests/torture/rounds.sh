# shellcheck shell=bash
# One round: the site changes, a command runs and is tormented, and all that must hold is looked at. To be sourced by
# torture.sh after site.sh.
#
# A command under torture is three functions:
#   prepare_NAME ROUND   makes something to do, and sets `command`: kura's arguments
#   judge_NAME STATUS    whether what is there is right after it ended with that status
#   settle_NAME          whether nothing is left behind once a run of it has succeeded
#
# $WORK/states/ID is what the site was when a backup was made, by `site_state`.

mark=KURA_TEST_MARK=$$.$RANDOM # in the environment of every process of a run
milliseconds() { date +%s%3N; }

# eventually COMMAND...: polls until it succeeds, ten seconds at most: servers notice a lost client a little later.
eventually() {
    local deadline=$((SECONDS + 10))
    until "$@" >"$WORK/eventually" 2>&1; do
        if [ $SECONDS -ge $deadline ]; then
            cat "$WORK/eventually"
            return 1
        fi
        sleep 0.05
    done
}

# nobody: no process of a run, no session of one.
nobody() {
    local file pid
    for file in $(grep -slzxF "$mark" /proc/[0-9]*/environ); do
        pid=${file#/proc/}
        echo "still running: ${pid%/*} $(tr '\0' ' ' <"/proc/${pid%/*}/cmdline")"
        return 1
    done
    sql postgres "SELECT datname, application_name, state, query FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()" >"$WORK/sessions" || return 1
    [ ! -s "$WORK/sessions" ] || { cat "$WORK/sessions"; return 1; }
}

# kura_begin ARG...: in the background, in a process group of its own; $RUN is its process.
kura_begin() {
    HOME=$WORK TMPDIR=$WORK/tmp setsid env --default-signal=INT,TERM "$mark" "$KURA" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null &
    RUN=$!
}
# kura_end: its exit status.
kura_end() { wait "$RUN" 2>/dev/null; }

# run ARG...: to its end; it must succeed. Its length is remembered in $LENGTH (a running mean, in milliseconds).
run() {
    local began status
    began=$(milliseconds)
    kura_begin "$@"
    kura_end
    status=$?
    LENGTH=$(((${LENGTH:-$(($(milliseconds) - began))} * 3 + $(milliseconds) - began) / 4))
    [ $status = 0 ] || [ $status = 3 ] && return 0
    cat "$WORK/out" "$WORK/err"
    echo "kura $1 ended with status $status"
    return 1
}

ids() { kura list --repo "$1" --json 2>"$WORK/ids.err" | jq -r '.backups[].id' || { cat "$WORK/ids.err"; return 1; }; }

# whole REPOSITORY: everything in it verifies, read from end to end.
whole() {
    kura verify --repo "$1" --read-data >"$WORK/verify" 2>&1 && return 0
    echo "verify of $1 ended with status $?:"
    cat "$WORK/verify"
    return 1
}

# restores REPOSITORY ID: it comes back as the site was.
restores() {
    rm -rf "$WORK/restored"
    kura restore "$2" --repo "$1" --db "$(conn restored)" --files "media=$WORK/restored" --jobs 2 >"$WORK/restore" 2>&1 || [ $? = 3 ] ||
        { cat "$WORK/restore"; return 1; }
    site_state restored "$WORK/restored" >"$WORK/state.restored"
    sql postgres 'DROP DATABASE restored'
    rm -rf "$WORK/restored"
    same "$WORK/states/$2" "$WORK/state.restored" || { echo "$2 came back as something else"; return 1; }
}
# restores_some REPOSITORY: the newest and any other.
restores_some() {
    local all
    mapfile -t all < <(ids "$1")
    restores "$1" "${all[-1]}" && restores "$1" "${all[RANDOM % ${#all[@]}]}"
}

# no_leftovers DIRECTORY: nothing but what belongs into a repository.
no_leftovers() {
    find "$1" -type f | grep -vE '/(kura\.json|blobs/[0-9a-f]{2}/[0-9a-f]{64}\.(zst|tar|bin)(\.age)?|(backups|rehearsals|pins)/[^/]+\.json(\.age)?|verify/state\.json(\.age)?)$' || return 0
    return 1
}
# aged DIRECTORY: what a killed run left there is as old as `prune` wants it.
aged() { find "$1" -name '.tmp-*~' -exec touch -d '2 days ago' {} +; }

# --- backup ---

prepare_backup() { # of $SOURCE into $REPO
    known=$(ids "$REPO") || return 1
    site_change "$1" && site_state site "$WORK/media" >"$WORK/state.now" || return 1
    command_backup
}

command_backup() { command=(backup --repo "$REPO" "${SOURCE[@]}" --app site --jobs 2); }

# At most one more, whole, and exactly one if the run said so; all earlier ones are there.
judge_backup() {
    local now new
    now=$(ids "$REPO") || { echo "$now"; return 1; }
    [ -z "$(comm -23 <(sort <<<"$known") <(sort <<<"$now"))" ] || { echo "backups are lost: were $known, are $now"; return 1; }
    new=$(comm -13 <(sort <<<"$known") <(sort <<<"$now"))
    case $1 in
    0 | 3) [ -n "$new" ] && grep -q "$new" "$WORK/out" ;;
    137) [ "$(wc -w <<<"$new")" -le 1 ] ;;
    *) [ -z "$new" ] ;;
    esac || { echo "it ended with status $1, and new are: \"$new\""; cat "$WORK/out" "$WORK/err"; return 1; }
    [ -z "$new" ] || cp "$WORK/state.now" "$WORK/states/$new"
    known=$now
    whole "$REPO"
}

# Unfinished files of a killed run stay for `prune`; its locks do not.
settle_backup() { ! find "$REPO/locks" -name '*.json*' | grep .; }

# --- torments ---

# again NAME: the same command succeeds now, and leaves nothing.
again() {
    run "${command[@]}" && "judge_$1" 0 && "settle_$1" && eventually nobody
}

# killed NAME ROUND: at any instant of its length, alone (its children must end by themselves) or with its group.
killed() {
    local group='' delay status
    "prepare_$1" "$2" || return 1
    [ $(($2 % 2)) = 0 ] || group=-
    delay=$((RANDOM * LENGTH * 21 / 20 / 32768))
    kura_begin "${command[@]}"
    sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
    kill -KILL -- "$group$RUN" 2>/dev/null
    kura_end
    status=$?
    [ $status != 137 ] || echo "$1" >>"$WORK/killed"
    eventually nobody && "judge_$1" $status && again "$1" || { echo "round $2: killed after $delay ms, status $status"; return 1; }
    rm -rf "$WORK"/tmp/*
}

# tormented NAME N HOW: the Nth call that changes something in $ROOTS fails, or is the last one (see torment.c).
tormented() {
    local status
    rm -f "$WORK/journal"
    LD_PRELOAD=$TORMENT TORMENT_ROOTS=$ROOTS TORMENT_JOURNAL=$WORK/journal TORMENT_FAULT="$2 $3" kura_begin "${command[@]}"
    kura_end
    status=$?
    call=$(grep -aE "^$2 [a-z0-9]+ " "$WORK/journal" | tail -n 1 | cut -d ' ' -f 2)
    echo "$3 ${call:-none} $status" >>"$WORK/torments"
    cp "$WORK/err" "$WORK/err.tormented"
    case "$3 $status" in
    kill*' '137 | kill*' '[03] | short' '[03]) ;;
    *' 1') honest ;;
    *' 0' | *' 3') cat "$WORK/err" ;;
    *) false ;;
    esac && eventually nobody && "judge_$1" $status && again "$1" ||
        { echo "call $2, $call: $3, status $status"; cat "$WORK/err.tormented"; return 1; }
    rm -rf "$WORK"/tmp/*
}
# honest: an error that names a file, and what to do.
honest() {
    grep -q 'error:.*"[^"]*/.*' "$WORK/err" && grep -q '^hint: ' "$WORK/err" || { echo "no good message"; return 1; }
}
