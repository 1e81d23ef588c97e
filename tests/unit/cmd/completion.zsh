# What zsh offers at the end of a line: completion.zsh FUNCTIONS LINE. An interactive zsh on a terminal of its own gets
# the line and a tab; its compadd, through which all matches go, shows them.
zmodload zsh/zpty
dir=$1 line=$2

inner() {
    stty -echo -onlcr
    exec zsh -f -i
}
zpty shell inner
zpty -w shell "PROMPT=; fpath=(${(q)dir} \$fpath); autoload -Uz compinit; compinit -u -d ${(q)dir}/dump
compadd() {
    local -a matches
    if [[ \${@[1,(i)(-|--)]} != *-[a-zA-Z]#[OAD]* ]]; then
        builtin compadd -A matches \"\$@\"
        print -rl -- '<'\${^matches}'>'
    fi
    builtin compadd \"\$@\"
}
finish() { print '<<end>>'; exit }
complete_line() { comppostfuncs=(finish); zle complete-word }
zle -N complete_line
bindkey '^I' complete_line
setopt extended_glob
print '<<ready>>'"
zpty -r -m shell ready '*<<ready>>*'
zpty -w -n shell "$line"$'\t'
zpty -r -m shell output '*<<end>>*'
print -r -- $output | sed -n 's/^.*<\([^<>]*\)>\r\{0,1\}$/\1/p' | grep -v end
zpty -d shell
exit 0
