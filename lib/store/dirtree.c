#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir_priv.h"
#include "kura/mem.h"

/* A repository has blobs/00 to blobs/ff and a handful of others. Descriptors past KEPT_MAX are opened each time: far
 * below the usual limit of 1024, with two repositories open too. */
enum { SLOTS = 1024, KEPT_MAX = 288 };
enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

typedef struct Kept {
    char *path; /* NULL: free slot */
    int fd;
    bool anchored; /* its name is known to be durable */
} Kept;

struct DirTree {
    char *root;
    pthread_mutex_t mutex;
    Kept kept[SLOTS];
    size_t n_kept;
};

DirTree *dirtree_new(const char *root)
{
    DirTree *tree = xcalloc(1, sizeof *tree);
    tree->root = xstrdup(root);
    pthread_mutex_init(&tree->mutex, NULL);
    return tree;
}

void dirtree_free(DirTree *tree)
{
    if (tree == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        if (tree->kept[i].path) {
            close(tree->kept[i].fd);
            free(tree->kept[i].path);
        }
    pthread_mutex_destroy(&tree->mutex);
    free(tree->root);
    free(tree);
}

const char *dirtree_root(const DirTree *tree)
{
    return tree->root;
}

int dir_sync(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : -1;
}

char *dir_parent(const char *root)
{
    char *path = xstrdup(root);
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        path[--len] = 0;
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        free(path);
        return xstrdup(".");
    }
    slash[slash == path] = 0;
    return path;
}

static int sync_parent_of_root(const DirTree *tree)
{
    _cleanup_free_ char *parent = dir_parent(tree->root);
    _cleanup_close_ int fd = open(parent, OPEN_DIR);
    return fd < 0 ? -1 : dir_sync(fd);
}

int dirtree_create_root(DirTree *tree, Error *err)
{
    bool existed = mkdir(tree->root, 0700) < 0;
    int error = existed && errno != EEXIST ? errno : 0;
    if (error)
        error_errno(err, error, "could not create directory \"%s\"", tree->root);
    if (error == ENOENT)
        return error_hint(err,
                          "The directory that it is to be in is not there: make it, or mount the disk that it is on.");
    if (error)
        return -1;
    /* A run that was killed may have made it. Else its parent is none of our business, and perhaps closed to us. */
    if (sync_parent_of_root(tree) < 0 && !(existed && errno == EACCES))
        return error_errno(err, errno, "could not write the directory that holds \"%s\"", tree->root);
    return 0;
}

/* The slot of a path, or the free one where it belongs. There always is a free one: SLOTS > KEPT_MAX. */
static Kept *slot_of(DirTree *tree, const char *path, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)path[i]) * 16777619u;
    Kept *slot;
    do
        slot = &tree->kept[hash++ % SLOTS];
    while (slot->path && (strlen(slot->path) != len || memcmp(slot->path, path, len) != 0));
    return slot;
}

/* The error for a part that could not be opened as a directory. */
static int not_a_directory(DirTree *tree, int parent, const char *path, const char *name, bool create, Error *err)
{
    int why = errno;
    struct stat st;
    if ((why == ENOTDIR || why == ELOOP) && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!S_ISLNK(st.st_mode))
            return error_set(err, create ? ERR_EXISTS : ERR_NOT_FOUND, "\"%s/%s\" is not a directory", tree->root,
                             path);
        error_set(err, ERR_CORRUPT, "\"%s/%s\" is a symbolic link", tree->root, path);
        return error_hint(err, "Links inside a repository are not followed. Use a bind mount, or put the whole "
                               "repository where the link leads.");
    }
    return error_errno(err, why, "could not open directory \"%s/%s\"", tree->root, path);
}

/* The parent is written even when somebody else made the part: they may have been killed before they came that far, and
 * what is below it must survive. */
static int anchor(DirTree *tree, int parent, const char *path, Error *err)
{
    return dir_sync(parent) < 0
               ? error_errno(err, errno, "could not write the directory that holds \"%s/%s\"", tree->root, path)
               : 0;
}

/* Opens one part. */
static int open_part(DirTree *tree, int parent, const char *path, const char *name, DirUse use, int *ret, Error *err)
{
    *ret = openat(parent, name, OPEN_DIR | O_NOFOLLOW);
    if (*ret < 0 && errno == ENOENT && use == DIR_CREATE) {
        if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
            return error_errno(err, errno, "could not create directory \"%s/%s\"", tree->root, path);
        *ret = openat(parent, name, OPEN_DIR | O_NOFOLLOW);
    }
    if (*ret < 0)
        return not_a_directory(tree, parent, path, name, use == DIR_CREATE, err);
    if (use == DIR_LOOK || anchor(tree, parent, path, err) == 0)
        return 0;
    close(*ret);
    return -1;
}

static int open_root(DirTree *tree, int *ret, Error *err)
{
    *ret = open(tree->root, OPEN_DIR);
    return *ret < 0 ? error_errno(err, errno, "could not open directory \"%s\"", tree->root) : 0;
}

static int open_locked(DirTree *tree, const char *path, size_t len, DirUse use, DirRef *ret, Error *err);

static int open_below(DirTree *tree, const char *path, DirUse use, int *ret, Error *err)
{
    const char *slash = strrchr(path, '/');
    _cleanup_(dirref_done) DirRef parent = {.fd = -1};
    if (open_locked(tree, path, slash ? (size_t)(slash - path) : 0, use, &parent, err) < 0)
        return -1;
    return open_part(tree, parent.fd, path, slash ? slash + 1 : path, use, ret, err);
}

/* One that was only looked into is opened once more, to anchor it. */
static int anchor_kept(DirTree *tree, Kept *kept, Error *err)
{
    int fd;
    if (open_below(tree, kept->path, DIR_ANCHOR, &fd, err) < 0)
        return -1;
    close(fd);
    kept->anchored = true;
    return 0;
}

static void keep(DirTree *tree, Kept *slot, char *path, DirUse use, DirRef *ref)
{
    *slot = (Kept){.path = path, .fd = ref->fd, .anchored = use != DIR_LOOK || path[0] == 0};
    tree->n_kept++;
    ref->borrowed = true;
}

static int open_locked(DirTree *tree, const char *path, size_t len, DirUse use, DirRef *ret, Error *err)
{
    Kept *slot = slot_of(tree, path, len);
    if (slot->path) {
        *ret = (DirRef){.fd = slot->fd, .borrowed = true};
        return use == DIR_LOOK || slot->anchored ? 0 : anchor_kept(tree, slot, err);
    }
    _cleanup_free_ char *copy = xstrndup(path, len);
    int fd;
    if ((len == 0 ? open_root(tree, &fd, err) : open_below(tree, copy, use, &fd, err)) < 0)
        return -1;
    *ret = (DirRef){.fd = fd};
    if (tree->n_kept < KEPT_MAX)
        keep(tree, slot_of(tree, path, len), steal(copy), use, ret); /* the parents took slots meanwhile */
    return 0;
}

int dirtree_open(DirTree *tree, const char *path, size_t len, DirUse use, DirRef *ret, Error *err)
{
    pthread_mutex_lock(&tree->mutex);
    int rc = open_locked(tree, path, len, use, ret, err);
    pthread_mutex_unlock(&tree->mutex);
    return rc;
}

void dirref_done(DirRef *ref)
{
    if (!ref->borrowed && ref->fd >= 0)
        close(ref->fd);
}
