/* Trees of applications (tests/fixtures/apps) read as sites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kura/app.h"
#include "kura/mem.h"
#include "kura/schema.h"

static const char *trees;
static Findings findings;
static Error err;

static AppSite *site_of(const char *name)
{
    AppSite *site = NULL;
    _cleanup_free_ char *dir = xasprintf("%s/%s", trees, name);
    findings = (Findings)FINDINGS_INIT;
    err = (Error)ERROR_INIT;
    if (app_site_read(dir, NULL, &site, &findings, &err) < 0)
        fail_msg("%s: %s", name, err.message);
    return site;
}

static void done(AppSite *site)
{
    app_site_free(site);
    findings_done(&findings);
}

static void is(const char *what, const char *got, const char *wanted)
{
    if (strcmp(got ? got : "-", wanted) != 0)
        fail_msg("%s is \"%s\", not \"%s\"", what, got ? got : "-", wanted);
}

/* "host:port/database?sslmode user password prefix", with "-" for what is not said. */
static char *server_text(const AppServer *server)
{
#define OR(member) (server->member ? server->member : "-")
    return xasprintf("%s %s:%s/%s?%s %s %s %s", OR(role), OR(host), OR(port), OR(database), OR(sslmode), OR(user),
                     OR(password), OR(prefix));
#undef OR
}

static void server_is(const AppServer *server, const char *wanted)
{
    _cleanup_free_ char *text = server_text(server);
    assert_string_equal(text, wanted);
}

static char *list_text(const StrVec *list)
{
    char *text = xstrdup("");
    for (size_t i = 0; i < list->n; i++) {
        char *more = xasprintf("%s%s%s", text, i ? "|" : "", list->v[i]);
        free(text);
        text = more;
    }
    return text;
}

static void list_is(const StrVec *list, const char *wanted)
{
    _cleanup_free_ char *text = list_text(list);
    assert_string_equal(text, wanted);
}

static const AppFileset *fileset(const AppSite *site, const char *name)
{
    for (size_t i = 0; i < site->n_filesets; i++)
        if (strcmp(site->filesets[i].name, name) == 0)
            return &site->filesets[i];
    return NULL;
}

static void root_is(const AppSite *site, const char *name, const char *below)
{
    _cleanup_free_ char *wanted = xasprintf("%s%s%s", site->dir, *below ? "/" : "", below);
    assert_non_null(fileset(site, name));
    assert_string_equal(fileset(site, name)->root, *below == '/' ? below : wanted);
}

static const char *secret(const AppSite *site, const char *name)
{
    for (size_t i = 0; i < site->n_secrets; i++)
        if (strcmp(site->secrets[i].name, name) == 0)
            return site->secrets[i].value;
    return NULL;
}

static bool required(const AppSite *site, const char *name)
{
    for (size_t i = 0; i < site->n_secrets; i++)
        if (strcmp(site->secrets[i].name, name) == 0)
            return site->secrets[i].required;
    fail_msg("no secret \"%s\"", name);
    return false;
}

/* ---- Misskey ---- */

static void misskey_of_2025(void **state)
{
    AppSite *site = site_of("misskey-2025");
    is("name", site->name, "misskey");
    is("title", site->title, "Misskey");
    is("version", site->version, "2025.9.0");
    assert_null(site->fork);
    server_is(&site->database, "database db.internal:5433/misskey_prod?require mk-app it's: #1 & only -");
    is("host key", site->database.host_key, "db.host");
    is("port key", site->database.port_key, "db.port");
    assert_true(site->reads_replicas);
    assert_int_equal(site->n_replicas, 2);
    server_is(&site->replicas[0], "dbSlaves[0] db-ro.internal:5434/misskey_prod?require mk-reader réad \"only\" -");
    is("host key", site->replicas[0].host_key, "dbSlaves[0].host");
    server_is(&site->replicas[1], "dbSlaves[1] 192.0.2.7:5432/misskey_prod?require mk-reader other -");
    assert_int_equal(site->n_redis, 2);
    server_is(&site->redis[0], "redis localhost:6379/1?- - example-pass misskey.example");
    server_is(&site->redis[1], "redisForJobQueue jobs.internal:6379/1?- - example-pass jobs");
    root_is(site, "media", "files");
    root_is(site, "config", "");
    list_is(&fileset(site, "config")->only, "/.config/");
    assert_true(fileset(site, "config")->secret);
    assert_false(fileset(site, "media")->secret);
    is("schema", site->schema.tool, "typeorm");
    is("migrate", site->schema.migrate, "pnpm run migrate");
    list_is(&site->schema.dirs, "packages/backend/migration");
    list_is(&site->extensions, "pgroonga");
    assert_int_equal(site->media_queries.n, 1);
    assert_non_null(site->object_storage_sql);
    is("secret", secret(site, "setupPassword"), "only once");
    const AppSetting *host = app_setting(site, "db.host");
    assert_non_null(host);
    is("file", host->place.file, ".config/default.yml");
    assert_int_equal(host->place.line, 12);
    assert_int_equal(host->place.len, strlen("db.internal"));
    assert_null(app_setting(site, "db.nothing"));
    done(site);
}

