#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../archive/fixture.h"
#include "kura/export.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "scratch.h"
#include "store_priv.h"
#include "world.h"

static int set_up_13(void **state)
{
    *state = world_new(13);
    return 0;
}

static int set_up_15(void **state)
{
    *state = world_new(15);
    return 0;
}

static int set_up_18(void **state)
{
    *state = world_new(18);
    return 0;
}

/* Stores that seem remote are read ahead. */
static int set_up_remote_15(void **state)
{
    World *world = *state = world_new(15);
    world->store->remote = true;
    return 0;
}

static int set_up_remote_18(void **state)
{
    World *world = *state = world_new(18);
    world->store->remote = true;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static char *exported(World *world, ExportCompression compression, const char *rules)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    char *dir = xasprintf("%s/export", world->dir);
    RoleMap *map = rules ? rolemap_new() : NULL;
    if (rules)
        must(rolemap_add(map, rules, &err), &err);
    must(export_run(world->repo, world->manifest, dir, compression, map, &findings, NULL, &err), &err);
    assert_int_equal(findings_count(&findings, FINDING_ERROR), 0);
    rolemap_free(map);
    findings_done(&findings);
    return dir;
}

static void assert_refused(World *world, const RoleMap *map, ErrorCode code, Error *err)
{
    Findings findings = FINDINGS_INIT;
    _cleanup_free_ char *dir = xasprintf("%s/refused", world->dir);
    size_t before = count_names(world->dir);
    assert_int_equal(export_run(world->repo, world->manifest, dir, EXPORT_GZIP, map, &findings, NULL, err), -1);
    if (err->code != code)
        fail_msg("%s: %s", error_code_name(err->code), err->message);
    assert_int_equal(count_names(world->dir), before);
    findings_done(&findings);
}

/* Every file but SHA256SUMS is in it, and as it says. */
static void check_sums(const char *dir)
{
    static const char script[] = "cd \"$1\" && sha256sum --quiet --strict -c SHA256SUMS && "
                                 "test \"$(find . -type f -printf x | wc -c)\" = \"$(($(wc -l < SHA256SUMS) + 1))\"";
    Buf out = RUN("sh", "-c", script, "sh", dir);
    assert_int_equal(out.len, 0);
    buf_done(&out);
}

/* What pg_dump -Fd wrote of the same database restores to the same. */
static void check_pg_restore(World *world, int major, ExportCompression compression)
{
    _cleanup_free_ char *dir = exported(world, compression, NULL);
    _cleanup_free_ char *database = xasprintf("%s/database", dir);
    _cleanup_free_ char *fixture = xasprintf("%s/archives/pg%d.dir", FIXTURES, major);
    Buf ours = data_of(database), theirs = data_of(fixture);
    assert_true(theirs.len > 1000);
    assert_string_equal(buf_str(&ours), buf_str(&theirs));
    buf_done(&ours);
    buf_done(&theirs);
    check_sums(dir);
}

static void pg_restore_reads_plain_files(void **state)
{
    check_pg_restore(*state, 15, EXPORT_PLAIN);
}

static void pg_restore_reads_gzip(void **state)
{
    check_pg_restore(*state, 15, EXPORT_GZIP);
}

static void pg_restore_reads_an_older_archive(void **state)
{
    check_pg_restore(*state, 13, EXPORT_GZIP);
}

static Buf unzstd(const char *path)
{
    Buf packed = file_load(path), out = BUF_INIT(1 << 24);
    must(repo_decompress(packed.data, packed.len, &out, NULL), &(Error){.message = "damaged"});
    buf_done(&packed);
    return out;
}

/* The frames of a .zst file: the rows as stored, then the end marker. */
static void zstd_files_hold_what_plain_ones_do(void **state)
{
    World *world = *state;
    _cleanup_free_ char *zstd_dir = exported(world, EXPORT_ZSTD, NULL);
    check_sums(zstd_dir);
    _cleanup_free_ char *kept = xasprintf("%s/zstd", world->dir);
    assert_int_equal(rename(zstd_dir, kept), 0);
    _cleanup_free_ char *plain_dir = exported(world, EXPORT_PLAIN, NULL);
    size_t segments = 0;
    for (size_t i = 0; i < world->manifest->database.n_tables; i++) {
        const ManifestTable *table = &world->manifest->database.tables[i];
        _cleanup_free_ char *zstd = xasprintf("%s/database/%d.dat.zst", kept, table->dump_id);
        _cleanup_free_ char *plain = xasprintf("%s/database/%d.dat", plain_dir, table->dump_id);
        Buf a = unzstd(zstd), b = file_load(plain);
        assert_int_equal(a.len, table->digest.bytes + 5);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
        assert_memory_equal(b.data + b.len - 5, "\\.\n\n\n", 5);
        segments += table->n_segments;
        buf_done(&a);
        buf_done(&b);
    }
    assert_true(segments > world->manifest->database.n_tables);
}

