/* Large objects on their way out. pg_restore finds them through lists, one "OID FILE" a line: before archive version
 * 1.16 the one file "blobs.toc", whatever the entry says; from then on "blobs_NNNN.toc" for each BLOBS entry, which has
 * the objects that the BLOB METADATA entry before it creates. */
#include <string.h>

#include "export_priv.h"
#include "kura/fileset.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "outfile.h"

enum { MINOR_LISTS = 16, OID_DIGITS = 10 };

typedef struct LargeObject {
    uint32_t oid;
    int list; /* dump id of the BLOBS entry that restores it */
    bool written;
} LargeObject;

typedef struct LargeObjects {
    LargeObject *v; /* sorted by oid, once complete */
    size_t n, cap;
} LargeObjects;

static void largeobjects_done(LargeObjects *objects)
{
    free(objects->v);
}

/* The number that exactly len characters of text spell, or 0, which is no oid. */
static uint32_t parse_oid(const char *text, size_t len)
{
    if (len == 0 || len > OID_DIGITS || text[0] == '0')
        return 0;
    uint64_t oid = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        oid = oid * 10 + (uint64_t)(text[i] - '0');
    }
    return oid > UINT32_MAX ? 0 : (uint32_t)oid;
}

static int add_object(LargeObjects *objects, const char *text, size_t len, int list, Error *err)
{
    uint32_t oid = parse_oid(text, len);
    if (oid == 0)
        return error_set(err, ERR_CORRUPT, "the table of contents names a large object \"%.*s\"",
                         (int)(len > OID_DIGITS ? OID_DIGITS : len), text);
    xgrow(&objects->v, &objects->cap, objects->n);
    objects->v[objects->n++] = (LargeObject){.oid = oid, .list = list};
    return 0;
}

/* A BLOB METADATA entry's definition: one oid a line. */
static int add_lines(LargeObjects *objects, const char *defn, int list, Error *err)
{
    while (*defn) {
        size_t len = strcspn(defn, "\n");
        if (len > 0 && add_object(objects, defn, len, list, err) < 0)
            return -1;
        defn += len + (defn[len] == '\n');
    }
    return 0;
}

static int list_metadata(const Toc *toc, const TocEntry *blobs, LargeObjects *objects, Error *err)
{
    for (size_t i = 0; i < blobs->n_deps; i++) {
        const TocEntry *entry = toc_find(toc, (int)strtol(blobs->deps[i], NULL, 10));
        if (entry && toc_entry_is(entry, "BLOB METADATA") && entry->defn &&
            add_lines(objects, entry->defn, blobs->dump_id, err) < 0)
            return -1;
    }
    return 0;
}

static int list_single(const Toc *toc, const TocEntry *blobs, LargeObjects *objects, Error *err)
{
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (toc_entry_is(entry, "BLOB") && entry->tag &&
            add_object(objects, entry->tag, strlen(entry->tag), blobs->dump_id, err) < 0)
            return -1;
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = ((const LargeObject *)a)->oid, y = ((const LargeObject *)b)->oid;
    return (x > y) - (x < y);
}

static int list_objects(const Toc *toc, LargeObjects *objects, Error *err)
{
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (!toc_entry_is(entry, "BLOBS"))
            continue;
        if ((toc->minor < MINOR_LISTS ? list_single : list_metadata)(toc, entry, objects, err) < 0)
            return -1;
    }
    if (objects->n > 0)
        qsort(objects->v, objects->n, sizeof *objects->v, compare);
    for (size_t i = 1; i < objects->n; i++)
        if (objects->v[i].oid == objects->v[i - 1].oid)
            return error_set(err, ERR_CORRUPT, "the table of contents has large object %u twice", objects->v[i].oid);
    return 0;
}

typedef struct Target {
    Export *export;
    OutFile file;
} Target;

static int take_data(void *ctx, const void *data, size_t len, Error *err)
{
    Target *target = ctx;
    progress_add(target->export->progress, len, 0);
    return stop_check(err) < 0 ? -1 : outfile_write(&target->file, data, len, err);
}

static int write_object(Export *export, EntryReader *contents, const IndexEntry *entry, Error *err)
{
    _cleanup_free_ char *name = xasprintf("database/blob_%s.dat", entry->path);
    _cleanup_free_ char *path = xasprintf("%s/%s", export->dir, name);
    Target target = {.export = export, .file = OUTFILE_INIT};
    char hex[SHA256_HEX_SIZE];
    int rc = outfile_open(&target.file, path, err);
    if (rc == 0)
        rc = entry_reader_read(contents, entry, take_data, &target, err);
    if (rc == 0)
        rc = outfile_close(&target.file, hex, err);
    outfile_done(&target.file);
    if (rc < 0)
        return error_wrap(err, "large object %s", entry->path);
    sums_add(&export->sums, name, hex);
    progress_add(export->progress, 0, 1);
    return 0;
}

static int write_objects(Export *export, IndexReader *reader, EntryReader *contents, LargeObjects *objects, Error *err)
{
    const IndexEntry *entry;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0) {
        LargeObject key = {.oid = parse_oid(entry->path, strlen(entry->path))};
        LargeObject *object = objects->n > 0 ? bsearch(&key, objects->v, objects->n, sizeof key, compare) : NULL;
        if (object == NULL || entry->type != 'f')
            return error_set(err, ERR_CORRUPT, "large object \"%s\" is not in the table of contents", entry->path);
        object->written = true;
        if (write_object(export, contents, entry, err) < 0)
            return -1;
    }
    return rc;
}

static int write_list(Export *export, const Toc *toc, int list, const LargeObjects *objects, Error *err)
{
    _cleanup_(buf_done) Buf lines = BUF_INIT(SIZE_MAX);
    for (size_t i = 0; i < objects->n; i++)
        if (objects->v[i].list == list &&
            buf_printf(&lines, err, "%u blob_%u.dat\n", objects->v[i].oid, objects->v[i].oid) < 0)
            return -1;
    _cleanup_free_ char *name =
        toc->minor < MINOR_LISTS ? xstrdup("database/blobs.toc") : xasprintf("database/blobs_%d.toc", list);
    return export_write(export, name, lines.data, lines.len, err);
}

int export_large_objects(Export *export, const Toc *toc, Error *err)
{
    const ManifestFileset *stored = &export->manifest->database.large_objects;
    _cleanup_(largeobjects_done) LargeObjects objects = {0};
    if (list_objects(toc, &objects, err) < 0)
        return -1;
    if (stored->name != NULL) {
        progress_phase(export->progress, "large objects", stored->bytes);
        IndexReader *reader = index_reader_new(export->repo, stored);
        EntryReader *contents = entry_reader_new(export->repo);
        int rc = write_objects(export, reader, contents, &objects, err);
        entry_reader_free(contents);
        index_reader_free(reader);
        if (rc < 0)
            return -1;
    }
    for (size_t i = 0; i < objects.n; i++)
        if (!objects.v[i].written)
            return error_set(err, ERR_CORRUPT, "large object %u is in the table of contents, but not in the backup",
                             objects.v[i].oid);
    for (size_t i = 0; i < toc->n_entries; i++)
        if (toc_entry_is(&toc->entries[i], "BLOBS") &&
            write_list(export, toc, toc->entries[i].dump_id, &objects, err) < 0)
            return -1;
    return 0;
}
