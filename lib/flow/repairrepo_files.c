/* Packs and chunks of files that are still on this host. A chunk is a stretch of a file. A pack is a tar: its members
 * stand in the indexes, with all that their headers hold, so that it can be made again to the byte, of whatever of it
 * is whole and of the files themselves. Only what then has the right name is stored. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "repairrepo_priv.h"

enum { STRETCHES_MAX = 1000 * 1000 };

/* A part of a file that is in a wanted blob. */
typedef struct Stretch {
    size_t wanted;
    size_t index; /* that names it: a smaller one is of an older backup */
    uint64_t offset, length, file_offset;
    IndexEntry entry;
} Stretch;

typedef struct Stretches {
    RepairRepo *repair;
    uint32_t *wanted_of; /* by position in the table: place in the list, or BLOBTABLE_NONE */
    Stretch *v;
    size_t n, cap;
} Stretches;

static void stretches_done(Stretches *stretches)
{
    for (size_t i = 0; i < stretches->n; i++)
        index_entry_done(&stretches->v[i].entry);
    free(stretches->v);
    free(stretches->wanted_of);
}

/* Large files have many parts; what is copied of their entries has none. */
static void add_stretch(Stretches *stretches, size_t wanted, size_t index, const IndexEntry *entry, size_t part,
                        uint64_t file_offset)
{
    IndexEntry head = *entry;
    head.parts = NULL;
    head.n_parts = 0;
    xgrow(&stretches->v, &stretches->cap, stretches->n);
    Stretch *stretch = &stretches->v[stretches->n++];
    *stretch = (Stretch){.wanted = wanted,
                         .index = index,
                         .offset = entry->parts[part].offset,
                         .length = entry->parts[part].length,
                         .file_offset = file_offset};
    index_entry_copy(&head, &stretch->entry);
}

static void see_entry(Verify *verify, size_t index, const IndexEntry *entry, void *ctx)
{
    Stretches *stretches = ctx;
    uint64_t file_offset = 0;
    for (size_t i = 0; i < entry->n_parts; file_offset += entry->parts[i++].length) {
        size_t blob = blobtable_find(&verify->blobs, &entry->parts[i].blob);
        if (blob != SIZE_MAX && stretches->wanted_of[blob] != BLOBTABLE_NONE && stretches->n < STRETCHES_MAX)
            add_stretch(stretches, stretches->wanted_of[blob], index, entry, i, file_offset);
    }
}

