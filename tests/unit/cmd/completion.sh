#!/bin/bash
# Asks the completion of a shell for words, in that shell: completion.sh bash|zsh|fish SCRIPT KURA
set -u
shell=$1 script=$(realpath "$2") failed=0
PATH=$(dirname "$(realpath "$3")"):$PATH
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export KURA_CONFIG=$work/kura.conf
unset KURA_REPO KURA_APP

mkdir -p "$work/repo/backups" "$work/media"
id=20261122T031500Z-misskey-x7k2
touch "$work/repo/backups/$id.json" "$work/repo/backups/20261121T031500Z-misskey-aaaa.2.json.age" "$work/repo/backups/\$(bad).json" "$work/site.dump"
printf '[app misskey]\ndb = dbname=misskey\n[repository nas]\nlocation = %s\n' "$work/repo" >"$work/kura.conf"
cd "$work" || exit 1

# offered LINE: what the shell would offer at the end of the line, one a line. bash: what replaces the last of its words,
# which '=' and ':' divide, too.
offered_bash() {
    local COMP_WORDS COMP_CWORD COMPREPLY
    read -ra COMP_WORDS <<<"$(sed 's/[=:]\+/ & /g' <<<"$1")"
    [[ $1 != *[\ =:] ]] || COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _kura
    printf '%s\n' "${COMPREPLY[@]}"
}
offered_fish() { HOME=$work fish -N -c 'source $argv[1]; complete -C $argv[2]' "$script" "$1" | cut -f 1; }
offered_zsh() { HOME=$work zsh -f "$here/completion.zsh" "$work/functions" "$1"; }

expect() { # expect WANTED LINE: it is offered; with a "!" in front it is not. Nothing is printed beside what is offered
    local wanted=${1#!} found=no should=yes
    [[ $1 != !* ]] || should=no
    "offered_$shell" "$2" >"$work/offered" 2>"$work/err"
    # a shell whose words end at '=' offers what is behind it
    grep -qxF -e "$wanted" -e "${wanted##*=}" -e "$wanted/" -e "${wanted##*=}/" "$work/offered" && found=yes
    if [[ $found != "$should" || -s $work/err ]]; then
        echo "$shell: expected $1 for: $2; got:"
        cat "$work/offered" "$work/err"
        failed=1
    fi
}

case $shell in
bash) . "$script" ;;
zsh) mkdir "$work/functions" && cp "$script" "$work/functions/_kura" ;;
esac
expect backup 'kura ba'
expect --json 'kura --j'
expect --exclude-table-data 'kura backup --excl'
expect '!--swap' 'kura backup --s'
expect --swap 'kura restore latest --s'
expect files 'kura restore latest --only f'
expect --only=files 'kura restore latest --only=f'
expect --compress=gzip 'kura export latest dir --compress=g'
expect --create-roles 'kura --repo /srv/kura restore --c'
expect --s3-region 'kura list --s3'
expect '!--s3-secret-key' 'kura list --s3'
expect auto 'kura list --s3-path-style a'
expect nas 'kura list --repo n'
expect repo 'kura list --repo re'
expect '!site.dump' 'kura list --repo s'
expect misskey 'kura backup --app m'
expect media 'kura export latest m'
expect '!media' 'kura backup --files me'
expect --files=media=repo 'kura backup --files=media=re'
expect site.dump 'kura remap si'
expect latest 'kura restore la'
expect $id 'kura restore 20261122'
expect 20261121T031500Z-misskey-aaaa 'kura show --repo nas 2026'
expect '!$(bad)' 'kura show $'
expect add 'kura key a'
expect '!add' 'kura key add a'
expect not-null 'kura check n'
expect rehearse 'kura help re'
expect '!--json' 'kura show -- --j'

echo '[nonsense' >"$work/kura.conf"
expect latest 'kura restore l'
expect '!nas' 'kura list --repo n'

PATH=${PATH#*:} # where kura may not be at all: no shell says so
expect '!nonsense' 'kura ba'
exit $failed
