#include "flow_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "copyfile.h"
#include "kura/export.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"

enum { DEFAULT_JOBS_MAX = 4 };
#define TOC_MAX (2ull * 1024 * 1024 * 1024) /* bytes of header and TOC; 10,000 tables take 5 MiB */

int flow_store_toc(Repo *repo, Uploader *uploader, const Buf *raw, ManifestDatabase *database, Error *err)
{
    database->toc_raw = raw->len;
    database->n_toc = (raw->len + FLOW_TOC_PIECE - 1) / FLOW_TOC_PIECE;
    database->toc = xcalloc(database->n_toc, sizeof *database->toc);
    _cleanup_(buf_done) Buf blob = BUF_INIT(BLOB_STORED_MAX);
    for (size_t i = 0; i < database->n_toc; i++) {
        size_t start = i * FLOW_TOC_PIECE;
        size_t len = raw->len - start < FLOW_TOC_PIECE ? raw->len - start : FLOW_TOC_PIECE;
        if (repo_compress(repo, raw->data + start, len, &blob, err) < 0 ||
            uploader_submit(uploader, BLOB_ZSTD, &blob, &database->toc[i], err) < 0)
            return error_wrap(err, "storing the table of contents");
    }
    return 0;
}

int flow_load_toc(Repo *repo, const ManifestDatabase *database, Toc **ret, Error *err)
{
    if (database->toc_raw > TOC_MAX)
        return error_set(err, ERR_CORRUPT, "a table of contents of %zu bytes is more than kura accepts",
                         (size_t)database->toc_raw);
    _cleanup_(buf_done) Buf raw = BUF_INIT(database->toc_raw);
    _cleanup_(buf_done) Buf blob = BUF_INIT(BLOB_STORED_MAX);
    _cleanup_(buf_done) Buf piece = BUF_INIT(FLOW_TOC_PIECE);
    for (size_t i = 0; i < database->n_toc; i++)
        if (blob_get(repo, &database->toc[i], &blob, err) < 0 ||
            repo_decompress(blob.data, blob.len, &piece, err) < 0 || buf_append(&raw, piece.data, piece.len, err) < 0)
            return error_wrap(err, "reading the table of contents");
    size_t used;
    if (toc_read(raw.data, raw.len, false, &toc_default_limits, &used, ret, err) < 0)
        return error_wrap(err, "reading the table of contents");
    if (used != raw.len || raw.len != database->toc_raw) {
        toc_free(*ret);
        *ret = NULL;
        return error_set(err, ERR_CORRUPT, "the stored table of contents has %zu bytes, its manifest says %zu", used,
                         (size_t)database->toc_raw);
    }
    return 0;
}

/* A put that failed may have left the manifest all the same: the server's answer was lost, or the disk would not take
 * the name away again that it could not make durable. Nobody may be left to believe that there is no backup. */
static int not_committed(Repo *repo, const Manifest *manifest, const Error *why, Error *err)
{
    bool there = true;
    if (err)
        *err = *why;
    if (why->code == ERR_EXISTS ||
        (why->code != ERR_CONNECTION && manifest_is_there(repo, manifest->id, &there, NULL) == 0 && !there))
        return -1;
    return error_hint(err,
                      "The backup may be in the repository all the same, for everything that it needs was stored: "
                      "\"kura list\" shows whether it is there, \"kura verify %s\" whether it is whole.",
                      manifest->id);
}

/* Who takes a lock for a stale one removes it before he looks at what there is: so when it is still there after the
 * manifest is, he has seen the manifest, however long this process was stopped in between. */
int flow_commit(Repo *repo, RepoLock *lock, const Manifest *manifest, Error *err)
{
    Error why = ERROR_INIT;
    if (stop_check(err) < 0 || repo_lock_check(lock, err) < 0)
        return -1;
    if (manifest_commit(repo, manifest, &why) < 0)
        return not_committed(repo, manifest, &why, err);
    if (repo_lock_check(lock, &why) == 0 || why.code != ERR_LOCKED)
        return 0;
    bool gone = manifest_delete(repo, manifest->id, NULL) == 0;
    if (err)
        *err = why;
    return error_wrap(err, gone ? N_("the backup %s was taken back") : N_("the backup %s could not be taken back"),
                      manifest->id);
}

int flow_write_file(const char *path, const Buf *content, Error *err)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "creating \"%s\"", path);
    return write_fully(fd, content->data, content->len, err) < 0 ? error_wrap(err, "\"%s\"", path) : 0;
}

size_t flow_jobs(size_t asked)
{
    if (asked > 0)
        return asked;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > DEFAULT_JOBS_MAX ? DEFAULT_JOBS_MAX : (size_t)cores;
}

size_t flow_load_jobs(size_t asked)
{
    return asked > 0 ? asked : flow_jobs(0) + 1;
}
