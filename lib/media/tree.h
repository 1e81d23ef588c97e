/* A directory as a cage: opens what is below it part by part, so that no link is followed, nothing outside is reached,
 * and no path is too long. Not thread-safe: one Tree a thread. */
#ifndef KURA_MEDIA_TREE_H
#define KURA_MEDIA_TREE_H

#include "kura/buf.h"

typedef struct Tree {
    int root;          /* borrowed */
    int parent;        /* the directory opened last, or -1: neighbours mostly share it */
    char *parent_path; /* its path */
} Tree;

#define TREE_INIT(fd)                                                                                                  \
    (Tree)                                                                                                             \
    {                                                                                                                  \
        .root = (fd), .parent = -1                                                                                     \
    }

void tree_done(Tree *tree);
/* The directory that path (path_is_safe) is in, as an O_PATH descriptor that stays the tree's and is valid until the
 * next call, and the name in it. Missing directories are made with mode 0700 and added to `made`, unless that is NULL.
 * Returns 0 or an errno: ENOTDIR where a link is in the way. */
int tree_parent(Tree *tree, const char *path, StrVec *made, int *ret_fd, const char **ret_name);

#endif
