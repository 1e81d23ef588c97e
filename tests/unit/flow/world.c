#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../archive/fixture.h"
#include "flow_priv.h"
#include "kura/datablocks.h"
#include "kura/fileset.h"
#include "kura/mem.h"
#include "scratch.h"
#include "segment.h"

static const char store_name_here[] = "test-export";

/* Segments so small that every table of more than a few rows has several, and long rows are cut. */
static const RepoParams small_segments = {.zstd_level = 1, .segment_min = 100, .segment_mean = 100, .segment_max = 200};

void must(int rc, const Error *err)
{
    if (rc < 0)
        fail_msg("%s", err->message);
}

enum { MAX_OBJECTS = 10 };

typedef struct Object {
    char *name;
    Buf data;
} Object;

/* What the data blocks of the fixture are taken into. */
typedef struct Intake {
    ManifestDatabase *database;
    ManifestTable *table;
    SegmentWriter *segments;
    RowSplitter splitter;
    Object objects[MAX_OBJECTS];
    size_t n_objects;
    const Buf *bytes;
    size_t pos;
} Intake;

static ssize_t read_bytes(void *ctx, void *out, size_t len, Error *err)
{
    Intake *intake = ctx;
    size_t left = intake->bytes->len - intake->pos;
    size_t n = len < left ? len : left;
    memcpy(out, intake->bytes->data + intake->pos, n);
    intake->pos += n;
    return (ssize_t)n;
}

static int add_row(void *ctx, const char *row, size_t len, Error *err)
{
    return segment_writer_row(ctx, row, len, err);
}

static int table_begin(void *ctx, int dump_id, Error *err)
{
    Intake *intake = ctx;
    intake->table = NULL;
    for (size_t i = 0; i < intake->database->n_tables; i++)
        if (intake->database->tables[i].dump_id == dump_id)
            intake->table = &intake->database->tables[i];
    assert_non_null(intake->table);
    intake->splitter = (RowSplitter){.row = add_row, .ctx = intake->segments, .partial = BUF_INIT(1 << 20)};
    return 0;
}

static int table_data(void *ctx, const void *data, size_t len, Error *err)
{
    return rowsplitter_feed(&((Intake *)ctx)->splitter, data, len, err);
}

static int table_end(void *ctx, Error *err)
{
    Intake *intake = ctx;
    ManifestTable *table = intake->table;
    buf_done(&intake->splitter.partial);
    return segment_writer_end_bundled(intake->segments, &table->digest, &table->segments, &table->n_segments, err);
}

/* Tables of some rows share a blob, as in a backup. */
static void end_bundle(Intake *intake)
{
    Error err = ERROR_INIT;
    BlobRef blob;
    bool any;
    must(segment_writer_seal_bundle(intake->segments, &blob, &any, &err), &err);
    assert_true(any);
    for (size_t i = 0; i < intake->database->n_tables; i++) {
        ManifestTable *table = &intake->database->tables[i];
        if (table->n_segments == 1 && table->segments[0].length > 0)
            table->segments[0].blob = blob;
    }
}

static int object_begin(void *ctx, uint32_t oid, Error *err)
{
    Intake *intake = ctx;
    assert_true(intake->n_objects < MAX_OBJECTS);
    intake->objects[intake->n_objects++] = (Object){.name = xasprintf("%u", oid), .data = BUF_INIT(1 << 20)};
    return 0;
}

static int object_data(void *ctx, const void *data, size_t len, Error *err)
{
    Intake *intake = ctx;
    return buf_append(&intake->objects[intake->n_objects - 1].data, data, len, err);
}

static int object_end(void *ctx, Error *err)
{
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const Object *)a)->name, ((const Object *)b)->name);
}

/* A fileset's entries come in the order of their names, an archive's in that of their numbers. */
static void store_objects(Intake *intake, FilesetWriter *writer, ManifestFileset *ret)
{
    Error err = ERROR_INIT;
    qsort(intake->objects, intake->n_objects, sizeof *intake->objects, compare_names);
    for (size_t i = 0; i < intake->n_objects; i++) {
        Object *object = &intake->objects[i];
        must(fileset_writer_begin(writer, object->name, &err), &err);
        must(fileset_writer_data(writer, object->data.data, object->data.len, &err), &err);
        must(fileset_writer_end(writer, &err), &err);
        buf_done(&object->data);
        free(object->name);
    }
    must(fileset_writer_finish(writer, ret, &err), &err);
    free(ret->name);
    ret->name = xstrdup("large-objects");
    fileset_writer_free(writer);
}

static void list_tables(const Toc *toc, ManifestDatabase *database)
{
    database->tables = xcalloc(toc->n_entries, sizeof *database->tables);
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (strcmp(entry->desc, "TABLE DATA") == 0)
            database->tables[database->n_tables++] = (ManifestTable){
                .schema = xstrdup(entry->namespace), .name = xstrdup(entry->tag), .dump_id = entry->dump_id};
    }
}