static void misskey_in_containers(void **state)
{
    AppSite *site = site_of("misskey-13-docker");
    assert_null(site->version);
    server_is(&site->database, "database db:5432/misskey13?- container-user container-pass#1 -");
    assert_false(site->reads_replicas);
    is("migrate", site->schema.migrate, "docker compose run --rm web pnpm run migrate");
    done(site);

    assert_int_equal(setenv("DATABASE_PASSWORD", "of the environment", 1), 0);
    site = site_of("misskey-13-docker");
    is("password", site->database.password, "of the environment");
    assert_null(app_setting(site, "DATABASE_PASSWORD")->place.file);
    done(site);
    assert_int_equal(unsetenv("DATABASE_PASSWORD"), 0);
}

static void misskey_of_before_and_a_fork(void **state)
{
    AppSite *site = site_of("misskey-v11");
    is("version", site->version, "11.37.1-fork.8");
    server_is(&site->database, "database localhost:5432/misskey11?- misskey 123 -");
    list_is(&site->schema.dirs, "migration");
    is("migrate", site->schema.migrate, "yarn run migrate");
    is("prefix", site->redis[0].prefix, "eleven.example");
    done(site);

    site = site_of("cherrypick-docker");
    is("fork", site->fork, "cherrypick");
    server_is(&site->database, "database db:5432/cherrypick?- fork a \"quoted\" one -");
    assert_int_equal(site->n_redis, 5);
    server_is(&site->redis[1], "redisForPubsub redis:6379/1?- - s\tcret pub");
    server_is(&site->redis[4], "redisForReactions reactions:6379/0?- - s\tcret fork.example");
    assert_null(secret(site, "setupPassword"));
    done(site);
}

/* In the order of ioredis: the path of a socket, what "tls" says, host and port. */
static void a_fork_and_its_servers(void **state)
{
    AppSite *site = site_of("sharkey");
    is("fork", site->fork, "sharkey");
    server_is(&site->database,
              "database /run/postgresql:5434/sharkey?require sharkey p: #'\"{}[],&*!|>%@` \\ \xc3\xbc -");
    assert_int_equal(site->n_redis, 6);
    server_is(&site->redis[0], "redis /run/redis/redis.sock:6379/0?- - 0123 shark.example");
    server_is(&site->redis[1], "redisForPubsub localhost:6379/3?- - - shark.example");
    server_is(&site->redis[2], "redisForJobQueue jobs.internal:6380/0?verify-full jobs jobs-pass shark.example");
    server_is(&site->redis[3], "redisForTimelines 2001:db8::5:6379/0?require - - shark.example");
    server_is(&site->redis[4], "redisForReactions reactions.internal:6379/0?- default - reactions");
    server_is(&site->redis[5], "redisForRateLimit limits.internal:6381/0?verify-full - - shark.example");
    is("host key", site->redis[0].host_key, "redis.path");
    is("host key", site->redis[2].host_key, "redisForJobQueue.host");
    root_is(site, "media", "/srv/sharkey/media");
    list_is(&site->services, "sharkey.service");
    list_is(&site->after_restore, "pnpm run migrate|systemctl start sharkey");
    done(site);
}

