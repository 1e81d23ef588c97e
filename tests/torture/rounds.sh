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
# $WORK/states/MOMENT is what the site was when a backup was made, by `site_state`; $known are the backups that must be
# there. With $RECIPIENT all repositories are encrypted; a host makes backups without the identity, as it should.

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

# --- repositories ---

declare -A KEY_OF # location: the key file of this host for it

# of LOCATION: `repo` is the options that name it to who reads it.
of() {
    repo=(--repo "$1")
    [ -z "${KEY_OF[$1]:-}" ] || repo+=(--key-file "${KEY_OF[$1]}" --identity "$WORK/identity")
}
new_repo() { # new_repo LOCATION
    local sealed=()
    unset "KEY_OF[$1]"
    if [ -n "$RECIPIENT" ]; then
        KEY_OF[$1]=$WORK/key.$RANDOM$RANDOM
        sealed=(--encrypt --recipient "$RECIPIENT" --key-file "${KEY_OF[$1]}")
    fi
    kura init --repo "$1" "${sealed[@]}" >"$WORK/out" 2>&1 || { cat "$WORK/out"; return 1; }
}
# same_repo FROM TO: by hard links, as objects are never written to.
same_repo() {
    rm -rf "$2" && cp -al "$1" "$2" || return 1
    [ -z "$RECIPIENT" ] || KEY_OF[$2]=${KEY_OF[$1]}
}

ids() {
    local repo
    of "$1"
    kura list "${repo[@]}" --json 2>"$WORK/ids.err" | jq -r '.backups[].id' || { cat "$WORK/ids.err"; return 1; }
}
# moments: of ids, what is the same in every copy.
moments() { sed 's/-.*-/-/'; }
# only LIST LIST: what is in the first and not in the second.
only() { comm -23 <(sort <<<"$1" | sed '/^$/d') <(sort <<<"$2"); }

# whole REPOSITORY: everything in it verifies, read from end to end.
whole() {
    local repo
    of "$1"
    kura verify "${repo[@]}" --read-data >"$WORK/verify" 2>&1 && return 0
    echo "verify of $1 ended with status $?:"
    cat "$WORK/verify"
    return 1
}

# restores REPOSITORY ID: it comes back as the site was.
restores() {
    local repo dir=$WORK/restored
    of "$1"
    rm -rf "$dir"
    kura restore "$2" "${repo[@]}" --db "$(conn restored)" --files "media=$dir/media" --files "config=$dir/config" --files "redis=$dir/redis" \
        --jobs 2 >"$WORK/restore" 2>&1 || [ $? = 3 ] || { cat "$WORK/restore"; return 1; }
    site_state restored "$dir/media" "$dir/config" cat "$dir/redis/dump.rdb" >"$WORK/state.restored"
    sql postgres 'DROP DATABASE restored'
    rm -rf "$dir"
    same "$WORK/states/$(moments <<<"$2")" "$WORK/state.restored" || { echo "$2 came back as something else"; return 1; }
    count 'restored backups'
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
# count WHAT [N]: for the verdict.
count() { yes "$1" | head -n "${2:-1}" >>"$WORK/counts"; }
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
    new_repo "$REPO" || return 1
    for n in 1 2 3; do
        prepare_backup $n && run "${command[@]}" && judge_backup 0 || return 1
    done
}
scene_backup() {
    case $REPO in
    s3://*) REPO=s3://torture/$RANDOM$RANDOM && scene_made ;;
    *)
        [ -d "$WORK/base" ] || { REPO=$WORK/base scene_made || return 1; }
        same_repo "$WORK/base" "$REPO" && known=$(ids "$REPO")
        ;;
    esac
}

prepare_backup() { # of $SOURCE
    known=$(ids "$REPO") || return 1
    site_change "$1" && site_now >"$WORK/state.now" || return 1
    command_backup
}
command_backup() {
    command=(backup --repo "$REPO" "${SOURCE[@]}" --app site --jobs 2)
    [ -z "${KEY_OF[$REPO]:-}" ] || command+=(--key-file "${KEY_OF[$REPO]}")
}

# At most one more, whole, and exactly one if the run said so; all earlier ones are there. "dead" is the status of a run
# that failed where nothing could be taken back either; then it says that.
judge_backup() {
    local now new
    now=$(ids "$REPO") && none_lost "$now" || { echo "$now"; return 1; }
    new=$(only "$now" "$known")
    case $1 in
    0 | 3) [ -n "$new" ] && grep -q "$new" "$WORK/out" ;;
    137) [ "$(wc -w <<<"$new")" -le 1 ] ;;
    dead) [ -z "$new" ] || grep -q "^hint: .*may be in the repository.*kura verify $new\"" "$WORK/err" ;;
    *) [ -z "$new" ] ;;
    esac || wrong "$1" "$new" || return 1
    [ -z "$new" ] || cp "$WORK/state.now" "$WORK/states/$(moments <<<"$new")"
    known=$now
    whole "$REPO"
}

settle_backup() { no_locks; }

# --- copy: of $FROM, which has more than $REPO, some of it in later revisions ---

