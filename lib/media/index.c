/* Entries of an index. An index is NDJSON: one JSON object a line, sorted strictly ascending by the bytes of the path.
 * Members, in this order; text that is not UTF-8 is {"base64": ".."} (jsontext.h):
 *
 *   path    relative to the fileset's directory
 *   type    "f" file, "d" directory, "l" symbolic link, "h" further name of a file (hard link), "p" fifo
 *   mode    permission bits in octal, as text: "0644"
 *   uid, gid, user, group     numbers; the names only where the ids had some
 *   mtime   "SECONDS.NANOSECONDS", nine digits behind the point; the nanoseconds always count forward
 *   target  of "l": its text; of "h": the file's first name, which stands earlier in the index
 *   size, hash                of "f" and "h": bytes and SHA-256 of the content
 *   ctime, inode, device      of "f": how the next backup sees that nothing has changed (numbers above 2^63 wrap)
 *   parts   of "f" unless it is empty: where the content is, piece after piece: [{"blob", "size", "offset", "length"}]
 *
 * Members that are not listed here are ignored: a later minor version may add some. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "index_io.h"
#include "kura/jsontext.h"
#include "kura/mem.h"
#include "path.h"

void index_entry_done(IndexEntry *entry)
{
    if (entry == NULL)
        return;
    free(entry->path);
    free(entry->user);
    free(entry->group);
    free(entry->target);
    free(entry->parts);
    *entry = (IndexEntry){0};
}

void index_entry_copy_parts(const IndexEntry *entry, IndexEntry *ret)
{
    ret->n_parts = entry->n_parts;
    ret->parts = NULL;
    if (entry->n_parts == 0)
        return;
    ret->parts = xreallocarray(NULL, entry->n_parts, sizeof *ret->parts);
    memcpy(ret->parts, entry->parts, entry->n_parts * sizeof *ret->parts);
}

void index_entry_copy(const IndexEntry *entry, IndexEntry *ret)
{
    *ret = *entry;
    ret->path = xstrdup_null(entry->path);
    ret->user = xstrdup_null(entry->user);
    ret->group = xstrdup_null(entry->group);
    ret->target = xstrdup_null(entry->target);
    index_entry_copy_parts(entry, ret);
}

void index_entry_count(const IndexEntry *entry, ManifestFileset *totals)
{
    switch (entry->type) {
    case 'f':
        totals->files++;
        totals->bytes += entry->size;
        break;
    case 'h':
        totals->files++;
        break;
    case 'd':
        totals->dirs++;
        break;
    case 'l':
        totals->symlinks++;
        break;
    default:
        totals->others++;
        break;
    }
}

static int bad(Error *err, const char *key)
{
    return error_set(err, ERR_CORRUPT, "index entry has a missing or wrong \"%s\"", key);
}

static int get_text(const json_t *object, const char *key, char **ret, Error *err)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return 0;
    if (jsontext_get(value, ret, NULL, err) < 0)
        return error_wrap(err, "index entry, \"%s\"", key);
    return 0;
}

static int get_number(const json_t *object, const char *key, uint64_t max, uint64_t *ret, Error *err)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
        return bad(err, key);
    *ret = (uint64_t)json_integer_value(value);
    return 0;
}

/* Inodes and devices use all 64 bits on some file systems; JSON's integers here are signed. */
static int get_id(const json_t *object, const char *key, uint64_t *ret, Error *err)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        return bad(err, key);
    *ret = (uint64_t)json_integer_value(value);
    return 0;
}

static int get_time(const json_t *object, const char *key, int64_t *ret_sec, uint32_t *ret_nsec, Error *err)
{
    const char *text = json_string_value(json_object_get(object, key));
    char again[40];
    if (text == NULL || sscanf(text, "%" SCNd64 ".%9" SCNu32, ret_sec, ret_nsec) != 2)
        return bad(err, key);
    snprintf(again, sizeof again, "%" PRId64 ".%09" PRIu32, *ret_sec, *ret_nsec);
    return strcmp(text, again) == 0 && *ret_nsec < 1000000000 ? 0 : bad(err, key);
}

static int get_mode(const json_t *object, unsigned *ret, Error *err)
{
    const char *text = json_string_value(json_object_get(object, "mode"));
    if (text == NULL || strlen(text) != 4 || strspn(text, "01234567") != 4)
        return bad(err, "mode");
    *ret = (unsigned)strtoul(text, NULL, 8);
    return 0;
}

static int get_type(const json_t *object, char *ret, Error *err)
{
    const char *text = json_string_value(json_object_get(object, "type"));
    if (text == NULL || strlen(text) != 1 || strchr("fdlhp", text[0]) == NULL)
        return bad(err, "type");
    *ret = text[0];
    return 0;
}