static void misskey_by_another_file(void **state)
{
    assert_int_equal(setenv("MISSKEY_CONFIG_YML", "other.yml", 1), 0);
    _cleanup_free_ char *dir = xasprintf("%s/misskey-v11", trees);
    AppSite *site = NULL;
    Findings none = FINDINGS_INIT;
    err = (Error)ERROR_INIT;
    assert_int_equal(app_site_read(dir, "misskey", &site, &none, &err), -1);
    assert_int_equal(err.code,
                     ERR_NOT_FOUND); /* rather than the default, which the application would not read either */
    findings_done(&none);
    assert_int_equal(unsetenv("MISSKEY_CONFIG_YML"), 0);
}

/* ---- Mastodon ---- */

static void mastodon_4_3(void **state)
{
    AppSite *site = site_of("mastodon-4.3");
    is("version", site->version, "4.3.2");
    assert_null(site->fork);
    server_is(&site->database, "database /var/run/postgresql:5432/town_mastodon?prefer mastodon p#ss \"word\" $HOME -");
    is("host key", site->database.host_key, "DB_HOST");
    assert_int_equal(site->n_replicas, 1);
    assert_true(site->reads_replicas);
    server_is(&site->replicas[0], "REPLICA reader.internal:5432/town_mastodon?prefer mastodon p#ss \"word\" $HOME -");
    assert_int_equal(site->n_redis, 3);
    server_is(&site->redis[0], "REDIS localhost:6379/0?- - - town");
    server_is(&site->redis[1], "SIDEKIQ_REDIS jobs.internal:6380/2?- - jobs@pass town");
    server_is(&site->redis[2], "CACHE_REDIS cache.internal:6379/0?- - - town_cache");
    root_is(site, "media", "public/system");
    list_is(&fileset(site, "media")->exclude, "/cache/");
    assert_true(fileset(site, "config")->secret);
    list_is(&site->schema.dirs, "db/migrate");
    list_is(&site->schema.post_dirs, "db/post_migrate");
    is("secret", secret(site, "OTP_SECRET"), "0f00000000000000000000000000000000000000000000000000000000000002");
    assert_int_equal(site->n_secrets, 7);
    for (size_t i = 0; i < site->n_secrets; i++)
        assert_true(*site->secrets[i].needed_for != 0);
    list_is(&site->services, "mastodon-web.service|mastodon-streaming.service|mastodon-sidekiq.service");
    list_is(&site->must_exist, "streaming");
    assert_true(strvec_contains(&site->after_restore, "RAILS_ENV=production bin/tootctl search deploy"));
    done(site);
}

static void mastodon_of_before(void **state)
{
    AppSite *site = site_of("mastodon-2.7");
    is("version", site->version, "2.7.4");
    assert_null(site->fork);
    server_is(&site->database, "database localhost:5433/mastodon_production?prefer mastodon back\\slash -");
    assert_false(site->reads_replicas);
    assert_null(secret(site, "VAPID_PRIVATE_KEY")); /* an empty one is none */
    is("secret", secret(site, "OTP_SECRET"), "270000000002");
    assert_true(required(site, "SECRET_KEY_BASE") && required(site, "OTP_SECRET"));
    assert_false(required(site, "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY"));
    done(site);

    site = site_of("mastodon-3.5"); /* DATABASE_URL goes before all */
    is("version", site->version, "3.5.19");
    server_is(&site->database, "database 2001:db8::5:6432/middle?require m@stodon p/ss% -");
    assert_null(site->database.host_key);
    server_is(&site->replicas[0], "REPLICA replica.example:5432/middle?prefer reader - -");
    server_is(&site->redis[0], "REDIS /run/redis/redis.sock:6379/0?- - - -");
    server_is(&site->redis[1], "SIDEKIQ_REDIS jobs.example:6379/0?- - a$b -");
    server_is(&site->redis[2], "CACHE_REDIS cache.example:6390/4?verify-full user pw cache");
    assert_null(fileset(site, "media")); /* it is in a bucket */
    is("bucket", site->object_storage, "media");
    is("by dotenv 2.8", app_setting(site, "MESSAGE")->value, "two\nlines");
    done(site);
}