static int compare(const void *a, const void *b)
{
    const Stretch *left = a, *right = b;
    if (left->wanted != right->wanted)
        return left->wanted < right->wanted ? -1 : 1;
    if (left->offset != right->offset)
        return left->offset < right->offset ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

/* ---- files of this host ---- */

static const char *dir_of(const Stretches *stretches, const Stretch *stretch)
{
    const RepairRepoOptions *options = stretches->repair->options;
    const char *fileset = stretches->repair->verify->indexes[stretch->index].fileset;
    for (size_t i = 0; i < options->n_files; i++)
        if (strcmp(options->files[i].name, fileset) == 0)
            return options->files[i].dir;
    return NULL;
}

/* Reads a stretch of a file to where it belongs. Whether all of it was there; whether it is right shows by its hash. */
static bool read_stretch(const Stretches *stretches, const Stretch *stretch, uint8_t *to)
{
    struct stat st;
    const char *dir = dir_of(stretches, stretch);
    if (dir == NULL)
        return false;
    _cleanup_free_ char *path = xasprintf("%s/%s", dir, stretch->entry.path);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    for (uint64_t done = 0; done < stretch->length;) {
        ssize_t n = pread(fd, to + done, stretch->length - done, (off_t)(stretch->file_offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (uint64_t)n;
    }
    return true;
}

static bool is_right(const Stretch *stretch, const uint8_t *data)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(data, stretch->length, hex);
    return strcmp(hex, stretch->entry.hash) == 0;
}

/* ---- chunks ---- */

/* Any file that has it will do. */
static int cure_chunk(Stretches *stretches, Wanted *wanted, const Stretch *first, size_t n, Error *err)
{
    RepairRepo *repair = stretches->repair;
    _cleanup_(buf_done) Buf data = BUF_INIT(BLOB_STORED_MAX);
    if (buf_reserve(&data, wanted->ref.size, err) < 0)
        return -1;
    for (size_t i = 0; i < n && !wanted->found; i++) {
        if (first[i].offset != 0 || first[i].length != wanted->ref.size)
            continue;
        data.len = wanted->ref.size;
        if (read_stretch(stretches, &first[i], data.data) && blob_is(repair->repo, &wanted->ref, data.data, data.len))
            return repairrepo_cure(repair, wanted, CURE_FILES, &data, err);
    }
    repairrepo_why(repair, wanted, "the file is not on this host any more, or changed");
    return stop_check(err);
}

/* ---- packs ---- */

/* What there is of the blob, filled up with zeros to its size. */
static int read_rest(RepairRepo *repair, const Wanted *wanted, Buf *ret, Error *err)
{
    Error why = ERROR_INIT;
    if (blob_get(repair->repo, &wanted->ref, ret, &why) < 0 && why.code == ERR_INTERRUPTED) {
        *err = why;
        return -1;
    }
    if (ret->len < wanted->ref.size) {
        size_t missing = (size_t)wanted->ref.size - ret->len;
        if (buf_reserve(ret, missing, err) < 0)
            return -1;
        memset(ret->data + ret->len, 0, missing);
    }
    ret->len = (size_t)wanted->ref.size;
    return 0;
}

/* Brings the members' contents to where they belong in the pack; *ret_members, each once, to be freed. 1 when one
 * cannot be had. */
static int fill_members(Stretches *stretches, Wanted *wanted, const Stretch *first, size_t n, Buf *pack,
                        PackMember **ret_members, size_t *ret_n)
{
    _cleanup_free_ PackMember *members = xcalloc(n, sizeof *members);
    size_t n_members = 0;
    for (size_t i = 0; i < n; i++) {
        const Stretch *stretch = &first[i];
        if (i > 0 && stretch->offset == first[i - 1].offset)
            continue; /* the same file in a later backup */
        if (stretch->offset > pack->len || stretch->length > pack->len - stretch->offset)
            return 1;
        uint8_t *place = pack->data + stretch->offset;
        if (!is_right(stretch, place) && !(read_stretch(stretches, stretch, place) && is_right(stretch, place))) {
            repairrepo_why(stretches->repair, wanted,
                           "of its file \"%s\" neither the repository nor this host has the content",
                           stretch->entry.path);
            return 1;
        }
        members[n_members++] = (PackMember){&stretch->entry, place, stretch->length};
    }
    *ret_members = steal(members);
    *ret_n = n_members;
    return 0;
}

/* Should headers be damaged, the whole pack is made again. */
static int cure_pack(Stretches *stretches, Wanted *wanted, const Stretch *first, size_t n, Error *err)
{
    RepairRepo *repair = stretches->repair;
    _cleanup_free_ PackMember *members = NULL;
    size_t n_members;
    _cleanup_(buf_done) Buf pack = BUF_INIT(BLOB_STORED_MAX), again = BUF_INIT(BLOB_STORED_MAX);
    if (stop_check(err) < 0 || read_rest(repair, wanted, &pack, err) < 0)
        return -1;
    if (fill_members(stretches, wanted, first, n, &pack, &members, &n_members) != 0)
        return 0;
    if (blob_is(repair->repo, &wanted->ref, pack.data, pack.len))
        return repairrepo_cure(repair, wanted, CURE_FILES, &pack, err);
    Error why = ERROR_INIT;
    if (pack_rebuild(members, n_members, &again, &why) == 0 &&
        blob_is(repair->repo, &wanted->ref, again.data, again.len))
        return repairrepo_cure(repair, wanted, CURE_FILES, &again, err);
    repairrepo_why(repair, wanted, "all files that backups have in it are known, but it held others");
    return 0;
}

int repairrepo_from_files(RepairRepo *repair, Error *err)
{
    Verify *verify = repair->verify;
    Stretches stretches = {.repair = repair, .wanted_of = xcalloc(verify->blobs.n, sizeof *stretches.wanted_of)};
    bool any = false;
    memset(stretches.wanted_of, 0xff, verify->blobs.n * sizeof *stretches.wanted_of);
    for (size_t i = 0; i < repair->n_wanted; i++) {
        const Wanted *wanted = &repair->wanted[i];
        if (wanted->found || wanted->ref.kind == BLOB_ZSTD)
            continue;
        stretches.wanted_of[wanted->blob] = (uint32_t)i;
        any = true;
    }
    int rc = any ? verify_each_index(verify, see_entry, &stretches, err) : 0;
    if (stretches.n > 0)
        qsort(stretches.v, stretches.n, sizeof *stretches.v, compare);
    for (size_t i = 0, end; rc == 0 && i < stretches.n; i = end) {
        for (end = i + 1; end < stretches.n && stretches.v[end].wanted == stretches.v[i].wanted;)
            end++;
        Wanted *wanted = &repair->wanted[stretches.v[i].wanted];
        rc = (wanted->ref.kind == BLOB_TAR ? cure_pack : cure_chunk)(&stretches, wanted, &stretches.v[i], end - i, err);
    }
    stretches_done(&stretches);
    return rc;
}
