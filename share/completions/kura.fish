# fish completion for kura: asks the program itself.
function __kura_complete
    command -q kura; or return
    set -l words (commandline -opc) (commandline -ct)
    set -l behind (string replace -r '^.*=' '' -- $words[-1])
    set -l before (string replace -r '[^=]*$' '' -- $words[-1])
    for line in (kura __complete $words[2..-1] 2>/dev/null)
        switch $line
            case :file
                printf '%s\n' $before(__fish_complete_path $behind)
            case :dir
                printf '%s\n' $before(__fish_complete_directories $behind '')
            case '*'
                echo $line
        end
    end
end
complete -c kura -f -a '(__kura_complete)'
