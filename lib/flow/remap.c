/* kura remap: an archive again, under a role map. What is new is its TOC; the data is copied as it is. The result gets
 * its name when it is complete and was read back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archivefile.h"
#include "copyfile.h"
#include "flow_priv.h"
#include "kura/export.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "maptoc.h"
#include "rmtree.h"

DEFINE_CLEANUP(Toc, toc_free)

/* Data stays behind the TOC, which changed its length. How long a TOC is does not depend on the offsets in it. */
static int move_offsets(Toc *toc, size_t old_len, size_t new_len, Error *err)
{
    for (size_t i = 0; i < toc->n_entries; i++) {
        TocEntry *entry = &toc->entries[i];
        if (entry->offset_flag != OFFSET_SET)
            continue;
        if (entry->offset < old_len || entry->offset > INT64_MAX)
            return error_set(err, ERR_CORRUPT, "entry %d has its data at byte %ju, which cannot be", entry->dump_id,
                             (uintmax_t)entry->offset);
        entry->offset += new_len - old_len;
        if (toc->off_size < sizeof entry->offset && entry->offset >> (8 * toc->off_size) != 0)
            return error_set(err, ERR_UNSUPPORTED, "data at byte %ju cannot be told in %u bytes",
                             (uintmax_t)entry->offset, toc->off_size);
    }
    return 0;
}

static int format_custom(Toc *toc, size_t old_len, Buf *ret, Error *err)
{
    if (toc_write(toc, TOC_CUSTOM, ret, err) < 0 || move_offsets(toc, old_len, ret->len, err) < 0)
        return -1;
    buf_clear(ret);
    return toc_write(toc, TOC_CUSTOM, ret, err);
}

static int write_custom(const ArchiveFile *in, size_t old_len, const Buf *head, int fd, Error *err)
{
    if (fchmod(fd, in->st.st_mode & 0777) < 0)
        return error_errno(err, errno, "setting the mode");
    if (write_fully(fd, head->data, head->len, err) < 0 ||
        copyfile(in->fd, (off_t)old_len, in->st.st_size, fd, err) < 0)
        return -1;
    return fsync(fd) < 0 ? error_errno(err, errno, "writing to disk") : 0;
}

static int copy_member(int in_dir, const char *name, int out_dir, Error *err)
{
    _cleanup_close_ int in = openat(in_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if ((in < 0 && errno == ELOOP) || (in >= 0 && fstat(in, &st) == 0 && !S_ISREG(st.st_mode))) {
        error_set(err, ERR_UNSUPPORTED, "it is not a regular file");
        return error_hint(err,
                          "An archive in directory format has only regular files in it: move this one away, or put "
                          "the file that a link points to in its place.");
    }
    if (in < 0)
        return error_errno(err, errno, "opening");
    _cleanup_close_ int out = openat(out_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (out < 0)
        return error_errno(err, errno, "creating");
    if (copyfile(in, 0, st.st_size, out, err) < 0)
        return -1;
    return fchmod(out, st.st_mode & 0777) < 0 ? error_errno(err, errno, "setting the mode") : 0;
}

static int copy_members(const ArchiveFile *in, DIR *stream, int out_dir, Error *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL && errno != 0)
            return error_errno(err, errno, "reading the directory \"%s\"", in->path);
        if (entry == NULL)
            return 0;
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "toc.dat") == 0)
            continue;
        if (copy_member(in->fd, name, out_dir, err) < 0)
            return error_wrap(err, "\"%s/%s\"", in->path, name);
    }
}

/* pg_restore would follow a name out of the directory. */
static int check_filenames(const Toc *toc, Error *err)
{
    for (size_t i = 0; i < toc->n_entries; i++) {
        const char *name = toc->entries[i].filename;
        if (name && strchr(name, '/'))
            return error_set(err, ERR_CORRUPT, "entry %d has its data in \"%s\", outside of the archive",
                             toc->entries[i].dump_id, name);
    }
    return 0;
}

static int write_directory(const ArchiveFile *in, const Buf *head, const char *dir, Error *err)
{
    _cleanup_close_ int out = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int list = fcntl(in->fd, F_DUPFD_CLOEXEC, 0);
    DIR *stream = list < 0 ? NULL : fdopendir(list);
    if (out < 0 || stream == NULL) {
        error_errno(err, errno, "opening a directory");
        close_fd(&list);
        return -1;
    }
    int rc = copy_members(in, stream, out, err);
    closedir(stream);
    _cleanup_free_ char *toc_path = xasprintf("%s/toc.dat", dir);
    if (rc < 0 || flow_write_file(toc_path, head, err) < 0)
        return -1;
    if (fchmod(out, (in->st.st_mode & 0777) | 0700) < 0 || syncfs(out) < 0)
        return error_errno(err, errno, "writing to disk");
    return 0;
}

