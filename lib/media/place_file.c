/* Files and their further names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "partreader.h"
#include "path.h"
#include "place_priv.h"

enum { BLOCK = 4096, PIECE_KEPT = 1024 * 1024 };

/* Whether an open regular file has this entry's content. By a time only where there is one: what came from a stream has
 * none. */
static int has_content(Placer *placer, int fd, const struct stat *st, const IndexEntry *entry, bool *ret)
{
    char hex[SHA256_HEX_SIZE];
    *ret = placer->quick_check && entry->mtime_sec != 0 && place_time_right(st, entry);
    if (*ret)
        return 0;
    int error = place_hash_file(placer, fd, hex);
    *ret = error == 0 && strcmp(hex, entry->hash) == 0;
    return error;
}

/* A file with further names is never changed, only replaced: who knows where the other names are. */
static bool keep(Placer *placer, int fd, const IndexEntry *entry, int *ret_error)
{
    struct stat st;
    bool right = false;
    *ret_error = 0;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != entry->size)
        return false;
    if (st.st_nlink > 1 && !place_facts_right(placer, &st, entry))
        return false;
    if (has_content(placer, fd, &st, entry, &right) != 0 || !right)
        return false;
    *ret_error = place_set_facts(placer, fd, &st, entry);
    return true;
}

Placed place_check_file(Placer *placer, const IndexEntry *entry, Error *err)
{
    int dir, error;
    const char *name;
    struct stat st;
    Placed placed = place_open_parent(placer, entry, NULL, &dir, &name, err);
    if (placed != PLACED)
        return placed;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? PLACE_NEEDED : place_failed(placer, entry, "could not look at it", errno, err);
    if (!S_ISREG(st.st_mode))
        return place_in_the_way(placer, entry);
    if ((uint64_t)st.st_size != entry->size)
        return PLACE_NEEDED;
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || !keep(placer, fd, entry, &error))
        return PLACE_NEEDED;
    if (error)
        return place_failed(placer, entry, "could not set its owner, mode and time", error, err);
    placer->stats.kept++;
    return PLACED;
}

