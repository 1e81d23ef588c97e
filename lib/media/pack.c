#include "pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "kura/mem.h"

/* A pack passes the target by at most one file, its headers (a pax header repeats the path) and the end of the tar. */
enum { PACK_MAX = PACK_TARGET + PACK_FILE_MAX + 2 * 1024 * 1024 };

typedef struct Waiting {
    struct IndexPart *part;
    void *owner;
} Waiting;

struct Packer {
    Uploader *uploader;
    void (*sealed)(void *owner);
    struct archive *tar; /* NULL: no pack is open */
    struct archive_entry *header;
    locale_t utf8; /* 0 where the system has none */
    Buf data;
    Error *err;   /* where output() puts its reason; set during calls into libarchive */
    bool dropped; /* libarchive writes an end even when a tar is given up (and leaks memory where it may not) */
    Waiting *waiting;
    size_t n_waiting, cap_waiting;
};

Packer *packer_new(Uploader *uploader, void (*sealed)(void *owner))
{
    Packer *packer = xcalloc(1, sizeof *packer);
    *packer = (Packer){.uploader = uploader, .sealed = sealed, .data = BUF_INIT(PACK_MAX)};
    packer->header = archive_entry_new();
    packer->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", 0);
    if (packer->header == NULL)
        abort();
    return packer;
}

static la_ssize_t output(struct archive *tar, void *ctx, const void *data, size_t len)
{
    Packer *packer = ctx;
    if (packer->dropped)
        return (la_ssize_t)len;
    if (buf_append(&packer->data, data, len, packer->err) < 0) {
        archive_set_error(tar, EFBIG, "pack is full");
        return -1;
    }
    return (la_ssize_t)len;
}

static int tar_failed(const Packer *packer, Error *err)
{
    return error_set(err, ERR_FAILED, "could not write a pack: %s", archive_error_string(packer->tar));
}

/* Blocking is off, so that the buffer's length is at all times the offset of what comes next. */
static int open_tar(Packer *packer, Error *err)
{
    packer->tar = archive_write_new();
    if (packer->tar == NULL)
        abort();
    if (archive_write_set_format_pax_restricted(packer->tar) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(packer->tar, 0) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(packer->tar, 1) != ARCHIVE_OK ||
        archive_write_open(packer->tar, packer, NULL, output, NULL) != ARCHIVE_OK)
        return tar_failed(packer, err);
    return buf_reserve(&packer->data, PACK_MAX, err);
}

static int write_header(Packer *packer, const IndexEntry *entry, size_t len, Error *err)
{
    struct archive_entry *header = archive_entry_clear(packer->header);
    archive_entry_copy_pathname(header, entry->path);
    archive_entry_set_filetype(header, AE_IFREG);
    archive_entry_set_perm(header, entry->mode);
    archive_entry_set_uid(header, entry->uid);
    archive_entry_set_gid(header, entry->gid);
    archive_entry_copy_uname(header, entry->user);
    archive_entry_copy_gname(header, entry->group);
    archive_entry_set_mtime(header, entry->mtime_sec, entry->mtime_nsec);
    archive_entry_set_size(header, (la_int64_t)len);
    /* pax names are UTF-8, and libarchive recodes them by the thread's locale: this one leaves them alone. One that is
     * not UTF-8 is written as it is, under a warning and with hdrcharset=BINARY (GNU tar says that it ignores that). */
    locale_t old = packer->utf8 ? uselocale(packer->utf8) : (locale_t)0;
    int rc = archive_write_header(packer->tar, header);
    if (packer->utf8)
        uselocale(old);
    return rc == ARCHIVE_OK || rc == ARCHIVE_WARN ? 0 : tar_failed(packer, err);
}

int packer_add(Packer *packer, const IndexEntry *entry, const void *data, size_t len, struct IndexPart *part,
               void *owner, Error *err)
{
    packer->err = err;
    if (packer->tar == NULL && open_tar(packer, err) < 0)
        return -1;
    if (write_header(packer, entry, len, err) < 0)
        return -1;
    *part = (struct IndexPart){.offset = packer->data.len, .length = len};
    if (archive_write_data(packer->tar, data, len) != (la_ssize_t)len ||
        archive_write_finish_entry(packer->tar) != ARCHIVE_OK)
        return tar_failed(packer, err);
    xgrow(&packer->waiting, &packer->cap_waiting, packer->n_waiting);
    packer->waiting[packer->n_waiting++] = (Waiting){.part = part, .owner = owner};
    return packer->uploader && packer->data.len >= PACK_TARGET ? packer_seal(packer, err) : 0;
}

size_t packer_size(const Packer *packer)
{
    return packer->data.len;
}

static int close_tar(Packer *packer, Error *err)
{
    packer->err = err;
    if (archive_write_close(packer->tar) != ARCHIVE_OK)
        return tar_failed(packer, err);
    archive_write_free(packer->tar);
    packer->tar = NULL;
    return 0;
}

int packer_seal(Packer *packer, Error *err)
{
    BlobRef ref;
    if (packer->tar == NULL)
        return 0;
    if (close_tar(packer, err) < 0)
        return -1;
    if (uploader_submit(packer->uploader, BLOB_TAR, &packer->data, &ref, err) < 0)
        return -1;
    for (size_t i = 0; i < packer->n_waiting; i++) {
        packer->waiting[i].part->blob = ref;
        packer->sealed(packer->waiting[i].owner);
    }
    packer->n_waiting = 0;
    return 0;
}

void packer_free(Packer *packer)
{
    if (packer == NULL)
        return;
    packer->dropped = true;
    archive_write_free(packer->tar);
    archive_entry_free(packer->header);
    if (packer->utf8)
        freelocale(packer->utf8);
    buf_done(&packer->data);
    free(packer->waiting);
    free(packer);
}

/* The packer has no uploader: it closes no pack by itself, and its bytes are taken. */
int pack_rebuild(const PackMember *members, size_t n, Buf *out, Error *err)
{
    struct IndexPart part;
    Packer *packer = packer_new(NULL, NULL);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = packer_add(packer, members[i].entry, members[i].data, members[i].len, &part, NULL, err);
    if (rc == 0 && n > 0)
        rc = close_tar(packer, err);
    if (rc == 0)
        rc = buf_append(out, packer->data.data, packer->data.len, err);
    packer_free(packer);
    return rc;
}
