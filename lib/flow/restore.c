/* kura restore, step by step. The database is built beside its name and gets it last: until then whatever goes wrong
 * leaves the server as it was. */
#include "kura/restore.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow_priv.h"
#include "kura/app.h"
#include "kura/clock.h"
#include "kura/export.h"
#include "kura/fileset.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "redisdump.h"
#include "restore_priv.h"

void restore_report_done(RestoreReport *report)
{
    free(report->database);
    free(report->replaced);
    roleuses_done(&report->roles);
    free(report->app_role);
    free(report->files);
    *report = (RestoreReport){0};
}

void restore_phase(Restore *restore, const char *name)
{
    RestoreReport *report = restore->report;
    double now = clock_monotonic();
    if (report->n_phases > 0) {
        struct RestorePhase *last = &report->phases[report->n_phases - 1];
        if (last->seconds < 0)
            last->seconds += now;
    }
    if (name == NULL || report->n_phases == ARRAY_SIZE(report->phases))
        return;
    report->phases[report->n_phases++] = (struct RestorePhase){.name = name, .start = now, .seconds = -now};
    progress_phase(restore->progress, name, 0);
}

static void done(Restore *restore)
{
    pgrestore_workdir_remove(restore);
    rights_done(restore);
    free(restore->failed);
    pg_close(restore->admin);
    catalog_target_done(&restore->target);
    pgtools_done(&restore->tools);
    toc_free(restore->toc);
    free(restore->database);
    free(restore->scratch);
    free(restore->admin_session);
    free(restore->comment);
    free(restore->kept);
    free(restore->owner);
    strvec_done(&restore->created_roles);
    free(restore->built);
}

static bool not_built(const void *ctx, const TocEntry *entry)
{
    const Restore *restore = ctx;
    for (size_t i = 0; i < restore->n_built; i++)
        if (restore->built[i] == entry->dump_id)
            return false;
    return true;
}

static int post_data(Restore *restore, Error *err)
{
    size_t n;
    int *ids = toc_ids(restore->toc, not_built, restore, &n);
    PgRestoreRun run = {.section = "post-data",
                        .only = restore->n_built ? ids : NULL,
                        .n_only = restore->n_built ? n : 0,
                        .jobs = flow_load_jobs(restore->options->jobs)};
    int rc = pgrestore_run(restore, &run, err);
    free(ids);
    return rc;
}

int restore_finish(Restore *restore, Error *err)
{
    restore_phase(restore, "indexes and constraints");
    if (post_data(restore, err) < 0)
        return -1;
    if (restore->limited)
        return 0; /* after the hand-over, when all of it has its contents */
    restore_phase(restore, "analyze");
    return analyze_target(restore, err);
}

/* What the probe finds is told, never undone: owners and grants are what was asked for, so the source had the same
 * flaw. */
static int probe(Restore *restore, Error *err)
{
    RestoreReport *report = restore->report;
    if (report->app_role == NULL)
        return 0;
    PgConn *conn;
    size_t probed = 0;
    if (target_connect_strongest(restore, NULL, &conn, err) < 0)
        return -1;
    Error refused = ERROR_INIT;
    int rc = catalog_probe(conn, report->app_role, &probed, restore->findings, &refused);
    pg_close(conn);
    report->relations_probed = probed;
    OwnTrouble own = {.desc = "ACCESS PROBE", .object = report->app_role};
    return rc < 0 ? trouble_own(restore, &own, &refused, err) : 0;
}

/* What stands between an empty server and the finished database under its scratch name. */
static int build_database(Restore *restore, Error *err)
{
    restore_phase(restore, "schema");
    if (target_create_roles(restore, err) < 0 || rights_try_borrow(restore, err) < 0 ||
        target_drop_leftovers(restore, err) < 0 || target_create_database(restore, err) < 0 ||
        pgrestore_workdir(restore, err) < 0 || pgrestore_run(restore, &(PgRestoreRun){.section = "pre-data"}, err) < 0)
        return -1;
    restore_phase(restore, "rows");
    if (restore->manifest ? load_backup(restore, err) < 0
                          : load_archive(restore, err) < 0 || restore_finish(restore, err) < 0)
        return -1;
    if (rights_borrow(restore, err) < 0 || target_drop_leftovers(restore, err) < 0 ||
        restore_hand_over(restore, err) < 0)
        return -1;
    restore_phase(restore, "owners and grants");
    if (target_owner(restore, err) < 0 || check_ownership(restore, err) < 0)
        return -1;
    restore_phase(restore, "access probe");
    if (probe(restore, err) < 0)
        return -1;
    restore_phase(restore, NULL);
    const RestoreTrial *trial = restore->options->trial;
    if ((trial && trial->prove(trial->ctx, restore, err) < 0) || target_properties(restore, err) < 0)
        return -1;
    return trial ? trial->use(trial->ctx, restore, err) : 0;
}

