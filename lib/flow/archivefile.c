#include "archivefile.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kura/export.h"
#include "kura/mem.h"
#include "kura/stop.h"

#define FIRST_READ (4u * 1024 * 1024)
#define TOC_MAX (2048ull * 1024 * 1024) /* 10,000 tables take 5 MiB */

int archivefile_open(ArchiveFile *archive, const char *path, Error *err)
{
    /* not blocking, so that a FIFO is refused instead of waited for */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(err, errno, "opening \"%s\"", path);
    *archive = (ArchiveFile){.fd = fd, .path = path};
    if (fstat(fd, &archive->st) < 0)
        return error_errno(err, errno, "looking at \"%s\"", path);
    archive->directory = S_ISDIR(archive->st.st_mode);
    if (!archive->directory && !S_ISREG(archive->st.st_mode)) {
        error_set(err, ERR_UNSUPPORTED, "\"%s\" is neither a file nor a directory", path);
        return error_hint(err, "Write the archive into a file first.");
    }
    return 0;
}

void archivefile_done(ArchiveFile *archive)
{
    close_fd(&archive->fd);
    archive->fd = -1;
}

/* Appends what the file has up to `until` bytes of it in all. */
static int read_until(int fd, Buf *raw, size_t until, Error *err)
{
    while (raw->len < until) {
        if (stop_check(err) < 0 || buf_reserve(raw, until - raw->len, err) < 0)
            return -1;
        ssize_t n = pread(fd, raw->data + raw->len, until - raw->len, (off_t)raw->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "reading");
        if (n == 0)
            break;
        raw->len += (size_t)n;
    }
    return 0;
}

/* How long a TOC is only its end tells: what is there is parsed again each time that it
 * was not enough, so four times as much is read then. */
static int read_growing(int fd, bool as_directory, Toc **ret, size_t *ret_used, Error *err)
{
    _cleanup_(buf_done) Buf raw = BUF_INIT(TOC_MAX);
    for (size_t until = FIRST_READ;; until *= 4) {
        if (read_until(fd, &raw, until, err) < 0)
            return -1;
        if (toc_read(raw.data, raw.len, as_directory, &toc_default_limits, ret_used, ret, err) == 0)
            return 0;
        if (err->code != ERR_TRUNCATED || raw.len < until || until >= TOC_MAX)
            return -1;
    }
}

int archivefile_read_toc(const ArchiveFile *archive, Toc **ret, size_t *ret_used, Error *err)
{
    Error own = ERROR_INIT;
    if (err == NULL)
        err = &own;
    _cleanup_close_ int fd = archive->directory
                                 ? openat(archive->fd, "toc.dat", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
                                 : fcntl(archive->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0 && errno == ENOENT) {
        error_errno(err, errno, "opening \"%s/toc.dat\"", archive->path);
        return error_hint(err, "A directory is an archive when pg_dump made it with --format=directory.");
    }
    if (fd < 0)
        return error_errno(err, errno, "opening \"%s/toc.dat\"", archive->path);
    if (read_growing(fd, archive->directory, ret, ret_used, err) < 0)
        return error_wrap(err, "reading the table of contents of \"%s\"", archive->path);
    return 0;
}

int archive_open_toc(const char *path, Toc **ret, size_t *ret_used, Error *err)
{
    _cleanup_(archivefile_done) ArchiveFile archive = ARCHIVEFILE_INIT;
    size_t used;
    if (archivefile_open(&archive, path, err) < 0 || archivefile_read_toc(&archive, ret, &used, err) < 0)
        return -1;
    if (ret_used)
        *ret_used = used;
    return 0;
}
