/* Every length is checked against the bytes that are there before anything is allocated, and what the writer could not
 * give back as it was (a NUL inside a string, a negative zero) is refused: what was read is written unchanged. */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/toc.h"
#include "kura/words.h"
#include "toc_foreign.h"
#include "toc_priv.h"

enum { INT_BYTES = 1 + 4, INT_SIZE = 4 };

typedef struct Reader {
    const uint8_t *data;
    size_t len, pos;
    const TocLimits *limits;
    Toc *toc;
    size_t entry; /* counted from 1; 0 in the header */
    const char *field;
    size_t field_start;
} Reader;

DEFINE_CLEANUP(Toc, toc_free)

static void describe_place(const Reader *r, char *ret, size_t size)
{
    if (r->entry == 0)
        snprintf(ret, size, _("archive header, %s, byte %zu"), r->field, r->field_start);
    else
        snprintf(ret, size, _("entry %zu of %zu, %s, byte %zu"), r->entry, r->toc->n_entries, r->field, r->field_start);
}

static int truncated(const Reader *r, Error *err)
{
    char place[128];
    describe_place(r, place, sizeof place);
    error_set(err, ERR_TRUNCATED, "the table of contents ends too early (%s; there are %zu bytes)", place, r->len);
    return -1;
}

static int corrupt(const Reader *r, Error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int corrupt(const Reader *r, Error *err, const char *format, ...)
{
    char place[128], what[256];
    describe_place(r, place, sizeof place);
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, words_get(format), args);
    va_end(args);
    error_set(err, ERR_CORRUPT, "damaged table of contents (%s): %s", place, what);
    return -1;
}

static void begin_field(Reader *r, const char *name)
{
    r->field = name;
    r->field_start = r->pos;
}

static int read_byte(Reader *r, uint8_t *ret, Error *err)
{
    if (r->pos == r->len)
        return truncated(r, err);
    *ret = r->data[r->pos++];
    return 0;
}

static int read_int(Reader *r, int *ret, Error *err)
{
    if (r->len - r->pos < INT_BYTES)
        return truncated(r, err);
    const uint8_t *p = r->data + r->pos;
    uint32_t magnitude = p[1] | (uint32_t)p[2] << 8 | (uint32_t)p[3] << 16 | (uint32_t)p[4] << 24;
    if (p[0] > 1 || magnitude > INT_MAX || (p[0] == 1 && magnitude == 0))
        return corrupt(r, err, "not an integer (sign %u, magnitude %" PRIu32 ")", p[0], magnitude);
    *ret = p[0] ? -(int)magnitude : (int)magnitude;
    r->pos += INT_BYTES;
    return 0;
}

/* The bytes of a string in place; NULL for NULL. */
static int read_bytes(Reader *r, const uint8_t **ret, size_t *ret_len, Error *err)
{
    int len;
    if (read_int(r, &len, err) < 0)
        return -1;
    *ret = NULL;
    *ret_len = 0;
    if (len == -1)
        return 0;
    if (len < 0)
        return corrupt(r, err, "a string of %d bytes", len);
    if ((size_t)len > r->limits->max_string)
        return corrupt(r, err, "a string of %d bytes, the limit is %zu", len, r->limits->max_string);
    if ((size_t)len > r->len - r->pos)
        return truncated(r, err);
    *ret = r->data + r->pos;
    *ret_len = (size_t)len;
    r->pos += (size_t)len;
    return 0;
}

static int read_text(Reader *r, const char **ret, Error *err)
{
    const uint8_t *bytes;
    size_t len;
    if (read_bytes(r, &bytes, &len, err) < 0)
        return -1;
    if (bytes && memchr(bytes, 0, len))
        return corrupt(r, err, "a string holds a NUL byte");
    *ret = bytes ? arena_strndup(r->toc->arena, bytes, len) : NULL;
    return 0;
}

static int read_name(Reader *r, const char **ret, Error *err)
{
    if (read_text(r, ret, err) < 0)
        return -1;
    return *ret ? 0 : corrupt(r, err, "a string is missing");
}

static bool is_number(const char *text, uint32_t max)
{
    uint64_t value = 0;
    size_t n = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n < 11; n++)
        value = value * 10 + (uint64_t)(text[n] - '0');
    return n > 0 && text[n] == 0 && value <= max;
}

static int read_number(Reader *r, const char **ret, uint32_t max, Error *err)
{
    if (read_name(r, ret, err) < 0)
        return -1;
    return is_number(*ret, max) ? 0 : corrupt(r, err, "\"%.20s\" is not a number up to %" PRIu32, *ret, max);
}

/* Counts the dependencies before it makes room for them: each takes at least the bytes of its length. */
static int read_deps(Reader *r, TocEntry *entry, Error *err)
{
    size_t start = r->pos;
    const uint8_t *bytes;
    size_t len;
    for (entry->n_deps = 0;; entry->n_deps++) {
        if (read_bytes(r, &bytes, &len, err) < 0)
            return -1;
        if (bytes == NULL)
            break;
    }
    size_t end = r->pos;
    r->pos = start;
    entry->deps = arena_array(r->toc->arena, entry->n_deps, sizeof *entry->deps);
    for (size_t i = 0; i < entry->n_deps; i++)
        if (read_number(r, &entry->deps[i], INT_MAX, err) < 0)
            return -1;
    r->pos = end;
    return 0;
}

