/* kura backup: freeze, rows, filesets, commit. Until the manifest is written there is no backup. */
#include "kura/backup.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "application.h"
#include "flow_priv.h"
#include "freeze.h"
#include "kura/cache.h"
#include "kura/clock.h"
#include "kura/fileset.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/repokeys.h"
#include "previous.h"
#include "redisdump.h"
#include "rows.h"

#define MIB (1024ull * 1024)
/* Uploaders wait for the disk, or the network, more than they compute. */
enum { UPLOAD_THREADS_LOCAL = 4, UPLOAD_THREADS_REMOTE = 8 };
/* What fits into 256 MiB: a reader of files fills a pack and a chunk, 35 MiB in all; blobs that wait or are being sent
 * get the rest, as far as the threads can use it; 64 MiB are left for everything else. */
#define UPLOAD_BYTES_MIN (48 * MIB)
#define UPLOAD_BYTES_A_THREAD (24 * MIB)
#define READER_BYTES (35 * MIB)
#define MEDIA_BYTES (192 * MIB)

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
    if (rc == 0 && manifest->application)
        rc = application_stamp_schema(manifest->application, options->site, freeze.leader, findings, err);
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

static int backup_filesets(Repo *repo, Uploader *uploader, const BackupOptions *options, const Previous *previous,
                           Manifest *manifest, Findings *findings, Progress *progress, Error *err)
{
    manifest->filesets = xcalloc(options->n_files + 1, sizeof *manifest->filesets);
    for (size_t i = 0; i < options->n_files; i++) {
        const struct BackupFiles *files = &options->files[i];
        FilesetSpec spec = {.name = files->name,
                            .dir = files->dir,
                            .include = files->only ? files->only : &options->include,
                            .exclude = &options->exclude,
                            .refetchable = files->refetchable,
                            .exclude_caches = options->exclude_caches,
                            .one_file_system = options->one_file_system};
        const ManifestFileset *before = previous_fileset(previous, spec.name);
        progress_phase(progress, spec.name, before ? before->bytes : 0);
        if (fileset_backup(&spec, repo, uploader, before, flow_jobs(options->jobs), &manifest->filesets[i], findings,
                           progress, err) < 0)
            return error_wrap(err, "fileset \"%s\"", spec.name);
        manifest->n_filesets++;
    }
    return redis_backup(repo, uploader, options, manifest, findings, progress, err);
}

static void add_warnings(Manifest *manifest, const Findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->v[i].severity >= FINDING_WARNING)
            strvec_push(&manifest->warnings, findings->v[i].message);
}

static void describe(Manifest *manifest, const BackupOptions *options, const char *app)
{
    manifest->app = xstrdup(app);
    manifest->host = host_name();
    manifest->system = xcalloc(1, sizeof *manifest->system);
    hostfacts_read(NULL, manifest->system);
    manifest->kura_version = xstrdup(KURA_VERSION);
    manifest->started = now_text();
    if (options->site)
        manifest->application = application_stamp(options->site);
    for (size_t i = 0; i < options->tags.n; i++)
        strvec_push(&manifest->tags, options->tags.v[i]);
}

