#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/mem.h"
#include "kura/secret.h"

char *app_path(const char *dir, const char *path)
{
    if (path[0] == '/')
        return xstrdup(path);
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    if (path[0] == 0 || strcmp(path, ".") == 0)
        return xstrndup(dir, len);
    return xasprintf("%.*s%s%s", (int)len, dir, len == 1 && dir[0] == '/' ? "" : "/", path);
}

/* The directory is a name, whatever characters it has. */
static char *pattern_below(const char *dir, const char *pattern, size_t *ret_skip)
{
    _cleanup_(buf_done) Buf escaped = BUF_INIT(SIZE_MAX / 2);
    for (const char *at = dir; *at; at++)
        buf_printf(&escaped, NULL, "%s%c", strchr("*?[]\\", *at) ? "\\" : "", *at);
    bool absolute = pattern[0] == '/', root = strcmp(dir, "/") == 0;
    *ret_skip = absolute ? 0 : strlen(dir) + !root;
    return absolute ? xstrdup(pattern) : xasprintf("%s%s%s", buf_str(&escaped), root ? "" : "/", pattern);
}

static int last_first(const void *a, const void *b)
{
    return strcmp(*(char *const *)b, *(char *const *)a);
}

void app_glob(const char *dir, const char *pattern, StrVec *ret)
{
    size_t skip;
    glob_t found = {0};
    if (strpbrk(pattern, "*?[") == NULL) {
        if (!strvec_contains(ret, pattern))
            strvec_push(ret, pattern);
        return;
    }
    _cleanup_free_ char *below = pattern_below(dir, pattern, &skip);
    if (glob(below, GLOB_NOSORT, NULL, &found) == 0 && found.gl_pathc > 1)
        qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, last_first);
    for (size_t i = 0; i < found.gl_pathc && i < GLOB_FILES_MAX; i++)
        if (!strvec_contains(ret, found.gl_pathv[i] + skip))
            strvec_push(ret, found.gl_pathv[i] + skip);
    globfree(&found);
}

bool app_file_exists(const char *dir, const char *path)
{
    _cleanup_free_ char *whole = app_path(dir, path);
    struct stat st;
    return stat(whole, &st) == 0;
}

/* What is opened must not block (a FIFO) nor do anything by being opened (a device): O_NONBLOCK sees to the first,
 * looking before to the second, and fstat tells whether it is still what it was. */
static int open_regular(int dir, const char *name, const char *path, int flags, struct stat *st, Error *err)
{
    if (fstatat(dir, name, st, flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0) < 0)
        return error_errno(err, errno, "could not read \"%s\"", path);
    if (!S_ISREG(st->st_mode))
        return error_set(err, ERR_CORRUPT, "\"%s\" is not a regular file", path);
    int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
    if (fd < 0)
        return error_errno(err, errno, "could not open \"%s\"", path);
    if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
        close(fd);
        return error_set(err, ERR_CORRUPT, "\"%s\" is not a regular file", path);
    }
    return fd;
}

static int read_all(int fd, const char *path, Buf *ret, Error *err)
{
    for (;;) {
        ssize_t got = read(fd, ret->data + ret->len, ret->cap - 1 - ret->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "could not read \"%s\"", path);
        ret->len += (size_t)got;
        if (got == 0) {
            ret->data[ret->len] = 0;
            return 0;
        }
        if (ret->len >= ret->cap - 1 || ret->len > APP_FILE_MAX)
            return error_set(err, ERR_CORRUPT, "\"%s\" grew while it was read", path);
    }
}

/* Takes what is open, which *st is about. */
static int read_open(int fd, const char *path, const struct stat *st, Buf *ret, Error *err)
{
    if (st->st_size > APP_FILE_MAX) {
        error_set(err, ERR_CORRUPT, "\"%s\" is too large for a configuration: %jd bytes", path, (intmax_t)st->st_size);
        return error_hint(err, "The limit is 1 MiB.");
    }
    *ret = BUF_INIT(APP_FILE_MAX + 4096);
    if (buf_reserve(ret, (size_t)st->st_size + 2, err) < 0)
        return -1;
    if (read_all(fd, path, ret, err) == 0)
        return 0;
    secret_buf_done(ret);
    return -1;
}

int app_file_read(const char *dir, const char *path, Buf *ret, Error *err)
{
    _cleanup_free_ char *whole = app_path(dir, path);
    struct stat st;
    _cleanup_close_ int fd = open_regular(AT_FDCWD, whole, whole, 0, &st, err);
    return fd < 0 ? -1 : read_open(fd, whole, &st, ret, err);
}

int app_file_read_at(int dir, const char *name, const char *path, Buf *ret, struct stat *ret_stat, Error *err)
{
    _cleanup_close_ int fd = open_regular(dir, name, path, O_NOFOLLOW, ret_stat, err);
    return fd < 0 ? -1 : read_open(fd, path, ret_stat, ret, err);
}