/* Like pg_dump -Fd: the same TOC but for its time, the same lists of large objects. */
static void check_layout(World *world, int major)
{
    _cleanup_free_ char *dir = exported(world, EXPORT_ZSTD, NULL);
    _cleanup_free_ char *toc_path = xasprintf("%s/database", dir);
    _cleanup_free_ char *fixture = xasprintf("%s/archives/pg%d.dir", FIXTURES, major);
    Toc *ours, *theirs;
    assert_int_equal(archive_open_toc(toc_path, &ours, NULL, NULL), 0);
    assert_int_equal(archive_open_toc(fixture, &theirs, NULL, NULL), 0);
    memcpy(ours->tm, theirs->tm, sizeof ours->tm);
    ours->compression = theirs->compression;
    Buf a = written(ours), b = written(theirs);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    for (size_t i = 0; i < theirs->n_entries; i++) {
        if (strcmp(theirs->entries[i].desc, "BLOBS") != 0)
            continue;
        _cleanup_free_ char *list = xasprintf("%s/database/%s", dir, theirs->entries[i].filename);
        _cleanup_free_ char *their_list = xasprintf("%s/%s", fixture, theirs->entries[i].filename);
        assert_same_file(list, their_list);
    }
    buf_done(&a);
    buf_done(&b);
    toc_free(ours);
    toc_free(theirs);
}

static void layout_is_that_of_pg_dump_13(void **state)
{
    check_layout(*state, 13);
}

static void layout_is_that_of_pg_dump_18(void **state)
{
    check_layout(*state, 18);
}

static void files_come_out_beside_the_database(void **state)
{
    World *world = *state;
    _cleanup_free_ char *dir = exported(world, EXPORT_GZIP, NULL);
    _cleanup_free_ char *odd = xasprintf("%s/files/media/%s", dir, ODD_NAME);
    Buf content = file_load(odd);
    assert_string_equal(buf_str(&content), "odd");
    buf_done(&content);
    char target[64] = "";
    _cleanup_free_ char *soft = xasprintf("%s/files/media/soft", dir);
    assert_true(readlink(soft, target, sizeof target - 1) > 0);
    assert_string_equal(target, "sub/empty");
    check_sums(dir);
}

static void the_readme_tells_roles_versions_and_quotes(void **state)
{
    World *world = *state;
    _cleanup_free_ char *dir = exported(world, EXPORT_ZSTD, "kf_owner=\"New Owner\"");
    _cleanup_free_ char *path = xasprintf("%s/RESTORE.txt", dir);
    Buf readme = file_load(path);
    const char *text = buf_str(&readme);
    assert_non_null(strstr(text, world->manifest->id));
    assert_non_null(strstr(text, "PostgreSQL 16 or newer"));
    assert_non_null(strstr(text, "zstd -d --rm database/*.dat.zst"));
    assert_non_null(strstr(text, "       \"New Owner\"\n"));
    assert_null(strstr(text, "       kf_owner\n"));
    assert_non_null(strstr(text, "       kf_reader\n"));
    assert_non_null(strstr(text, "--lc-ctype='it'\\''s odd' --locale-provider='icu' --icu-locale='en-US' NEWDB"));
    assert_non_null(strstr(text, "files/media was "));
    buf_done(&readme);
}

static void the_manifest_goes_along(void **state)
{
    World *world = *state;
    _cleanup_free_ char *dir = exported(world, EXPORT_GZIP, NULL);
    _cleanup_free_ char *path = xasprintf("%s/manifest.json", dir);
    Buf text = file_load(path);
    json_t *json = json_loads(buf_str(&text), 0, NULL), *original = manifest_to_json(world->manifest);
    assert_true(json_equal(json, original));
    json_decref(json);
    json_decref(original);
    buf_done(&text);
}

static void a_role_map_is_applied(void **state)
{
    World *world = *state;
    _cleanup_free_ char *dir = exported(world, EXPORT_GZIP, "kf_owner=app_production");
    _cleanup_free_ char *database = xasprintf("%s/database", dir);
    Buf list = RUN(PG_RESTORE, "--list", database);
    assert_non_null(strstr(buf_str(&list), " TABLE app notes app_production\n"));
    assert_null(strstr(buf_str(&list), " kf_owner\n"));
    buf_done(&list);
}

static void a_role_map_that_does_not_fit_is_refused(void **state)
{
    World *world = *state;
    Error err = ERROR_INIT;
    RoleMap *map = rolemap_new();
    must(rolemap_add(map, "kf_ovner=app_production", &err), &err);
    assert_refused(world, map, ERR_FAILED, &err);
    rolemap_free(map);
}

static ManifestTable *notes_of(World *world)
{
    ManifestDatabase *database = &world->manifest->database;
    for (size_t i = 0; i < database->n_tables; i++)
        if (strcmp(database->tables[i].name, "notes") == 0)
            return &database->tables[i];
    fail_msg("no table notes");
    return NULL;
}

