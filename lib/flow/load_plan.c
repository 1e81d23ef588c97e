/* What there is to load: tables in parts, small ones in bundles, and the indexes that need not wait for all of them. */
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "load.h"

/* pg_restore takes a moment to start and to read its TOC: indexes of smaller tables wait for the last run, which does
 * them all. */
#define EARLY_INDEX_BYTES (32ull * 1024 * 1024)
/* A table larger than its share of the work is loaded by several workers, in parts of about this size. */
#define PART_BYTES (128ull * 1024 * 1024)

static bool is_index(const TocEntry *entry)
{
    return toc_entry_is(entry, "INDEX") || toc_entry_is(entry, "CONSTRAINT");
}

static int by_raw(const void *a, const void *b)
{
    uint64_t x = ((const LoadTable *)a)->source->digest.bytes, y = ((const LoadTable *)b)->source->digest.bytes;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Cuts a table's segments into parts that begin at whole rows. Configuration tables are loaded already: they only are
 * read back. */
static void plan_parts(const Restore *restore, LoadTable *table, bool split)
{
    const ManifestTable *source = table->source;
    if (load_is_config(restore, table->entry))
        return;
    table->parts = xcalloc(source->n_segments + 1, sizeof *table->parts);
    size_t start = 0;
    uint64_t raw = 0;
    for (size_t i = 0; i <= source->n_segments; i++) {
        bool whole_row = i == source->n_segments || !source->segments[i].continues;
        bool full = i == source->n_segments || (split && raw >= PART_BYTES);
        if (i > start && whole_row && full) {
            table->parts[table->n_parts++] = (LoadPart){.first = start, .end = i};
            start = i;
            raw = 0;
        }
        if (i < source->n_segments)
            raw += source->segments[i].raw;
    }
    table->parts_left = table->n_parts;
    table->bundled = source->n_segments == 1 && source->segments[0].length > 0 && !table->stmt.via_root;
    table->next_part = table->bundled;
}

static int by_place(const void *a, const void *b)
{
    const ManifestSegment *x = (*(LoadTable *const *)a)->source->segments,
                          *y = (*(LoadTable *const *)b)->source->segments;
    int order = strcmp(x->blob.hash, y->blob.hash);
    return order ? order : x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void plan_bundles(Load *load)
{
    load->bundled = xcalloc(load->n_tables, sizeof(LoadTable *));
    for (size_t i = 0; i < load->n_tables; i++)
        if (load->tables[i].bundled)
            load->bundled[load->n_bundled++] = &load->tables[i];
    qsort(load->bundled, load->n_bundled, sizeof(LoadTable *), by_place);
}

static int plan_table(Load *load, const ManifestTable *source, Error *err)
{
    LoadTable *table = &load->tables[load->n_tables++];
    *table = (LoadTable){.source = source, .entry = toc_find(load->restore->toc, source->dump_id)};
    if (table->entry == NULL || !toc_entry_is(table->entry, "TABLE DATA"))
        return error_set(err, ERR_CORRUPT,
                         "the manifest's table \"%s\".\"%s\" has no TABLE DATA entry %d in the table of contents",
                         source->schema, source->name, source->dump_id);
    return copystmt_parse(table->entry, &table->stmt, err);
}

/* The dump id of the TABLE that a TABLE DATA entry fills. */
static int table_dump_id(const LoadTable *table)
{
    return table->entry->n_deps > 0 ? atoi(table->entry->deps[0]) : -1;
}

static LoadTable *find_by_dump_id(Load *load, const char *dep)
{
    int id = atoi(dep);
    for (size_t i = 0; i < load->n_big; i++)
        if (table_dump_id(&load->tables[i]) == id)
            return &load->tables[i];
    return NULL;
}

/* An index may be built early when all it needs is there once its table is complete: nothing of the post-data section.
 */
static void plan_early_index(Load *load, const TocEntry *entry)
{
    LoadTable *table = NULL;
    for (size_t i = 0; i < entry->n_deps; i++) {
        const TocEntry *dep = toc_find(load->restore->toc, atoi(entry->deps[i]));
        if (dep && (dep->section == SECTION_POST_DATA || toc_entry_is(dep, "FUNCTION")))
            return; /* a function may read other tables */
        LoadTable *owner = find_by_dump_id(load, entry->deps[i]);
        table = owner ? owner : table;
    }
    if (table == NULL || table->stmt.via_root)
        return;
    xgrow(&table->indexes, &table->cap_indexes, table->n_indexes);
    table->indexes[table->n_indexes++] = entry;
}

int load_plan(Load *load, Error *err)
{
    Restore *restore = load->restore;
    const ManifestDatabase *database = &restore->manifest->database;
    load->tables = xcalloc(database->n_tables, sizeof *load->tables);
    uint64_t total = 0;
    for (size_t i = 0; i < database->n_tables; i++) {
        total += database->tables[i].digest.bytes;
        if (plan_table(load, &database->tables[i], err) < 0)
            return -1;
    }
    qsort(load->tables, load->n_tables, sizeof *load->tables, by_raw);
    for (size_t i = 0; i < load->n_tables; i++) {
        uint64_t bytes = load->tables[i].source->digest.bytes;
        plan_parts(restore, &load->tables[i],
                   load->jobs > 1 && bytes > 2 * PART_BYTES && bytes > 2 * (total - bytes) / (load->jobs - 1));
        load->parts_left += load->tables[i].n_parts;
        load->n_big += bytes >= EARLY_INDEX_BYTES;
    }
    plan_bundles(load);
    for (size_t i = 0; load->n_big > 0 && i < restore->toc->n_entries; i++)
        if (is_index(&restore->toc->entries[i]))
            plan_early_index(load, &restore->toc->entries[i]);
    load->large_objects_left = database->large_objects.name != NULL;
    progress_total(restore->progress, total);
    return 0;
}

void load_plan_done(Load *load)
{
    for (size_t i = 0; i < load->n_tables; i++) {
        copystmt_done(&load->tables[i].stmt);
        free(load->tables[i].parts);
        free(load->tables[i].indexes);
    }
    free(load->tables);
    free(load->bundled);
}
