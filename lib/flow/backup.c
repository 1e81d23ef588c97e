/* kura backup: freeze, rows, filesets, commit. Until the manifest is written there is no backup. */
#include "kura/backup.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "flow_priv.h"
#include "freeze.h"
#include "kura/clock.h"
#include "kura/fileset.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "rows.h"

#define UPLOAD_QUEUE_BYTES (32ull * 1024 * 1024)
enum { UPLOAD_THREADS = 4 }; /* they wait for the disk, or the network, more than they compute */

static char *now_text(void)
{
    char text[32];
    clock_format_utc(time(NULL), text, sizeof text);
    return xstrdup(text);
}

static char *host_name(void)
{
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    return xstrdup(name[0] ? name : "localhost");
}

static int backup_database(Repo *repo, Uploader *uploader, const BackupOptions *options, Manifest *manifest,
                           Findings *findings, Progress *progress, Error *err)
{
    ManifestDatabase *database = &manifest->database;
    Freeze freeze = {0};
    progress_phase(progress, "snapshot", 0);
    int rc = freeze_begin(options, &freeze, findings, err);
    if (rc == 0) {
        log_info("backing up %s (PostgreSQL %s) with pg_dump %s", pg_where(freeze.leader), freeze.facts.server_version,
                 freeze.tools.version);
        database->pg_dump_version = xstrdup(freeze.tools.version);
        database->snapshot = xstrdup(freeze.snapshot);
        rc = rows_list(&freeze, database, err);
    }
    if (rc == 0)
        rc = options->pg_dump_stream
                 ? rows_from_stream(&freeze, repo, uploader, database, progress, err)
                 : rows_copy(&freeze, options, flow_jobs(options->jobs), repo, uploader, database, progress, err);
    if (rc == 0)
        rc = freeze_end(&freeze, err);
    if (rc == 0)
        rc = flow_store_toc(repo, uploader, &freeze.toc_raw, database, err);
    if (rc == 0) {
        manifest->has_database = true;
        database->facts = freeze.facts;
        freeze.facts = (DbFacts){0};
    }
    freeze_done(&freeze);
    return rc;
}

/* The fileset of that name in the newest backup of the same application, so that what did not change is not read again.
 */
static int find_previous(Repo *repo, const char *app, const char *name, Manifest **ret_manifest,
                         const ManifestFileset **ret, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0};
    *ret_manifest = NULL;
    *ret = NULL;
    if (manifest_list(repo, &ids, err) < 0)
        return -1;
    for (size_t i = ids.n; i-- > 0;) {
        Manifest *manifest;
        Error damaged = ERROR_INIT;
        if (manifest_load(repo, ids.v[i], &manifest, &damaged) < 0) {
            if (damaged.code == ERR_KEY) { /* as it should be on a host that backs up: it can read no backup */
                log_info("earlier backups are encrypted: all files of \"%s\" are read again", name);
                return 0;
            }
            log_warning("passing over backup \"%s\": %s", ids.v[i], damaged.message);
            continue;
        }
        for (size_t j = 0; j < manifest->n_filesets && strcmp(manifest->app, app) == 0; j++)
            if (strcmp(manifest->filesets[j].name, name) == 0) {
                *ret_manifest = manifest;
                *ret = &manifest->filesets[j];
                return 0;
            }
        manifest_free(manifest);
    }
    return 0;
}

static int backup_filesets(Repo *repo, Uploader *uploader, const BackupOptions *options, Manifest *manifest,
                           Findings *findings, Progress *progress, Error *err)
{
    manifest->filesets = xcalloc(options->n_files, sizeof *manifest->filesets);
    for (size_t i = 0; i < options->n_files; i++) {
        FilesetSpec spec = {.name = options->files[i].name,
                            .dir = options->files[i].dir,
                            .include = &options->include,
                            .exclude = &options->exclude};
        Manifest *previous;
        const ManifestFileset *previous_fileset;
        if (find_previous(repo, manifest->app, spec.name, &previous, &previous_fileset, err) < 0)
            return -1;
        progress_phase(progress, spec.name, previous_fileset ? previous_fileset->bytes : 0);
        int rc = fileset_backup(&spec, repo, uploader, previous_fileset, flow_jobs(options->jobs),
                                &manifest->filesets[i], findings, progress, err);
        manifest_free(previous);
        if (rc < 0)
            return error_wrap(err, "fileset \"%s\"", spec.name);
        manifest->n_filesets++;
    }
    return 0;
}

static void add_warnings(Manifest *manifest, const Findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->v[i].severity >= FINDING_WARNING)
            strvec_push(&manifest->warnings, findings->v[i].message);
}

static void describe(const Repo *repo, Manifest *manifest, const BackupOptions *options, const char *app)
{
    manifest->app = xstrdup(app);
    manifest->id = manifest_new_id(repo, app);
    manifest->host = host_name();
    manifest->kura_version = xstrdup(KURA_VERSION);
    manifest->started = now_text();
    for (size_t i = 0; i < options->tags.n; i++)
        strvec_push(&manifest->tags, options->tags.v[i]);
}

static char *database_name(const BackupOptions *options, Error *err)
{
    PgConn *conn;
    if (pg_connect(options->db, &(PgOptions){0}, &conn, err) < 0)
        return NULL;
    char *name = xstrdup(pg_dbname(conn));
    pg_close(conn);
    return name;
}

static int fill(Repo *repo, const BackupOptions *options, Manifest *manifest, Findings *findings, Progress *progress,
                Error *err)
{
    Uploader *uploader = uploader_new(repo, UPLOAD_THREADS, UPLOAD_QUEUE_BYTES);
    UploadTotals totals = {0};
    int rc = 0;
    if (options->db)
        rc = backup_database(repo, uploader, options, manifest, findings, progress, err);
    if (rc == 0)
        rc = backup_filesets(repo, uploader, options, manifest, findings, progress, err);
    if (rc == 0) {
        progress_phase(progress, "store", 0);
        rc = uploader_finish(uploader, &totals, err);
    }
    uploader_free(uploader);
    manifest->stored_new = totals.new_bytes;
    manifest->stored_all = totals.bytes;
    return rc;
}

int backup_run(Repo *repo, const BackupOptions *options, Manifest **ret, Findings *findings, Progress *progress,
               Error *err)
{
    if (options->db == NULL && options->n_files == 0) {
        error_set(err, ERR_USAGE, "nothing to back up");
        return error_hint(err, "Give a database with --db CONNINFO, directories with --files NAME=DIR, or both.");
    }
    _cleanup_free_ char *from_db = options->app || options->db == NULL ? NULL : database_name(options, err);
    if (options->app == NULL && options->db && from_db == NULL)
        return -1;
    const char *app = options->app ? options->app : from_db ? from_db : options->files[0].name;
    RepoLock *lock;
    if (repo_lock(repo, false, "backup", &lock, err) < 0)
        return -1;
    Manifest *manifest = manifest_new();
    describe(repo, manifest, options, app);
    int rc = fill(repo, options, manifest, findings, progress, err);
    if (rc == 0) {
        add_warnings(manifest, findings);
        manifest->finished = now_text();
        rc = stop_check(err) < 0 ? -1 : manifest_commit(repo, manifest, err);
    }
    repo_unlock(lock);
    if (rc < 0) {
        manifest_free(manifest);
        return -1;
    }
    *ret = manifest;
    return 0;
}
