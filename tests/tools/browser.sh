# shellcheck shell=bash
# A browser for tests, to be sourced: Debian's Chromium, driven by modules of npm's in the tests' cache.

KURA_TEST_CACHE=${KURA_TEST_CACHE:-/var/cache/kura-tests}
BROWSER_TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")/browser" && pwd)

# Installs what is missing, and sets KURA_BROWSER_MODULES. The modules are named by their lock file, and appear whole or
# not at all.
browser_setup() {
    local dir new
    sh "$BROWSER_TOOLS/../../packages.sh" report || return 1
    dir=$KURA_TEST_CACHE/browser-$(sha256sum <"$BROWSER_TOOLS/package-lock.json" | cut -c 1-12)
    mkdir -p "$KURA_TEST_CACHE"
    (
        flock 9
        [ -d "$dir" ] && exit 0
        new=$(mktemp -d "$dir.XXXXXX")
        cp "$BROWSER_TOOLS/package.json" "$BROWSER_TOOLS/package-lock.json" "$new/" &&
            npm --prefix "$new" ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 && chmod 755 "$new" && mv "$new" "$dir"
    ) 9>"$dir.lock" || return 1
    export KURA_BROWSER_MODULES=$dir
}

# browser_look PAGES [SHOTS]: see browser/look.mjs.
browser_look() { node "$BROWSER_TOOLS/look.mjs" "$@"; }
