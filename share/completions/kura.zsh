#compdef kura
# zsh completion for kura: asks the program itself.
local line
local -a offered
local dirs=0 files=0

for line in "${(@f)$(kura __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
        '') ;;
        :file) files=1 ;;
        :dir) dirs=1 ;;
        *) offered+=("${${line//:/\\:}/$'\t'/:}") ;;
    esac
done

local found=1
(( $#offered )) && _describe kura offered && found=0
if (( files || dirs )); then
    compset -P '*='
    if (( files )); then _files && found=0; else _path_files -/ && found=0; fi
fi
return found
