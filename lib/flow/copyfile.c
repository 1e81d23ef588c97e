#include "copyfile.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "kura/fdio.h"
#include "kura/mem.h"
#include "kura/stop.h"

/* Between two looks at the stop flag. */
enum { KERNEL_STEP = 16 * 1024 * 1024, OWN_STEP = 256 * 1024 };

int write_fully(int fd, const void *data, size_t len, Error *err)
{
    return fd_write_all(fd, data, len) < 0 ? error_errno(err, errno, "writing") : 0;
}

static int copy_by_hand(int in, off_t from, off_t until, int out, Error *err)
{
    _cleanup_free_ char *memory = xmalloc(OWN_STEP);
    while (from < until) {
        off_t left = until - from;
        ssize_t n = pread(in, memory, left < OWN_STEP ? (size_t)left : OWN_STEP, from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "reading");
        if (n == 0)
            return error_set(err, ERR_TRUNCATED, "the file became shorter while it was copied");
        if (stop_check(err) < 0 || write_fully(out, memory, (size_t)n, err) < 0)
            return -1;
        from += n;
    }
    return 0;
}

/* Not supported between these two files, or (0 bytes though there are some) by this file system. */
static bool kernel_cannot(ssize_t n)
{
    return n == 0 ||
           (n < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM));
}

int copyfile(int in, off_t from, off_t until, int out, Error *err)
{
    while (from < until) {
        if (stop_check(err) < 0)
            return -1;
        off_t left = until - from;
        ssize_t n = copy_file_range(in, &from, out, NULL, left < KERNEL_STEP ? (size_t)left : KERNEL_STEP, 0);
        if (n > 0 || (n < 0 && errno == EINTR))
            continue;
        if (kernel_cannot(n))
            return copy_by_hand(in, from, until, out, err);
        return error_errno(err, errno, "copying");
    }
    return 0;
}
