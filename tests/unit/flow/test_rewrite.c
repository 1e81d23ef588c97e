/* A manifest with other references: into the same repository with one pack moved, into one that calls all blobs
 * otherwise, and one that could not be rewritten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kura/fileset.h"
#include "kura/mem.h"
#include "rewrite.h"
#include "world.h"

typedef struct Moving {
    World *world;
    Uploader *uploader;
    BlobKind kind; /* blobs of this kind are moved */
    size_t calls, moved, wholes;
} Moving;

enum { SHIFT = 7 };

/* Blobs of the chosen kind get SHIFT bytes in front; the others stay. */
static int move_kind(void *ctx, const BlobRef *blob, uint64_t offset, uint64_t length, BlobRef *ret_blob,
                     uint64_t *ret_offset, Error *err)
{
    Moving *moving = ctx;
    moving->calls++;
    moving->wholes += offset == 0 && length == blob->size;
    *ret_blob = *blob;
    *ret_offset = offset;
    if (blob->kind != moving->kind)
        return 0;
    _cleanup_(buf_done) Buf bytes = BUF_INIT(BLOB_STORED_MAX), shifted = BUF_INIT(BLOB_STORED_MAX);
    if (blob_get(moving->world->repo, blob, &bytes, err) < 0)
        return -1;
    buf_append(&shifted, "shifted", SHIFT, NULL);
    buf_append(&shifted, bytes.data, bytes.len, NULL);
    moving->moved++;
    *ret_offset = offset + SHIFT;
    return uploader_submit(moving->uploader, BLOB_RAW, &shifted, ret_blob, err);
}

