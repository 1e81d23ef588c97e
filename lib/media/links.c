#include "links.h"

#include <search.h>

#include "kura/mem.h"

static int compare(const void *a, const void *b)
{
    const Link *left = a, *right = b;
    if (left->device != right->device)
        return left->device < right->device ? -1 : 1;
    return (left->inode > right->inode) - (left->inode < right->inode);
}

static void free_link(void *ptr)
{
    Link *link = ptr;
    free(link->path);
    free(link);
}

void links_done(Links *links)
{
    tdestroy(links->tree, free_link);
    links->tree = NULL;
}

static Link *add(Links *links, const struct stat *st, const char *path)
{
    Link *link = xmalloc(sizeof *link);
    *link = (Link){.device = st->st_dev, .inode = st->st_ino, .path = xstrdup(path), .unseen = st->st_nlink};
    if (tsearch(link, &links->tree, compare) == NULL)
        abort(); /* no memory */
    return link;
}

Link *links_meet(Links *links, const struct stat *st, const char *path, bool *ret_first)
{
    Link key = {.device = st->st_dev, .inode = st->st_ino};
    Link **found = tfind(&key, &links->tree, compare);
    *ret_first = found == NULL;
    Link *link = found ? *found : add(links, st, path);
    link->pending++;
    if (link->unseen)
        link->unseen--;
    return link;
}

void links_release(Links *links, Link *link)
{
    if (--link->pending || link->unseen)
        return;
    tdelete(link, &links->tree, compare);
    free_link(link);
}