static int write_all(int fd, const uint8_t *data, size_t len, uint64_t at)
{
    while (len) {
        ssize_t done = pwrite(fd, data, len, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        data += done;
        at += (uint64_t)done;
        len -= (size_t)done;
    }
    return 0;
}

static bool is_zero(const uint8_t *data, size_t len)
{
    return data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

/* Writes all but blocks of zeros: the file has holes there. */
static int write_sparse(int fd, const uint8_t *data, size_t len, uint64_t at)
{
    size_t begin = 0; /* of the bytes to be written next */
    for (size_t pos = 0, block; pos < len; pos += block) {
        block = BLOCK - (at + pos) % BLOCK;
        if (block > len - pos)
            block = len - pos;
        if (!is_zero(data + pos, block))
            continue;
        int error = write_all(fd, data + begin, pos - begin, at + begin);
        if (error)
            return error;
        begin = pos + block;
    }
    return write_all(fd, data + begin, len - begin, at + begin);
}

/* The bytes of a part: given, or fetched. */
static int get_part(Placer *placer, PartReader *parts, const uint8_t *content, const uint8_t **ret, Error *cause)
{
    if (stop_check(cause) < 0)
        return -1;
    if (content) {
        *ret = content;
        return 0;
    }
    if (part_reader_next(parts, &placer->piece, cause) < 0)
        return -1;
    *ret = placer->piece.data;
    return 0;
}

static Placed write_parts(Placer *placer, int fd, const IndexEntry *entry, const uint8_t *content, PartReader *parts,
                          Error *err)
{
    uint64_t at = 0;
    for (size_t i = 0; i < entry->n_parts; i++) {
        const uint8_t *data;
        Error cause = ERROR_INIT;
        size_t len = entry->parts[i].length;
        if (get_part(placer, parts, content, &data, &cause) < 0)
            return place_content_missing(placer, entry, &cause, err);
        sha256_update(placer->hash, data, len);
        int error = write_sparse(fd, data, len, at);
        if (error)
            return place_failed(placer, entry, "could not write it", error, err);
        at += len;
    }
    return PLACED;
}

static Placed write_content(Placer *placer, int fd, const IndexEntry *entry, const uint8_t *content, Error *err)
{
    PartReader parts;
    part_reader_init(&parts, placer->repo, entry);
    Placed placed = write_parts(placer, fd, entry, content, &parts, err);
    part_reader_done(&parts);
    if (placer->piece.cap > PIECE_KEPT)
        buf_done(&placer->piece);
    if (placed == PLACED && ftruncate(fd, (off_t)entry->size) < 0)
        return place_failed(placer, entry, "could not write it", errno, err);
    return placed;
}

/* Content and everything else that belongs to the file, under its temporary name. */
static Placed fill_temp(Placer *placer, int fd, const IndexEntry *entry, const uint8_t *content, Error *err)
{
    char hex[SHA256_HEX_SIZE];
    struct stat st;
    Placed placed = write_content(placer, fd, entry, content, err);
    sha256_finish_hex(placer->hash, hex);
    if (placed != PLACED)
        return placed;
    if (strcmp(hex, entry->hash) != 0) {
        Error cause = ERROR_INIT;
        error_set(&cause, ERR_CORRUPT, "its content in the repository does not match its hash");
        return place_content_missing(placer, entry, &cause, err);
    }
    int error = fstat(fd, &st) < 0 ? errno : place_set_facts(placer, fd, &st, entry);
    return error ? place_failed(placer, entry, "could not set its owner, mode and time", error, err) : PLACED;
}

/* Whether the name is still that of the open file. */
static bool is_named(int dir, const char *name, int fd)
{
    struct stat named, open;
    return fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &open) == 0 &&
           named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

/* Removes what a killed restore left under this name: a living one has a lock on it. */
static bool remove_leftover(int dir, const char *temp)
{
    _cleanup_close_ int fd = openat(dir, temp, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_named(dir, temp, fd) && unlinkat(dir, temp, 0) == 0;
}

static int create(int dir, const char *temp)
{
    return openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Creates a file for what will be called `name`. Its own name follows from that, so that the next restore meets what
 * this one leaves when it is killed; should somebody else be at it, another one is taken. -1 with errno. */
static int create_temp(int dir, const char *name, char temp[TEMP_NAME_SIZE])
{
    snprintf(temp, TEMP_NAME_SIZE, TEMP_PREFIX "%016jx", (uintmax_t)path_hash(name));
    for (int attempt = 0; attempt < 2; attempt++) {
        int fd = create(dir, temp);
        if (fd < 0 && errno != EEXIST)
            return -1;
        if (fd < 0 && !remove_leftover(dir, temp))
            break;
        if (fd < 0)
            continue;
        /* A file system without locks has none that could be taken for left over. */
        if ((flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && is_named(dir, temp, fd))
            return fd;
        close(fd);
    }
    place_temp_name(temp);
    return create(dir, temp);
}

Placed place_file(Placer *placer, const IndexEntry *entry, const uint8_t *content, Error *err)
{
    int dir;
    const char *name;
    char temp[TEMP_NAME_SIZE];
    Placed placed = place_open_parent(placer, entry, NULL, &dir, &name, err);
    if (placed != PLACED)
        return placed;
    _cleanup_close_ int fd = create_temp(dir, name, temp);
    if (fd < 0)
        return place_failed(placer, entry, "could not create it", errno, err);
    placed = fill_temp(placer, fd, entry, content, err);
    if (placed == PLACED && renameat(dir, temp, dir, name) < 0)
        placed = place_failed(placer, entry, "could not give it its name", errno, err);
    if (placed != PLACED) {
        unlinkat(dir, temp, 0);
        return placed;
    }
    placer->stats.written++;
    placer->stats.written_bytes += entry->size;
    return PLACED;
}

/* Opens what a hard link points to, if that is a file with the recorded content; -1 otherwise. *ret_dir and *ret_name
 * say where it is. */
static int open_target(Placer *placer, const IndexEntry *entry, struct stat *st, int *ret_dir, const char **ret_name)
{
    bool right = false;
    if (tree_parent(&placer->target_tree, entry->target, NULL, ret_dir, ret_name) != 0)
        return -1;
    int fd = openat(*ret_dir, *ret_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && (uint64_t)st->st_size == entry->size)
        has_content(placer, fd, st, entry, &right);
    if (right)
        return fd;
    close(fd);
    return -1;
}

static int link_by_rename(int target_dir, const char *target, int dir, const char *name)
{
    char temp[TEMP_NAME_SIZE];
    place_temp_name(temp);
    if (linkat(target_dir, target, dir, temp, 0) < 0)
        return errno;
    if (renameat(dir, temp, dir, name) == 0)
        return 0;
    int error = errno;
    unlinkat(dir, temp, 0);
    return error;
}

Placed place_hard_link(Placer *placer, const IndexEntry *entry, Error *err)
{
    int dir, target_dir;
    const char *name, *target;
    struct stat st, target_st;
    Placed placed = place_open_parent(placer, entry, NULL, &dir, &name, err);
    if (placed != PLACED)
        return placed;
    bool exists = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && !S_ISREG(st.st_mode))
        return place_in_the_way(placer, entry);
    _cleanup_close_ int fd = open_target(placer, entry, &target_st, &target_dir, &target);
    if (fd < 0) {
        notices_add(placer->notices, FINDING_ERROR, "restore-failed",
                    "Restore the file that it is a further name of as well.", entry->path, "was not restored",
                    "the file that it is a hard link to is not there as it was");
        return PLACE_REFUSED;
    }
    if (exists && st.st_dev == target_st.st_dev && st.st_ino == target_st.st_ino) {
        placer->stats.kept++;
        return PLACED;
    }
    int error = link_by_rename(target_dir, target, dir, name);
    if (error)
        return place_failed(placer, entry, "could not link it", error, err);
    placer->stats.written++;
    return PLACED;
}