static int get_content_facts(const json_t *object, IndexEntry *ret, Error *err)
{
    const char *hash = json_string_value(json_object_get(object, "hash"));
    if (hash == NULL || !sha256_is_hex(hash))
        return bad(err, "hash");
    memcpy(ret->hash, hash, SHA256_HEX_SIZE);
    return get_number(object, "size", INT64_MAX, &ret->size, err);
}

static int get_part(const json_t *object, struct IndexPart *ret, Error *err)
{
    if (blob_ref_from_json(object, &ret->blob, err) < 0)
        return error_wrap(err, "index entry, \"parts\"");
    if (ret->blob.kind == BLOB_ZSTD || ret->blob.size > BLOB_STORED_MAX)
        return bad(err, "parts");
    if (get_number(object, "offset", ret->blob.size, &ret->offset, err) < 0 ||
        get_number(object, "length", ret->blob.size - ret->offset, &ret->length, err) < 0)
        return -1;
    return ret->length ? 0 : bad(err, "length");
}

static int get_parts(const json_t *object, IndexEntry *ret, Error *err)
{
    const json_t *parts = json_object_get(object, "parts");
    if (parts == NULL)
        return ret->size == 0 ? 0 : bad(err, "parts");
    size_t n = json_array_size(parts);
    if (n == 0 || n > INDEX_PARTS_MAX)
        return bad(err, "parts");
    ret->parts = xcalloc(n, sizeof *ret->parts);
    ret->n_parts = n;
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        if (get_part(json_array_get(parts, i), &ret->parts[i], err) < 0)
            return -1;
        total += ret->parts[i].length; /* at most INDEX_PARTS_MAX * BLOB_STORED_MAX */
    }
    return total == ret->size ? 0 : bad(err, "parts");
}

static int get_file(const json_t *object, IndexEntry *ret, Error *err)
{
    if (get_content_facts(object, ret, err) < 0 ||
        get_time(object, "ctime", &ret->ctime_sec, &ret->ctime_nsec, err) < 0 ||
        get_id(object, "inode", &ret->inode, err) < 0 || get_id(object, "device", &ret->device, err) < 0)
        return -1;
    return get_parts(object, ret, err);
}

static int get_hard_link(const json_t *object, IndexEntry *ret, Error *err)
{
    if (get_text(object, "target", &ret->target, err) < 0)
        return -1;
    if (ret->target == NULL || !path_is_safe(ret->target) || strcmp(ret->target, ret->path) >= 0)
        return bad(err, "target");
    return get_content_facts(object, ret, err);
}

static int get_symlink(const json_t *object, IndexEntry *ret, Error *err)
{
    if (get_text(object, "target", &ret->target, err) < 0)
        return -1;
    if (ret->target == NULL || ret->target[0] == 0 || strlen(ret->target) > INDEX_TARGET_MAX)
        return bad(err, "target");
    return 0;
}

static int get_owner(const json_t *object, IndexEntry *ret, Error *err)
{
    uint64_t uid, gid;
    if (get_number(object, "uid", UINT32_MAX, &uid, err) < 0 || get_number(object, "gid", UINT32_MAX, &gid, err) < 0)
        return -1;
    ret->uid = (uint32_t)uid;
    ret->gid = (uint32_t)gid;
    if (get_text(object, "user", &ret->user, err) < 0)
        return -1;
    return get_text(object, "group", &ret->group, err);
}

static int get_entry(const json_t *object, IndexEntry *ret, Error *err)
{
    if (get_text(object, "path", &ret->path, err) < 0)
        return -1;
    if (ret->path == NULL || !path_is_safe(ret->path))
        return bad(err, "path");
    if (get_type(object, &ret->type, err) < 0 || get_mode(object, &ret->mode, err) < 0 ||
        get_owner(object, ret, err) < 0 || get_time(object, "mtime", &ret->mtime_sec, &ret->mtime_nsec, err) < 0)
        return -1;
    switch (ret->type) {
    case 'f':
        return get_file(object, ret, err);
    case 'h':
        return get_hard_link(object, ret, err);
    case 'l':
        return get_symlink(object, ret, err);
    default:
        return 0;
    }
}

int index_entry_parse_json(const char *line, size_t len, IndexEntry *ret, Error *err)
{
    json_error_t problem;
    json_t *object = len > INDEX_LINE_MAX ? NULL : json_loadb(line, len, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(err, ERR_CORRUPT, "index entry is not a JSON object");
    }
    IndexEntry entry = {0};
    int rc = get_entry(object, &entry, err);
    json_decref(object);
    if (rc == 0) {
        *ret = entry;
        return 0;
    }
    if (entry.path) {
        _cleanup_free_ char *name = path_display(entry.path);
        error_wrap(err, "\"%s\"", name);
    }
    index_entry_done(&entry);
    return -1;
}

int index_entry_parse(const char *line, size_t len, IndexEntry *ret, Error *err)
{
    return index_entry_parse_canonical(line, len, ret) ? 0 : index_entry_parse_json(line, len, ret, err);
}
