#include "kura/copy.h"

#include <stdlib.h>
#include <string.h>

#include "copy_priv.h"
#include "flow_priv.h"
#include "kura/mem.h"
#include "kura/repokeys.h"
#include "kura/stop.h"

DEFINE_CLEANUP(Manifest, manifest_free)
DEFINE_CLEANUP(RepoLock, repo_unlock)

enum { UPLOAD_THREADS_LOCAL = 2, UPLOAD_THREADS_REMOTE = 8 };
#define UPLOAD_BYTES (48ull * 1024 * 1024)

const char *copy_state_name(CopyState state)
{
    static const char *const names[] = {
        [COPY_THERE] = "there", [COPY_PLANNED] = "planned", [COPY_DONE] = "copied", [COPY_DAMAGED] = "damaged"};
    return names[state];
}

void copy_report_done(CopyReport *report)
{
    for (size_t i = 0; i < report->n_backups; i++) {
        free(report->backups[i].id);
        free(report->backups[i].target_id);
    }
    free(report->backups);
    *report = (CopyReport){0};
}

int copy_source_error(Copy *copy, const Error *err)
{
    copy->damaged = error_is_unreadable(err) || err->code == ERR_NOT_FOUND;
    return -1;
}

/* ---- one backup ---- */

static int commit(Copy *copy, const Manifest *manifest, Error *err)
{
    Error why = ERROR_INIT;
    if (flow_commit(copy->to, copy->to_lock, manifest, &why) == 0 || why.code == ERR_EXISTS)
        return 0; /* the latter: another copy was faster */
    if (err)
        *err = why;
    return -1;
}

static void describe(const Copy *copy, const CopyBackup *backup, Manifest *manifest)
{
    if (manifest->origin_id == NULL) {
        manifest->origin_repository = xstrdup(repo_id(copy->from));
        manifest->origin_id = xstrdup(backup->id);
    }
    free(manifest->id);
    manifest->id = xstrdup(backup->target_id);
    manifest->revision = 1;
    manifest->stored_new = backup->bytes;
}

/* As the other repository will have it: where blobs have the same names in both, it is the source's own. */
static int translate(Copy *copy, Manifest **manifest, Error *err)
{
    Manifest *renamed;
    if (blob_names_shared(copy->from, copy->to))
        return 0;
    if (copy_rewrite(copy, *manifest, &renamed, err) < 0)
        return -1;
    manifest_free(*manifest);
    *manifest = renamed;
    return 0;
}

static int transfer(Copy *copy, Manifest **manifest, const Lacking *lacking, CopyBackup *backup, Error *err)
{
    UploadTotals before = uploader_totals(copy->uploader);
    if (copy_send(copy, lacking, err) < 0 || translate(copy, manifest, err) < 0 ||
        uploader_drain(copy->uploader, err) < 0 ||
        (copy->options->verify && copy_verify(copy, lacking, *manifest, err) < 0))
        return -1;
    UploadTotals after = uploader_totals(copy->uploader);
    backup->blobs = after.new_blobs - before.new_blobs;
    backup->bytes = after.new_bytes - before.new_bytes;
    describe(copy, backup, *manifest);
    copynames_save(&copy->names);
    return commit(copy, *manifest, err);
}

static int load(Copy *copy, const char *id, Manifest **ret, Error *err)
{
    return manifest_load(copy->from, id, ret, err) < 0 ? copy_source_error(copy, err) : 0;
}

static int copy_manifest(Copy *copy, Manifest **manifest, CopyBackup *backup, Error *err)
{
    _cleanup_(lacking_done) Lacking lacking = {0};
    backup->target_id = manifest_copied_id(copy->to, backup->id, (*manifest)->app);
    if (copy_gather(copy, *manifest, &lacking, err) < 0)
        return -1;
    if (!copy->options->plan) {
        backup->state = COPY_DONE;
        return transfer(copy, manifest, &lacking, backup, err);
    }
    backup->state = COPY_PLANNED;
    backup->blobs = lacking.n;
    backup->bytes = lacking.bytes;
    return 0;
}

/* Damage in one backup is no reason to leave the others without a copy. Without a lock it may be none: what is missed
 * was removed. */
static int pass_over(Copy *copy, CopyBackup *backup, const Error *why, Error *err)
{
    if (copy->damaged && repo_lock_check(copy->from_lock, err) < 0)
        return -1;
    if (!copy->damaged) {
        *err = *why;
        return error_wrap(err, "copying backup %s", backup->id);
    }
    copy->damaged = false;
    backup->state = COPY_DAMAGED;
    backup->blobs = backup->bytes = 0;
    findings_add(copy->findings, FINDING_ERROR, "copy-damaged", why->hint[0] ? why->hint : NULL,
                 "backup %s was not copied: %s", backup->id, why->message);
    return 0;
}

