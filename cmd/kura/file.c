#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "kura/fdio.h"
#include "kura/mem.h"

enum { PIECE = 16 * 1024 };

int file_read(const char *path, Buf *out, struct stat *ret_stat, Error *err)
{
    struct stat st;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "cannot open \"%s\"", path);
    for (;;) {
        if (buf_reserve(out, PIECE, err) < 0)
            return error_wrap(err, "reading \"%s\"", path);
        ssize_t n = read(fd, out->data + out->len, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "cannot read \"%s\"", path);
        if (n == 0)
            break;
        out->len += (size_t)n;
    }
    if (ret_stat != NULL)
        *ret_stat = st;
    return buf_append(out, "", 0, err);
}

/* Writes what stands under another name so far, and gives it the name. */
static int fill_and_rename(int fd, const char *temp, const char *path, const Buf *content, Error *err)
{
    struct stat st;
    if (stat(path, &st) == 0 && fchmod(fd, st.st_mode & 0777) < 0)
        return error_errno(err, errno, "cannot set the mode of \"%s\"", temp);
    if (fd_write_all(fd, content->data, content->len) < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "cannot write \"%s\"", temp);
    if (rename(temp, path) < 0)
        return error_errno(err, errno, "cannot write \"%s\"", path);
    return 0;
}

int file_replace(const char *path, const Buf *content, Error *err)
{
    _cleanup_free_ char *temp = xasprintf("%s.XXXXXX", path);
    _cleanup_close_ int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot create a file beside \"%s\"", path);
    int rc = fill_and_rename(fd, temp, path, content, err);
    if (rc < 0)
        unlink(temp);
    return rc;
}