/* Reads back what was written: the TOC must say what was meant. */
static int check_written(const char *path, const Buf *head, Error *err)
{
    _cleanup_(toc_free_cleanup) Toc *toc = NULL;
    _cleanup_(buf_done) Buf again = BUF_INIT(SIZE_MAX);
    size_t used;
    if (archive_open_toc(path, &toc, &used, err) < 0 || toc_write(toc, toc->format, &again, err) < 0)
        return error_wrap(err, "reading it back");
    if (used != head->len || again.len != head->len || memcmp(again.data, head->data, head->len) != 0)
        return error_set(err, ERR_FAILED, "what was read back is not what was written");
    return 0;
}

/* Gives path its name unless something has that name already. Not every file system (NFS among them) can say so in one
 * call; then the name is taken first, by a link or by an empty directory that rename() replaces. */
static int publish(const char *path, const char *name, bool directory)
{
    if (renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (!directory)
        return link(path, name) < 0 ? -1 : unlink(path);
    if (mkdir(name, 0700) < 0)
        return -1;
    if (rename(path, name) == 0)
        return 0;
    int saved = errno;
    rmdir(name);
    errno = saved;
    return -1;
}

static int exists(const char *out, Error *err)
{
    error_set(err, ERR_EXISTS, "\"%s\" exists already", out);
    return error_hint(err, "Name a file that does not exist yet; nothing is overwritten.");
}

/* Writes the archive under a name of its own in OUT's directory, and renames it when all went well. */
static int write_archive(const ArchiveFile *in, size_t old_len, const Buf *head, const char *out, Error *err)
{
    const char *slash = strrchr(out, '/');
    _cleanup_free_ char *path = xasprintf("%.*s.kura-XXXXXX", slash ? (int)(slash - out + 1) : 0, out);
    _cleanup_close_ int fd = in->directory ? -1 : mkostemp(path, O_CLOEXEC);
    if (in->directory ? mkdtemp(path) == NULL : fd < 0)
        return error_errno(err, errno, "making a temporary name beside \"%s\"", out);
    int rc = in->directory ? write_directory(in, head, path, err) : write_custom(in, old_len, head, fd, err);
    if (rc == 0)
        rc = check_written(path, head, err);
    if (rc == 0)
        rc = stop_check(err);
    if (rc < 0)
        error_wrap(err, "writing \"%s\"", out);
    else if (publish(path, out, in->directory) < 0)
        rc = errno == EEXIST || errno == ENOTEMPTY ? exists(out, err) : error_errno(err, errno, "creating \"%s\"", out);
    if (rc < 0 && in->directory)
        rmtree(path, false);
    else if (rc < 0)
        unlink(path);
    return rc;
}

static int remap(const ArchiveFile *in, const char *out, const RoleMap *map, RoleUses *ret, Findings *findings,
                 Error *err)
{
    _cleanup_(toc_free_cleanup) Toc *toc = NULL;
    _cleanup_(roleuses_done) RoleUses uses = {0};
    _cleanup_(buf_done) Buf head = BUF_INIT(SIZE_MAX);
    size_t old_len;
    if (archivefile_read_toc(in, &toc, &old_len, err) < 0 || check_filenames(toc, err) < 0 ||
        maptoc(map, NULL, toc, &uses, findings, err) < 0)
        return -1;
    if ((in->directory ? toc_write(toc, TOC_DIRECTORY, &head, err) : format_custom(toc, old_len, &head, err)) < 0)
        return error_wrap(err, "\"%s\"", in->path);
    if (write_archive(in, old_len, &head, out, err) < 0)
        return -1;
    *ret = uses;
    uses = (RoleUses){0};
    return 0;
}

int remap_run(const char *archive, const char *out, const RoleMap *map, RoleUses *ret, Findings *findings, Error *err)
{
    size_t len = strlen(out);
    while (len > 1 && out[len - 1] == '/')
        len--;
    _cleanup_free_ char *name = xstrndup(out, len);
    struct stat st;
    if (lstat(name, &st) == 0)
        return exists(name, err);
    _cleanup_(archivefile_done) ArchiveFile in = ARCHIVEFILE_INIT;
    return archivefile_open(&in, archive, err) < 0 ? -1 : remap(&in, name, map, ret, findings, err);
}
