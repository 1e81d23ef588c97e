/* Filesets on their way out, and the list of sums. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export_priv.h"
#include "kura/fileset.h"
#include "kura/mem.h"
#include "kura/stop.h"

enum { JOBS = 2, HASH_CHUNK = 256 * 1024, LINE_MAX_LEN = 1024 * 1024 };

static int export_fileset(Export *export, const ManifestFileset *fileset, Error *err)
{
    _cleanup_free_ char *dir = xasprintf("%s/files/%s", export->dir, fileset->name);
    const FilesetRestoreOptions options = {.owners = geteuid() == 0, .jobs = JOBS};
    FilesetRestoreStats stats;
    size_t errors = findings_count(export->findings, FINDING_ERROR);
    progress_phase(export->progress, fileset->name, fileset->bytes);
    if (fileset_restore(export->repo, fileset, dir, &options, &stats, export->findings, export->progress, err) < 0)
        return error_wrap(err, "fileset \"%s\"", fileset->name);
    if (findings_count(export->findings, FINDING_ERROR) > errors)
        return error_set(err, ERR_FAILED, "fileset \"%s\" could not be written completely", fileset->name);
    return 0;
}

int export_filesets(Export *export, Error *err)
{
    if (export->manifest->n_filesets == 0)
        return 0;
    _cleanup_free_ char *files = xasprintf("%s/files", export->dir);
    if (mkdir(files, 0700) < 0)
        return error_errno(err, errno, "making the directory \"%s\"", files);
    for (size_t i = 0; i < export->manifest->n_filesets; i++)
        if (export_fileset(export, &export->manifest->filesets[i], err) < 0)
            return -1;
    return 0;
}

static int hash_file(const char *path, char ret_hex[SHA256_HEX_SIZE], Error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "opening \"%s\"", path);
    _cleanup_free_ char *chunk = xmalloc(HASH_CHUNK);
    Sha256 *hash = sha256_new();
    ssize_t n;
    while ((n = read(fd, chunk, HASH_CHUNK)) > 0)
        sha256_update(hash, chunk, (size_t)n);
    if (n == 0)
        sha256_finish_hex(hash, ret_hex);
    sha256_free(hash);
    return n == 0 ? 0 : error_errno(err, errno, "reading \"%s\"", path);
}

/* The index knows what every file's content is, proved when it was written; a hard link has to be looked at. */
static int sum_entry(const Export *export, const IndexEntry *entry, const char *name, Buf *line, Error *err)
{
    char hex[SHA256_HEX_SIZE];
    if (entry->type == 'h') {
        _cleanup_free_ char *path = xasprintf("%s/%s", export->dir, name);
        if (hash_file(path, hex, err) < 0)
            return -1;
    } else if (entry->hash[0]) {
        memcpy(hex, entry->hash, sizeof hex);
    } else {
        sha256_hex("", 0, hex);
    }
    return sums_format(name, hex, line, err);
}

static int sum_fileset(const Export *export, const ManifestFileset *fileset, IndexReader *reader, OutFile *file,
                       Error *err)
{
    _cleanup_(buf_done) Buf line = BUF_INIT(LINE_MAX_LEN);
    const IndexEntry *entry;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0) {
        if (entry->type != 'f' && entry->type != 'h')
            continue;
        _cleanup_free_ char *name = xasprintf("files/%s/%s", fileset->name, entry->path);
        buf_clear(&line);
        if (stop_check(err) < 0 || sum_entry(export, entry, name, &line, err) < 0 ||
            outfile_write(file, line.data, line.len, err) < 0)
            return -1;
    }
    return rc;
}

static int write_sums(Export *export, OutFile *file, Error *err)
{
    if (sums_write(&export->sums, file, err) < 0)
        return -1;
    for (size_t i = 0; i < export->manifest->n_filesets; i++) {
        const ManifestFileset *fileset = &export->manifest->filesets[i];
        IndexReader *reader = index_reader_new(export->repo, fileset);
        int rc = sum_fileset(export, fileset, reader, file, err);
        index_reader_free(reader);
        if (rc < 0)
            return error_wrap(err, "fileset \"%s\"", fileset->name);
    }
    return 0;
}

int export_sums(Export *export, Error *err)
{
    _cleanup_free_ char *path = xasprintf("%s/SHA256SUMS", export->dir);
    _cleanup_(outfile_done) OutFile file = OUTFILE_INIT;
    char own[SHA256_HEX_SIZE];
    if (outfile_open(&file, path, err) < 0 || write_sums(export, &file, err) < 0)
        return -1;
    return outfile_close(&file, own, err);
}
