#include "kura/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kura/mem.h"

int fd_write_all(int fd, const void *data, size_t len)
{
    for (const char *next = data; len > 0;) {
        ssize_t n = write(fd, next, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        next += n;
        len -= (size_t)n;
    }
    return 0;
}

ssize_t fd_pread(int fd, void *data, size_t len, off_t at, bool *cached)
{
    struct iovec piece = {.iov_base = data, .iov_len = len};
    if (*cached) {
        ssize_t got = preadv2(fd, &piece, 1, at, RWF_NOWAIT);
        if (got > 0)
            return got;
        *cached = got == 0; /* the end, which pread() confirms */
    }
    return pread(fd, data, len, at);
}

int fd_sync_directory_of(const char *path)
{
    _cleanup_free_ char *copy = xstrdup(path);
    _cleanup_close_ int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -1 : 0;
}

static int open_part(int at, const char *name)
{
    return openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Takes `at`, also when it fails. */
static int step_into(int at, const char *name, bool make)
{
    int fd = open_part(at, name);
    if (fd < 0 && errno == ENOENT && make && (mkdirat(at, name, 0755) == 0 || errno == EEXIST))
        fd = open_part(at, name);
    int error = errno;
    close(at);
    errno = error;
    return fd;
}

static int step_into_readable(int at)
{
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = errno;
    close(at);
    errno = error;
    return fd;
}

int fd_open_directory(const char *path, bool make)
{
    _cleanup_free_ char *way = xstrdup(path);
    int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (char *rest = way, *name; at >= 0 && (name = strsep(&rest, "/")) != NULL;)
        if (*name)
            at = step_into(at, name, make);
    return at < 0 ? -1 : step_into_readable(at);
}

/* Returns 0 or an errno; EEXIST alone leaves what bears the name. */
static int create(const char *path, const void *data, size_t len, mode_t mode)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno;
    int error = fd_write_all(fd, data, len) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0 ? errno : 0;
    if (error == 0 && fd_sync_directory_of(path) < 0)
        error = errno;
    if (error)
        unlink(path);
    return error;
}

int file_make(const char *path, const void *data, size_t len, mode_t mode, Error *err)
{
    int error = create(path, data, len, mode);
    if (error == EEXIST)
        return error_set(err, ERR_EXISTS, "\"%s\" exists already", path);
    return error ? error_errno(err, error, "cannot write \"%s\"", path) : 0;
}

int file_put(const char *path, const void *data, size_t len, mode_t mode, Error *err)
{
    _cleanup_free_ char *temp = xasprintf("%s.new", path);
    unlink(temp); /* what a killed run left */
    int error = create(temp, data, len, mode);
    if (error == 0 && rename(temp, path) < 0) {
        error = errno;
        unlink(temp);
    }
    if (error == 0 && fd_sync_directory_of(path) < 0)
        error = errno;
    return error ? error_errno(err, error, "cannot write \"%s\"", path) : 0;
}
