/* Files of somebody's code. A name may be a FIFO or a device by the time it is opened: what is opened is asked. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/mem.h"
#include "schema_priv.h"

const char *schema_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Folders that hold what others wrote. */
static bool is_foreign(const char *name)
{
    static const char *const names[] = {"node_modules", "site-packages", "dist-packages", "__pycache__"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name[0] == '.';
}

typedef struct Listing {
    bool deep;
    StrVec *files;
    const char *root;
} Listing;

static int list(const Listing *listing, int dir_fd, const char *prefix, int depth, Error *err);

static int list_folder(const Listing *listing, int fd, const char *name, const char *path, int depth, Error *err)
{
    if (!listing->deep || depth >= SCHEMA_DEPTH_MAX || is_foreign(name))
        return 0;
    int inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0)
        return error_errno(err, errno, "cannot read the directory \"%s/%s\"", listing->root, path);
    return list(listing, inner, path, depth + 1, err);
}

static int add_entry(const Listing *listing, int fd, const char *prefix, const char *name, int depth, Error *err)
{
    struct stat st, link;
    _cleanup_free_ char *path = prefix[0] ? xasprintf("%s/%s", prefix, name) : xstrdup(name);
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || fstatat(fd, name, &st, 0) < 0)
        return 0;            /* a link that leads nowhere is no migration */
    if (S_ISDIR(st.st_mode)) /* a link to a folder may lead in a circle */
        return fstatat(fd, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(link.st_mode)
                   ? list_folder(listing, fd, name, path, depth, err)
                   : 0;
    if (!S_ISREG(st.st_mode))
        return 0;
    if (listing->files->n >= SCHEMA_FILES_MAX)
        return error_set(err, ERR_UNSUPPORTED, "more than %d files are in \"%s\"", SCHEMA_FILES_MAX, listing->root);
    strvec_push(listing->files, path);
    return 0;
}

/* Takes the descriptor. */
static int list(const Listing *listing, int dir_fd, const char *prefix, int depth, Error *err)
{
    DIR *dir = fdopendir(dir_fd);
    int rc = 0;
    if (dir == NULL) {
        close(dir_fd);
        return error_errno(err, errno, "cannot read the directory \"%s/%s\"", listing->root, prefix);
    }
    for (const struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;)
        rc = add_entry(listing, dirfd(dir), prefix, entry->d_name, depth, err);
    closedir(dir);
    return rc;
}

int schema_list_files(const char *dir, bool deep, StrVec *ret, Error *err)
{
    const Listing listing = {.deep = deep, .files = ret, .root = dir};
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot read the directory \"%s\"", dir);
    if (list(&listing, fd, "", 0, err) < 0)
        return -1;
    if (ret->n > 0)
        qsort(ret->v, ret->n, sizeof *ret->v, compare_texts);
    return 0;
}

static int read_all(int fd, const char *path, Buf *out, Error *err)
{
    for (;;) {
        if (buf_reserve(out, 64 * 1024, err) < 0)
            return error_wrap(err, "\"%s\"", path);
        ssize_t got = read(fd, out->data + out->len, 64 * 1024);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read \"%s\"", path);
        if (got == 0)
            return buf_append(out, "", 0, err);
        out->len += (size_t)got;
    }
}

int schema_read_file(const char *dir, const char *name, Buf *out, Error *err)
{
    struct stat st;
    _cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "cannot read \"%s\"", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_UNSUPPORTED, "\"%s\" is no file", path);
    if (st.st_size > SCHEMA_FILE_MAX)
        return error_set(err, ERR_UNSUPPORTED, "\"%s\" is larger than a migration can be", path);
    return read_all(fd, path, out, err);
}
