/* kura export: standard files that need no kura any more. */
#include "kura/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export_priv.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "maptoc.h"
#include "outfile.h"
#include "rmtree.h"

enum { README_MAX = 16 * 1024 * 1024 };

DEFINE_CLEANUP(Toc, toc_free)

int export_write(Export *export, const char *name, const void *data, size_t len, Error *err)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", export->dir, name);
    _cleanup_(outfile_done) OutFile file = OUTFILE_INIT;
    char hex[SHA256_HEX_SIZE];
    if (outfile_open(&file, path, err) < 0 || outfile_write(&file, data, len, err) < 0 ||
        outfile_close(&file, hex, err) < 0)
        return -1;
    sums_add(&export->sums, name, hex);
    return 0;
}

static int export_database(Export *export, const Toc *toc, Error *err)
{
    _cleanup_free_ char *dir = xasprintf("%s/database", export->dir);
    if (mkdir(dir, 0700) < 0)
        return error_errno(err, errno, "making the directory \"%s\"", dir);
    _cleanup_(buf_done) Buf raw = BUF_INIT(SIZE_MAX);
    if (toc_write(toc, TOC_DIRECTORY, &raw, err) < 0 ||
        export_write(export, "database/toc.dat", raw.data, raw.len, err) < 0)
        return error_wrap(err, "writing the table of contents");
    return export_tables(export, toc, err) < 0 ? -1 : export_large_objects(export, toc, err);
}

static int export_manifest(Export *export, Error *err)
{
    json_t *json = manifest_to_json(export->manifest);
    char *text = json_dumps(json, JSON_INDENT(2));
    json_decref(json);
    if (text == NULL)
        return error_set(err, ERR_FAILED, "the manifest cannot be written as JSON");
    int rc = export_write(export, "manifest.json", text, strlen(text), err);
    free(text);
    return rc;
}

/* What is not in the data files: told once, then everything reaches the disk. */
static int finish(Export *export, const Toc *toc, const RoleUses *uses, Error *err)
{
    _cleanup_(buf_done) Buf readme = BUF_INIT(README_MAX);
    if (export_readme(export, toc, uses, &readme, err) < 0 ||
        export_write(export, "RESTORE.txt", readme.data, readme.len, err) < 0 || export_manifest(export, err) < 0 ||
        export_sums(export, err) < 0)
        return -1;
    progress_phase(export->progress, "sync", 0);
    _cleanup_close_ int fd = open(export->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) < 0)
        return error_errno(err, errno, "writing \"%s\" to disk", export->dir);
    return stop_check(err);
}

static int export_all(Export *export, Toc *toc, const RoleUses *uses, Error *err)
{
    if (toc != NULL && export_database(export, toc, err) < 0)
        return -1;
    return export_filesets(export, err) < 0 ? -1 : finish(export, toc, uses, err);
}

/* Makes dir, or makes sure that it is empty. */
static int take_directory(const char *dir, bool *ret_made, Error *err)
{
    *ret_made = mkdir(dir, 0700) == 0;
    if (*ret_made)
        return 0;
    if (errno != EEXIST)
        return error_errno(err, errno, "making the directory \"%s\"", dir);
    DIR *stream = opendir(dir);
    if (stream == NULL)
        return error_errno(err, errno, "opening the directory \"%s\"", dir);
    size_t entries = 0;
    while (readdir(stream) != NULL)
        entries++;
    closedir(stream);
    if (entries <= 2) /* "." and ".." */
        return 0;
    error_set(err, ERR_EXISTS, "directory \"%s\" is not empty", dir);
    return error_hint(err, "Name a directory that does not exist yet, or empty this one.");
}

int export_run(Repo *repo, const Manifest *manifest, const char *dir, ExportCompression compression, const RoleMap *map,
               Findings *findings, Progress *progress, Error *err)
{
    Export export = {.repo = repo,
                     .manifest = manifest,
                     .dir = dir,
                     .compression = compression,
                     .sums = SUMS_INIT,
                     .findings = findings,
                     .progress = progress};
    _cleanup_(toc_free_cleanup) Toc *toc = NULL;
    _cleanup_(roleuses_done) RoleUses uses = {0};
    if (manifest->has_database && (flow_load_toc(repo, &manifest->database, &toc, err) < 0 ||
                                   maptoc(map, &manifest->database.facts, toc, &uses, findings, err) < 0))
        return -1;
    bool made;
    if (take_directory(dir, &made, err) < 0)
        return -1;
    int rc = export_all(&export, toc, &uses, err);
    sums_done(&export.sums);
    if (rc < 0)
        rmtree(dir, !made);
    return rc;
}
