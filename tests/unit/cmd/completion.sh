# Asks the completion for words as an interactive shell would. Argument: the completion script.
set -u
. "$1"
failed=0

# expect COMPLETION WORD..: completing the last word must offer COMPLETION (or, with a "!" in front, must not).
expect() {
    local wanted=$1
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _kura
    local found=no word
    for word in "${COMPREPLY[@]}"; do
        [[ $word == "${wanted#!}" ]] && found=yes
    done
    if [[ ($wanted == !* && $found == yes) || ($wanted != !* && $found == no) ]]; then
        echo "kura completion: expected $wanted for: $*; got: ${COMPREPLY[*]}"
        failed=1
    fi
}

expect backup kura ba
expect --json kura --j
expect --exclude-table-data kura backup --excl
expect '!--swap' kura backup --s
expect --swap kura restore latest --s
expect files kura restore latest --only f
expect gzip kura export latest dir --compress = g
expect --create-roles kura --repo /srv/kura restore --c
expect --s3-region kura list --s3
expect '!--s3-secret-key' kura list --s3
expect auto kura list --s3-path-style a
cd /
expect etc kura show --files et
expect '!etc' kura backup --files et
expect etc kura init --repo et
exit $failed
