# bash completion for kura: asks the program itself.
_kura()
{
    local line dirs=no files=no joined=() word

    # Bash divides words at '=' and ':'; kura does not.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        if [[ ${#joined[@]} -gt 0 && ($word == [=:]* || ${joined[-1]} == *[=:]) ]]; then
            joined[-1]+=$word
        else
            joined+=("$word")
        fi
    done
    word=${joined[-1]}
    local behind=${word##*[=:]}
    local before=${word%"$behind"}

    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
        :file) files=yes ;;
        :dir) dirs=yes ;;
        *)
            line=${line%%$'\t'*}
            COMPREPLY+=("${line#"$before"}")
            ;;
        esac
    done < <(kura __complete "${joined[@]}" 2>/dev/null)

    if [[ $files == yes || $dirs == yes ]]; then
        compopt -o filenames 2>/dev/null
        local kind=-d
        [[ $files == no ]] || kind=-f
        while IFS= read -r line; do
            COMPREPLY+=("$line")
        done < <(compgen "$kind" -- "$behind")
    fi
}
complete -F _kura kura
