/* Reads a line as index_entry_format writes it: members in that order, no spaces, nothing escaped. Any other line is
 * left to the JSON library (index.c): also what is wrong, so that there is one place that tells why. Accepts no line
 * that the library would not, and reads none otherwise. */
#include <string.h>

#include "index_io.h"
#include "kura/mem.h"
#include "path.h"

enum { DIGITS_SURE = 18 }; /* so many digits fit into 63 bits */

typedef struct Line {
    const char *at, *end;
} Line;

#define TAKE(line, literal) take(line, literal, sizeof literal - 1)

static bool take(Line *line, const char *text, size_t len)
{
    if ((size_t)(line->end - line->at) < len || memcmp(line->at, text, len) != 0)
        return false;
    line->at += len;
    return true;
}

static bool take_u64(Line *line, uint64_t max, uint64_t *ret)
{
    const char *first = line->at;
    uint64_t number = 0;
    while (line->at < line->end && *line->at >= '0' && *line->at <= '9' && line->at - first < DIGITS_SURE)
        number = number * 10 + (uint64_t)(*line->at++ - '0');
    size_t digits = (size_t)(line->at - first);
    *ret = number;
    /* Whatever follows is no digit: all callers ask for something else there. */
    return digits > 0 && (digits == 1 || *first != '0') && number <= max;
}

static bool take_u32(Line *line, uint32_t *ret)
{
    uint64_t number;
    if (!take_u64(line, UINT32_MAX, &number))
        return false;
    *ret = (uint32_t)number;
    return true;
}

/* Up to the quote behind it, which is taken too. */
static bool take_plain(Line *line, char **ret)
{
    const char *quote = memchr(line->at, '"', (size_t)(line->end - line->at));
    if (quote == NULL || !path_text_is_plain(line->at, (size_t)(quote - line->at)))
        return false;
    *ret = xstrndup(line->at, (size_t)(quote - line->at));
    line->at = quote + 1;
    return true;
}

static bool take_hash(Line *line, char ret[SHA256_HEX_SIZE])
{
    if (line->end - line->at < SHA256_HEX_SIZE)
        return false;
    memcpy(ret, line->at, SHA256_HEX_SIZE - 1);
    ret[SHA256_HEX_SIZE - 1] = 0;
    line->at += SHA256_HEX_SIZE - 1;
    return sha256_is_hex(ret);
}

static bool take_time(Line *line, int64_t *ret_sec, uint32_t *ret_nsec)
{
    uint64_t sec;
    uint32_t nsec = 0;
    bool negative = TAKE(line, "-");
    if (!take_u64(line, INT64_MAX, &sec) || (negative && sec == 0) || !TAKE(line, "."))
        return false;
    for (int i = 0; i < 9; i++, line->at++) {
        if (line->at == line->end || *line->at < '0' || *line->at > '9')
            return false;
        nsec = nsec * 10 + (uint32_t)(*line->at - '0');
    }
    *ret_sec = negative ? -(int64_t)sec : (int64_t)sec;
    *ret_nsec = nsec;
    return TAKE(line, "\"");
}

static bool take_mode(Line *line, unsigned *ret)
{
    unsigned mode = 0;
    for (int i = 0; i < 4; i++, line->at++) {
        if (line->at == line->end || *line->at < '0' || *line->at > '7')
            return false;
        mode = mode << 3 | (unsigned)(*line->at - '0');
    }
    *ret = mode;
    return TAKE(line, "\"");
}

static bool take_common(Line *line, IndexEntry *entry)
{
    if (!TAKE(line, "{\"path\":\"") || !take_plain(line, &entry->path) || !path_is_safe(entry->path) ||
        !TAKE(line, ",\"type\":\"") || line->at == line->end)
        return false;
    entry->type = *line->at++;
    if (!TAKE(line, "\",\"mode\":\"") || !take_mode(line, &entry->mode) || !TAKE(line, ",\"uid\":") ||
        !take_u32(line, &entry->uid) || !TAKE(line, ",\"gid\":") || !take_u32(line, &entry->gid))
        return false;
    if (TAKE(line, ",\"user\":\"") && !take_plain(line, &entry->user))
        return false;
    if (TAKE(line, ",\"group\":\"") && !take_plain(line, &entry->group))
        return false;
    return TAKE(line, ",\"mtime\":\"") && take_time(line, &entry->mtime_sec, &entry->mtime_nsec);
}

