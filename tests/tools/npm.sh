# shellcheck shell=bash
# Modules of npm's in the tests' cache, to be sourced.

KURA_TEST_CACHE=${KURA_TEST_CACHE:-/var/cache/kura-tests}

# npm_modules NAME DIRECTORY: installs what the lock file in the directory names, and sets NPM_MODULES to where it is. It
# is named by its lock file, and appears whole or not at all.
npm_modules() {
    local dir new
    dir=$KURA_TEST_CACHE/$1-$(sha256sum <"$2/package-lock.json" | cut -c 1-12)
    mkdir -p "$KURA_TEST_CACHE"
    (
        flock 9
        [ -d "$dir" ] && exit 0
        rm -rf "$dir".new.* # of a killed run
        new=$(mktemp -d "$dir.new.XXXXXX")
        cp "$2/package.json" "$2/package-lock.json" "$new/" &&
            npm --prefix "$new" ci --ignore-scripts --no-audit --no-fund --fetch-retries=5 --loglevel=error >&2 &&
            chmod 755 "$new" && mv "$new" "$dir"
    ) 9>"$dir.lock" || return 1
    # shellcheck disable=SC2034
    NPM_MODULES=$dir
}
