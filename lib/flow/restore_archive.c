/* The data of an archive that somebody else made goes through pg_restore: a directory's files as they are, a custom
 * archive through a pipe, with the mapped TOC in front of its unchanged data. Nothing is staged on disk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copyfile.h"
#include "flow_priv.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "restore_priv.h"

#define TOC_MAX (2ull * 1024 * 1024 * 1024)

static int write_all(int fd, const void *data, size_t len, Error *err)
{
    enum { TICK_MS = 100 };
    for (const char *at = data, *end = at + len; at < end;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
        int ready = poll(&poll_fd, 1, TICK_MS);
        if (stop_check(err) < 0)
            return -1;
        if (ready <= 0)
            continue;
        ssize_t n = write(fd, at, (size_t)(end - at));
        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "writing to pg_restore");
        at += n > 0 ? n : 0;
    }
    return 0;
}

/* The pipe takes pieces no larger than its buffer, so that a stop is seen even when pg_restore does not read. */
static int feed_custom(void *ctx, int fd, Error *err)
{
    enum { PIECE = 4096 };
    Restore *restore = ctx;
    _cleanup_(buf_done) Buf head = BUF_INIT(TOC_MAX);
    if (toc_write(restore->toc, TOC_CUSTOM, &head, err) < 0)
        return -1;
    for (size_t at = 0; at < head.len; at += PIECE)
        if (write_all(fd, head.data + at, head.len - at < PIECE ? head.len - at : PIECE, err) < 0)
            return -1;
    _cleanup_close_ int in = open(restore->archive, O_RDONLY | O_CLOEXEC);
    if (in < 0 || lseek(in, (off_t)restore->archive_head, SEEK_SET) < 0)
        return error_errno(err, errno, "reading \"%s\"", restore->archive);
    char chunk[PIECE];
    ssize_t n;
    while ((n = read(in, chunk, sizeof chunk)) > 0) {
        if (write_all(fd, chunk, (size_t)n, err) < 0)
            return -1;
        progress_add(restore->progress, (uint64_t)n, 0);
    }
    return n < 0 ? error_errno(err, errno, "reading \"%s\"", restore->archive) : 0;
}

/* Only names that pg_dump gives to data files: digits.dat*, blob_digits.dat*, blobs*.toc. */
static bool is_data_file(const char *name)
{
    size_t len = strlen(name);
    const char *digits = strncmp(name, "blob_", 5) == 0 ? name + 5 : name;
    size_t n = strspn(digits, "0123456789");
    return (n > 0 && strncmp(digits + n, ".dat", 4) == 0) ||
           (strncmp(name, "blobs", 5) == 0 && len > 4 && strcmp(name + len - 4, ".toc") == 0);
}

/* pg_restore reads regular files only. A hard link costs nothing; on another file system the file is copied. */
static int place_data_file(const char *from, const char *to, Error *err)
{
    if (link(from, to) == 0)
        return 0;
    _cleanup_close_ int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (in < 0 || fstat(in, &st) < 0)
        return error_errno(err, errno, "opening \"%s\"", from);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_UNSUPPORTED, "\"%s\" is not a regular file", from);
    _cleanup_close_ int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0)
        return error_errno(err, errno, "creating \"%s\"", to);
    return copyfile(in, 0, st.st_size, out, err);
}

static int place_data_files(Restore *restore, Error *err)
{
    DIR *dir = opendir(restore->archive);
    if (dir == NULL)
        return error_errno(err, errno, "reading directory \"%s\"", restore->archive);
    int rc = 0;
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir));) {
        if (!is_data_file(entry->d_name))
            continue;
        _cleanup_free_ char *from = xasprintf("%s/%s", restore->archive, entry->d_name);
        _cleanup_free_ char *to = xasprintf("%s/%s", restore->workdir, entry->d_name);
        rc = place_data_file(from, to, err);
    }
    closedir(dir);
    return rc;
}

int load_archive(Restore *restore, Error *err)
{
    if (restore->toc->format == TOC_CUSTOM)
        return pgrestore_run(restore, &(PgRestoreRun){.section = "data", .feed = feed_custom, .ctx = restore}, err);
    if (place_data_files(restore, err) < 0)
        return -1;
    return pgrestore_run(restore, &(PgRestoreRun){.section = "data", .jobs = flow_load_jobs(restore->options->jobs)},
                         err);
}