static void mastodon_forks_and_containers(void **state)
{
    AppSite *site = site_of("mastodon-glitch");
    is("version", site->version, "4.4.0-alpha.3");
    is("fork", site->fork, "glitch-soc/mastodon");
    server_is(&site->database, "database localhost:5432/local_name?prefer local_user a\nb -");
    is("file", app_setting(site, "DB_NAME")->place.file, ".env.production.local");
    root_is(site, "media", "/nonexistent/media");
    assert_int_equal(findings.n, 1);
    is("finding", findings.v[0].code, "app-command");
    done(site);

    site = site_of("mastodon-docker");
    is("password", site->database.password, "quoted"); /* Compose takes the quotes off */
    assert_null(site->version);
    list_is(&site->must_exist, "");
    list_is(&site->after_restore,
            "docker-compose run --rm web bundle exec rails db:migrate|docker-compose run --rm web "
            "bin/tootctl feeds build");
    done(site);
}

static void mastodon_behind_sentinels(void **state)
{
    AppSite *site = site_of("mastodon-sentinel");
    server_is(&site->database, "database /run/postgresql:5432/mastodon_production?prefer mastodon - -");
    assert_int_equal(site->n_redis, 1); /* which one the sentinels would name is not known */
    is("the cache has its own", site->redis[0].role, "CACHE_REDIS");
    done(site);
}

/* ---- others ---- */

static void pleroma_and_akkoma(void **state)
{
    AppSite *site = site_of("pleroma");
    is("version", site->version, "2.7.1");
    assert_null(site->fork);
    server_is(&site->database, "database localhost:5432/pleroma_prod?- pleroma pa\\ss\"word#1 -");
    root_is(site, "media", "uploads");
    root_is(site, "static", "instance/static");
    list_is(&site->extensions, "citext|pg_trgm|uuid-ossp|rum");
    is("schema", site->schema.tool, "ecto");
    is("secret", secret(site, "vapid private_key"), "cHJpdmF0ZQ");
    list_is(&site->services, "pleroma.service");
    done(site);

    site = site_of("akkoma-otp");
    is("host", site->database.host, "/run/postgresql");
    assert_null(site->database.password);
    assert_null(fileset(site, "media"));
    root_is(site, "static", "/var/lib/akkoma/static");
    list_is(&site->services, "akkoma.service");
    is("migrate", site->schema.migrate, "./bin/pleroma_ctl migrate");
    is("finding", findings.n ? findings.v[0].code : NULL, "app-value");
    done(site);
}

static void peertube(void **state)
{
    AppSite *site = site_of("peertube");
    is("version", site->version, "7.3.0");
    server_is(&site->database, "database localhost:5433/peertube_prod?- peertube tube \"pass\" -");
    is("schema", site->schema.version, "940");
    is("secret", secret(site, "secrets.peertube"), "0123456789abcdef");
    list_is(&site->extensions, "pg_trgm|unaccent");
    root_is(site, "media", "storage");
    assert_false(strvec_contains(&fileset(site, "media")->exclude, "/tmp-persistent/")); /* exports of users */
    assert_non_null(fileset(site, "web-videos"));
    is("what was moved to another disk", fileset(site, "web-videos")->root, "/mnt/videos/web-videos/");
    assert_null(fileset(site, "avatars"));
    assert_null(site->object_storage);
    done(site);

    site = site_of("peertube-docker");
    server_is(&site->database, "database postgres:5432/peertube?- tube it$#1 -");
    is("secret", secret(site, "secrets.peertube"), "0123#not-a-comment");
    root_is(site, "media", "docker-volume/data");
    assert_int_equal(site->n_filesets, 2);
    is("bucket", site->object_storage, "tube-videos");
    assert_int_equal(site->n_redis, 0);
    done(site);
}

