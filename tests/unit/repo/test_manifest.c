#include "fixture.h"

#include "jsonnode_priv.h"

DEFINE_CLEANUP(Manifest, manifest_free)

static Manifest *parse(const Buf *text)
{
    Manifest *manifest = NULL;
    if (manifest_parse(text->data, text->len, &manifest, &err) < 0)
        fail_msg("%s", err.message);
    return manifest;
}

static void the_document(void **state)
{
    (void)state;
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest();
    _cleanup_(buf_done) Buf golden = BUF_INIT(GOLDEN_MAX), text = BUF_INIT(GOLDEN_MAX);
    read_golden("manifest.json", &golden);
    format_manifest(sample, &text);
    assert_string_equal(buf_str(&text), buf_str(&golden));
}

static void round_trip_is_exact(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf golden = BUF_INIT(GOLDEN_MAX), text = BUF_INIT(GOLDEN_MAX);
    read_golden("manifest.json", &golden);
    _cleanup_(manifest_free_cleanup) Manifest *back = parse(&golden);
    format_manifest(back, &text);
    assert_string_equal(buf_str(&text), buf_str(&golden));
}

static void values_come_back(void **state)
{
    (void)state;
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest();
    _cleanup_(buf_done) Buf text = BUF_INIT(GOLDEN_MAX);
    format_manifest(sample, &text);
    _cleanup_(manifest_free_cleanup) Manifest *back = parse(&text);
    const ManifestDatabase *database = &back->database;
    const ManifestTable *notes = &database->tables[0], *ledger = &database->tables[1], *odd = &database->tables[2];
    assert_string_equal(back->id, SAMPLE_ID);
    assert_int_equal(back->warnings.n, 9);
    assert_string_equal(back->filesets[0].root, "/srv/caf\xe9");
    assert_int_equal(back->filesets[0].n_index, 4);
    assert_int_equal(back->filesets[0].bytes, 123456789012345);
    assert_int_equal(back->filesets[1].n_index, 0);
    assert_true(back->has_database);
    assert_int_equal(notes->n_segments, 2);
    assert_true(rowdigest_equal(&notes->digest, &sample->database.tables[0].digest));
    assert_false(notes->segments[0].continues);
    assert_true(notes->segments[1].continues);
    assert_int_equal(notes->segments[1].blob.size, 900);
    assert_int_equal(notes->segments[0].length, 0);
    assert_int_equal(odd->segments[0].offset, 1200);
    assert_int_equal(odd->segments[0].length, 300);
    assert_null(notes->root_name);
    assert_null(notes->condition);
    assert_string_equal(ledger->root_name, "ledger");
    assert_int_equal(ledger->oid, 4000000000);
    assert_string_equal(odd->schema, "caf\xe9");
    assert_string_equal(odd->name, "odd \"name\"\n");
    assert_string_equal(odd->condition, "WHERE NOT builtin");
    assert_string_equal(database->large_objects.name, "large-objects");
    assert_null(database->large_objects.root);
    assert_string_equal(database->facts.comment, "caf\xe9");
    assert_null(database->facts.icu_locale);
    assert_null(database->facts.grants[0].grantee);
    assert_null(database->facts.settings[0].role);
    const DbRole *role = dbfacts_role(&database->facts, "misskey");
    assert_non_null(role);
    assert_string_equal(role->member_of.v[0], "app \"owners\"");
    assert_null(dbfacts_role(&database->facts, "nobody"));
    assert_int_equal(dbfacts_role(&database->facts, "postgres")->connection_limit, -1);
}

static void the_application_comes_back(void **state)
{
    (void)state;
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest();
    _cleanup_(buf_done) Buf text = BUF_INIT(GOLDEN_MAX);
    format_manifest(sample, &text);
    _cleanup_(manifest_free_cleanup) Manifest *back = parse(&text);
    const ManifestApplication *application = back->application;
    assert_string_equal(application->profile, "misskey");
    assert_string_equal(application->version, "2025.9.0");
    assert_string_equal(application->fork, "misskey-of-ours");
    assert_string_equal(application->dir, "/home/caf\xe9/misskey");
    assert_string_equal(application->services.v[0], "misskey.service");
    assert_string_equal(application->database.user, "example");
    assert_null(application->database.name);
    assert_string_equal(application->schema->state, "pending");
    assert_int_equal(application->schema->applied.n, 2);
    assert_string_equal(application->schema->failed.v[0], "Third1700000000003");
    assert_int_equal(application->n_secrets, 1);
    assert_string_equal(application->secrets[0].name, "setupPassword");
    assert_string_equal(application->secrets[0].fingerprint, sample->application->secrets[0].fingerprint);
}