static void identify(const Repo *repo, Manifest *manifest, const Previous *previous, Findings *findings)
{
    const char *ahead;
    manifest->id = manifest_next_id(repo, manifest->app, &previous->names, &ahead);
    if (ahead)
        findings_add(
            findings, FINDING_WARNING, "backup-ahead",
            "Set this clock if it is behind. If it is right, \"latest\" means that backup until its moment has "
            "come: name backups by their ids, or remove it.",
            "backup %s is from the future by the clock of this host", ahead);
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

static Uploader *new_uploader(Repo *repo, const BackupOptions *options)
{
    size_t threads = store_is_remote(repo_store(repo)) ? UPLOAD_THREADS_REMOTE : UPLOAD_THREADS_LOCAL;
    uint64_t readers = flow_jobs(options->jobs) * READER_BYTES, bytes = threads * UPLOAD_BYTES_A_THREAD;
    uint64_t room = readers + UPLOAD_BYTES_MIN < MEDIA_BYTES ? MEDIA_BYTES - readers : UPLOAD_BYTES_MIN;
    Uploader *uploader = uploader_new(repo, threads, bytes < room ? bytes : room);
    if (options->ask_always)
        uploader_distrust(uploader);
    return uploader;
}

static int fill(Repo *repo, const BackupOptions *options, Previous *previous, Manifest *manifest, Findings *findings,
                Progress *progress, Error *err)
{
    Uploader *uploader = new_uploader(repo, options);
    UploadTotals totals = {0};
    int rc = previous_find(repo, uploader, manifest->app, options, previous, findings, err);
    if (rc == 0)
        identify(repo, manifest, previous, findings);
    if (rc == 0 && options->db)
        rc = backup_database(repo, uploader, options, manifest, findings, progress, err);
    if (rc == 0)
        rc = backup_filesets(repo, uploader, options, previous, manifest, findings, progress, err);
    if (rc == 0) {
        progress_phase(progress, "store", 0);
        rc = uploader_finish(uploader, &totals, err);
    }
    uploader_free(uploader);
    manifest->stored_new = totals.new_bytes;
    manifest->stored_all = totals.all_bytes;
    return rc;
}

/* Whatever removes blobs waits for our lock: without it those that were not sent may be gone. */
static int commit(Repo *repo, RepoLock *lock, Manifest *manifest, const Findings *findings, Error *err)
{
    add_warnings(manifest, findings);
    manifest->finished = now_text();
    return flow_commit(repo, lock, manifest, err);
}

static int run_locked(Repo *repo, const BackupOptions *options, RepoLock *lock, Manifest *manifest, Findings *findings,
                      Progress *progress, Error *err)
{
    Previous previous = {0};
    Error trouble = ERROR_INIT;
    int rc = fill(repo, options, &previous, manifest, findings, progress, err);
    if (rc == 0)
        rc = commit(repo, lock, manifest, findings, err);
    if (rc == 0 && cache_commit(repo_cache(repo), manifest, &previous.names, &trouble) < 0)
        log_warning("%s: the next backup will have more to do", trouble.message);
    previous_done(&previous);
    return rc;
}

/* It spares round trips, is all there is where this host cannot read what it stored, and everywhere a second copy of
 * the indexes for repair-repository. */
static Cache *open_cache(Repo *repo, const BackupOptions *options, const char *app)
{
    Cache *cache;
    Error why = ERROR_INIT;
    if (options->cache_dir == NULL)
        return NULL;
    if (cache_open(options->cache_dir, repo, app, &cache, &why) == 0)
        return cache;
    log_warning("%s", why.message);
    return NULL;
}

static int run(Repo *repo, const BackupOptions *options, const char *app, Manifest *manifest, Findings *findings,
               Progress *progress, Error *err)
{
    RepoLock *lock;
    if (repo_lock_app(repo, "backup", app, &lock, err) < 0)
        return -1;
    describe(manifest, options, app);
    Cache *cache = open_cache(repo, options, app);
    repo_set_cache(repo, cache);
    int rc = run_locked(repo, options, lock, manifest, findings, progress, err);
    repo_set_cache(repo, NULL);
    cache_close(cache);
    repo_unlock(lock);
    return rc;
}

static int check_names(const BackupOptions *options, Error *err)
{
    for (size_t i = 0; options->n_redis > 0 && i < options->n_files; i++)
        if (strcmp(options->files[i].name, REDIS_FILESET) == 0) {
            error_set(err, ERR_USAGE, "two filesets would be called \"%s\"", REDIS_FILESET);
            return error_hint(err, "Give the directory another name: --redis makes the fileset of that name.");
        }
    return 0;
}

int backup_run(Repo *repo, const BackupOptions *options, Manifest **ret, Findings *findings, Progress *progress,
               Error *err)
{
    if (options->db == NULL && options->n_files == 0) {
        error_set(err, ERR_USAGE, "nothing to back up");
        return error_hint(err, "Give a database with --db CONNINFO, directories with --files NAME=DIR, or both.");
    }
    if (check_names(options, err) < 0)
        return -1;
    _cleanup_free_ char *from_db = options->app || options->db == NULL ? NULL : database_name(options, err);
    if (options->app == NULL && options->db && from_db == NULL)
        return -1;
    const char *app = options->app ? options->app : from_db ? from_db : options->files[0].name;
    Manifest *manifest = manifest_new();
    if (run(repo, options, app, manifest, findings, progress, err) < 0) {
        manifest_free(manifest);
        return -1;
    }
    *ret = manifest;
    return 0;
}
