# shellcheck shell=bash
# Real migration tools for tests, to be sourced: Rails, Django and Alembic of Debian, TypeORM of npm in the tests' cache.

KURA_TEST_CACHE=${KURA_TEST_CACHE:-/var/cache/kura-tests}
MIGRATE_TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")/migrate" && pwd)

# Installs what is missing, and sets NODE_PATH. The modules are named by their lock file, and appear whole or not at all.
migrate_setup() {
    local dir new
    sh "$MIGRATE_TOOLS/../../packages.sh" migrate || return 1
    dir=$KURA_TEST_CACHE/migrate-$(sha256sum <"$MIGRATE_TOOLS/package-lock.json" | cut -c 1-12)
    mkdir -p "$KURA_TEST_CACHE"
    (
        flock 9
        [ -d "$dir" ] && exit 0
        new=$(mktemp -d "$dir.XXXXXX")
        cp "$MIGRATE_TOOLS/package.json" "$MIGRATE_TOOLS/package-lock.json" "$new/" &&
            npm --prefix "$new" ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 && chmod 755 "$new" && mv "$new" "$dir"
    ) 9>"$dir.lock" || return 1
    export NODE_PATH=$dir/node_modules
}

# migrate_TOOL DATABASE DIRECTORY ..: as PGUSER at PGHOST.
migrate_rails() { ruby "$MIGRATE_TOOLS/activerecord.rb" "$@"; }
migrate_django() { /usr/bin/python3 "$MIGRATE_TOOLS/django_migrate.py" "$@"; }
migrate_alembic() { /usr/bin/python3 "$MIGRATE_TOOLS/alembic_migrate.py" "$@"; }
migrate_typeorm() {
    node "$MIGRATE_TOOLS/typeorm.js" "$(jq -n --arg host "$PGHOST" --arg user "$PGUSER" --arg name "$1" '{host: $host, username: $user, database: $name}')" "$2"
}
