# shellcheck shell=bash
# Real migration tools for tests, to be sourced: Rails, Django and Alembic of Debian, TypeORM of npm in the tests' cache.

. "$(dirname "${BASH_SOURCE[0]}")/npm.sh"
MIGRATE_TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")/migrate" && pwd)

# Installs what is missing, and sets NODE_PATH.
migrate_setup() {
    sh "$MIGRATE_TOOLS/../../packages.sh" migrate && npm_modules migrate "$MIGRATE_TOOLS" || return 1
    export NODE_PATH=$NPM_MODULES/node_modules
}

# migrate_TOOL DATABASE DIRECTORY ..: as PGUSER at PGHOST.
migrate_rails() { ruby "$MIGRATE_TOOLS/activerecord.rb" "$@"; }
migrate_django() { /usr/bin/python3 "$MIGRATE_TOOLS/django_migrate.py" "$@"; }
migrate_alembic() { /usr/bin/python3 "$MIGRATE_TOOLS/alembic_migrate.py" "$@"; }
migrate_typeorm() {
    node "$MIGRATE_TOOLS/typeorm.js" "$(jq -n --arg host "$PGHOST" --arg user "$PGUSER" --arg name "$1" '{host: $host, username: $user, database: $name}')" "$2"
}
