#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/mem.h"

static void forget(Tree *tree)
{
    if (tree->parent >= 0)
        close(tree->parent);
    free(tree->parent_path);
    tree->parent = -1;
    tree->parent_path = NULL;
}

void tree_done(Tree *tree)
{
    if (tree)
        forget(tree);
}

/* O_PATH: a directory that may be searched but not read is no obstacle. */
static int open_dir(int at, const char *name)
{
    return openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens the last part of dir, which is the path up to there. Returns the descriptor or -errno. */
static int step(int at, const char *name, const char *dir, StrVec *made)
{
    int fd = open_dir(at, name);
    if (fd < 0 && errno == ENOENT && made) {
        if (mkdirat(at, name, 0700) == 0)
            strvec_push(made, dir);
        else if (errno != EEXIST)
            return -errno;
        fd = open_dir(at, name);
    }
    return fd < 0 ? -errno : fd;
}

static bool is_below(const char *dir, const char *above)
{
    size_t len = strlen(above);
    return strncmp(dir, above, len) == 0 && dir[len] == '/';
}

/* Opens dir; changed in place for a while, to name its parts. */
static int descend(Tree *tree, char *dir, StrVec *made)
{
    int at = tree->root;
    char *part = dir;
    if (tree->parent >= 0 && is_below(dir, tree->parent_path)) {
        part = dir + strlen(tree->parent_path) + 1;
        at = tree->parent;
    }
    int borrowed = at;
    for (char *end; part; part = end ? end + 1 : NULL) {
        end = strchr(part, '/');
        if (end)
            *end = 0;
        int fd = step(at, part, dir, made);
        if (end)
            *end = '/';
        if (at != borrowed)
            close(at);
        if (fd < 0)
            return fd;
        at = fd;
    }
    return at;
}

int tree_parent(Tree *tree, const char *path, StrVec *made, int *ret_fd, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        *ret_fd = tree->root;
        *ret_name = path;
        return 0;
    }
    _cleanup_free_ char *dir = xstrndup(path, (size_t)(slash - path));
    if (tree->parent < 0 || strcmp(dir, tree->parent_path) != 0) {
        int fd = descend(tree, dir, made);
        if (fd < 0)
            return -fd;
        forget(tree);
        tree->parent = fd;
        tree->parent_path = steal(dir);
    }
    *ret_fd = tree->parent;
    *ret_name = slash + 1;
    return 0;
}
