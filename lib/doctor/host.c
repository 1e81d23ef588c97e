#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kura/mem.h"

char *host_path(const DoctorScene *scene, const char *path)
{
    return xasprintf("%s%s", scene->root ? scene->root : "", path);
}

/* What is no regular file is not waited for. */
static int open_regular(const char *path, Error *err)
{
    struct stat st;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "cannot read \"%s\"", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_IO, "cannot read \"%s\": it is no regular file", path);
    int ready = fd;
    fd = -1;
    return ready;
}

int host_read(const DoctorScene *scene, const char *path, Buf *out, Error *err)
{
    enum { PIECE = 16 * 1024 };
    _cleanup_free_ char *here = host_path(scene, path);
    _cleanup_close_ int fd = open_regular(here, err);
    if (fd < 0)
        return -1;
    for (;;) {
        if (buf_reserve(out, PIECE, err) < 0)
            return error_wrap(err, "reading \"%s\"", here);
        ssize_t n = read(fd, out->data + out->len, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "cannot read \"%s\"", here);
        if (n == 0)
            return buf_append(out, "", 0, err);
        out->len += (size_t)n;
    }
}

static bool ends_in(const char *name, const char *suffix)
{
    size_t len = strlen(name), n = strlen(suffix);
    return len >= n && strcmp(name + len - n, suffix) == 0;
}

void host_list(const DoctorScene *scene, const char *path, const char *suffix, StrVec *ret)
{
    struct dirent **names;
    _cleanup_free_ char *here = host_path(scene, path);
    int n = scandir(here, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.' && ends_in(names[i]->d_name, suffix))
            strvec_push(ret, names[i]->d_name);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

bool host_exists(const DoctorScene *scene, const char *path)
{
    _cleanup_free_ char *here = host_path(scene, path);
    return access(here, F_OK) == 0;
}