static bool take_size_and_hash(Line *line, IndexEntry *entry)
{
    return TAKE(line, ",\"size\":") && take_u64(line, INT64_MAX, &entry->size) && TAKE(line, ",\"hash\":\"") &&
           take_hash(line, entry->hash) && TAKE(line, "\"");
}

static bool take_part(Line *line, struct IndexPart *part)
{
    if (!TAKE(line, "{\"blob\":\"") || !take_hash(line, part->blob.hash))
        return false;
    if (TAKE(line, ".tar\",\"size\":"))
        part->blob.kind = BLOB_TAR;
    else if (TAKE(line, ".bin\",\"size\":"))
        part->blob.kind = BLOB_RAW;
    else
        return false;
    return take_u64(line, BLOB_STORED_MAX, &part->blob.size) && TAKE(line, ",\"offset\":") &&
           take_u64(line, part->blob.size, &part->offset) && TAKE(line, ",\"length\":") &&
           take_u64(line, part->blob.size - part->offset, &part->length) && part->length > 0 && TAKE(line, "}");
}

static bool take_parts(Line *line, IndexEntry *entry)
{
    size_t cap = 0;
    uint64_t total = 0;
    if (entry->size == 0)
        return true;
    if (!TAKE(line, ",\"parts\":["))
        return false;
    do {
        if (entry->n_parts == INDEX_PARTS_MAX)
            return false;
        if (entry->n_parts == 0) /* nearly all have one */
            entry->parts = xmalloc((cap = 1) * sizeof *entry->parts);
        xgrow(&entry->parts, &cap, entry->n_parts);
        if (!take_part(line, &entry->parts[entry->n_parts]))
            return false;
        total += entry->parts[entry->n_parts++].length;
    } while (TAKE(line, ","));
    return TAKE(line, "]") && total == entry->size;
}

static bool take_file(Line *line, IndexEntry *entry)
{
    return take_size_and_hash(line, entry) && TAKE(line, ",\"ctime\":\"") &&
           take_time(line, &entry->ctime_sec, &entry->ctime_nsec) && TAKE(line, ",\"inode\":") &&
           take_u64(line, INT64_MAX, &entry->inode) && TAKE(line, ",\"device\":") &&
           take_u64(line, INT64_MAX, &entry->device) && take_parts(line, entry);
}

static bool take_entry(Line *line, IndexEntry *entry)
{
    if (!take_common(line, entry))
        return false;
    switch (entry->type) {
    case 'f':
        return take_file(line, entry);
    case 'h':
        return TAKE(line, ",\"target\":\"") && take_plain(line, &entry->target) && path_is_safe(entry->target) &&
               strcmp(entry->target, entry->path) < 0 && take_size_and_hash(line, entry);
    case 'l':
        return TAKE(line, ",\"target\":\"") && take_plain(line, &entry->target) && entry->target[0] &&
               strlen(entry->target) <= INDEX_TARGET_MAX;
    case 'd':
    case 'p':
        return true;
    default:
        return false;
    }
}

bool index_entry_parse_canonical(const char *text, size_t len, IndexEntry *ret)
{
    Line line = {.at = text, .end = text + len};
    IndexEntry entry = {0};
    if (len <= INDEX_LINE_MAX && take_entry(&line, &entry) && TAKE(&line, "}") &&
        (line.at == line.end || (TAKE(&line, "\n") && line.at == line.end))) {
        *ret = entry;
        return true;
    }
    index_entry_done(&entry);
    return false;
}
