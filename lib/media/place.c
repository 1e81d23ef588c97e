#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "path.h"
#include "place_priv.h"

enum { HASH_PIECE = 256 * 1024 };

void placer_init(Placer *placer, Repo *repo, int root, const FilesetRestoreOptions *options, Notices *notices)
{
    *placer = (Placer){.repo = repo,
                       .notices = notices,
                       .owners = options->owners,
                       .quick_check = options->quick_check,
                       .tree = TREE_INIT(root),
                       .target_tree = TREE_INIT(root),
                       .hash = sha256_new(),
                       .piece = BUF_INIT(BLOB_STORED_MAX)};
}

void placer_done(Placer *placer)
{
    if (placer == NULL)
        return;
    tree_done(&placer->tree);
    tree_done(&placer->target_tree);
    owner_cache_done(&placer->cache);
    sha256_free(placer->hash);
    buf_done(&placer->piece);
}

static bool is_fatal(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EROFS || error == EIO || error == EMFILE || error == ENFILE;
}

Placed place_failed(Placer *placer, const IndexEntry *entry, const char *what, int error, Error *err)
{
    if (is_fatal(error)) {
        _cleanup_free_ char *name = path_display(entry->path);
        error_errno(err, error, "could not restore \"%s\": %s", name, words_get(what));
        return PLACE_FATAL;
    }
    _cleanup_free_ char *reason = xasprintf("%s: %s", words_get(what), strerror(error));
    notices_add(placer->notices, FINDING_ERROR, "restore-failed", NULL, entry->path, "was not restored", reason);
    return PLACE_REFUSED;
}

Placed place_in_the_way(Placer *placer, const IndexEntry *entry)
{
    notices_add(placer->notices, FINDING_ERROR, "in-the-way",
                "Move away what is there, or restore into another directory.", entry->path, "was not restored",
                "a thing of another type, or a link, has its place");
    return PLACE_REFUSED;
}

Placed place_content_missing(Placer *placer, const IndexEntry *entry, const Error *cause, Error *err)
{
    if (cause->code != ERR_NOT_FOUND && cause->code != ERR_CORRUPT && cause->code != ERR_TRUNCATED) {
        if (err)
            *err = *cause;
        return PLACE_FATAL;
    }
    notices_add(placer->notices, FINDING_ERROR, "content-damaged",
                "The repository is damaged. Restore the file from another backup.", entry->path, "was not restored",
                cause->message);
    return PLACE_REFUSED;
}

Placed place_open_parent(Placer *placer, const IndexEntry *entry, StrVec *made, int *ret_dir, const char **ret_name,
                         Error *err)
{
    int error = tree_parent(&placer->tree, entry->path, made, ret_dir, ret_name);
    if (error == 0)
        return PLACED;
    if (error == ENOTDIR || error == ELOOP)
        return place_in_the_way(placer, entry);
    return place_failed(placer, entry, "could not open its directory", error, err);
}

void place_temp_name(char name[TEMP_NAME_SIZE])
{
    static atomic_ulong counter;
    snprintf(name, TEMP_NAME_SIZE, TEMP_PREFIX "%ld-%lu", (long)getpid(), atomic_fetch_add(&counter, 1));
}

/* Set-user-id and set-group-id are rights of an owner: whoever restores without owners must not lend them his own. */
static mode_t wanted_mode(const Placer *placer, const IndexEntry *entry)
{
    return entry->type == 'f' && !placer->owners ? entry->mode & 01777 : entry->mode;
}

static bool owner_right(Placer *placer, const struct stat *st, const IndexEntry *entry)
{
    return !placer->owners || (st->st_uid == owner_user_id(&placer->cache, entry->user, entry->uid) &&
                               st->st_gid == owner_group_id(&placer->cache, entry->group, entry->gid));
}

bool place_time_right(const struct stat *st, const IndexEntry *entry)
{
    return st->st_mtim.tv_sec == entry->mtime_sec && st->st_mtim.tv_nsec == (long)entry->mtime_nsec;
}

bool place_facts_right(Placer *placer, const struct stat *st, const IndexEntry *entry)
{
    return owner_right(placer, st, entry) && (st->st_mode & 07777) == wanted_mode(placer, entry) &&
           place_time_right(st, entry);
}

/* The owner first: chown() clears mode bits. */
int place_set_facts(Placer *placer, int fd, const struct stat *st, const IndexEntry *entry)
{
    bool chowned = !owner_right(placer, st, entry);
    if (chowned && fchown(fd, owner_user_id(&placer->cache, entry->user, entry->uid),
                          owner_group_id(&placer->cache, entry->group, entry->gid)) < 0)
        return errno;
    mode_t mode = wanted_mode(placer, entry);
    if ((chowned || (st->st_mode & 07777) != mode) && fchmod(fd, mode) < 0)
        return errno;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = entry->mtime_sec, .tv_nsec = (long)entry->mtime_nsec}};
    return place_time_right(st, entry) || futimens(fd, times) == 0 ? 0 : errno;
}

int place_hash_file(Placer *placer, int fd, char ret_hex[SHA256_HEX_SIZE])
{
    int error = 0;
    buf_clear(&placer->piece);
    if (buf_reserve(&placer->piece, HASH_PIECE, NULL) < 0)
        abort(); /* far below its maximum */
    for (;;) {
        ssize_t len = read(fd, placer->piece.data, HASH_PIECE);
        if (len > 0)
            sha256_update(placer->hash, placer->piece.data, (size_t)len);
        else if (len == 0 || errno != EINTR) {
            error = len < 0 ? errno : 0;
            break;
        }
    }
    sha256_finish_hex(placer->hash, ret_hex);
    return error;
}

Placed place_parents(Placer *placer, const IndexEntry *entry, StrVec *made, Error *err)
{
    int dir;
    const char *name;
    return place_open_parent(placer, entry, made, &dir, &name, err);
}

static int open_dir(int dir, const char *name)
{
    return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A directory from an earlier restore may forbid what we are about to do in it. */
static int make_passable(int dir, const char *name, const struct stat *st)
{
    if ((st->st_mode & 0700) == 0700)
        return 0;
    _cleanup_close_ int fd = open_dir(dir, name);
    return fd < 0 || fchmod(fd, (st->st_mode & 07777) | 0700) < 0 ? errno : 0;
}

Placed place_dir(Placer *placer, const IndexEntry *entry, StrVec *made, Error *err)
{
    int dir;
    const char *name;
    struct stat st;
    Placed placed = place_open_parent(placer, entry, made, &dir, &name, err);
    if (placed != PLACED)
        return placed;
    if (mkdirat(dir, name, 0700) == 0)
        return PLACED;
    if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return place_failed(placer, entry, "could not make the directory", errno, err);
    if (!S_ISDIR(st.st_mode))
        return place_in_the_way(placer, entry);
    int error = make_passable(dir, name, &st);
    return error ? place_failed(placer, entry, "could not open the directory up", error, err) : PLACED;
}

Placed place_dir_finish(Placer *placer, const IndexEntry *entry, Error *err)
{
    int dir;
    const char *name;
    struct stat st;
    if (tree_parent(&placer->tree, entry->path, NULL, &dir, &name) != 0)
        return PLACE_REFUSED; /* said when it was to be made */
    _cleanup_close_ int fd = open_dir(dir, name);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return PLACE_REFUSED;
    int error = fd < 0 || fstat(fd, &st) < 0 ? errno : place_set_facts(placer, fd, &st, entry);
    return error ? place_failed(placer, entry, "could not set its owner, mode and time", error, err) : PLACED;
}
