#include "kura/toc.h"

#include <limits.h>
#include <string.h>

#include "kura/mem.h"
#include "toc_priv.h"

const TocLimits toc_default_limits = {.max_entries = 10 * 1000 * 1000, .max_string = (size_t)1 << 30};

const char toc_magic[TOC_MAGIC_SIZE] = {'P', 'G', 'D', 'M', 'P'};

const TocField toc_fields[] = {
    {"dump id", TOC_INT, offsetof(TocEntry, dump_id), 0},
    {"had dumper", TOC_BOOL, offsetof(TocEntry, had_dumper), 0},
    {"catalogue oid", TOC_NUMBER, offsetof(TocEntry, table_oid), 0},
    {"oid", TOC_NUMBER, offsetof(TocEntry, oid), 0},
    {"tag", TOC_NAME, offsetof(TocEntry, tag), 0},
    {"type", TOC_NAME, offsetof(TocEntry, desc), 0},
    {"section", TOC_INT, offsetof(TocEntry, section), 0},
    {"definition", TOC_TEXT, offsetof(TocEntry, defn), 0},
    {"drop statement", TOC_TEXT, offsetof(TocEntry, drop_stmt), 0},
    {"copy statement", TOC_TEXT, offsetof(TocEntry, copy_stmt), 0},
    {"namespace", TOC_TEXT, offsetof(TocEntry, namespace), 0},
    {"tablespace", TOC_TEXT, offsetof(TocEntry, tablespace), 0},
    {"table access method", TOC_TEXT, offsetof(TocEntry, table_am), TOC_MINOR_TABLE_AM},
    {"relation kind", TOC_INT, offsetof(TocEntry, rel_kind), TOC_MINOR_REL_KIND},
    {"owner", TOC_TEXT, offsetof(TocEntry, owner), 0},
    {"with oids", TOC_NAME, offsetof(TocEntry, with_oids), 0},
    {"dependencies", TOC_DEPS, 0, 0},
};
const size_t toc_n_fields = ARRAY_SIZE(toc_fields);

void toc_free(Toc *toc)
{
    if (toc == NULL)
        return;
    arena_free(toc->arena);
    free(toc);
}

const char *toc_strdup(Toc *toc, const char *text)
{
    return toc_strndup(toc, text, text ? strlen(text) : 0);
}

const char *toc_strndup(Toc *toc, const char *text, size_t len)
{
    return text ? arena_strndup(toc->arena, text, len) : NULL;
}

static int compare_ids(const void *a, const void *b, void *entries_ptr)
{
    const TocEntry *entries = entries_ptr;
    int id_a = entries[*(const uint32_t *)a].dump_id, id_b = entries[*(const uint32_t *)b].dump_id;
    return (id_a > id_b) - (id_a < id_b);
}

bool toc_index(Toc *toc, size_t *ret_first, size_t *ret_second)
{
    TocArena *arena = toc->arena;
    if (toc->n_entries == 0)
        return true;
    arena->by_id = arena_array(arena, toc->n_entries, sizeof *arena->by_id);
    arena->n_by_id = toc->n_entries;
    for (size_t i = 0; i < arena->n_by_id; i++)
        arena->by_id[i] = (uint32_t)i;
    qsort_r(arena->by_id, arena->n_by_id, sizeof *arena->by_id, compare_ids, toc->entries);
    for (size_t i = 1; i < arena->n_by_id; i++) {
        uint32_t a = arena->by_id[i - 1], b = arena->by_id[i];
        if (toc->entries[a].dump_id == toc->entries[b].dump_id) {
            *ret_first = a < b ? a : b;
            *ret_second = a < b ? b : a;
            return false;
        }
    }
    return true;
}

/* Callers may drop, add and move entries, after which the index knows old places only: what it finds is checked, and
 * what it does not find is searched for. */
TocEntry *toc_find(const Toc *toc, int dump_id)
{
    const TocArena *arena = toc->arena;
    size_t low = 0, high = arena->n_by_id == toc->n_entries ? arena->n_by_id : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        TocEntry *entry = &toc->entries[arena->by_id[middle]];
        if (entry->dump_id == dump_id)
            return entry;
        if (entry->dump_id < dump_id)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = 0; i < toc->n_entries; i++)
        if (toc->entries[i].dump_id == dump_id)
            return &toc->entries[i];
    return NULL;
}

int toc_compression(const Toc *toc)
{
    if (toc->minor >= TOC_MINOR_ALGORITHM)
        return toc->compression;
    return toc->compression == 0 ? TOC_COMPRESSION_NONE : TOC_COMPRESSION_GZIP;
}

int toc_version_major(const char *version)
{
    int major = 0;
    size_t n = 0;
    while (version && version[n] >= '0' && version[n] <= '9' && n < 4)
        major = major * 10 + (version[n++] - '0');
    return n == 0 || n == 4 ? -1 : major;
}

int toc_minor_needs(int minor)
{
    if (minor <= TOC_MINOR_TABLE_AM)
        return 13;
    if (minor == TOC_MINOR_ALGORITHM)
        return 16;
    return minor == TOC_MINOR_REL_KIND ? 17 : INT_MAX;
}

bool toc_entry_is(const TocEntry *entry, const char *desc)
{
    return entry->desc && strcmp(entry->desc, desc) == 0;
}

bool toc_entry_has_rows(const TocEntry *entry)
{
    return entry->had_dumper && toc_entry_is(entry, "TABLE DATA");
}

const TocEntry *toc_find_first(const Toc *toc, const char *desc, const char *prefix)
{
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (toc_entry_is(entry, desc) && strncmp(entry->tag ? entry->tag : "", prefix, strlen(prefix)) == 0)
            return entry;
    }
    return NULL;
}
