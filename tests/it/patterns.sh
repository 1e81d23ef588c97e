#!/bin/bash
# --exclude takes patterns as gitignore(5) tells, and git is asked whether that is so: random patterns over a tree of odd
# names, what git check-ignore says against what a backup holds. KURA_PATTERN_ROUNDS for more than 60 rounds.
# Also what else a backup of files leaves out, and whom it lets go first.
. "$(dirname "$0")/lib.sh"

rounds=${KURA_PATTERN_ROUNDS:-60} RANDOM=${KURA_SEED:-4711}
tree=$WORK/tree repo=$WORK/repo
names=(a b ab abc a.b a.c '[a]' 'a*' 'a?b' '!a' '#a' 'a b' 'é' '-x' 'b]' '^a' 'x\y' .a)
mkdir "$tree"
for one in "${names[@]}"; do
    mkdir -p "$tree/$one"
    for two in "${names[@]:0:9}"; do
        if [ $((RANDOM % 3)) = 0 ]; then
            mkdir -p "$tree/$one/$two/deep/ab"
            : >"$tree/$one/$two/a.c" && : >"$tree/$one/$two/deep/b" && : >"$tree/$one/$two/deep/ab/a.b"
        else
            : >"$tree/$one/$two"
        fi
    done
done
git -c init.defaultBranch=main init -q "$WORK/git" --separate-git-dir "$WORK/gitdir" && rm -rf "$WORK/git" || die 'no git'
(cd "$tree" && find . -mindepth 1 -printf '%P\0') | sort -z >"$WORK/all"
kura init --repo "$repo" >/dev/null || die 'no repository'

# Not "a**": git takes the literal beginning of a pattern away first, and then "a**/b" for "a" and "**/b". Nor "[a": a
# class that is not closed goes on behind a slash there.
pieces=(a b ab abc deep a.b '*' '?' '**' '*b' 'a*' '*.*' '[ab]' '[!a]' '[^a]*' '[a-c]?' '[[:alpha:]]' '\*' 'a\*' 'a\?b' '[]a]' '\[a\]' 'b]'
    '[b]]' '\!a' '\#a' 'a b' 'é' '?é' '**a' '-x' '[.]a' '.*' '[\]]' 'x\\y' '[!]a]')
