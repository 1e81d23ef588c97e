# shellcheck shell=bash
# A small site that changes, and what it was: to be sourced by torture.sh after tests/it/lib.sh. It has all that a backup
# can hold: tables and large objects, files in packs and in chunks, an application's version and secrets, Redis.

# bytes SEED LENGTH: always the same ones, which do not compress.
bytes() { openssl enc -aes-256-ctr -nosalt -pbkdf2 -iter 1 -k "$1" </dev/zero 2>/dev/null | head -c "$2" || true; }

# site_make: the database "site", $WORK/media with packs and chunks, the application in $WORK/app, and its Redis.
site_make() {
    local n
    createdb_as site
    sql site "CREATE TABLE account (id int PRIMARY KEY, name text);
        CREATE TABLE note (id bigint PRIMARY KEY, account int REFERENCES account, likes int NOT NULL, body text);
        CREATE TABLE drive_file (id int PRIMARY KEY, content bytea);
        CREATE TABLE setting (name text PRIMARY KEY, value text);
        CREATE TABLE empty (id int);
        CREATE INDEX ON note (account);
        INSERT INTO account SELECT n, md5(n::text) FROM generate_series(1, 500) n;
        INSERT INTO note SELECT n, n % 500 + 1, 0, repeat(md5(n::text), 5) FROM generate_series(1, 5000) n;
        INSERT INTO drive_file SELECT n, decode(repeat(md5(n::text), n), 'hex') FROM generate_series(1, 60) n;
        INSERT INTO setting VALUES ('round', '0');
        SELECT lo_from_bytea(0, decode(repeat(md5(n::text), n * 20), 'hex')) FROM generate_series(1, 10) n" >/dev/null || return 1
    mkdir -p "$WORK/media/large" "$WORK/media/nights" "$WORK/app/lib/mastodon"
    for n in {1..8}; do
        mkdir -p "$WORK/media/$n"
        bytes "directory $n" $((n * 6000)) | split -b $((n * 300)) -a 3 - "$WORK/media/$n/"
    done
    bytes large $((3 * 1048576)) >"$WORK/media/large/video"
    ln "$WORK/media/large/video" "$WORK/media/large/linked"
    ln -s video "$WORK/media/large/symbolic"
    printf 'def major\n4\nend\ndef minor\n3\nend\ndef patch\n2\nend\n' >"$WORK/app/lib/mastodon/version.rb"
    redis_run cache
    site_change 0
}

# site_change N: a night's: rows of all kinds, a large object, files new, changed and gone, a chunk, a secret, a queue. Of
# a night's packs later ones need some files and some not.
site_change() {
    local n=$1 dir=$WORK/media/$(($1 % 8 + 1))
    sql site "UPDATE note SET likes = likes + 1 WHERE id % 211 = $n % 211;
        INSERT INTO note SELECT max + i, i, 0, md5((max + i)::text) FROM generate_series(1, 25) i, (SELECT max(id) FROM note) m;
        DELETE FROM note WHERE id = (SELECT min(id) FROM note);
        UPDATE setting SET value = $n;
        SELECT lo_from_bytea(0, decode(md5('$n'), 'hex')), (SELECT lo_unlink(min(oid)) FROM pg_largeobject_metadata)" >/dev/null || return 1
    bytes "changed $n" $((n * 7 % 9000 + 1)) >"$dir/aaa"
    bytes "new $n" 8000 | split -b 1000 -a 1 - "$WORK/media/nights/new-$n-"
    bytes "often $n" 16000 | split -b 2000 -a 1 - "$WORK/media/nights/"
    find "$WORK/media/nights" -name 'new-*' -printf '%T@ %p\n' | sort -rn | tail -n +33 | cut -d ' ' -f 2 | xargs -r rm
    bytes "chunk $n" 1100000 >"$WORK/media/large/changing"
    printf '%s\n' LOCAL_DOMAIN=example.test DB_NAME=site "SECRET_KEY_BASE=$(printf '%0128d' "$n")" >"$WORK/app/.env.production"
    redis cache SET round "night number $n" >/dev/null
}

# site_state DATABASE MEDIA APP REDIS: all that a restore must bring back. The last one is what to read the dump with.
site_state() {
    local table
    tree "$2"
    cat "$3/.env.production"
    "${@:4}" | grep -ao 'night number [0-9]*'
    for table in account note drive_file setting empty; do
        echo "SELECT '$table', count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE \"C\")) FROM $table t;"
    done | psql -XqAt -v ON_ERROR_STOP=1 -d "$(conn "$1")" -f - \
        -c 'SELECT oid, md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY 1' || echo "no state of $1: $RANDOM$SECONDS"
}
site_now() { site_state site "$WORK/media" "$WORK/app" redis cache GET round; }
