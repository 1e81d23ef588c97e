# shellcheck shell=bash
# One round: the site changes, a command runs and is tormented, and all that must hold is looked at. To be sourced by
# torture.sh after site.sh.
#
# A command under torture is these functions. They work on $REPO, the repository that it writes to:
#   scene_NAME           a repository with backups that must survive, made anew
#   prepare_NAME ROUND   makes something to do, and sets `command`: kura's arguments
#   judge_NAME STATUS    whether what is there is right after it ended with that status
#   settle_NAME          whether nothing is left behind once a run of it has succeeded
#
# $WORK/states/ID is what the site was when a backup was made, by `site_state`; $known are the backups that must be there.

mark=KURA_TEST_MARK=$$.$RANDOM # in the environment of every process of a run

# nobody: no process of a run, no session of one.
nobody() {
    local running
    running=$(left_running)
    [ -z "$running" ] || { echo "$running"; return 1; }
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

declare -A LENGTH # of each of kura's commands in milliseconds, a running mean

# run ARG...: to its end; it must succeed.
run() {
    local began status mean
    began=$(milliseconds)
    kura_begin "$@"
    kura_end
    status=$?
    mean=${LENGTH[$1]:-$(($(milliseconds) - began))}
    LENGTH[$1]=$(((mean * 3 + $(milliseconds) - began) / 4))
    [ $status = 0 ] || [ $status = 3 ] && return 0
    cat "$WORK/out" "$WORK/err"
    echo "kura $1 ended with status $status"
    return 1
}

ids() { kura list --repo "$1" --json 2>"$WORK/ids.err" | jq -r '.backups[].id' || { cat "$WORK/ids.err"; return 1; }; }
# only LIST LIST: what is in the first and not in the second.
only() { comm -23 <(sort <<<"$1" | sed '/^$/d') <(sort <<<"$2"); }

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

# objects PREFIX: what is below it in $REPO.
objects() {
    case $REPO in
    s3://*) s3_client list "$(cut -d / -f 3 <<<"$REPO")" "$(cut -d / -f 4- <<<"$REPO")/$1" ;;
    *) find "$REPO/$1" -type f ! -name '.tmp-*~' 2>/dev/null ;;
    esac
}
# no_locks: what a killed run left for `prune` may stay, its lock may not.
no_locks() { ! objects locks/ | grep .; }
# none_lost NOW: all known ones are there.
none_lost() { [ -z "$(only "$known" "$1")" ] || { echo "backups are lost: known were $known, there are $1"; return 1; }; }
wrong() { # wrong STATUS WHAT
    echo "it ended with status $1, and new are: \"$2\""
    cat "$WORK/out" "$WORK/err"
    return 1
}

# --- backup ---

# scene_made: three backups, into an empty place.
scene_made() {
    local n
    known=''
    kura init --repo "$REPO" >"$WORK/out" 2>&1 || { cat "$WORK/out"; return 1; }
    for n in 1 2 3; do
        prepare_backup $n && run "${command[@]}" && judge_backup 0 || return 1
    done
}
# Objects are never written to: links to those of a copy do.
scene_backup() {
    case $REPO in
    s3://*) REPO=s3://torture/$RANDOM$RANDOM && scene_made ;;
    *)
        [ -d "$WORK/base" ] || { REPO=$WORK/base scene_made || return 1; }
        rm -rf "$REPO" && cp -al "$WORK/base" "$REPO" && known=$(ids "$REPO")
        ;;
    esac
}

prepare_backup() { # of $SOURCE
    known=$(ids "$REPO") || return 1
    site_change "$1" && site_state site "$WORK/media" >"$WORK/state.now" || return 1
    command_backup
}
command_backup() { command=(backup --repo "$REPO" "${SOURCE[@]}" --app site --jobs 2); }

# At most one more, whole, and exactly one if the run said so; all earlier ones are there. "dead" is the status of a run
# that failed where nothing could be taken back either.
judge_backup() {
    local now new
    now=$(ids "$REPO") && none_lost "$now" || { echo "$now"; return 1; }
    new=$(only "$now" "$known")
    case $1 in
    0 | 3) [ -n "$new" ] && grep -q "$new" "$WORK/out" ;;
    137 | dead) [ "$(wc -w <<<"$new")" -le 1 ] ;;
    *) [ -z "$new" ] ;;
    esac || wrong "$1" "$new" || return 1
    [ -z "$new" ] || cp "$WORK/state.now" "$WORK/states/$new"
    known=$now
    whole "$REPO"
}

settle_backup() { no_locks; }

# --- copy: of $FROM, which has all that $REPO has, and more ---