static int read_bool(Reader *r, bool *ret, Error *err)
{
    int value;
    if (read_int(r, &value, err) < 0)
        return -1;
    if (value != 0 && value != 1)
        return corrupt(r, err, "%d is neither 0 nor 1", value);
    *ret = value == 1;
    return 0;
}

static int read_field(Reader *r, const TocField *field, TocEntry *entry, Error *err)
{
    void *place = (char *)entry + field->offset;
    begin_field(r, field->name);
    switch (field->kind) {
    case TOC_INT:
        return read_int(r, place, err);
    case TOC_BOOL:
        return read_bool(r, place, err);
    case TOC_TEXT:
        return read_text(r, place, err);
    case TOC_NAME:
        return read_name(r, place, err);
    case TOC_NUMBER:
        return read_number(r, place, UINT32_MAX, err);
    case TOC_DEPS:
        return read_deps(r, entry, err);
    }
    return corrupt(r, err, "a field of unknown kind");
}

static int read_offset(Reader *r, TocEntry *entry, Error *err)
{
    begin_field(r, "data offset");
    if (read_byte(r, &entry->offset_flag, err) < 0)
        return -1;
    if (entry->offset_flag < OFFSET_NOT_SET || entry->offset_flag > OFFSET_NO_DATA)
        return corrupt(r, err, "offset state %u", entry->offset_flag);
    if (r->len - r->pos < r->toc->off_size)
        return truncated(r, err);
    for (unsigned i = 0; i < r->toc->off_size; i++)
        entry->offset |= (uint64_t)r->data[r->pos++] << (8 * i);
    return 0;
}

/* Somebody will open the file: its name must not lead out of the archive's directory. */
static int read_filename(Reader *r, TocEntry *entry, Error *err)
{
    begin_field(r, "file name");
    if (read_name(r, &entry->filename, err) < 0)
        return -1;
    if (strchr(entry->filename, '/') || strcmp(entry->filename, ".") == 0 || strcmp(entry->filename, "..") == 0)
        return corrupt(r, err, "\"%.100s\" is not the name of a file in the archive's directory", entry->filename);
    return 0;
}

static int read_entry(Reader *r, TocEntry *entry, Error *err)
{
    for (size_t i = 0; i < toc_n_fields; i++) {
        if (toc_fields[i].since <= r->toc->minor && read_field(r, &toc_fields[i], entry, err) < 0)
            return -1;
    }
    if ((r->toc->format == TOC_CUSTOM ? read_offset(r, entry, err) : read_filename(r, entry, err)) < 0)
        return -1;
    if (entry->dump_id <= 0)
        return corrupt(r, err, "dump id %d", entry->dump_id);
    if (entry->section < SECTION_NONE || entry->section > SECTION_POST_DATA)
        return corrupt(r, err, "section %d", entry->section);
    return 0;
}

static int check_magic(Reader *r, Error *err)
{
    begin_field(r, "signature");
    size_t n = r->len < TOC_MAGIC_SIZE ? r->len : TOC_MAGIC_SIZE;
    if (n && memcmp(r->data, toc_magic, n) != 0)
        return toc_refuse_foreign(r->data, r->len, err);
    if (n < TOC_MAGIC_SIZE)
        return truncated(r, err);
    r->pos = TOC_MAGIC_SIZE;
    return 0;
}

static int refuse_version(int major, int minor, Error *err)
{
    bool newer = major > 1 || (major == 1 && minor > TOC_MINOR_NEWEST);
    error_set(err, ERR_UNSUPPORTED, "the archive is of version %d.%d; this kura reads 1.%d to 1.%d", major, minor,
              TOC_MINOR_OLDEST, TOC_MINOR_NEWEST);
    if (newer)
        return error_hint(err, "It needs the pg_restore of the PostgreSQL release that wrote it (newer than 18), or "
                               "a newer kura.");
    return error_hint(err,
                      "It was written by PostgreSQL 8 or older: restore it with any pg_restore, and dump it again.");
}

static int read_version(Reader *r, Error *err)
{
    uint8_t major, minor, rev;
    begin_field(r, "version");
    if (read_byte(r, &major, err) < 0 || read_byte(r, &minor, err) < 0)
        return -1;
    if (major != 1 || minor < TOC_MINOR_OLDEST || minor > TOC_MINOR_NEWEST)
        return refuse_version(major, minor, err);
    if (read_byte(r, &rev, err) < 0)
        return -1;
    r->toc->minor = minor;
    r->toc->rev = rev;
    return 0;
}