static CopyBackup *add_backup(Copy *copy, const char *id, CopyState state)
{
    CopyReport *report = copy->report;
    xgrow(&report->backups, &report->cap_backups, report->n_backups);
    CopyBackup *backup = &report->backups[report->n_backups++];
    *backup = (CopyBackup){.id = xstrdup(id), .state = state};
    return backup;
}

static const char *find_copy(const Copy *copy, const char *id)
{
    for (size_t i = 0; i < copy->there.n; i++)
        if (manifest_id_is_copy(id, copy->there.v[i]))
            return copy->there.v[i];
    return NULL;
}

static int copy_backup(Copy *copy, const char *id, Error *err)
{
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    Error why = ERROR_INIT;
    const char *there = find_copy(copy, id);
    progress_item(copy->progress, id);
    if (there) {
        add_backup(copy, id, COPY_THERE)->target_id = xstrdup(there);
        return 0;
    }
    int rc = load(copy, id, &manifest, &why);
    if (rc == 0 && copy->options->app && strcmp(copy->options->app, manifest->app) != 0)
        return 0;
    CopyBackup *backup = add_backup(copy, id, COPY_DONE);
    if (rc == 0)
        rc = copy_manifest(copy, &manifest, backup, &why);
    return rc < 0 ? pass_over(copy, backup, &why, err) : 0;
}

/* ---- all of them ---- */

static bool is_chosen(const Copy *copy, const char *id)
{
    const CopyOptions *options = copy->options;
    if (options->ids && options->ids->n > 0 && !strvec_contains(options->ids, id))
        return false;
    return options->app == NULL || manifest_id_fits_app(copy->from, id, options->app);
}

static int copy_all(Copy *copy, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0};
    progress_phase(copy->progress, "backups", 0);
    if (manifest_list(copy->from, &ids, err) < 0 || manifest_list(copy->to, &copy->there, err) < 0 ||
        flow_doubt_damages(copy->to, copy->uploader, err) < 0 || uploader_know_all(copy->uploader, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.n; i++) {
        if (!is_chosen(copy, ids.v[i]))
            continue;
        if (stop_check(err) < 0 || copy_backup(copy, ids.v[i], err) < 0)
            return -1;
    }
    return 0;
}

static int check_use(Repo *from, Repo *to, const CopyOptions *options, Error *err)
{
    const char *name = store_name(repo_store(to));
    if (!repo_can_read(from)) {
        error_set(err, ERR_KEY, "the repository \"%s\" is encrypted, and no identity was given",
                  store_name(repo_store(from)));
        return error_hint(err, "Give the identity of one of its recipients with --identity.");
    }
    if (strcmp(repo_id(from), repo_id(to)) == 0 && strcmp(store_name(repo_store(from)), name) == 0)
        return error_set(err, ERR_USAGE, "the repository \"%s\" cannot be copied into itself", name);
    if (repo_is_encrypted(from) && !repo_is_encrypted(to) && !options->decrypt) {
        error_set(err, ERR_USAGE, "the repository \"%s\" is not encrypted, while the one to copy is", name);
        return error_hint(err, "Give --decrypt if whoever can read that place may read the backups.");
    }
    if (options->verify && !repo_can_read(to)) {
        error_set(err, ERR_KEY, "what is copied into the repository \"%s\" cannot be read back here", name);
        return error_hint(err, "Write the identity of one of its recipients into its section of the configuration "
                               "file, or leave out --verify.");
    }
    return 0;
}

static int run(Copy *copy, Error *err)
{
    bool remote = store_is_remote(repo_store(copy->to));
    blobtable_init(&copy->planned);
    copynames_init(&copy->names, copy->from, copy->to, copy->options->cache_dir);
    copy->uploader = uploader_new(copy->to, remote ? UPLOAD_THREADS_REMOTE : UPLOAD_THREADS_LOCAL, UPLOAD_BYTES);
    int rc = copy_all(copy, err);
    uploader_free(copy->uploader);
    copynames_save(&copy->names);
    copynames_done(&copy->names);
    blobtable_done(&copy->planned);
    strvec_done(&copy->there);
    return rc;
}

int copy_run(Repo *from, Repo *to, const CopyOptions *options, CopyReport *ret, Findings *findings, Progress *progress,
             Error *err)
{
    _cleanup_(repo_unlock_cleanup) RepoLock *from_lock = NULL;
    _cleanup_(repo_unlock_cleanup) RepoLock *to_lock = NULL;
    if (check_use(from, to, options, err) < 0 || repo_lock(from, false, "copy", &from_lock, err) < 0 ||
        repo_lock(to, false, "copy", &to_lock, err) < 0)
        return -1;
    Copy copy = {.from = from,
                 .to = to,
                 .options = options,
                 .report = ret,
                 .findings = findings,
                 .progress = progress,
                 .from_lock = from_lock,
                 .to_lock = to_lock};
    return run(&copy, err);
}