static void make_facts(DbFacts *facts)
{
    facts->name = xstrdup("kura_fixture");
    facts->server_version = xstrdup("15.18");
    facts->server_version_num = 150018;
    facts->owner = xstrdup("kf_owner");
    facts->encoding = xstrdup("UTF8");
    facts->locale_provider = xstrdup("icu");
    facts->collate = xstrdup("C.UTF-8");
    facts->ctype = xstrdup("it's odd");
    facts->icu_locale = xstrdup("en-US");
    facts->tablespace = xstrdup("pg_default");
    facts->acl_default = true;
    facts->connection_limit = -1;
}

static void take_database(World *world, Uploader *uploader, int major)
{
    Error err = ERROR_INIT;
    ManifestDatabase *database = &world->manifest->database;
    Buf bytes = fixture_load(major, "plain");
    Toc *toc;
    size_t used;
    must(toc_read(bytes.data, bytes.len, false, NULL, &used, &toc, &err), &err);
    Buf raw = BUF_INIT(SIZE_MAX);
    buf_append(&raw, bytes.data, used, NULL);
    must(flow_store_toc(world->repo, uploader, &raw, database, &err), &err);
    list_tables(toc, database);

    Intake intake = {
        .database = database, .segments = segment_writer_new(world->repo, uploader), .bytes = &bytes, .pos = used};
    const ByteSource source = {.read = read_bytes, .ctx = &intake};
    const DataBlockSink sink = {.table_begin = table_begin,
                                .table_data = table_data,
                                .table_end = table_end,
                                .blob_begin = object_begin,
                                .blob_data = object_data,
                                .blob_end = object_end,
                                .ctx = &intake};
    must(datablocks_read(&source, toc_compression(toc), 0, &sink, &err), &err);
    store_objects(&intake, fileset_writer_new(world->repo, uploader), &database->large_objects);
    end_bundle(&intake);
    segment_writer_free(intake.segments);
    make_facts(&database->facts);
    database->pg_dump_version = xstrdup(toc->dump_version);
    world->manifest->has_database = true;
    toc_free(toc);
    buf_done(&raw);
    buf_done(&bytes);
}

static void take_files(World *world, Uploader *uploader)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    _cleanup_free_ char *media = xasprintf("%s/media", world->dir);
    _cleanup_free_ char *odd = xasprintf("%s/%s", media, ODD_NAME), *empty = xasprintf("%s/sub/empty", media),
                        *sub = xasprintf("%s/sub", media), *hard = xasprintf("%s/sub/hard", media),
                        *soft = xasprintf("%s/soft", media);
    mkdir(media, 0700);
    mkdir(sub, 0700);
    file_save(odd, "odd", 3);
    file_save(empty, "", 0);
    assert_int_equal(link(odd, hard), 0);
    assert_int_equal(symlink("sub/empty", soft), 0);
    const FilesetSpec spec = {.name = "media", .dir = media};
    world->manifest->filesets = xcalloc(1, sizeof *world->manifest->filesets);
    must(fileset_backup(&spec, world->repo, uploader, NULL, 1, &world->manifest->filesets[0], &findings, NULL, &err),
         &err);
    world->manifest->n_filesets = 1;
    assert_int_equal(findings_count(&findings, FINDING_WARNING), 0);
    findings_done(&findings);
    scratch_remove(steal(media));
}

static void make_world(World *world, int major)
{
    Error err = ERROR_INIT;
    _cleanup_free_ char *location = xasprintf("mem:%s", store_name_here);
    must(store_open(location, NULL, true, &world->store, &err), &err);
    must(repo_create(world->store, &small_segments, &err), &err);
    must(repo_open(world->store, &world->repo, &err), &err);
    Manifest *manifest = world->manifest = manifest_new();
    manifest->id = manifest_new_id(world->repo, "test");
    manifest->app = xstrdup("test");
    manifest->host = xstrdup("here");
    manifest->kura_version = xstrdup("0.1");
    manifest->started = xstrdup("2026-11-22T03:15:00Z");
    manifest->finished = xstrdup("2026-11-22T03:16:00Z");
    Uploader *uploader = uploader_new(world->repo, 1, 1 << 20);
    take_database(world, uploader, major);
    take_files(world, uploader);
    must(uploader_finish(uploader, NULL, &err), &err);
    uploader_free(uploader);
}

World *world_new(int major)
{
    World *world = xcalloc(1, sizeof *world);
    world->dir = scratch_new();
    make_world(world, major);
    return world;
}

void world_free(World *world)
{
    manifest_free(world->manifest);
    repo_close(world->repo);
    store_close(world->store);
    store_mem_forget(store_name_here);
    scratch_remove(world->dir);
    free(world);
}