/* What lacks something may be used where nothing was, with a warning; it takes nobody's place. */
static int check_flaws(Restore *restore, Error *err)
{
    if (restore->n_failed == 0 || restore->kept == NULL || restore->target.database_empty)
        return 0;
    restore->differs = true;
    return error_set(err, ERR_FAILED,
                     ngettext("%zu statement of the restore failed, so the database does not take the place of \"%s\"",
                              "%zu statements of the restore failed, so the database does not take the place of \"%s\"",
                              restore->n_failed),
                     restore->n_failed, restore->database);
}

static int wait_standbys(Restore *restore, Error *err)
{
    PgConn *conn;
    restore_phase(restore, "standbys");
    int rc = target_closing(restore, &conn, err);
    if (rc == 0)
        rc = standbys_wait(conn, restore->options->wait_standbys, restore->options->site, &restore->report->standbys,
                           restore->findings, err);
    restore_phase(restore, NULL);
    return rc;
}

/* Drops everything, unless it is to be looked at. */
static int end_trial(Restore *restore, int rc)
{
    const RestoreTrial *trial = restore->options->trial;
    restore_phase(restore, NULL);
    if (restore->scratch_exists && stop_signal() == 0 && trial->keeps(trial->ctx, restore, rc)) {
        target_keep(restore);
        rights_return(restore);
    } else {
        target_undo(restore);
    }
    return rc;
}

static int restore_database(Restore *restore, Error *err)
{
    int rc = build_database(restore, err);
    pgrestore_workdir_remove(restore);
    if (restore->options->trial)
        return end_trial(restore, rc);
    if (rc == 0)
        rc = check_flaws(restore, err);
    if (rc == 0)
        rc = target_rename(restore, err);
    restore_phase(restore, NULL);
    if (rc < 0)
        trouble_remedy(err);
    if (rc < 0 && restore->differs && stop_signal() == 0) {
        error_hint(err,
                   "The database is kept as \"%s\" for a look, under that name only; the backup is untouched. Drop it "
                   "with DROP DATABASE.",
                   restore->scratch);
        if (target_admin(restore, NULL) < 0 || target_mark(restore, KEPT_DIFFERS, NULL) < 0)
            log_debug("database \"%s\" could not be marked", restore->scratch);
        target_keep(restore);
    }
    if (rc < 0)
        target_undo(restore);
    else
        rights_return(restore);
    return rc;
}

static const ManifestFileset *find_fileset(const Manifest *manifest, const char *name)
{
    for (size_t i = 0; manifest && i < manifest->n_filesets; i++)
        if (strcmp(manifest->filesets[i].name, name) == 0)
            return &manifest->filesets[i];
    return NULL;
}

/* What begins with a dot does not count: a checkout of the application's code leaves such files. */
static bool has_files(const char *dir)
{
    bool found = false;
    DIR *stream = opendir(dir);
    for (const struct dirent *entry; stream && !found && (entry = readdir(stream)) != NULL;)
        found = entry->d_name[0] != '.';
    if (stream)
        closedir(stream);
    return found;
}

static void check_files(Restore *restore)
{
    for (size_t i = 0; i < restore->options->n_files; i++) {
        const struct RestoreFiles *files = &restore->options->files[i];
        if (find_fileset(restore->manifest, files->name) == NULL)
            findings_add(restore->findings, FINDING_ERROR, "fileset-missing",
                         "kura show lists the filesets of a backup.", "the backup has no fileset \"%s\"", files->name);
        if (!files->only_empty || !has_files(files->dir))
            continue;
        _cleanup_free_ char *hint =
            xasprintf(_("Say --files %s=%s to restore into it all the same: files that are right are kept, those that "
                        "differ are replaced. --only db leaves files alone."),
                      files->name, files->dir);
        findings_add(restore->findings, FINDING_ERROR, "directory-not-empty", hint,
                     "directory \"%s\", where fileset \"%s\" was, has files in it on this host", files->dir,
                     files->name);
    }
}

/* The filesets from the one at `from` to that before `to`. */
static int restore_files(Restore *restore, size_t from, size_t to, Error *err)
{
    const RestoreOptions *options = restore->options;
    for (size_t i = from; i < to; i++) {
        const ManifestFileset *fileset = find_fileset(restore->manifest, options->files[i].name);
        FilesetRestoreOptions how = {.paths = options->paths,
                                     .owners = geteuid() == 0,
                                     .quick_check = options->quick_check,
                                     .no_links = options->files[i].no_links,
                                     .keep_private = strcmp(fileset->name, APP_CONFIG_FILESET) == 0,
                                     .jobs = flow_jobs(options->jobs)};
        restore_phase(restore, options->files[i].name);
        progress_total(restore->progress, options->paths ? 0 : fileset->bytes);
        if (fileset_restore(restore->repo, fileset, options->files[i].dir, &how, &restore->report->files[i],
                            restore->findings, restore->progress, err) < 0)
            return error_wrap(err, "fileset \"%s\"", fileset->name);
        redis_tell_place(fileset, options->files[i].dir, restore->findings);
        restore->report->n_files++;
    }
    restore_phase(restore, NULL);
    return 0;
}