static void rows_that_are_not_those_of_the_backup_are_told(void **state)
{
    World *world = *state;
    Error err = ERROR_INIT;
    ManifestTable *notes = notes_of(world);
    assert_true(notes->n_segments > 3);
    RowDigest digest = notes->digest;

    notes->digest.low++;
    assert_refused(world, NULL, ERR_CORRUPT, &err);
    assert_non_null(strstr(err.message, "app.notes"));
    assert_true(err.hint[0] != 0);
    notes->digest = digest;

    notes->n_segments--;
    assert_refused(world, NULL, ERR_CORRUPT, &err);
    notes->n_segments++;

    ManifestSegment first = notes->segments[0];
    notes->segments[0] = notes->segments[1];
    assert_refused(world, NULL, ERR_CORRUPT, &err);
    notes->segments[0] = first;

    notes->segments[1].raw++;
    assert_refused(world, NULL, ERR_CORRUPT, &err);
    notes->segments[1].raw--;
}

static void a_missing_blob_is_told_with_its_table(void **state)
{
    World *world = *state;
    Error err = ERROR_INIT;
    char key[96];
    blob_key(world->repo, &notes_of(world)->segments[2].blob, key);
    must(store_delete(world->store, key, &err), &err);
    assert_refused(world, NULL, ERR_NOT_FOUND, &err);
    assert_non_null(strstr(err.message, "app.notes"));
}

static void a_table_without_rows_in_the_manifest_is_no_empty_table(void **state)
{
    World *world = *state;
    Error err = ERROR_INIT;
    world->manifest->database.n_tables--;
    assert_refused(world, NULL, ERR_CORRUPT, &err);
    world->manifest->database.n_tables++;
    notes_of(world)->dump_id = INT32_MAX;
    assert_refused(world, NULL, ERR_CORRUPT, &err);
    assert_non_null(strstr(err.message, "app.notes"));
}

static void missing_large_objects_are_told(void **state)
{
    World *world = *state;
    Error err = ERROR_INIT;
    char *name = steal(world->manifest->database.large_objects.name);
    assert_refused(world, NULL, ERR_CORRUPT, &err);
    assert_non_null(strstr(err.message, "large object 4200"));
    world->manifest->database.large_objects.name = name;
}

static void only_an_empty_directory_is_taken_and_given_back_empty(void **state)
{
    World *world = *state;
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    _cleanup_free_ char *dir = xasprintf("%s/here", world->dir), *file = xasprintf("%s/mine", dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    file_save(file, "x", 1);
    assert_int_equal(export_run(world->repo, world->manifest, dir, EXPORT_ZSTD, NULL, &findings, NULL, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_int_equal(count_names(dir), 1);
    unlink(file);
    notes_of(world)->digest.rows++;
    assert_int_equal(export_run(world->repo, world->manifest, dir, EXPORT_ZSTD, NULL, &findings, NULL, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(count_names(dir), 0);
    notes_of(world)->digest.rows--;
    must(export_run(world->repo, world->manifest, dir, EXPORT_ZSTD, NULL, &findings, NULL, &err), &err);
    assert_int_equal(count_names(dir), 5);
}

static int interrupted_body(void *ctx)
{
    World *world = ctx;
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    _cleanup_free_ char *dir = xasprintf("%s/export", world->dir);
    stop_install();
    raise(SIGTERM);
    if (export_run(world->repo, world->manifest, dir, EXPORT_ZSTD, NULL, &findings, NULL, &err) != -1)
        return 1;
    return err.code == ERR_INTERRUPTED ? 0 : 2;
}

static void a_stop_leaves_nothing_behind(void **state)
{
    World *world = *state;
    run_forked(interrupted_body, world);
    assert_int_equal(count_names(world->dir), 0);
}

#define TEST_ON(major, name) cmocka_unit_test_setup_teardown(name, set_up_##major, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ON(15, pg_restore_reads_plain_files),
        TEST_ON(15, pg_restore_reads_gzip),
        TEST_ON(13, pg_restore_reads_an_older_archive),
        TEST_ON(15, zstd_files_hold_what_plain_ones_do),
        TEST_ON(13, layout_is_that_of_pg_dump_13),
        TEST_ON(18, layout_is_that_of_pg_dump_18),
        TEST_ON(15, files_come_out_beside_the_database),
        TEST_ON(15, the_readme_tells_roles_versions_and_quotes),
        TEST_ON(15, the_manifest_goes_along),
        TEST_ON(15, a_role_map_is_applied),
        TEST_ON(15, a_role_map_that_does_not_fit_is_refused),
        TEST_ON(15, rows_that_are_not_those_of_the_backup_are_told),
        TEST_ON(15, a_missing_blob_is_told_with_its_table),
        TEST_ON(15, a_table_without_rows_in_the_manifest_is_no_empty_table),
        TEST_ON(18, missing_large_objects_are_told),
        TEST_ON(15, only_an_empty_directory_is_taken_and_given_back_empty),
        TEST_ON(remote_15, pg_restore_reads_plain_files),
        TEST_ON(remote_15, files_come_out_beside_the_database),
        TEST_ON(remote_15, a_missing_blob_is_told_with_its_table),
        TEST_ON(remote_18, layout_is_that_of_pg_dump_18),
        TEST_ON(15, a_stop_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
