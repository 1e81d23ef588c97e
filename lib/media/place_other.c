/* Symbolic links and fifos: they have no content, so that making them anew is as cheap as looking closely. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kura/mem.h"
#include "place_priv.h"

/* Owner (and mode, where a thing has one) by name: neither a link nor a fifo can be opened for that. The name is our
 * own temporary one, or was just seen to be of the right type; nothing here follows it. */
static int set_facts_by_name(Placer *placer, int dir, const char *name, const IndexEntry *entry)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = entry->mtime_sec, .tv_nsec = (long)entry->mtime_nsec}};
    if (placer->owners && fchownat(dir, name, owner_user_id(&placer->cache, entry->user, entry->uid),
                                   owner_group_id(&placer->cache, entry->group, entry->gid), AT_SYMLINK_NOFOLLOW) < 0)
        return errno;
    return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
}

static bool has_target(int dir, const char *name, const char *target)
{
    size_t len = strlen(target);
    _cleanup_free_ char *text = xmalloc(len + 1);
    return readlinkat(dir, name, text, len + 1) == (ssize_t)len && memcmp(text, target, len) == 0;
}

static int make(int dir, const char *name, const IndexEntry *entry)
{
    int rc = entry->type == 'l' ? symlinkat(entry->target, dir, name) : mkfifoat(dir, name, 0600);
    return rc < 0 ? errno : 0;
}

/* Makes the thing under a temporary name and moves it into its place. */
static int make_by_rename(Placer *placer, int dir, const char *name, const IndexEntry *entry)
{
    char temp[TEMP_NAME_SIZE];
    place_temp_name(temp);
    int error = make(dir, temp, entry);
    if (error)
        return error;
    /* A fifo that was made a moment ago under our own name: fchmodat(), which would follow a link, meets none. */
    if (entry->type == 'p' && fchmodat(dir, temp, entry->mode & 01777, 0) < 0)
        error = errno;
    if (error == 0)
        error = set_facts_by_name(placer, dir, temp, entry);
    if (error == 0 && renameat(dir, temp, dir, name) < 0)
        error = errno;
    if (error)
        unlinkat(dir, temp, 0);
    return error;
}

static Placed place(Placer *placer, const IndexEntry *entry, mode_t type, Error *err)
{
    int dir;
    const char *name;
    struct stat st;
    Placed placed = place_open_parent(placer, entry, NULL, &dir, &name, err);
    if (placed != PLACED)
        return placed;
    bool exists = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && (st.st_mode & S_IFMT) != type)
        return place_in_the_way(placer, entry);
    bool right =
        exists && (type == S_IFIFO ? place_facts_right(placer, &st, entry) : has_target(dir, name, entry->target));
    int error = right ? set_facts_by_name(placer, dir, name, entry) : make_by_rename(placer, dir, name, entry);
    if (error)
        return place_failed(placer, entry, "could not make it", error, err);
    if (right)
        placer->stats.kept++;
    else
        placer->stats.written++;
    return PLACED;
}

Placed place_symlink(Placer *placer, const IndexEntry *entry, Error *err)
{
    return place(placer, entry, S_IFLNK, err);
}

Placed place_fifo(Placer *placer, const IndexEntry *entry, Error *err)
{
    return place(placer, entry, S_IFIFO, err);
}