static int restore_all(Restore *restore, Error *err)
{
    const RestoreOptions *options = restore->options;
    restore->report->files = xcalloc(options->n_files + 1, sizeof *restore->report->files);
    if (restore_files(restore, 0, options->n_files_first, err) < 0 ||
        (options->db && restore_database(restore, err) < 0) ||
        (options->wait_standbys > 0 && wait_standbys(restore, err) < 0) ||
        restore_files(restore, options->n_files_first, options->n_files, err) < 0)
        return -1;
    return options->n_files ? fileset_paths_check(options->paths, err) : 0;
}

static void sum_up(Restore *restore)
{
    for (size_t i = 0; restore->manifest && i < restore->manifest->database.n_tables; i++) {
        const ManifestTable *table = &restore->manifest->database.tables[i];
        restore->report->tables++;
        restore->report->rows += table->digest.rows;
        restore->report->bytes += table->digest.bytes;
    }
}

/* Checks, and does it unless only the plan is asked for. */
static int run(Restore *restore, Error *err)
{
    bool database = restore->options->db != NULL;
    size_t before = findings_count(restore->findings, FINDING_ERROR);
    restore_phase(restore, "checks");
    check_files(restore);
    if (database && restore_check(restore, err) < 0)
        return -1;
    if (database)
        sum_up(restore);
    restore_phase(restore, NULL);
    size_t problems = findings_count(restore->findings, FINDING_ERROR) - before;
    if (restore->plan)
        return 0;
    if (problems > 0)
        return error_set(
            err, ERR_FAILED,
            ngettext("%zu problem found; nothing was changed", "%zu problems found; nothing was changed", problems),
            problems);
    return restore_all(restore, err);
}

static int from_backup(Repo *repo, const Manifest *manifest, const RestoreOptions *options, bool plan_only,
                       RestoreReport *ret, Findings *findings, Progress *progress, Error *err)
{
    *ret = (RestoreReport){0};
    Restore restore = {.options = options,
                       .plan = plan_only,
                       .report = ret,
                       .findings = findings,
                       .progress = progress,
                       .repo = repo,
                       .manifest = manifest,
                       .failed_mutex = PTHREAD_MUTEX_INITIALIZER};
    if (options->db && !manifest->has_database) {
        error_set(err, ERR_USAGE, "backup \"%s\" holds no database", manifest->id);
        return error_hint(err, "Leave --db out to restore its files only.");
    }
    int rc = options->db ? flow_load_toc(repo, &manifest->database, &restore.toc, err) : 0;
    if (rc == 0)
        rc = run(&restore, err);
    done(&restore);
    return rc;
}

static int from_archive(const char *path, const RestoreOptions *options, bool plan_only, RestoreReport *ret,
                        Findings *findings, Progress *progress, Error *err)
{
    *ret = (RestoreReport){0};
    if (options->db == NULL || options->n_files > 0) {
        error_set(err, ERR_USAGE, "a pg_dump archive holds a database and no files");
        return error_hint(err, "Give the target database with --db, and leave --files out.");
    }
    Restore restore = {.options = options,
                       .plan = plan_only,
                       .report = ret,
                       .findings = findings,
                       .progress = progress,
                       .archive = path,
                       .failed_mutex = PTHREAD_MUTEX_INITIALIZER};
    int rc = archive_open_toc(path, &restore.toc, &restore.archive_head, err);
    if (rc == 0)
        rc = run(&restore, err);
    done(&restore);
    return rc;
}

int restore_plan(Repo *repo, const Manifest *manifest, const RestoreOptions *options, RestoreReport *ret,
                 Findings *findings, Error *err)
{
    return from_backup(repo, manifest, options, true, ret, findings, NULL, err);
}

int restore_run(Repo *repo, const Manifest *manifest, const RestoreOptions *options, RestoreReport *ret,
                Findings *findings, Progress *progress, Error *err)
{
    return from_backup(repo, manifest, options, false, ret, findings, progress, err);
}

int restore_archive_plan(const char *path, const RestoreOptions *options, RestoreReport *ret, Findings *findings,
                         Error *err)
{
    return from_archive(path, options, true, ret, findings, NULL, err);
}

int restore_archive_run(const char *path, const RestoreOptions *options, RestoreReport *ret, Findings *findings,
                        Progress *progress, Error *err)
{
    return from_archive(path, options, false, ret, findings, progress, err);
}
