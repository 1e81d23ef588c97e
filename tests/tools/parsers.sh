# shellcheck shell=bash
# The libraries that applications read their configuration with, to be sourced: js-yaml and hjson of npm's in the tests'
# cache, Ruby's dotenv and PyYAML of Debian's.

. "$(dirname "${BASH_SOURCE[0]}")/npm.sh"
PARSERS=$(cd "$(dirname "${BASH_SOURCE[0]}")/parsers" && pwd)

# Installs what is missing, and sets KURA_PARSER_MODULES.
parsers_setup() {
    sh "$PARSERS/../../packages.sh" parsers && npm_modules parsers "$PARSERS" || return 1
    export KURA_PARSER_MODULES=$NPM_MODULES
}