scene_copy() {
    FROM=$WORK/from
    REPO=$FROM scene_backup && rm -rf "$WORK/copy.base" && kura init --repo "$WORK/copy.base" >/dev/null &&
        run copy --repo "$FROM" --to "$WORK/copy.base" || return 1
    case $REPO in
    s3://*) REPO=s3://torture/$RANDOM$RANDOM && kura init --repo "$REPO" >/dev/null && run copy --repo "$FROM" --to "$REPO" || return 1 ;;
    *) rm -rf "$REPO" && cp -al "$WORK/copy.base" "$REPO" || return 1 ;;
    esac
    known=$(ids "$REPO")
}
prepare_copy() {
    REPO=$FROM prepare_backup "$1" && run "${command[@]}" && REPO=$FROM judge_backup 0 && known=$(ids "$REPO") || return 1
    command_copy
}
command_copy() { command=(copy --repo "$FROM" --to "$REPO"); }
judge_copy() {
    local now all
    now=$(ids "$REPO") && all=$(ids "$FROM") && none_lost "$now" || { echo "$now"; return 1; }
    [ -z "$(only "$now" "$all")" ] || wrong "$1" "$now" || return 1
    case $1 in 0 | 3) [ "$now" = "$all" ] || wrong "$1" "$now" || return 1 ;; esac
    known=$now
    whole "$REPO" && whole "$FROM"
}
settle_copy() { no_locks && REPO=$FROM no_locks; }

# --- prune: of all but the newest two ---

scene_prune() { scene_backup; }
prepare_prune() {
    prepare_backup "$1" && run "${command[@]}" && judge_backup 0 && prepare_backup "$1" && run "${command[@]}" && judge_backup 0 || return 1
    command_prune
}
command_prune() {
    command=(prune --repo "$REPO" --keep-last 2 --grace 0h --max-unused 5)
    known=$(ids "$REPO" | tail -n 2)
}
judge_prune() {
    local now
    now=$(ids "$REPO") && none_lost "$now" || { echo "$now"; return 1; }
    case $1 in 0 | 3) [ "$now" = "$known" ] || wrong "$1" "$now" || return 1 ;; esac
    whole "$REPO"
}
# Nothing but what belongs into a repository, all of it of some backup; what a killed run left is as old as it must be.
settle_prune() {
    no_locks || return 1
    case $REPO in
    s3://*) ;;
    *)
        find "$REPO" -name '.tmp-*~' -exec touch -d '2 days ago' {} +
        run "${command[@]}" || return 1
        ! find "$REPO" -name '.tmp-*' | grep . || return 1
        ;;
    esac
    kura verify --repo "$REPO" --json | jq -e '.verify.orphans == 0' >"$WORK/out" || { echo 'there are orphans'; return 1; }
}

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
    delay=$((RANDOM * LENGTH[${command[0]}] * 21 / 20 / 32768))
    kura_begin "${command[@]}"
    sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
    kill -KILL -- "$group$RUN" 2>/dev/null
    kura_end
    status=$?
    [ $status != 137 ] || echo "$1" >>"$WORK/killed"
    eventually nobody && "judge_$1" $status && again "$1" || { echo "round $2: $1 killed after $delay ms, status $status"; return 1; }
    rm -rf "$WORK"/tmp/*
}

# tormented NAME N HOW: the Nth call that changes something in $ROOTS fails, or is the last one (see torment.c).
tormented() {
    local status call
    rm -f "$WORK/journal"
    LD_PRELOAD=$TORMENT TORMENT_ROOTS=$ROOTS TORMENT_JOURNAL=$WORK/journal TORMENT_FAULT="$2 $3" kura_begin "${command[@]}"
    kura_end
    status=$?
    call=$(grep -aE "^$2 [a-z0-9]+ " "$WORK/journal" | tail -n 1 | cut -d ' ' -f 2)
    echo "$3 ${call:-none} $status" >>"$WORK/torments"
    cp "$WORK/err" "$WORK/err.tormented"
    case "$3 $status" in
    'EIO+ 1') honest && status=dead ;;
    kill*' '137 | kill*' '[03] | short' '[03]) ;;
    *' 1') honest ;;
    *' 0' | *' 3') cat "$WORK/err" ;;
    *) false ;;
    esac && eventually nobody && "judge_$1" $status && again "$1" ||
        { echo "$1, call $2, $call: $3, status $status"; cat "$WORK/err.tormented"; return 1; }
    rm -rf "$WORK"/tmp/*
}
# honest: an error that names a file, and what to do.
honest() {
    grep -q 'error:.*"[^"]*/.*' "$WORK/err" && grep -q '^hint: ' "$WORK/err" || { echo "no good message"; return 1; }
}
