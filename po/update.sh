#!/bin/bash
# Texts of the sources for translators.
#
#   update.sh pot [FILE]     writes kura.pot (or FILE)
#   update.sh po             the same, then merges it into each language's file
#
# Functions that translate what they are given are keywords; a number is the argument. findings_add() and its like take
# two texts each, which xgettext cannot have in one run: hints are collected in a second one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."

messages='_:1 N_:1 ngettext:1,2 error_set:3 error_errno:3 error_wrap:2 error_hint:2 findings_add:5 log_at:2 log_info:1
    log_warning:1 note:3 proof_tell:6 repairrepo_why:3 rehearse_skipped:5 rehearse_proof:3 add_reached:4 rehearse_phase:2
    restore_phase:2 progress_phase:2 verify_finding:4 verify_name:2 problem:4 corrupt:3 jnode_fail:3 COMMAND:7 OPTION:11
    lo_error:3 file_error:3 notices_add:6 place_failed:3 OWN_KIND:2 CHECK:5 doctor_report:3 doctor_report_as:4 doctor_skip:2
    settings_error:3 refuse:2 wrong:2 retention_tell:2'
hints='findings_add:4 proof_tell:4 verify_finding:3 problem:3 rehearse_skipped:3 rehearse_proof:4 add_reached:5 notices_add:4 CHECK:6
    doctor_report:2 doctor_report_as:3'
units='rehearse_skipped:4 notices_add:7 refuse:3 yaml_text_refuse:3'
formats='error_set:3 error_errno:3 error_wrap:2 error_hint:2 findings_add:5 log_at:2 log_info:1 log_warning:1 note:3
    proof_tell:6 repairrepo_why:3 rehearse_skipped:5 verify_finding:4 verify_name:2 problem:4 corrupt:3 jnode_fail:3 doctor_report:3
    doctor_report_as:4 doctor_skip:2'

# Lines move often, so that places are files alone; without a date, the same sources give the same file.
extract() { # extract KEYWORDS
    local words=() word
    for word in $1; do words+=("--keyword=$word"); done
    for word in $formats; do words+=("--flag=$word:c-format"); done
    find cmd lib include -name '*.[ch]' -o -name '*.def' | LC_ALL=C sort |
        xgettext --files-from=- --language=C --from-code=UTF-8 --add-location=file --add-comments=TRANSLATORS: --keyword "${words[@]}" \
            --package-name=kura --copyright-holder='kura developers' --output=- |
        sed 's/; charset=CHARSET/; charset=UTF-8/'
}

# What is told beside the sources: what secrets are needed for, what releases ask for, what a schema is made of.
descriptions() {
    {
        grep -ohE "'[a-z ]{4,}'" lib/catalog/sql/schema-state.sql | tr -d "'"
        sed -n 's/.*needed-for: *\([^}]*[^} ]\).*/\1/p' share/profiles/*.yaml
        sed -nE 's/^ *(ruby|node|note): "(.* .*)"$/\2/p' share/ladders/*.yaml
    } | LC_ALL=C sort -u | sed 's/["\\]/\\&/g; s/.*/#: beside\nmsgid "&"\nmsgstr ""\n/'
}

pot() { # pot FILE
    local work
    work=$(mktemp -d)
    extract "$messages" >"$work/messages"
    extract "$hints" >"$work/hints"
    extract "$units" >"$work/units"
    descriptions >"$work/descriptions"
    msgcat --use-first --add-location=file "$work/messages" "$work/hints" "$work/units" "$work/descriptions" | sed '/^"POT-Creation-Date:/d; /^#, fuzzy$/d' >"$work/pot"
    cp "$work/pot" "$1"
    rm -r "$work"
}

case ${1:-} in
pot) pot "${2:-$here/kura.pot}" ;;
po)
    pot "$here/kura.pot"
    while read -r language; do
        msgmerge --quiet --update --backup=none --add-location=file --no-fuzzy-matching "$here/$language.po" "$here/kura.pot"
    done <"$here/LINGUAS"
    ;;
*)
    echo 'usage: update.sh pot [FILE] | po' >&2
    exit 2
    ;;
esac