pick() { piece=${pieces[RANDOM % ${#pieces[@]}]}; }
random_pattern() {
    local i
    pattern=''
    [ $((RANDOM % 4)) != 0 ] || pattern='!'
    [ $((RANDOM % 4)) != 0 ] || pattern+=/
    for ((i = RANDOM % 3; i > 0; i--)); do
        pick
        pattern+=$piece/
    done
    pick
    pattern+=$piece
    [ $((RANDOM % 4)) != 0 ] || pattern+=/
}

# agree PATTERN...
agree() {
    local options=() pattern
    printf '%s\n' "$@" >"$WORK/patterns"
    for pattern; do options+=("--exclude=$pattern"); done
    kura -q --json backup --repo "$repo" --files "tree=$tree" --app tree "${options[@]}" >"$WORK/out" || { cat "$WORK/out"; return 1; }
    kura show "$(jq -r .backup.id "$WORK/out")" --repo "$repo" --files --json | jq -rj '.filesets[].entries[] | .path + "\u0000"' | sort -z >"$WORK/held"
    (cd "$tree" && GIT_DIR=$WORK/gitdir GIT_WORK_TREE=$tree git -c core.excludesFile="$WORK/patterns" check-ignore --no-index -z --stdin <"$WORK/all") |
        sort -z >"$WORK/ignored"
    sort -z -u "$WORK/held" "$WORK/ignored" | cmp - "$WORK/all" && [ -z "$(comm -z -12 "$WORK/held" "$WORK/ignored" | tr '\0' '\n')" ] && return 0
    echo "patterns: $*"
    echo 'git ignores, the backup has:'
    comm -z -12 "$WORK/held" "$WORK/ignored" | tr '\0' '\n' | head -n 20
    echo 'neither:'
    sort -z -u "$WORK/held" "$WORK/ignored" | comm -z -13 - "$WORK/all" | tr '\0' '\n' | head -n 20
    return 1
}

for pattern in a '*' '/a' 'a/' '/*/a' 'a/*' 'a/**' '**/a' 'a/**/b' '**/deep' 'deep/**' '**' '[' 'a[' '[a' '\' 'a\' '[!a]' '[[:alpha:]]*' '\!a' '\#a' '*/' '**/' '/**' \
    '/' '//' 'a//b' './a' '[a-' '[]]' '[^a]' '?' '??' 'a**' '***' 'a/***' '[/]' 'a[/]b' '*\*' '\\' 'x\\y'; do
    check "git agrees on $pattern" agree "$pattern"
done
for pair in '* !a' 'a !a/b' '/a/* !/a/b' '* !*/ !deep' 'deep !deep/b' '*.c !a.c' '!a a' '/* !/ab'; do
    # shellcheck disable=SC2086
    set -f && check "git agrees on $pair" agree $pair && set +f
done
for ((round = 1; round <= rounds; round++)); do
    patterns=()
    for ((n = RANDOM % 4; n >= 0; n--)); do
        random_pattern
        patterns+=("$pattern")
    done
    check "round $round: ${patterns[*]}" agree "${patterns[@]}"
done

for locale in C C.UTF-8; do
    export LC_ALL=$locale
    check "in locale $locale, characters are bytes" agree '?' '[!a]'
done

# Caches, other file systems.
paths_of() { # paths_of OPTION...: what a backup holds of $WORK/site
    kura -q --json backup --repo "$repo" --files "site=$WORK/site" --app site "$@" >"$WORK/out" || { cat "$WORK/out"; return 1; }
    kura show "$(jq -r .backup.id "$WORK/out")" --repo "$repo" --files --json | jq -r '.filesets[].entries[].path' | LC_ALL=C sort | tr '\n' ' '
}
tag='Signature: 8a477f597d28d172789f06886806bc55'
mkdir -p "$WORK/site"/{cache/below,no,short,link,pipe,other}
for one in cache no short link pipe; do echo "$one" >"$WORK/site/$one/file"; done
printf '%s\n# made by a test\n' "$tag" >"$WORK/site/cache/CACHEDIR.TAG"
echo 'Signature: of another kind, and long enough for one' >"$WORK/site/no/CACHEDIR.TAG"
printf '%s' "${tag%?}" >"$WORK/site/short/CACHEDIR.TAG"
ln -s ../cache/CACHEDIR.TAG "$WORK/site/link/CACHEDIR.TAG"
mkfifo "$WORK/site/pipe/CACHEDIR.TAG"
rest='link link/CACHEDIR.TAG link/file no no/CACHEDIR.TAG no/file other pipe pipe/CACHEDIR.TAG pipe/file short short/CACHEDIR.TAG short/file '
check 'caches are taken unless told otherwise' test "$(paths_of)" = "cache cache/CACHEDIR.TAG cache/below cache/file $rest"
check '--exclude-caches leaves out what has a true tag' test "$(paths_of --exclude-caches)" = "cache cache/CACHEDIR.TAG $rest"
printf '[kura]\nexclude-caches = yes\n' >"$WORK/kura.conf"
check 'also by configuration' test "$(paths_of --config "$WORK/kura.conf")" = "cache cache/CACHEDIR.TAG $rest"
rm -r "$WORK/site"/{cache,no,short,link,pipe} && echo here >"$WORK/site/file"
mounted() { # mounted OPTION...: with another file system on site/other
    export -f paths_of kura
    export WORK repo KURA
    unshare --mount bash -c 'mount -t tmpfs none "$WORK/site/other" && mkdir "$WORK/site/other/dir" && echo there >"$WORK/site/other/dir/file" && paths_of "$@"' bash "$@"
}
check 'other file systems are entered' test "$(mounted)" = 'file other other/dir other/dir/file '
check 'but not with --one-file-system' test "$(mounted --one-file-system)" = 'file other '

# Priorities, of every thread.
truncate -s 20G "$WORK/site/large"
priorities() { # priorities WANTED OPTION...: "NICE IONICE" of all threads while a backup runs, once they are as wanted
    local child task seen='' deadline=$((SECONDS + PATIENCE))
    HOME=$WORK TMPDIR=$WORK/tmp "$KURA" -q backup --repo "$repo" --files "site=$WORK/site" --app site "${@:2}" >"$WORK/out" 2>&1 &
    child=$!
    while [ $SECONDS -lt $deadline ] && kill -0 $child 2>/dev/null; do
        seen=$(for task in /proc/$child/task/*; do
            echo "$(cut -d ' ' -f 19 "$task/stat") $(ionice -p "${task##*/}")"
        done 2>/dev/null | sort -u)
        [ "$seen" != "$1" ] || break
    done
    kill $child
    wait $child
    echo "$seen, wanted $1"
    [ "$seen" = "$1" ]
}
check '--nice and --ionice idle' priorities '15 idle' --nice 15 --ionice idle
check '--ionice best-effort:6' priorities '3 best-effort: prio 6' --nice 3 --ionice best-effort:6
printf '[kura]\nnice = 7\nionice = idle\n' >"$WORK/kura.conf"
check 'also by configuration' priorities '7 idle' --config "$WORK/kura.conf"
for bad in idle:1 best-effort:8 best-effort: '' slow best-effort:1x; do
    check "--ionice \"$bad\" is refused" status_is 2 kura backup --repo "$repo" --files "site=$WORK/site" --ionice "$bad"
done
check '--nice 20 is refused' status_is 2 kura backup --repo "$repo" --files "site=$WORK/site" --nice 20

finish