static int read_sizes(Reader *r, Error *err)
{
    Toc *toc = r->toc;
    begin_field(r, "integer size");
    if (read_byte(r, &toc->int_size, err) < 0)
        return -1;
    if (toc->int_size != INT_SIZE)
        return corrupt(r, err, "integers of %u bytes", toc->int_size);
    begin_field(r, "offset size");
    if (read_byte(r, &toc->off_size, err) < 0)
        return -1;
    if (toc->off_size != 4 && toc->off_size != 8)
        return corrupt(r, err, "offsets of %u bytes", toc->off_size);
    return 0;
}

static int read_format(Reader *r, Error *err)
{
    Toc *toc = r->toc;
    begin_field(r, "format");
    if (read_byte(r, &toc->header_format, err) < 0)
        return -1;
    if (toc->header_format == (toc->format == TOC_CUSTOM ? TOC_HEADER_CUSTOM : TOC_HEADER_TAR))
        return 0;
    if (toc->header_format == TOC_HEADER_TAR) {
        error_set(err, ERR_UNSUPPORTED, "this is the table of contents of a directory archive, not an archive");
        return error_hint(err, "Give the directory that holds it.");
    }
    if (toc->header_format == TOC_HEADER_CUSTOM) {
        error_set(err, ERR_UNSUPPORTED, "this is an archive in custom format, not a directory's table of contents");
        return error_hint(err, "Give the file itself, not the directory that holds it.");
    }
    return corrupt(r, err, "archive format %u", toc->header_format);
}

static int read_compression(Reader *r, Error *err)
{
    Toc *toc = r->toc;
    begin_field(r, "compression");
    if (toc->minor < TOC_MINOR_ALGORITHM) {
        if (read_int(r, &toc->compression, err) < 0)
            return -1;
        if (toc->compression < -1 || toc->compression > 9)
            return corrupt(r, err, "compression level %d", toc->compression);
        return 0;
    }
    uint8_t algorithm;
    if (read_byte(r, &algorithm, err) < 0)
        return -1;
    if (algorithm > TOC_COMPRESSION_ZSTD)
        return corrupt(r, err, "compression algorithm %u", algorithm);
    toc->compression = algorithm;
    return 0;
}

static int read_header_text(Reader *r, const char *field, const char **ret, Error *err)
{
    begin_field(r, field);
    return read_name(r, ret, err);
}

static int read_header(Reader *r, Error *err)
{
    Toc *toc = r->toc;
    if (check_magic(r, err) < 0 || read_version(r, err) < 0 || read_sizes(r, err) < 0 || read_format(r, err) < 0 ||
        read_compression(r, err) < 0)
        return -1;
    begin_field(r, "time");
    for (size_t i = 0; i < ARRAY_SIZE(toc->tm); i++)
        if (read_int(r, &toc->tm[i], err) < 0)
            return -1;
    if (read_header_text(r, "database name", &toc->dbname, err) < 0 ||
        read_header_text(r, "server version", &toc->server_version, err) < 0 ||
        read_header_text(r, "pg_dump version", &toc->dump_version, err) < 0)
        return -1;
    int count;
    begin_field(r, "number of entries");
    if (read_int(r, &count, err) < 0)
        return -1;
    if (count < 0 || (size_t)count > r->limits->max_entries)
        return corrupt(r, err, "%d entries, the limit is %zu", count, r->limits->max_entries);
    toc->n_entries = (size_t)count;
    return 0;
}

/* The fewest bytes an entry takes. */
static size_t smallest_entry(const Toc *toc)
{
    size_t size = 1;
    for (size_t i = 0; i < toc_n_fields; i++)
        if (toc_fields[i].since <= toc->minor)
            size += INT_BYTES;
    return size;
}

/* Makes room for as many entries as the bytes can hold, whatever the header claims: the reader runs out of bytes before
 * it runs out of room. */
static int read_entries(Reader *r, Error *err)
{
    Toc *toc = r->toc;
    size_t room = (r->len - r->pos) / smallest_entry(toc) + 1;
    toc->entries = arena_array(toc->arena, toc->n_entries < room ? toc->n_entries : room, sizeof *toc->entries);
    for (size_t i = 0; i < toc->n_entries; i++) {
        r->entry = i + 1;
        if (read_entry(r, &toc->entries[i], err) < 0)
            return -1;
    }
    size_t first, second;
    if (!toc_index(toc, &first, &second))
        return error_set(err, ERR_CORRUPT, "damaged table of contents: entries %zu and %zu both have dump id %d",
                         first + 1, second + 1, toc->entries[first].dump_id);
    return 0;
}

int toc_read(const void *data, size_t len, bool as_directory, const TocLimits *limits, size_t *ret_used, Toc **ret,
             Error *err)
{
    _cleanup_(toc_free_cleanup) Toc *toc = xcalloc(1, sizeof *toc);
    toc->arena = arena_new();
    toc->format = as_directory ? TOC_DIRECTORY : TOC_CUSTOM;
    Reader r = {.data = data, .len = len, .limits = limits ? limits : &toc_default_limits, .toc = toc};
    if (read_header(&r, err) < 0 || read_entries(&r, err) < 0)
        return -1;
    if (ret_used)
        *ret_used = r.pos;
    *ret = steal(toc);
    return 0;
}
