# shellcheck shell=bash
# Power failures in a directory: runs are recorded once (see torment.c), and what a failure would leave is made for as many
# instants of them as wanted (see powerloss.py). To be sourced by torture.sh after rounds.sh.

powerloss() { python3 "$TOP/tests/torture/powerloss.py" "$@"; }

# recorded ROOT COMMAND...: runs the command with all that it writes below ROOT in the journal.
recorded() {
    LD_PRELOAD=$TORMENT TORMENT_ROOTS=$1 TORMENT_JOURNAL=$WORK/power.journal "${@:2}"
}

# mark: what there must be from now on.
mark() { powerloss mark "$WORK/power.journal" "$(tr '\n' , <<<"$known")"; }

# recording NAME N CALL: three runs of a command, the second of which is killed right after its Nth CALL. The third prune
# is to go on where that one ended.
recording() {
    local n
    rm -f "$WORK/power.journal"
    "scene_$1" && same_repo "$REPO" "$WORK/power.base" || return 1
    for n in 1 2 3; do
        [ "$1 $n" = 'prune 3' ] || recorded "$REPO" "prepare_$1" $((900 + RANDOM)) && mark || return 1
        if [ $n = 2 ]; then
            TORMENT_FAULT="$2 killed $3" recorded "$REPO" kura_begin "${command[@]}"
            kura_end
            [ $? = 137 ] || { echo 'it was not killed'; return 1; }
            recorded "$REPO" "judge_$1" 137 || return 1
        else
            recorded "$REPO" run "${command[@]}" && recorded "$REPO" "judge_$1" 0 && mark || return 1
        fi
    done
}

# complete: the journal has all that was written.
complete() {
    powerloss image "$WORK/power.journal" "$REPO" "$WORK/power.base" "$WORK/image" "$(powerloss size "$WORK/power.journal")" all &&
        diff -r "$REPO" "$WORK/image"
}

# power_lost NAME AT MODE: what a failure then leaves is whole, has all that was promised, and the next run works upon it.
power_lost() {
    local journaled=$REPO REPO=$WORK/image marks
    [ -z "$RECIPIENT" ] || KEY_OF[$REPO]=${KEY_OF[$journaled]}
    marks=$(powerloss image "$WORK/power.journal" "$journaled" "$WORK/power.base" "$REPO" "$2" "$3" "$RANDOM") || return 1
    known=$(tail -n 1 <<<"$marks" | tr , '\n')
    [ -n "$known" ] || known=$(ids "$WORK/power.base")
    none_lost "$(ids "$REPO")" && whole "$REPO" || return 1
    known=$(ids "$REPO")
    "command_$1"
    again "$1" && count "power failures during $1"
}