static void the_host_comes_back(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf text = BUF_INIT(GOLDEN_MAX), without = BUF_INIT(GOLDEN_MAX);
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest();
    format_manifest(sample, &text);
    _cleanup_(manifest_free_cleanup) Manifest *back = parse(&text);
    assert_string_equal(back->system->libc, "glibc 2.36");
    assert_null(back->system->timezone);
    assert_string_equal(back->system->clients.v[1], "17");
    assert_true(hostfacts_has_locale(back->system, "ja_JP.UTF-8"));
    assert_false(hostfacts_has_locale(back->system, "ja_JP.eucJP"));
    hostfacts_done(sample->system);
    free(steal(sample->system));
    format_manifest(sample, &without);
    assert_null(strstr(buf_str(&without), "\"system\""));
    _cleanup_(manifest_free_cleanup) Manifest *old = parse(&without);
    assert_null(old->system);
}

/* Nobody's manifests of before have it. */
static void without_an_application(void **state)
{
    (void)state;
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest();
    _cleanup_(buf_done) Buf text = BUF_INIT(GOLDEN_MAX);
    manifest_application_free(steal(sample->application));
    format_manifest(sample, &text);
    assert_null(strstr(buf_str(&text), "\"application\""));
    _cleanup_(manifest_free_cleanup) Manifest *back = parse(&text);
    assert_null(back->application);
}

static void the_oldest_code_comes_back(void **state)
{
    (void)state;
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest();
    _cleanup_(buf_done) Buf text = BUF_INIT(GOLDEN_MAX);
    sample->application->schema->least = xstrdup("84");
    format_manifest(sample, &text);
    _cleanup_(manifest_free_cleanup) Manifest *back = parse(&text);
    assert_string_equal(back->application->schema->least, "84");
}

static void without_a_schema(void **state)
{
    (void)state;
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest();
    _cleanup_(buf_done) Buf text = BUF_INIT(GOLDEN_MAX), again = BUF_INIT(GOLDEN_MAX);
    manifest_schema_free(steal(sample->application->schema));
    format_manifest(sample, &text);
    _cleanup_(manifest_free_cleanup) Manifest *back = parse(&text);
    assert_null(back->application->schema);
    format_manifest(back, &again);
    assert_string_equal(buf_str(&again), buf_str(&text));
}

static Manifest *small_manifest(const char *id, const char *app)
{
    Manifest *manifest = manifest_new();
    manifest->id = xstrdup(id);
    manifest->app = xstrdup(app);
    manifest->host = xstrdup("h");
    manifest->kura_version = xstrdup("0.1.0");
    manifest->started = xstrdup("2026-11-22T03:15:00Z");
    manifest->finished = xstrdup("2026-11-22T03:15:00Z");
    return manifest;
}

static void commit(const char *id, const char *app)
{
    _cleanup_(manifest_free_cleanup) Manifest *manifest = small_manifest(id, app);
    assert_int_equal(manifest_commit(repo, manifest, &err), 0);
}

