/* Writes entries as lines, in the form that index.c describes, byte for byte as JSON libraries write compact objects.
 * Not through one: a fileset of a million files has a million lines each night. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "index_io.h"
#include "kura/jsontext.h"
#include "path.h"

enum {
    FIXED_MAX = 512, /* a line without its texts and parts */
    PART_MAX = 192,
    DIGITS_MAX = 24,
};

#define PUT(at, literal) put(at, literal, sizeof literal - 1)

static char *put(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

static char *put_u64(char *at, uint64_t number)
{
    char digits[DIGITS_MAX], *first = digits + sizeof digits;
    do
        *--first = (char)('0' + number % 10);
    while (number /= 10);
    return put(at, first, (size_t)(digits + sizeof digits - first));
}

/* JSON's integers are signed here: numbers above 2^63 wrap. */
static char *put_i64(char *at, int64_t number)
{
    if (number < 0) {
        *at++ = '-';
        return put_u64(at, -(uint64_t)number);
    }
    return put_u64(at, (uint64_t)number);
}

static char *put_time(char *at, int64_t sec, uint32_t nsec)
{
    at = put_i64(at, sec);
    *at++ = '.';
    for (uint32_t unit = 100000000; unit; unit /= 10)
        *at++ = (char)('0' + nsec / unit % 10);
    return at;
}

static char *put_part(char *at, const struct IndexPart *part)
{
    at = PUT(at, "{\"blob\":\"");
    at = put(at, part->blob.hash, SHA256_HEX_SIZE - 1);
    *at++ = '.';
    at = put(at, blob_suffix(part->blob.kind), strlen(blob_suffix(part->blob.kind)));
    at = put_u64(PUT(at, "\",\"size\":"), part->blob.size);
    at = put_u64(PUT(at, ",\"offset\":"), part->offset);
    at = put_u64(PUT(at, ",\"length\":"), part->length);
    return PUT(at, "}");
}

typedef struct Line {
    Buf *out;
    Error *err;
} Line;

static int add_json_piece(const char *text, size_t len, void *ctx)
{
    Line *line = ctx;
    return buf_append(line->out, text, len, line->err);
}

/* A text with something to escape: rare enough for the library. */
static int add_odd_text(Line *line, const char *text, size_t len)
{
    json_t *json = jsontext_new(text, len);
    int rc = json_dump_callback(json, add_json_piece, line, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(json);
    return rc;
}

/* A member; before: all up to its value. */
static int add_text(Line *line, const char *before, const char *text)
{
    if (text == NULL)
        return 0;
    size_t len = strlen(text), before_len = strlen(before);
    if (buf_reserve(line->out, before_len + len + 2, line->err) < 0)
        return -1;
    char *begin = (char *)line->out->data + line->out->len, *at = put(begin, before, before_len);
    bool plain = path_text_is_plain(text, len);
    if (plain) {
        *at++ = '"';
        at = put(at, text, len);
        *at++ = '"';
    }
    line->out->len += (size_t)(at - begin);
    return plain ? 0 : add_odd_text(line, text, len);
}

static int add_mode_and_ids(Line *line, const IndexEntry *entry)
{
    if (buf_reserve(line->out, FIXED_MAX, line->err) < 0)
        return -1;
    char *begin = (char *)line->out->data + line->out->len, *at = PUT(begin, ",\"type\":\"");
    *at++ = entry->type;
    at = PUT(at, "\",\"mode\":\"");
    for (int shift = 9; shift >= 0; shift -= 3)
        *at++ = (char)('0' + (entry->mode >> shift & 7));
    at = put_u64(PUT(at, "\",\"uid\":"), entry->uid);
    at = put_u64(PUT(at, ",\"gid\":"), entry->gid);
    line->out->len += (size_t)(at - begin);
    return 0;
}

static int add_time(Line *line, const IndexEntry *entry)
{
    if (buf_reserve(line->out, FIXED_MAX, line->err) < 0)
        return -1;
    char *begin = (char *)line->out->data + line->out->len, *at = PUT(begin, ",\"mtime\":\"");
    at = PUT(put_time(at, entry->mtime_sec, entry->mtime_nsec), "\"");
    line->out->len += (size_t)(at - begin);
    return 0;
}

static int add_content(Line *line, const IndexEntry *entry)
{
    if (buf_reserve(line->out, FIXED_MAX + PART_MAX * entry->n_parts, line->err) < 0)
        return -1;
    char *begin = (char *)line->out->data + line->out->len, *at = begin;
    if (entry->hash[0]) {
        at = put_u64(PUT(at, ",\"size\":"), entry->size);
        at = put(PUT(at, ",\"hash\":\""), entry->hash, strlen(entry->hash));
        at = PUT(at, "\"");
    }
    if (entry->type == 'f') {
        at = PUT(put_time(PUT(at, ",\"ctime\":\""), entry->ctime_sec, entry->ctime_nsec), "\"");
        at = put_i64(PUT(at, ",\"inode\":"), (int64_t)entry->inode);
        at = put_i64(PUT(at, ",\"device\":"), (int64_t)entry->device);
    }
    for (size_t i = 0; i < entry->n_parts; i++)
        at = put_part(i == 0 ? PUT(at, ",\"parts\":[") : PUT(at, ","), &entry->parts[i]);
    at = entry->n_parts ? PUT(at, "]}\n") : PUT(at, "}\n");
    line->out->len += (size_t)(at - begin);
    return 0;
}

int index_entry_format(const IndexEntry *entry, Buf *out, Error *err)
{
    Line line = {.out = out, .err = err};
    if (add_text(&line, "{\"path\":", entry->path) < 0 || add_mode_and_ids(&line, entry) < 0 ||
        add_text(&line, ",\"user\":", entry->user) < 0 || add_text(&line, ",\"group\":", entry->group) < 0 ||
        add_time(&line, entry) < 0 || add_text(&line, ",\"target\":", entry->target) < 0 ||
        add_content(&line, entry) < 0)
        return -1;
    out->data[out->len] = 0;
    return 0;
}
