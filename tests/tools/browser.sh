# shellcheck shell=bash
# A browser for tests, to be sourced: Debian's Chromium, driven by modules of npm's in the tests' cache.

. "$(dirname "${BASH_SOURCE[0]}")/npm.sh"
BROWSER_TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")/browser" && pwd)

# Installs what is missing, and sets KURA_BROWSER_MODULES.
browser_setup() {
    sh "$BROWSER_TOOLS/../../packages.sh" report && npm_modules browser "$BROWSER_TOOLS" || return 1
    export KURA_BROWSER_MODULES=$NPM_MODULES
}

# browser_look PAGES [SHOTS]: see browser/look.mjs.
browser_look() { node "$BROWSER_TOOLS/look.mjs" "$@"; }