scene_copy() {
    FROM=$WORK/from
    REPO=$FROM scene_backup && rm -rf "$WORK/copy.base" && new_repo "$WORK/copy.base" || return 1
    case $REPO in
    s3://*) REPO=s3://torture/$RANDOM$RANDOM && new_repo "$REPO" ;;
    *) same_repo "$WORK/copy.base" "$REPO" ;;
    esac
    command_copy && run "${command[@]}" && known=$(ids "$REPO")
}
prepare_copy() {
    local repo
    worn "$FROM" "$1" && of "$FROM" && run prune "${repo[@]}" "${POLICY[@]}" && known=$(ids "$REPO") && command_copy
}
# The repository that is written to has its key in the configuration.
command_copy() {
    local repo to=$REPO
    of "$FROM"
    if [ -n "$RECIPIENT" ]; then
        printf '%s = %s\n' location "$REPO" key-file "${KEY_OF[$REPO]}" identity "$WORK/identity" | cat <(echo '[repository to]') - >"$WORK/kura.conf"
        to=to
    fi
    command=(copy "${repo[@]}" --to "$to")
}
judge_copy() {
    local now all new
    now=$(ids "$REPO") && all=$(ids "$FROM") && none_lost "$now" || { echo "$now"; return 1; }
    new=$(only "$now" "$known") all=$(moments <<<"$all")
    [ -z "$(only "$(moments <<<"$new")" "$all")" ] || wrong "$1" "$new" || return 1
    case $1 in 0 | 3) [ -z "$(only "$all" "$(moments <<<"$now")")" ] || wrong "$1" "$now" || return 1 ;; esac
    known=$now
    whole "$REPO" && whole "$FROM"
}
settle_copy() { no_locks && REPO=$FROM no_locks; }

# --- prune: of all but the newest two, and what of these is in packs of the others is moved ---

POLICY=(--keep-last 2 --grace 0h --max-unused 0)
# worn REPOSITORY ROUND: has one more backup, or some, until a prune has a pack to rewrite.
worn() {
    local n repo REPO=$1
    for n in {1..6}; do
        prepare_backup $(($2 + n * 1000)) && run "${command[@]}" && judge_backup 0 || return 1
        of "$1"
        kura prune "${repo[@]}" "${POLICY[@]}" --plan >"$WORK/plan" || { cat "$WORK/plan"; return 1; }
        ! grep -q '^would be rewritten' "$WORK/plan" || return 0
    done
    cat "$WORK/plan"
    return 1
}

scene_prune() { scene_backup; }
prepare_prune() { prepare_backup "$1" && run "${command[@]}" && judge_backup 0 && worn "$REPO" "$1" && command_prune; }
command_prune() {
    local repo
    of "$REPO"
    command=(prune "${repo[@]}" "${POLICY[@]}")
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
    local repo
    no_locks || return 1
    case $REPO in
    s3://*) ;;
    *)
        find "$REPO" -name '.tmp-*~' -exec touch -d '2 days ago' {} +
        run "${command[@]}" || return 1
        ! find "$REPO" -type f | grep -vE '/(kura\.json|(blobs/../[0-9a-f]{64}|backups/[^/]+)\.[a-z.]+|verify/state\.json(\.age)?)$' || return 1
        ;;
    esac
    of "$REPO"
    kura verify "${repo[@]}" --json | jq -e '.verify.orphans == 0' >"$WORK/out" || { echo 'there are orphans'; return 1; }
}

# --- repair-repository: the newest backup, of files, has lost its manifest, a piece of an index, a pack ---

scene_repair() { scene_backup; }
prepare_repair() {
    local SOURCE=("${files[@]}")
    prepare_backup "$1" && run "${command[@]}" && judge_backup 0 && command_repair && known=$(ids "$REPO") && damage_all
}
command_repair() {
    local repo
    of "$REPO"
    command=(repair-repository "${repo[@]}" --app site --files "media=$WORK/media" --read-data --apply)
}
# This host has the same in its cache, or as files.
damage_all() {
    local file
    damaged "$(find "$REPO/backups" -type f | sort | tail -n 1)"
    for file in tar zst; do
        damaged "$(find "$REPO/blobs" -name "*.$file*" -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2)"
    done
}
damaged() { head -c -100 "$1" >"$WORK/damaged" && rm "$1" && cp "$WORK/damaged" "$1"; }
# Whether they can be read or not, all are listed; what is not damaged is as it was.
judge_repair() {
    none_lost "$(objects backups/ | sed -E 's|.*/||; s|(\.[0-9]+)?\.json(\.age)?$||')" || return 1
    case $1 in 0 | 3) [ "$(ids "$REPO")" = "$known" ] && whole "$REPO" || wrong "$1" '' ;; esac
}
settle_repair() { no_locks; }

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
    [ $status != 137 ] || { echo "$1" >>"$WORK/killed" && count "kills in the midst of $1"; }
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
    [ "$3" = none ] || { echo "$3 ${call:-none} $status" >>"$WORK/torments" && count "calls of $1 that failed or were the last"; }
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
