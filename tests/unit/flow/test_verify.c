/* kura verify against repositories that were damaged in every way that a disk, a bucket or a bug can think of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "kura/fileset.h"
#include "kura/mem.h"
#include "kura/rehearsal.h"
#include "kura/verify.h"
#include "scratch.h"
#include "segment.h"
#include "world.h"

#define LONG_TABLE "long_rows"

typedef struct Site {
    World *world;
    Findings findings;
    VerifyReport report;
} Site;

/* A table with a row that takes several segments. */
static void add_table(World *world)
{
    Error err = ERROR_INIT;
    ManifestDatabase *database = &world->manifest->database;
    database->tables = xreallocarray(database->tables, database->n_tables + 1, sizeof *database->tables);
    ManifestTable *table = &database->tables[database->n_tables++];
    *table = (ManifestTable){.schema = xstrdup("test"), .name = xstrdup(LONG_TABLE), .dump_id = 1000 * 1000};
    Uploader *uploader = uploader_new(world->repo, 1, 1 << 20);
    SegmentWriter *writer = segment_writer_new(world->repo, uploader);
    for (int i = 0; i < 60; i++) {
        char row[1000];
        memset(row, 'a' + i % 26, sizeof row);
        size_t len = i == 30 || i == 59 ? sizeof row : 20;
        row[len - 1] = '\n';
        must(segment_writer_row(writer, row, len, &err), &err);
    }
    must(segment_writer_end(writer, &table->digest, &table->segments, &table->n_segments, &err), &err);
    segment_writer_free(writer);
    must(uploader_finish(uploader, NULL, &err), &err);
    uploader_free(uploader);
}

/* A second fileset, whose three files are in one pack. */
static void add_fileset(World *world)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    _cleanup_free_ char *dir = xasprintf("%s/docs", world->dir);
    static const char *names[] = {"a", "b", "c"};
    mkdir(dir, 0700);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path = xasprintf("%s/%s", dir, names[i]), *text = xasprintf("content of %s", names[i]);
        file_save(path, text, strlen(text));
    }
    Uploader *uploader = uploader_new(world->repo, 1, 1 << 20);
    const FilesetSpec spec = {.name = "docs", .dir = dir};
    world->manifest->filesets = xreallocarray(world->manifest->filesets, 2, sizeof *world->manifest->filesets);
    world->manifest->filesets[1] = (ManifestFileset){0};
    must(fileset_backup(&spec, world->repo, uploader, NULL, 1, &world->manifest->filesets[1], &findings, NULL, &err),
         &err);
    world->manifest->n_filesets = 2;
    must(uploader_finish(uploader, NULL, &err), &err);
    uploader_free(uploader);
    findings_done(&findings);
    scratch_remove(steal(dir));
}

/* Commits the manifest as it is now, under an id of its own, which is returned. */
static const char *commit(Site *site)
{
    Error err = ERROR_INIT;
    Manifest *manifest = site->world->manifest;
    free(manifest->id);
    manifest->id = manifest_new_id(site->world->repo, "test");
    must(manifest_commit(site->world->repo, manifest, &err), &err);
    return manifest->id;
}

static int set_up(void **state)
{
    Site *site = xcalloc(1, sizeof *site);
    site->findings = (Findings)FINDINGS_INIT;
    site->world = world_new(18);
    add_table(site->world);
    add_fileset(site->world);
    *state = site;
    return 0;
}

static int tear_down(void **state)
{
    Site *site = *state;
    verify_report_done(&site->report);
    findings_done(&site->findings);
    world_free(site->world);
    free(site);
    return 0;
}

static void verify_with(Site *site, const VerifyOptions *options)
{
    Error err = ERROR_INIT;
    verify_report_done(&site->report);
    findings_done(&site->findings);
    site->findings = (Findings)FINDINGS_INIT;
    must(verify_run(site->world->repo, options, &site->report, &site->findings, NULL, &err), &err);
}

static void verify(Site *site, double percent)
{
    verify_with(site, &(VerifyOptions){.percent = percent, .jobs = 3});
}