static void commit_and_load(void **state)
{
    (void)state;
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest(), *back = NULL;
    _cleanup_(buf_done) Buf before = BUF_INIT(GOLDEN_MAX), after = BUF_INIT(GOLDEN_MAX);
    assert_int_equal(manifest_commit(repo, sample, &err), 0);
    assert_int_equal(count_objects("backups/" SAMPLE_ID ".json"), 1);
    assert_int_equal(manifest_load(repo, SAMPLE_ID, &back, &err), 0);
    format_manifest(sample, &before);
    format_manifest(back, &after);
    assert_string_equal(buf_str(&before), buf_str(&after));
    assert_int_equal(manifest_commit(repo, sample, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
}

/* What could not be read again must not become a backup. */
static void an_unreadable_manifest_is_not_committed(void **state)
{
    (void)state;
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest();
    sample->database.tables[0].digest.rows++;
    assert_int_equal(manifest_commit(repo, sample, &err), -1);
    assert_non_null(strstr(err.message, "database.tables[0].segments"));
    sample->database.tables[0].digest.rows--;
    sample->stored_all = UINT64_MAX;
    assert_int_equal(manifest_commit(repo, sample, &err), -1);
    assert_non_null(strstr(err.message, "stored_all"));
    sample->stored_all = 1;
    free(steal(sample->host));
    assert_int_equal(manifest_commit(repo, sample, &err), -1);
    assert_non_null(strstr(err.message, "host"));
    assert_int_equal(count_objects("backups/"), 0);
}

static void loading_what_is_not_there(void **state)
{
    (void)state;
    Manifest *back;
    const char *const ids[] = {SAMPLE_ID, "../kura", "", "x"};
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_int_equal(manifest_load(repo, ids[i], &back, &err), -1);
        assert_int_equal(err.code, ERR_NOT_FOUND);
    }
    commit("20261122T031500Z-a-0001", "a");
    _cleanup_(buf_done) Buf text = BUF_INIT(GOLDEN_MAX);
    assert_int_equal(store_get(store, "backups/20261122T031500Z-a-0001.json", 0, UINT64_MAX, &text, &err), 0);
    put_object("backups/20261122T031500Z-a-0002.json", buf_str(&text));
    assert_int_equal(manifest_load(repo, "20261122T031500Z-a-0002", &back, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, "20261122T031500Z-a-0001"));
}

static void ids(void **state)
{
    (void)state;
    _cleanup_free_ char *plain = manifest_new_id(repo, "mis-s_Key9"), *again = manifest_new_id(repo, "mis-s_Key9");
    assert_string_not_equal(plain, again);
    assert_memory_equal(plain + 16, "-mis-s_Key9-", 12);
    assert_int_equal(strlen(plain), 16 + 12 + 4);
    const char *const apps[] = {"", "caf\xe9 / ../x", "a.b",
                                "a-name-that-is-longer-than-what-an-id-has-room-for-and-is-cut-therefore-somewhere"};
    for (size_t i = 0; i < ARRAY_SIZE(apps); i++) {
        _cleanup_free_ char *id = manifest_new_id(repo, apps[i]);
        commit(id, apps[i]);
    }
    _cleanup_(strvec_done) StrVec list = {0};
    assert_int_equal(manifest_list(repo, &list, &err), 0);
    assert_int_equal(list.n, ARRAY_SIZE(apps));
}

static char *id_from_now(int seconds)
{
    char stamp[32];
    time_t moment = time(NULL) + seconds;
    struct tm tm;
    gmtime_r(&moment, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    return xasprintf("%s-a-0001", stamp);
}

static void the_next_id_comes_behind_all_of_its_application(void **state)
{
    (void)state;
    const char *ahead;
    _cleanup_(strvec_done) StrVec names = {0};
    _cleanup_free_ char *soon = id_from_now(120), *late = id_from_now(7200), *second = xasprintf("%s.2", soon);
    strvec_push(&names, "20261122T031500Z-a-0001");
    strvec_push(&names, "29991122T031500Z-b-0001");
    _cleanup_free_ char *usual = manifest_next_id(repo, "a", &names, &ahead);
    assert_true(strcmp(usual, soon) < 0);
    assert_null(ahead);
    strvec_push(&names, second);
    _cleanup_free_ char *next = manifest_next_id(repo, "a", &names, &ahead);
    assert_true(strncmp(next, soon, 16) > 0);
    assert_true(manifest_id_moment(next) == manifest_id_moment(soon) + 1);
    assert_null(ahead);
    strvec_push(&names, late);
    _cleanup_free_ char *behind = manifest_next_id(repo, "a", &names, &ahead);
    assert_true(strcmp(behind, late) < 0 && strncmp(behind, soon, 16) > 0);
    assert_string_equal(ahead, late);
}

static void listing(void **state)
{
    (void)state;
    _cleanup_(strvec_done) StrVec list = {0};
    assert_int_equal(manifest_list(repo, &list, &err), 0);
    assert_int_equal(list.n, 0);
    commit("20261123T031500Z-a-0001", "a");
    commit("20261122T031500Z-b-0001", "b");
    commit("20261122T031501Z-a-0001", "a");
    put_object("backups/README", "x");
    put_object("backups/note.json", "x");
    put_object("backups/20261122T031501Z-a-0001.json.old", "x");
    put_object("backups/deep/20261122T031501Z-a-0001.json", "x");
    assert_int_equal(manifest_list(repo, &list, &err), 0);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.v[0], "20261122T031500Z-b-0001");
    assert_string_equal(list.v[1], "20261122T031501Z-a-0001");
    assert_string_equal(list.v[2], "20261123T031500Z-a-0001");
}

static void assert_resolves(const char *name, const char *app, const char *expected)
{
    _cleanup_free_ char *id = NULL;
    if (manifest_resolve(repo, name, app, &id, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(id, expected);
}

static void assert_unresolved(const char *name, const char *app, ErrorCode code)
{
    char *id = NULL;
    assert_int_equal(manifest_resolve(repo, name, app, &id, &err), -1);
    assert_int_equal(err.code, code);
    assert_null(id);
}

static void resolving(void **state)
{
    (void)state;
    assert_unresolved("latest", NULL, ERR_NOT_FOUND);
    commit("20261122T031500Z-app-0001", "app");
    commit("20261122T041500Z-app-0002", "app");
    commit("20261123T031500Z-a_b-0003", "a.b");
    commit("20261124T031500Z-a_b-0004", "a_b");
    assert_resolves("latest", NULL, "20261124T031500Z-a_b-0004");
    assert_resolves("latest", "app", "20261122T041500Z-app-0002");
    assert_resolves("latest", "a.b", "20261123T031500Z-a_b-0003"); /* not of the application that looks alike */
    assert_resolves("latest", "a_b", "20261124T031500Z-a_b-0004");
    assert_resolves("20261122T031500Z-app-0001", NULL, "20261122T031500Z-app-0001");
    assert_resolves("20261123", NULL, "20261123T031500Z-a_b-0003");
    assert_unresolved("latest", "nobody", ERR_NOT_FOUND);
    assert_unresolved("20261122", NULL, ERR_USAGE);
    assert_unresolved("2025", NULL, ERR_NOT_FOUND);
    assert_unresolved("", NULL, ERR_NOT_FOUND);
}

static void commit_revision(const char *id, unsigned revision)
{
    Manifest *manifest = small_manifest(id, "a");
    manifest->revision = revision;
    assert_int_equal(manifest_commit(repo, manifest, &err), 0);
    manifest_free(manifest);
}

static void assert_loads(const char *name, const char *id, unsigned revision)
{
    Manifest *manifest;
    assert_int_equal(manifest_load(repo, name, &manifest, &err), 0);
    assert_string_equal(manifest->id, id);
    assert_int_equal(manifest->revision, revision);
    manifest_free(manifest);
}

static void assert_names(const char *expected, const char *expected_superseded)
{
    _cleanup_(strvec_done) StrVec names = {0}, superseded = {0};
    _cleanup_(buf_done) Buf text = BUF_INIT(1000), lower = BUF_INIT(1000);
    assert_int_equal(manifest_list_names(repo, &names, &superseded, &err), 0);
    for (size_t i = 0; i < names.n; i++)
        buf_printf(&text, NULL, "%s ", names.v[i]);
    for (size_t i = 0; i < superseded.n; i++)
        buf_printf(&lower, NULL, "%s ", superseded.v[i]);
    assert_string_equal(buf_str(&text), expected);
    assert_string_equal(buf_str(&lower), expected_superseded);
}

#define FIRST "20261122T031500Z-a-aaaa"
#define SECOND "20261123T031500Z-a-bbbb"

static void revisions(void **state)
{
    (void)state;
    Manifest *manifest;
    _cleanup_(strvec_done) StrVec ids = {0};
    commit_revision(FIRST, 1);
    commit_revision(SECOND, 1);
    assert_names(FIRST " " SECOND " ", "");
    commit_revision(FIRST, 2);
    assert_names(FIRST ".2 " SECOND " ", FIRST " ");
    assert_loads(FIRST ".2", FIRST, 2);
    assert_int_equal(manifest_delete(repo, FIRST, &err), 0);
    assert_loads(FIRST, FIRST, 2);
    commit_revision(FIRST, 10); /* listed before the second, and the higher one */
    assert_names(FIRST ".10 " SECOND " ", FIRST ".2 ");
    assert_loads(FIRST, FIRST, 10);
    assert_int_equal(manifest_list(repo, &ids, &err), 0);
    assert_int_equal(ids.n, 2);
    assert_string_equal(ids.v[0], FIRST);
    assert_resolves("20261122", NULL, FIRST);
    assert_true(manifest_id_fits_app(repo, FIRST ".10", "a"));
    assert_int_equal(manifest_load(repo, FIRST ".3", &manifest, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(manifest_delete(repo, FIRST ".3", &err), 0);
}

/* Who can write to the store cannot make an older revision pass for the newest by another name. */
static void a_revision_is_told_inside(void **state)
{
    (void)state;
    Manifest *manifest = small_manifest(FIRST, "a");
    Buf text = BUF_INIT(1 << 20);
    format_manifest(manifest, &text);
    put_object("backups/" FIRST ".7.json", buf_str(&text));
    manifest_free(manifest);
    buf_done(&text);
    assert_int_equal(manifest_load(repo, FIRST ".7", &manifest, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    put_object("backups/" FIRST ".1.json", "{}");
    put_object("backups/" FIRST ".02.json", "{}");
    put_object("backups/" FIRST ".1234567.json", "{}");
    assert_names(FIRST ".7 ", "");
}

/* Many tables: their document fits with room to spare. */
static void a_large_site(void **state)
{
    (void)state;
    enum { TABLES = 10000, SEGMENTS = 10 };
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest(), *back = NULL;
    ManifestDatabase *database = &sample->database;
    database->tables = xreallocarray(database->tables, TABLES, sizeof *database->tables);
    for (int i = 3; i < TABLES; i++) {
        ManifestTable *table = &database->tables[i];
        *table = (ManifestTable){.schema = xstrdup("s"), .name = xasprintf("t%d", i), .dump_id = 1000 + i};
        table->n_segments = SEGMENTS;
        table->segments = xcalloc(SEGMENTS, sizeof *table->segments);
        for (int j = 0; j < SEGMENTS; j++)
            table->segments[j] = (ManifestSegment){.blob = sample->filesets[0].index[0], .raw = BLOB_MAX, .rows = 10};
        table->digest = (RowDigest){.rows = 10 * SEGMENTS, .bytes = (uint64_t)BLOB_MAX * SEGMENTS};
    }
    database->n_tables = TABLES;
    assert_int_equal(manifest_commit(repo, sample, &err), 0);
    assert_int_equal(manifest_load(repo, SAMPLE_ID, &back, &err), 0);
    assert_int_equal(back->database.n_tables, TABLES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPO_TEST(the_document),
        REPO_TEST(round_trip_is_exact),
        REPO_TEST(values_come_back),
        REPO_TEST(the_application_comes_back),
        REPO_TEST(the_host_comes_back),
        REPO_TEST(without_an_application),
        REPO_TEST(the_oldest_code_comes_back),
        REPO_TEST(without_a_schema),
        REPO_TEST(commit_and_load),
        REPO_TEST(an_unreadable_manifest_is_not_committed),
        REPO_TEST(loading_what_is_not_there),
        REPO_TEST(ids),
        REPO_TEST(the_next_id_comes_behind_all_of_its_application),
        REPO_TEST(listing),
        REPO_TEST(resolving),
        REPO_TEST(revisions),
        REPO_TEST(a_revision_is_told_inside),
        REPO_TEST(a_large_site),
    };
    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
