# shellcheck shell=bash
# The libraries that applications read their configuration with, to be sourced: js-yaml and hjson of npm's in the tests'
# cache, Ruby's dotenv and PyYAML of Debian's.

KURA_TEST_CACHE=${KURA_TEST_CACHE:-/var/cache/kura-tests}
PARSERS=$(cd "$(dirname "${BASH_SOURCE[0]}")/parsers" && pwd)

# Installs what is missing, and sets KURA_PARSER_MODULES. The modules are named by their lock file, and appear whole or
# not at all.
parsers_setup() {
    local dir new
    sh "$PARSERS/../../packages.sh" parsers || return 1
    dir=$KURA_TEST_CACHE/parsers-$(sha256sum <"$PARSERS/package-lock.json" | cut -c 1-12)
    mkdir -p "$KURA_TEST_CACHE"
    (
        flock 9
        [ -d "$dir" ] && exit 0
        new=$(mktemp -d "$dir.XXXXXX")
        cp "$PARSERS/package.json" "$PARSERS/package-lock.json" "$new/" &&
            npm --prefix "$new" ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 && chmod 755 "$new" && mv "$new" "$dir"
    ) 9>"$dir.lock" || return 1
    export KURA_PARSER_MODULES=$dir
}