static const Finding *finding(const Site *site, const char *code)
{
    for (size_t i = 0; i < site->findings.n; i++)
        if (strcmp(site->findings.v[i].code, code) == 0)
            return &site->findings.v[i];
    fail_msg("no finding \"%s\" among %zu", code, site->findings.n);
    return NULL;
}

static void assert_clean(const Site *site)
{
    for (size_t i = 0; i < site->findings.n; i++)
        fail_msg("%s: %s", site->findings.v[i].code, site->findings.v[i].message);
    assert_int_equal(site->report.missing + site->report.damaged, 0);
    for (size_t i = 0; i < site->report.n_backups; i++)
        assert_false(site->report.backups[i].damaged);
}

static void assert_says(const Finding *found, const char *text)
{
    if (strstr(found->message, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", found->message, text);
}

static void assert_silent(const Finding *found, const char *text)
{
    if (strstr(found->message, text) != NULL)
        fail_msg("\"%s\" says \"%s\"", found->message, text);
}

static ManifestTable *table_of(Site *site, const char *name)
{
    ManifestDatabase *database = &site->world->manifest->database;
    for (size_t i = 0; i < database->n_tables; i++)
        if (strcmp(database->tables[i].name, name) == 0)
            return &database->tables[i];
    fail_msg("the fixture has no table %s", name);
    return NULL;
}

/* A table with several segments. */
static ManifestTable *long_table(Site *site)
{
    ManifestDatabase *database = &site->world->manifest->database;
    for (size_t i = 0; i < database->n_tables; i++)
        if (database->tables[i].n_segments > 2)
            return &database->tables[i];
    fail_msg("the fixture has no table of several segments");
    return NULL;
}

static void get_object(Site *site, const BlobRef *ref, Buf *ret)
{
    Error err = ERROR_INIT;
    char key[BLOB_KEY_SIZE];
    blob_key(site->world->repo, ref, key);
    buf_clear(ret);
    must(store_get(site->world->store, key, 0, UINT64_MAX, ret, &err), &err);
}

static void put_object(Site *site, const BlobRef *ref, const Buf *data)
{
    Error err = ERROR_INIT;
    char key[BLOB_KEY_SIZE];
    blob_key(site->world->repo, ref, key);
    must(store_put(site->world->store, key, data->data, data->len, false, &err), &err);
}

static void flip(Site *site, const BlobRef *ref, size_t offset)
{
    Buf data = BUF_INIT(BLOB_STORED_MAX);
    get_object(site, ref, &data);
    assert_true(offset < data.len);
    data.data[offset] ^= 1;
    put_object(site, ref, &data);
    buf_done(&data);
}

static void drop(Site *site, const BlobRef *ref)
{
    Error err = ERROR_INIT;
    char key[BLOB_KEY_SIZE];
    blob_key(site->world->repo, ref, key);
    must(store_delete(site->world->store, key, &err), &err);
}

/* The entry of a file of "docs". */
static void with_entry(Site *site, const char *path, void (*fn)(Site *site, const IndexEntry *entry))
{
    Error err = ERROR_INIT;
    const IndexEntry *entry;
    IndexReader *reader = index_reader_new(site->world->repo, &site->world->manifest->filesets[1]);
    bool found = false;
    while (index_reader_next(reader, &entry, &err) > 0)
        if (strcmp(entry->path, path) == 0) {
            fn(site, entry);
            found = true;
        }
    index_reader_free(reader);
    assert_true(found);
}

/* Rewrites the only index blob of "docs" by fn and lets the manifest refer to the new one. */
static void rewrite_index(Site *site, void (*fn)(Buf *text))
{
    Error err = ERROR_INIT;
    ManifestFileset *docs = &site->world->manifest->filesets[1];
    Buf packed = BUF_INIT(BLOB_STORED_MAX), text = BUF_INIT(BLOB_MAX);
    assert_int_equal(docs->n_index, 1);
    get_object(site, &docs->index[0], &packed);
    must(repo_decompress(packed.data, packed.len, &text, &err), &err);
    fn(&text);
    must(repo_compress(site->world->repo, text.data, text.len, &packed, &err), &err);
    must(blob_put(site->world->repo, BLOB_ZSTD, packed.data, packed.len, &docs->index[0], NULL, &err), &err);
    buf_done(&packed);
    buf_done(&text);
}

static uint64_t files_in_packs(Site *site)
{
    Error err = ERROR_INIT;
    const Manifest *manifest = site->world->manifest;
    const ManifestFileset *all[] = {&manifest->filesets[0], &manifest->filesets[1], &manifest->database.large_objects};
    uint64_t files = 0;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        const IndexEntry *entry;
        IndexReader *reader = index_reader_new(site->world->repo, all[i]);
        while (index_reader_next(reader, &entry, &err) > 0)
            files += entry->n_parts == 1 && entry->parts[0].blob.kind == BLOB_TAR;
        index_reader_free(reader);
    }
    assert_true(files > 4);
    return files;
}

static void commit_rehearsal(Site *site)
{
    Error err = ERROR_INIT;
    const Manifest *manifest = site->world->manifest;
    Rehearsal *rehearsal = rehearsal_new();
    rehearsal->id = rehearsal_new_id(site->world->repo, manifest->app);
    rehearsal->backup = xstrdup(manifest->id);
    rehearsal->app = xstrdup(manifest->app);
    rehearsal->host = xstrdup(manifest->host);
    rehearsal->kura_version = xstrdup(KURA_VERSION);
    rehearsal->started = xstrdup(manifest->started);
    rehearsal->finished = xstrdup(manifest->finished);
    rehearsal->backup_started = xstrdup(manifest->started);
    rehearsal->backup_finished = xstrdup(manifest->finished);
    must(rehearsal_commit(site->world->repo, rehearsal, &err), &err);
    rehearsal_free(rehearsal);
}

/* ---- what is whole ---- */

static void test_whole(void **state)
{
    Site *site = *state;
    commit(site);
    verify(site, 0);
    assert_clean(site);
    assert_int_equal(site->report.n_backups, 1);
    assert_true(site->report.blobs > 20);
    assert_int_equal(site->report.read_blobs, 0);
    assert_int_equal(site->report.tables, 0);
    assert_true(site->report.orphans_known);
    assert_int_equal(site->report.orphans, 0);

    commit_rehearsal(site); /* beside the backups it is in nobody's way */
    verify(site, 100);
    assert_int_equal(site->report.n_backups, 1);
    assert_int_equal(site->report.orphans, 0);
    assert_clean(site);
    assert_int_equal(site->report.read_blobs, site->report.blobs);
    assert_int_equal(site->report.read_bytes, site->report.bytes);
    assert_int_equal(site->report.tables, site->world->manifest->database.n_tables);
    assert_int_equal(site->report.tables_proven, site->report.tables);
    assert_int_equal(site->report.files_read, files_in_packs(site));
}

/* Proven as well; in the wrong order they are not. */
static void test_rows_longer_than_a_segment(void **state)
{
    Site *site = *state;
    ManifestTable *table = table_of(site, LONG_TABLE);
    size_t at = 0;
    while (at < table->n_segments && !(table->segments[at].continues && table->segments[at + 1].continues))
        at++;
    assert_true(at + 1 < table->n_segments);
    commit(site);
    verify(site, 100);
    assert_clean(site);
    /* two pieces of equal size from the middle of a row, whose bytes are all the same, cannot be told apart; the pieces
     * of two rows can */
    BlobRef blob = table->segments[at].blob;
    table->segments[at].blob = table->segments[table->n_segments - 2].blob;
    table->segments[table->n_segments - 2].blob = blob;
    commit(site);
    verify(site, 100);
    assert_says(finding(site, "table-damaged"), LONG_TABLE);
}

static void test_two_backups_share(void **state)
{
    Site *site = *state;
    commit(site);
    verify(site, 100);
    uint64_t blobs = site->report.blobs, files = site->report.files_read;
    commit(site);
    verify(site, 100);
    assert_clean(site);
    assert_int_equal(site->report.n_backups, 2);
    assert_int_equal(site->report.blobs, blobs);
    assert_int_equal(site->report.read_blobs, blobs);
    assert_int_equal(site->report.files_read, files);
    assert_int_equal(site->report.tables_proven, 2 * site->world->manifest->database.n_tables);
}

static void test_nothing_at_all(void **state)
{
    Site *site = *state;
    verify(site, 100);
    assert_int_equal(site->report.n_backups, 0);
    assert_int_equal(site->report.blobs, 0);
    assert_true(site->report.orphans > 20); /* no manifest was committed */
    assert_int_equal(finding(site, "orphans")->severity, FINDING_NOTE);
}

static void test_a_share(void **state)
{
    Site *site = *state;
    commit(site);
    uint64_t indexes = 2 + site->world->manifest->database.large_objects.n_index;
    verify(site, 0.0001);
    assert_clean(site);
    assert_true(site->report.read_blobs <= indexes + 1);
    /* a table whose segments were not all read is not proven, unless it has none */
    assert_true(site->report.tables_proven < site->report.tables);
    verify(site, 50);
    assert_true(site->report.read_bytes * 2 >= site->report.bytes && site->report.read_bytes < site->report.bytes);
    assert_int_equal(site->report.cycle_completed, 0);
    verify(site, 50);
    assert_clean(site);
    assert_true(site->report.cycle_completed > 0);
}

/* There is one cursor for all backups. */
static void test_no_share_of_one(void **state)
{
    Site *site = *state;
    Error err = ERROR_INIT;
    StrVec ids = {0};
    VerifyReport report;
    strvec_push(&ids, commit(site));
    const VerifyOptions options = {.ids = &ids, .percent = 50};
    assert_int_equal(verify_run(site->world->repo, &options, &report, &site->findings, NULL, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    strvec_done(&ids);
}

/* ---- what is missing or has another size ---- */

static void test_missing_segment(void **state)
{
    Site *site = *state;
    ManifestTable *table = long_table(site);
    const char *id = commit(site);
    drop(site, &table->segments[1].blob);
    verify(site, 0);
    const Finding *found = finding(site, "blob-missing");
    assert_int_equal(found->severity, FINDING_ERROR);
    assert_says(found, table->segments[1].blob.hash);
    assert_says(found, table->name);
    assert_says(found, id);
    assert_non_null(found->hint);
    assert_int_equal(site->report.missing, 1);
    assert_int_equal(site->report.damaged, 0);
    assert_true(site->report.backups[0].damaged);
    assert_int_equal(site->report.backups[0].tables, 1);
    assert_int_equal(site->report.backups[0].files, 0);
    assert_true(site->report.orphans_known);

    verify(site, 100);
    finding(site, "blob-missing");
    assert_int_equal(site->report.read_blobs, site->report.blobs - 1);
    assert_int_equal(site->report.tables_proven, site->report.tables - 1);
}

static void take_pack(Site *site, const IndexEntry *entry)
{
    drop(site, &entry->parts[0].blob);
}

static void test_missing_pack(void **state)
{
    Site *site = *state;
    const char *id = commit(site);
    with_entry(site, "b", take_pack);
    verify(site, 0);
    const Finding *found = finding(site, "blob-missing");
    assert_says(found, "file docs/a");
    assert_says(found, "file docs/c");
    assert_says(found, id);
    assert_int_equal(site->report.backups[0].files, 3);
    assert_int_equal(site->report.backups[0].tables, 0);
}

static void test_missing_index_and_contents(void **state)
{
    Site *site = *state;
    commit(site);
    drop(site, &site->world->manifest->filesets[1].index[0]);
    drop(site, &site->world->manifest->database.toc[0]);
    verify(site, 0);
    assert_int_equal(site->report.missing, 2);
    assert_int_equal(site->findings.n, 2);
    bool toc_first = strstr(site->findings.v[0].message, "table of contents") != NULL;
    assert_says(&site->findings.v[toc_first ? 0 : 1], "table of contents");
    assert_says(&site->findings.v[toc_first ? 1 : 0], "index of fileset docs");
    /* the pack of docs is now named by nobody who can be asked */
    assert_false(site->report.orphans_known);
    assert_int_equal(site->report.orphans, 0);
}

static void test_wrong_size(void **state)
{
    Site *site = *state;
    ManifestTable *table = long_table(site);
    Buf data = BUF_INIT(BLOB_STORED_MAX);
    commit(site);
    get_object(site, &table->segments[0].blob, &data);
    data.len--;
    put_object(site, &table->segments[0].blob, &data);
    buf_done(&data);
    verify(site, 0);
    const Finding *found = finding(site, "blob-damaged");
    assert_says(found, "which is not the size of");
    assert_says(found, table->name);
    assert_int_equal(site->report.damaged, 1);
}

/* ---- what is in the blobs ---- */

static void test_flipped_byte(void **state)
{
    Site *site = *state;
    ManifestTable *table = long_table(site);
    commit(site);
    flip(site, &table->segments[0].blob, 10);
    verify(site, 0);
    assert_clean(site);
    verify(site, 100);
    const Finding *found = finding(site, "blob-damaged");
    assert_says(found, "hash in its name");
    assert_says(found, table->name);
    assert_int_equal(site->findings.n, 1);
    assert_int_equal(site->report.backups[0].tables, 1);
    assert_int_equal(site->report.tables_proven, site->report.tables - 1);
}

/* A segment that is what its name says, and yet no whole frame. */
static void test_truncated_frame(void **state)
{
    Site *site = *state;
    Error err = ERROR_INIT;
    ManifestTable *table = long_table(site);
    Buf data = BUF_INIT(BLOB_STORED_MAX);
    get_object(site, &table->segments[0].blob, &data);
    must(blob_put(site->world->repo, BLOB_ZSTD, data.data, data.len - 5, &table->segments[0].blob, NULL, &err), &err);
    buf_done(&data);
    commit(site);
    verify(site, 100);
    const Finding *found = finding(site, "blob-damaged");
    assert_says(found, "zstd data ends too early");
    assert_says(found, table->name);
}

/* Good segments in the wrong place. */
static void test_rows_of_another_table(void **state)
{
    Site *site = *state;
    ManifestTable *table = long_table(site);
    BlobRef first = table->segments[0].blob;
    table->segments[0].blob = table->segments[1].blob;
    table->segments[1].blob = first;
    const char *id = commit(site);
    verify(site, 0);
    assert_clean(site);
    verify(site, 100);
    const Finding *found = finding(site, "table-damaged");
    assert_says(found, table->name);
    assert_says(found, id);
    assert_true(site->report.backups[0].damaged);
    assert_int_equal(site->report.damaged, 0);
}

/* ---- bundles ---- */

/* Tables that share a blob: two of them, and how many there are. */
static size_t bundled_tables(Site *site, ManifestTable *ret[2])
{
    ManifestDatabase *database = &site->world->manifest->database;
    size_t n = 0;
    for (size_t i = 0; i < database->n_tables; i++) {
        ManifestTable *table = &database->tables[i];
        if (table->n_segments != 1 || table->segments[0].length == 0)
            continue;
        if (n < 2)
            ret[n] = table;
        n++;
    }
    assert_true(n >= 2);
    assert_string_equal(ret[0]->segments[0].blob.hash, ret[1]->segments[0].blob.hash);
    return n;
}

static void test_flipped_bundle(void **state)
{
    Site *site = *state;
    ManifestTable *tables[2];
    size_t n = bundled_tables(site, tables);
    commit(site);
    flip(site, &tables[0]->segments[0].blob, tables[1]->segments[0].offset + 10);
    verify(site, 100);
    const Finding *found = finding(site, "blob-damaged");
    assert_says(found, tables[0]->name);
    assert_says(found, tables[1]->name);
    assert_int_equal(site->report.damaged, 1);
    assert_int_equal(site->report.backups[0].tables, n);
    assert_int_equal(site->report.tables_proven, site->report.tables - n);
}

static void test_wrong_place_in_a_bundle(void **state)
{
    Site *site = *state;
    ManifestTable *tables[2];
    bundled_tables(site, tables);
    ManifestSegment first = tables[0]->segments[0];
    tables[0]->segments[0].offset = tables[1]->segments[0].offset;
    tables[0]->segments[0].length = tables[1]->segments[0].length;
    tables[1]->segments[0].offset = first.offset;
    tables[1]->segments[0].length = first.length;
    commit(site);
    verify(site, 100);
    finding(site, "table-damaged");
    assert_int_equal(site->report.backups[0].tables, 2);
    assert_int_equal(site->report.tables_proven, site->report.tables - 2);
}

/* A place that begins in the middle of a frame, and more places than anybody writes. */
static void test_made_up_places(void **state)
{
    Site *site = *state;
    ManifestTable *tables[2];
    bundled_tables(site, tables);
    ManifestSegment *own = tables[0]->segments, good = *own;
    own->offset++;
    own->length--;
    commit(site);
    verify(site, 100);
    assert_says(finding(site, "blob-damaged"), tables[0]->name);

    enum { MANY = 2000 };
    free(own);
    tables[0]->segments = xcalloc(MANY, sizeof *tables[0]->segments);
    tables[0]->n_segments = MANY;
    for (size_t i = 0; i < MANY; i++) {
        ManifestSegment *segment = &tables[0]->segments[i];
        *segment = good;
        segment->offset = i % good.blob.size;
        segment->length = 1 + i / good.blob.size;
        segment->rows = segment->raw = 1;
        segment->offset -= segment->offset + segment->length > good.blob.size ? segment->length : 0;
    }
    tables[0]->digest.rows = tables[0]->digest.bytes = MANY;
    commit(site);
    verify(site, 100);
    assert_says(finding(site, "blob-damaged"), "is said to hold more than");
}

static void test_wrong_digest(void **state)
{
    Site *site = *state;
    ManifestTable *table = long_table(site);
    table->digest.low++;
    commit(site);
    verify(site, 100);
    assert_says(finding(site, "table-damaged"), table->name);
    assert_int_equal(site->report.tables_proven, site->report.tables - 1);
}

static void flip_content(Site *site, const IndexEntry *entry)
{
    flip(site, &entry->parts[0].blob, entry->parts[0].offset + 3);
}

/* The pack is damaged, the other files in it are not. */
static void test_pack_with_one_bad_file(void **state)
{
    Site *site = *state;
    commit(site);
    with_entry(site, "b", flip_content);
    verify(site, 100);
    assert_int_equal(site->findings.n, 1);
    const Finding *found = finding(site, "blob-damaged");
    assert_says(found, "file docs/b");
    assert_silent(found, "docs/a");
    assert_silent(found, "docs/c");
    assert_int_equal(site->report.backups[0].files, 1);
}

static void flip_header(Site *site, const IndexEntry *entry)
{
    flip(site, &entry->parts[0].blob, 0);
}

static void test_pack_with_a_bad_header(void **state)
{
    Site *site = *state;
    commit(site);
    with_entry(site, "a", flip_header);
    verify(site, 100);
    assert_says(finding(site, "blob-damaged"), "no file or table is affected");
    assert_int_equal(site->report.damaged, 1);
    assert_false(site->report.backups[0].damaged);
}

static void spoil_hash(Buf *text)
{
    char *line = strstr((char *)text->data, "\"path\":\"c\"");
    assert_non_null(line);
    char *hash = strstr(line, "\"hash\":\"");
    assert_non_null(hash);
    hash[8] = hash[8] == '0' ? '1' : '0';
}

static void test_file_that_is_not_its_hash(void **state)
{
    Site *site = *state;
    rewrite_index(site, spoil_hash);
    commit(site);
    verify(site, 100);
    const Finding *found = finding(site, "files-damaged");
    assert_says(found, "holds 1 files");
    assert_says(found, "file docs/c");
    assert_silent(found, "docs/a");
    assert_int_equal(site->report.backups[0].files, 1);
}

/* ---- indexes and manifests ---- */

static void cut_line(Buf *text)
{
    text->len -= 2;
}

static void test_index_that_is_no_index(void **state)
{
    Site *site = *state;
    rewrite_index(site, cut_line);
    commit(site);
    verify(site, 0);
    const Finding *found = finding(site, "blob-damaged");
    assert_says(found, "index of fileset docs");
    assert_false(site->report.orphans_known);
}

static void drop_line(Buf *text)
{
    char *end = memchr(text->data, '\n', text->len);
    buf_consume(text, (size_t)(end + 1 - (char *)text->data));
}

static void test_index_without_a_file(void **state)
{
    Site *site = *state;
    rewrite_index(site, drop_line);
    const char *id = commit(site);
    verify(site, 0);
    const Finding *found = finding(site, "index-damaged");
    assert_says(found, "docs");
    assert_says(found, id);
    assert_true(site->report.backups[0].damaged);
}

/* One index blob twice: its paths do not ascend. */
static void test_index_out_of_order(void **state)
{
    Site *site = *state;
    ManifestFileset *docs = &site->world->manifest->filesets[1];
    docs->index = xreallocarray(docs->index, 2, sizeof *docs->index);
    docs->index[1] = docs->index[0];
    docs->index_first = xreallocarray(docs->index_first, 2, sizeof *docs->index_first);
    docs->index_first[1] = NULL; /* a manifest that tells where it begins is refused */
    docs->n_index = 2;
    docs->files *= 2;
    docs->dirs *= 2;
    docs->bytes *= 2;
    commit(site);
    verify(site, 0);
    assert_says(finding(site, "index-damaged"), "out of order");
}

static void test_unreadable_manifest(void **state)
{
    Site *site = *state;
    Error err = ERROR_INIT;
    const char *id = commit(site);
    _cleanup_free_ char *key = xasprintf("backups/%s.json", id);
    _cleanup_free_ char *bad = xstrdup(id);
    commit(site);
    must(store_put(site->world->store, key, "{}", 2, false, &err), &err);
    verify(site, 0);
    assert_says(finding(site, "backup-unreadable"), bad);
    assert_int_equal(site->report.n_backups, 2);
    size_t first = strcmp(site->report.backups[0].id, bad) == 0 ? 0 : 1;
    assert_true(site->report.backups[first].unreadable && site->report.backups[first].damaged);
    assert_false(site->report.backups[1 - first].damaged);
    assert_false(site->report.orphans_known);
}

static void test_two_sizes(void **state)
{
    Site *site = *state;
    ManifestTable *table = long_table(site);
    commit(site);
    table->segments[0].blob.size++;
    commit(site);
    verify(site, 0);
    assert_says(finding(site, "blob-damaged"), "is said to have");
    assert_int_equal(site->report.damaged, 1);
}

/* ---- which backups ---- */

static void test_named_backups(void **state)
{
    Site *site = *state;
    _cleanup_(strvec_done) StrVec good = {0};
    _cleanup_(strvec_done) StrVec bad = {0};
    ManifestTable *table = long_table(site);
    strvec_push(&bad, commit(site));
    BlobRef lost = table->segments[0].blob;
    uint64_t rows = table->segments[0].rows, raw = table->segments[0].raw;
    table->segments++; /* the second backup does without the first segment */
    table->n_segments--;
    table->digest.rows -= rows;
    table->digest.bytes -= raw;
    strvec_push(&good, commit(site));
    table->segments--;
    drop(site, &lost);

    verify_with(site, &(VerifyOptions){.ids = &good});
    assert_clean(site);
    assert_int_equal(site->report.n_backups, 1);
    assert_false(site->report.orphans_known);
    verify_with(site, &(VerifyOptions){.ids = &bad});
    finding(site, "blob-missing");
    verify(site, 0);
    const Finding *found = finding(site, "blob-missing");
    assert_says(found, bad.v[0]);
    assert_silent(found, good.v[0]);
}

static void test_one_application(void **state)
{
    Site *site = *state;
    commit(site);
    verify_with(site, &(VerifyOptions){.app = "test"});
    assert_int_equal(site->report.n_backups, 1);
    verify_with(site, &(VerifyOptions){.app = "other"});
    assert_int_equal(site->report.n_backups, 0);
    assert_false(site->report.orphans_known);
    assert_clean(site);
}

/* ---- what belongs to nobody ---- */

static void test_orphans(void **state)
{
    Site *site = *state;
    Error err = ERROR_INIT;
    BlobRef ref;
    commit(site);
    must(blob_put(site->world->repo, BLOB_RAW, "orphan", 6, &ref, NULL, &err), &err);
    must(store_put(site->world->store, "blobs/readme", "x", 1, false, &err), &err);
    must(store_put(site->world->store, "blobs/00/no-blob.zst", "x", 1, false, &err), &err);
    verify(site, 0);
    assert_int_equal(findings_count(&site->findings, FINDING_WARNING), 0);
    assert_int_equal(site->report.orphans, 1);
    assert_int_equal(site->report.orphan_bytes, 6);
    assert_says(finding(site, "orphans"), "1 blobs with 6 bytes");
    assert_says(finding(site, "objects-unknown"), "2 objects");
}

/* ---- bounds ---- */

static int note_zstd(void *ctx, const char *key, uint64_t size, Error *err)
{
    if (strstr(key, ".zst") != NULL)
        strvec_push(ctx, key);
    return 0;
}

static void test_many_damages(void **state)
{
    Site *site = *state;
    Error err = ERROR_INIT;
    _cleanup_(strvec_done) StrVec keys = {0};
    ManifestTable *table = table_of(site, long_table(site)->name);
    /* 150 segments more, which nobody has */
    size_t n = table->n_segments;
    table->segments = xreallocarray(table->segments, n + 150, sizeof *table->segments);
    for (size_t i = 0; i < 150; i++) {
        ManifestSegment *segment = &table->segments[n + i];
        *segment = (ManifestSegment){.blob = {.kind = BLOB_ZSTD, .size = 20}, .raw = 1, .rows = 1};
        sha256_hex(&i, sizeof i, segment->blob.hash);
    }
    table->n_segments += 150;
    table->digest.rows += 150;
    table->digest.bytes += 150;
    commit(site);
    verify(site, 0);
    assert_int_equal(site->report.missing, 150);
    assert_int_equal(site->report.n_damages, VERIFY_DAMAGES_MAX);
    assert_int_equal(site->findings.n, VERIFY_DAMAGES_MAX + 1);
    assert_says(finding(site, "blobs-more"), "50 more");
    assert_int_equal(site->report.backups[0].tables, 1);

    must(store_list(site->world->store, "blobs/", note_zstd, &keys, &err), &err);
    for (size_t i = 0; i < keys.n; i++)
        must(store_delete(site->world->store, keys.v[i], &err), &err);
    verify(site, 100);
    assert_int_equal(site->report.missing, 150 + keys.n);
}

/* ---- the lock ---- */

static int no_lock(void *ctx, const char *key, uint64_t size, Error *err)
{
    return error_set(err, ERR_FAILED, "%s is left", key);
}

static void test_lock(void **state)
{
    Site *site = *state;
    Error err = ERROR_INIT;
    RepoLock *lock;
    VerifyReport report;
    must(repo_lock(site->world->repo, true, "prune", &lock, &err), &err);
    assert_int_equal(verify_run(site->world->repo, &(VerifyOptions){0}, &report, &site->findings, NULL, &err), -1);
    assert_int_equal(err.code, ERR_LOCKED);
    repo_unlock(lock);
    must(repo_lock(site->world->repo, false, "backup", &lock, &err), &err);
    verify(site, 0);
    repo_unlock(lock);
    must(store_list(site->world->store, "locks/", no_lock, NULL, &err), &err);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_whole),
        TEST(test_rows_longer_than_a_segment),
        TEST(test_two_backups_share),
        TEST(test_nothing_at_all),
        TEST(test_a_share),
        TEST(test_no_share_of_one),
        TEST(test_missing_segment),
        TEST(test_missing_pack),
        TEST(test_missing_index_and_contents),
        TEST(test_wrong_size),
        TEST(test_flipped_byte),
        TEST(test_truncated_frame),
        TEST(test_rows_of_another_table),
        TEST(test_flipped_bundle),
        TEST(test_wrong_place_in_a_bundle),
        TEST(test_made_up_places),
        TEST(test_wrong_digest),
        TEST(test_pack_with_one_bad_file),
        TEST(test_pack_with_a_bad_header),
        TEST(test_file_that_is_not_its_hash),
        TEST(test_index_that_is_no_index),
        TEST(test_index_without_a_file),
        TEST(test_index_out_of_order),
        TEST(test_unreadable_manifest),
        TEST(test_two_sizes),
        TEST(test_named_backups),
        TEST(test_one_application),
        TEST(test_orphans),
        TEST(test_many_damages),
        TEST(test_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
