#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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