static void lemmy(void **state)
{
    AppSite *site = site_of("lemmy");
    is("version", site->version, "0.19.12");
    server_is(&site->database, "database db.internal:5433/lemmy_prod?- lemmy le#my \"pass\" -");
    is("schema", site->schema.tool, "diesel");
    root_is(site, "media", "volumes/pictrs"); /* missed aloud where it is not there */
    done(site);

    site = site_of("lemmy-scratch");
    server_is(&site->database, "database localhost:5432/lemmy?- lemmy db-passwd -");
    root_is(site, "media", "pictrs");
    done(site);

    site = site_of("lemmy-scratch/lemmy-server");
    assert_non_null(strstr(fileset(site, "media")->root, "/lemmy-scratch/pictrs"));
    done(site);

    site = site_of("lemmy-url");
    assert_null(fileset(site, "media"));
    server_is(&site->database, "database db.example:5434/lemmy?require le@mmy p:ss -");
    done(site);

    assert_int_equal(setenv("LEMMY_DATABASE_URL", "postgres://e@env.example/other", 1), 0);
    site = site_of("lemmy-url");
    is("host", site->database.host, "env.example");
    is("database", site->database.database, "other");
    done(site);
    assert_int_equal(unsetenv("LEMMY_DATABASE_URL"), 0);
}

static void synapse(void **state)
{
    AppSite *site = site_of("synapse");
    server_is(&site->database, "database localhost:5433/synapse?- synapse_user matrix: pass -");
    list_is(&site->exclude_table_data, "public.e2e_one_time_keys_json");
    assert_true(strvec_contains(&fileset(site, "media")->exclude, "/remote_content/"));
    assert_int_equal(site->n_redis, 1); /* "enabled: yes" is true to PyYAML */
    assert_non_null(strstr(secret(site, "signing key"), "ed25519 a_test"));
    done(site);

    site = site_of("synapse-debian"); /* the last file of conf.d counts */
    server_is(&site->database, "database db.example:5432/chat?- synapse - -");
    is("version", site->version, "1.142.0");
    is("schema", site->schema.version, "92");
    is("secret", secret(site, "macaroon_secret_key"), "biscuit\n");
    done(site);

    AppSite *none = NULL;
    Findings no_findings = FINDINGS_INIT;
    _cleanup_free_ char *dir = xasprintf("%s/synapse-sqlite", trees);
    assert_int_equal(app_site_read(dir, NULL, &none, &no_findings, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    findings_done(&no_findings);
}

static void forgejo(void **state)
{
    AppSite *site = site_of("forgejo");
    server_is(&site->database, "database db.internal:5433/forgejo?verify-full forgejo p#ss;w\"rd -");
    is("host key", site->database.host_key, "database.HOST");
    root_is(site, "repositories", "data/gitea-repositories");
    is("secret", secret(site, "SECRET_KEY"), "quoted key");
    done(site);

    site = site_of("forgejo-etc"); /* the configuration in /etc, the data elsewhere */
    server_is(&site->database, "database /run/postgresql/:5432/forge?disable git - -");
    is("repositories", fileset(site, "repositories")->root, "/mnt/repositories");
    is("data", fileset(site, "data")->root, "/srv/forgejo/data");
    is("large files", fileset(site, "lfs")->root, "/mnt/lfs");
    assert_null(fileset(site, "attachments")); /* in the data */
    is("secret", secret(site, "LFS_JWT_SECRET"), "bGFyZ2U\n");
    SchemaHistory code;
    assert_int_equal(schema_site_read(site, &code, &err), -1);
    assert_non_null(strstr(err.message, "which number of the schema the code of Forgejo wants cannot be read here"));
    assert_non_null(strstr(err.hint, "forgejo doctor check --run check-db-version"));
    done(site);

    site = site_of("forgejo-gitea");
    root_is(site, "repositories", "data/gitea-repositories");
    is("bucket", site->object_storage, "forge");
    done(site);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misskey_of_2025),
        cmocka_unit_test(misskey_in_containers),
        cmocka_unit_test(misskey_of_before_and_a_fork),
        cmocka_unit_test(a_fork_and_its_servers),
        cmocka_unit_test(misskey_by_another_file),
        cmocka_unit_test(mastodon_4_3),
        cmocka_unit_test(mastodon_of_before),
        cmocka_unit_test(mastodon_forks_and_containers),
        cmocka_unit_test(mastodon_behind_sentinels),
        cmocka_unit_test(pleroma_and_akkoma),
        cmocka_unit_test(peertube),
        cmocka_unit_test(lemmy),
        cmocka_unit_test(synapse),
        cmocka_unit_test(forgejo),
    };
    if (argc != 2)
        return 1;
    trees = argv[1];
    setenv("KURA_PROFILES", "/nonexistent", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
