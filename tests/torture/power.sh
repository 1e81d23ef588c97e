# shellcheck shell=bash
# Power failures in a directory: runs are recorded once (see torment.c), and what a failure would leave is made for as many
# instants of them as wanted (see powerloss.py). To be sourced by torture.sh after rounds.sh.

powerloss() { python3 "$TOP/tests/torture/powerloss.py" "$@"; }

# recorded ROOT COMMAND...: runs the command with all that it writes below ROOT in the journal.
recorded() {
    LD_PRELOAD=$TORMENT TORMENT_ROOTS=$1 TORMENT_JOURNAL=$WORK/power.journal "${@:2}"
}

# record_backup: three backups of a changing site into $REPO, the second of which is killed right after it gave a blob its
# name. What each successful one promised is marked.
record_backup() {
    local n
    rm -rf "$WORK/power.journal" "$WORK/power.base"
    cp -al "$REPO" "$WORK/power.base"
    for n in 1 2 3; do
        prepare_backup $((900 + RANDOM)) || return 1
        if [ $n = 2 ]; then
            TORMENT_FAULT="$((3 + RANDOM % 8)) killed rename" recorded "$REPO" kura_begin "${command[@]}"
            kura_end
            [ $? = 137 ] || { echo 'it was not killed'; return 1; }
            recorded "$REPO" judge_backup 137 || return 1
        else
            recorded "$REPO" run "${command[@]}" && recorded "$REPO" judge_backup 0 || return 1
            powerloss mark "$WORK/power.journal" "$(grep -o "$(tail -n 1 <<<"$known")" "$WORK/out")"
        fi
    done
}

# complete: the journal has all that was written.
complete() {
    powerloss image "$WORK/power.journal" "$REPO" "$WORK/power.base" "$WORK/image" "$(powerloss size "$WORK/power.journal")" all &&
        diff -r "$REPO" "$WORK/image"
}

# power_lost AT MODE: what a failure then leaves is whole, has all that was promised, and the next backup works upon it.
power_lost() {
    local REPO=$WORK/image promised before
    promised=$(powerloss image "$WORK/power.journal" "$WORK/repo" "$WORK/power.base" "$WORK/image" "$1" "$2" "$RANDOM") || return 1
    before=$(ids "$WORK/power.base")
    known=$(ids "$REPO") || { echo "$known"; return 1; }
    [ -z "$(comm -23 <(sort -u <<<"$before"$'\n'"$promised" | sed '/^$/d') <(sort <<<"$known"))" ] ||
        { echo "of $before and $promised only these are left: $known"; return 1; }
    whole "$REPO" || return 1
    command_backup
    again backup
}
