#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/toc.h"
#include "toc_priv.h"

static int write_byte(Buf *out, uint8_t value, Error *err)
{
    return buf_append(out, &value, 1, err);
}

static int write_int(Buf *out, int value, Error *err)
{
    uint32_t magnitude = value < 0 ? -(uint32_t)value : (uint32_t)value;
    uint8_t bytes[5] = {value < 0, (uint8_t)magnitude, (uint8_t)(magnitude >> 8), (uint8_t)(magnitude >> 16),
                        (uint8_t)(magnitude >> 24)};
    return buf_append(out, bytes, sizeof bytes, err);
}

static int write_text(Buf *out, const char *text, Error *err)
{
    if (text == NULL)
        return write_int(out, -1, err);
    size_t len = strlen(text);
    if (len > INT_MAX)
        return error_set(err, ERR_FAILED, "a string of %zu bytes does not fit into a table of contents", len);
    return write_int(out, (int)len, err) < 0 ? -1 : buf_append(out, text, len, err);
}

static int write_deps(Buf *out, const TocEntry *entry, Error *err)
{
    for (size_t i = 0; i < entry->n_deps; i++)
        if (write_text(out, entry->deps[i], err) < 0)
            return -1;
    return write_text(out, NULL, err);
}

static int write_field(Buf *out, const TocField *field, const TocEntry *entry, Error *err)
{
    const void *place = (const char *)entry + field->offset;
    switch (field->kind) {
    case TOC_INT:
        return write_int(out, *(const int *)place, err);
    case TOC_BOOL:
        return write_int(out, *(const bool *)place, err);
    case TOC_TEXT:
    case TOC_NAME:
    case TOC_NUMBER:
        return write_text(out, *(const char *const *)place, err);
    case TOC_DEPS:
        return write_deps(out, entry, err);
    }
    return error_set(err, ERR_FAILED, "field \"%s\" is of unknown kind", field->name);
}

static int write_offset(Buf *out, const Toc *toc, const TocEntry *entry, Error *err)
{
    uint8_t bytes[1 + sizeof entry->offset] = {entry->offset_flag};
    for (unsigned i = 0; i < toc->off_size; i++)
        bytes[1 + i] = (uint8_t)(entry->offset >> (8 * i));
    return buf_append(out, bytes, 1u + toc->off_size, err);
}

/* A directory keeps the names it came with; an entry from a custom archive gets those that pg_backup_directory.c's
 * _ArchiveEntry() would give it. */
static int write_filename(Buf *out, const Toc *toc, const TocEntry *entry, Error *err)
{
    char name[32] = "";
    if (toc->format == TOC_DIRECTORY)
        return write_text(out, entry->filename, err);
    if (strcmp(entry->desc, "BLOBS") == 0 && toc->minor < TOC_MINOR_REL_KIND)
        snprintf(name, sizeof name, "blobs.toc");
    else if (strcmp(entry->desc, "BLOBS") == 0)
        snprintf(name, sizeof name, "blobs_%d.toc", entry->dump_id);
    else if (entry->had_dumper)
        snprintf(name, sizeof name, "%d.dat", entry->dump_id);
    return write_text(out, name, err);
}

static int write_entry(Buf *out, const Toc *toc, TocFormat format, const TocEntry *entry, Error *err)
{
    for (size_t i = 0; i < toc_n_fields; i++)
        if (toc_fields[i].since <= toc->minor && write_field(out, &toc_fields[i], entry, err) < 0)
            return -1;
    return format == TOC_CUSTOM ? write_offset(out, toc, entry, err) : write_filename(out, toc, entry, err);
}

static int write_compression(Buf *out, const Toc *toc, Error *err)
{
    if (toc->minor < TOC_MINOR_ALGORITHM)
        return write_int(out, toc->compression, err);
    return write_byte(out, (uint8_t)toc->compression, err);
}

static int write_header(Buf *out, const Toc *toc, TocFormat format, Error *err)
{
    const uint8_t fixed[] = {1,
                             (uint8_t)toc->minor,
                             (uint8_t)toc->rev,
                             toc->int_size,
                             toc->off_size,
                             format == TOC_CUSTOM ? TOC_HEADER_CUSTOM : TOC_HEADER_TAR};
    if (buf_append(out, toc_magic, TOC_MAGIC_SIZE, err) < 0 || buf_append(out, fixed, sizeof fixed, err) < 0 ||
        write_compression(out, toc, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(toc->tm); i++)
        if (write_int(out, toc->tm[i], err) < 0)
            return -1;
    if (write_text(out, toc->dbname, err) < 0 || write_text(out, toc->server_version, err) < 0 ||
        write_text(out, toc->dump_version, err) < 0)
        return -1;
    if (toc->n_entries > INT_MAX)
        return error_set(err, ERR_FAILED, "%zu entries do not fit into a table of contents", toc->n_entries);
    return write_int(out, (int)toc->n_entries, err);
}

int toc_write(const Toc *toc, TocFormat format, Buf *out, Error *err)
{
    if (toc->format == TOC_DIRECTORY && format == TOC_CUSTOM)
        return error_set(err, ERR_UNSUPPORTED, "a directory archive cannot be written in custom format");
    if (write_header(out, toc, format, err) < 0)
        return -1;
    for (size_t i = 0; i < toc->n_entries; i++)
        if (write_entry(out, toc, format, &toc->entries[i], err) < 0)
            return -1;
    return 0;
}
