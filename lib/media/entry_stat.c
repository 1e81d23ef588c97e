#include "entry_stat.h"

#include <stdlib.h>

#include "kura/mem.h"

static char type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return 'f';
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFIFO:
        return 'p';
    default:
        return 0;
    }
}

static void set_name(char **name, const char *to)
{
    free(*name);
    *name = xstrdup_null(to);
}

void entry_set_stat(IndexEntry *entry, const struct stat *st, OwnerCache *owners)
{
    entry->type = type_of(st->st_mode);
    entry->mode = st->st_mode & 07777;
    entry->uid = st->st_uid;
    entry->gid = st->st_gid;
    set_name(&entry->user, owner_user_name(owners, st->st_uid));
    set_name(&entry->group, owner_group_name(owners, st->st_gid));
    entry->mtime_sec = st->st_mtim.tv_sec;
    entry->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
    entry->ctime_sec = st->st_ctim.tv_sec;
    entry->ctime_nsec = (uint32_t)st->st_ctim.tv_nsec;
    entry->inode = st->st_ino;
    entry->device = st->st_dev;
    entry->size = 0;
    entry->hash[0] = 0;
    free(entry->parts);
    entry->parts = NULL;
    entry->n_parts = 0;
}

bool entry_is_unchanged(const IndexEntry *before, const struct stat *st)
{
    return before->type == 'f' && before->size == (uint64_t)st->st_size && before->inode == st->st_ino &&
           before->device == st->st_dev && before->mtime_sec == st->st_mtim.tv_sec &&
           before->mtime_nsec == (uint32_t)st->st_mtim.tv_nsec && before->ctime_sec == st->st_ctim.tv_sec &&
           before->ctime_nsec == (uint32_t)st->st_ctim.tv_nsec;
}