static int set_up(void **state)
{
    *state = world_new(18);
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static Manifest *rewrite(World *world, Moving *moving)
{
    Error err = ERROR_INIT;
    Manifest *now;
    moving->world = world;
    moving->uploader = uploader_new(world->repo, 1, 1 << 20);
    must(manifest_rewrite(world->repo, world->repo, moving->uploader, world->manifest, move_kind, moving, &now, &err),
         &err);
    must(uploader_finish(moving->uploader, NULL, &err), &err);
    uploader_free(moving->uploader);
    return now;
}

static char *text_of(const Manifest *manifest)
{
    json_t *json = manifest_to_json(manifest);
    char *text = json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    return text;
}

static size_t references(const World *world)
{
    const Manifest *manifest = world->manifest;
    const ManifestDatabase *database = &manifest->database;
    size_t n = database->n_toc + database->large_objects.n_index + manifest->filesets[0].n_index;
    for (size_t i = 0; i < database->n_tables; i++)
        n += database->tables[i].n_segments;
    return n;
}

static ManifestApplication *application(void)
{
    ManifestApplication *made = xcalloc(1, sizeof *made);
    *made = (ManifestApplication){.profile = xstrdup("misskey"), .title = xstrdup("Misskey"), .dir = xstrdup("/srv")};
    return made;
}

static void test_nothing_changes(void **state)
{
    World *world = *state;
    Moving moving = {.kind = BLOB_RAW};
    world->manifest->application = application();
    Manifest *now = rewrite(world, &moving);
    _cleanup_free_ char *was = text_of(world->manifest), *is = text_of(now);
    assert_string_equal(was, is);
    assert_non_null(now->application);
    assert_true(references(world) > 10);
    assert_true(moving.wholes > 0);
    assert_true(moving.calls > references(world)); /* each of them, pieces of indexes too, and parts of packs */
    manifest_free(now);
}

static int compare(void *ctx, const void *data, size_t len, Error *err)
{
    (void)err;
    assert_int_equal(len, 3);
    assert_memory_equal(data, "odd", 3);
    ++*(size_t *)ctx;
    return 0;
}

/* Reads every file of a fileset; how many had content. */
static size_t read_files(World *world, const ManifestFileset *fileset)
{
    Error err = ERROR_INIT;
    size_t read = 0;
    const IndexEntry *entry;
    EntryReader *contents = entry_reader_new(world->repo);
    IndexReader *reader = index_reader_new(world->repo, fileset);
    int rc;
    while ((rc = index_reader_next(reader, &entry, &err)) > 0)
        if (entry->n_parts > 0) {
            assert_int_equal(entry->parts[0].blob.kind, BLOB_RAW);
            must(entry_reader_read(contents, entry, compare, &read, &err), &err);
        }
    must(rc, &err);
    index_reader_free(reader);
    entry_reader_free(contents);
    return read;
}

static void test_a_pack_moves(void **state)
{
    World *world = *state;
    Moving moving = {.kind = BLOB_TAR};
    Manifest *now = rewrite(world, &moving);
    const ManifestFileset *was = &world->manifest->filesets[0], *is = &now->filesets[0];
    assert_true(moving.moved > 0);
    assert_string_equal(now->id, world->manifest->id);
    assert_int_equal(is->n_index, was->n_index);
    assert_string_not_equal(is->index[0].hash, was->index[0].hash);
    assert_int_equal(is->files, was->files);
    assert_int_equal(is->bytes, was->bytes);
    assert_int_equal(read_files(world, is), 1);
    assert_string_equal(now->database.toc[0].hash, world->manifest->database.toc[0].hash);
    manifest_free(now);
}

/* Ranges that do not begin where their blob does move; nothing else. */
static int move_inner(void *ctx, const BlobRef *blob, uint64_t offset, uint64_t length, BlobRef *ret_blob,
                      uint64_t *ret_offset, Error *err)
{
    bool moves = blob->kind == BLOB_ZSTD && offset > 0;
    *ret_blob = *blob;
    ret_blob->size += moves ? SHIFT : 0;
    *ret_offset = offset + (moves ? SHIFT : 0);
    *(size_t *)ctx += moves;
    return 0;
}

static void test_frames_move_within_bundles(void **state)
{
    World *world = *state;
    Error err = ERROR_INIT;
    Manifest *now;
    size_t moved = 0, inner = 0;
    Uploader *uploader = uploader_new(world->repo, 1, 1 << 20);
    must(manifest_rewrite(world->repo, world->repo, uploader, world->manifest, move_inner, &moved, &now, &err), &err);
    for (size_t i = 0; i < now->database.n_tables; i++)
        for (size_t j = 0; j < now->database.tables[i].n_segments; j++) {
            const ManifestSegment *was = &world->manifest->database.tables[i].segments[j],
                                  *is = &now->database.tables[i].segments[j];
            uint64_t shift = was->offset > 0 ? SHIFT : 0;
            inner += was->offset > 0;
            assert_int_equal(is->length, was->length);
            assert_int_equal(is->offset, was->offset + shift);
            assert_int_equal(is->blob.size, was->blob.size + shift);
        }
    assert_true(inner > 1);
    assert_int_equal(moved, inner);
    manifest_free(now);
    uploader_free(uploader);
}

static int refuse(void *ctx, const BlobRef *blob, uint64_t offset, uint64_t length, BlobRef *ret_blob,
                  uint64_t *ret_offset, Error *err)
{
    size_t *left = ctx;
    *ret_blob = *blob;
    *ret_offset = offset;
    return length > 0 && (*left)-- == 0 ? error_set(err, ERR_FAILED, "enough") : 0;
}

/* At whichever reference it ends. */
static void test_refusals(void **state)
{
    World *world = *state;
    size_t n = references(world);
    for (size_t i = 0; i < n; i++) {
        Error err = ERROR_INIT;
        Manifest *now = NULL;
        size_t left = i;
        Uploader *uploader = uploader_new(world->repo, 1, 1 << 20);
        assert_int_equal(
            manifest_rewrite(world->repo, world->repo, uploader, world->manifest, refuse, &left, &now, &err), -1);
        assert_string_equal(err.message, "enough");
        assert_null(now);
        uploader_free(uploader);
    }
}

static void test_damaged_index(void **state)
{
    World *world = *state;
    Error err = ERROR_INIT;
    char key[BLOB_KEY_SIZE];
    Manifest *now = NULL;
    size_t left = SIZE_MAX;
    blob_key(world->repo, &world->manifest->filesets[0].index[0], key);
    must(store_delete(world->store, key, &err), &err);
    Uploader *uploader = uploader_new(world->repo, 1, 1 << 20);
    assert_int_equal(manifest_rewrite(world->repo, world->repo, uploader, world->manifest, refuse, &left, &now, &err),
                     -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "fileset \"media\""));
    uploader_free(uploader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_pack_moves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_frames_move_within_bundles, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_index, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
