/* A line of an index: what is accepted stays inside its directory, adds up, and is written back so that it reads the
 * same. */
#include <string.h>

#include "fuzz.h"
#include "index_io.h"

static void require_inside(const char *path)
{
    fuzz_require(path[0] != 0 && path[0] != '/');
    for (const char *part = path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
        size_t len = strcspn(part, "/");
        fuzz_require(len > 0 && !(len == 1 && part[0] == '.') && !(len == 2 && part[0] == '.' && part[1] == '.'));
    }
}

static void require_sound(const IndexEntry *entry)
{
    uint64_t total = 0;
    require_inside(entry->path);
    if (entry->type == 'h')
        require_inside(entry->target);
    fuzz_require(entry->n_parts == 0 || entry->type == 'f');
    for (size_t i = 0; i < entry->n_parts; i++) {
        const struct IndexPart *part = &entry->parts[i];
        fuzz_require(part->blob.size <= BLOB_STORED_MAX && part->offset <= part->blob.size);
        fuzz_require(part->length > 0 && part->length <= part->blob.size - part->offset);
        total += part->length;
    }
    fuzz_require(entry->type != 'f' || total == entry->size);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void require_same(const IndexEntry *a, const IndexEntry *b)
{
    fuzz_require(same_text(a->path, b->path) && same_text(a->user, b->user) && same_text(a->group, b->group));
    fuzz_require(same_text(a->target, b->target) && strcmp(a->hash, b->hash) == 0 && a->type == b->type);
    fuzz_require(a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->size == b->size);
    fuzz_require(a->mtime_sec == b->mtime_sec && a->mtime_nsec == b->mtime_nsec && a->ctime_sec == b->ctime_sec);
    fuzz_require(a->ctime_nsec == b->ctime_nsec && a->inode == b->inode && a->device == b->device);
    fuzz_require(a->n_parts == b->n_parts);
    for (size_t i = 0; i < a->n_parts; i++) {
        const struct IndexPart *left = &a->parts[i], *right = &b->parts[i];
        fuzz_require(strcmp(left->blob.hash, right->blob.hash) == 0 && left->blob.kind == right->blob.kind);
        fuzz_require(left->blob.size == right->blob.size && left->offset == right->offset);
        fuzz_require(left->length == right->length);
    }
}

/* What the fast reader accepts, the JSON library reads the same. */
static void require_readers_agree(const char *line, size_t len)
{
    IndexEntry fast, slow;
    if (!index_entry_parse_canonical(line, len, &fast))
        return;
    fuzz_require(index_entry_parse_json(line, len, &slow, NULL) == 0);
    require_same(&fast, &slow);
    index_entry_done(&fast);
    index_entry_done(&slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    Error err = ERROR_INIT;
    IndexEntry entry, again;
    require_readers_agree((const char *)data, len);
    Buf first = BUF_INIT(16 * 1024 * 1024), second = BUF_INIT(16 * 1024 * 1024);
    if (index_entry_parse((const char *)data, len, &entry, &err) < 0) {
        fuzz_require(err.code == ERR_CORRUPT);
        return 0;
    }
    require_sound(&entry);
    fuzz_require(index_entry_format(&entry, &first, NULL) == 0);
    fuzz_require(index_entry_parse((const char *)first.data, first.len, &again, NULL) == 0);
    fuzz_require(index_entry_format(&again, &second, NULL) == 0);
    fuzz_require(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    index_entry_done(&entry);
    index_entry_done(&again);
    buf_done(&first);
    buf_done(&second);
    return 0;
}
