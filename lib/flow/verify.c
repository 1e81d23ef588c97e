#include "kura/verify.h"

#include <stdlib.h>

#include "flow_priv.h"
#include "kura/mem.h"
#include "verify_priv.h"

DEFINE_CLEANUP(RepoLock, repo_unlock)

enum { REMOTE_JOBS = 8 }; /* round trips take longer than work */

static void verify_done(Verify *verify)
{
    for (size_t i = 0; i < verify->n_indexes; i++) {
        free(verify->indexes[i].fileset);
        free(verify->indexes[i].first);
        free(verify->indexes[i].last);
    }
    for (size_t i = 0; i < verify->n_filesets; i++) {
        free(verify->filesets[i].name);
        free(verify->filesets[i].indexes);
    }
    free(verify->indexes);
    free(verify->filesets);
    free(verify->segments);
    free(verify->bad_files);
    free(verify->cycle.completed);
    free(verify->sequence);
    free(verify->done);
    verifystate_done(&verify->state);
    strvec_done(&verify->apps);
    blobtable_done(&verify->blobs);
    pthread_mutex_destroy(&verify->mutex);
}

void verify_report_done(VerifyReport *report)
{
    for (size_t i = 0; i < report->n_backups; i++)
        free(report->backups[i].id);
    for (size_t i = 0; i < report->n_damages; i++)
        verify_damage_done(&report->damages[i]);
    for (size_t i = 0; i < report->n_orphans; i++)
        free(report->orphan_list[i].key);
    free(report->backups);
    free(report->damages);
    free(report->orphan_list);
    *report = (VerifyReport){0};
}

static int look(Verify *verify, const StrVec *ids, Error *err)
{
    bool everything = !verify->named && verify->options->app == NULL;
    if (verify_recall(verify, err) < 0 || verify_collect(verify, ids, err) < 0 ||
        verify_present(verify, everything, err) < 0 || (verify->reading && verify_read(verify, err) < 0) ||
        verify_judge(verify, err) < 0)
        return -1;
    verify_report_damages(verify);
    return verify->named ? 0 : verify_leftovers(verify, err);
}

static int run(Verify *verify, RepoLock *lock, VerifyThenFn then, void *ctx, Error *err)
{
    _cleanup_(strvec_done) StrVec all = {0};
    if (!verify->named && manifest_list(verify->repo, &all, err) < 0)
        return -1;
    if (look(verify, verify->named ? verify->options->ids : &all, err) < 0) {
        verify_remember_interrupted(verify);
        return -1;
    }
    /* Once the lock is lost a prune may have taken away what is missed here. */
    if (repo_lock_check(lock, err) < 0)
        return -1;
    verify_remember(verify);
    verify_report_cycle(verify);
    return then ? then(verify, ctx, err) : 0;
}

static size_t choose_jobs(Repo *repo, size_t asked)
{
    return asked == 0 && store_is_remote(repo_store(repo)) ? REMOTE_JOBS : flow_jobs(asked);
}

static bool names_backups(const VerifyOptions *options)
{
    return options->ids != NULL && options->ids->n > 0;
}

int verify_under(Repo *repo, RepoLock *lock, const VerifyOptions *options, VerifyReport *ret, Findings *findings,
                 Progress *progress, VerifyThenFn then, void *ctx, Error *err)
{
    *ret = (VerifyReport){.damages = xcalloc(VERIFY_DAMAGES_MAX, sizeof *ret->damages)};
    Verify verify = {
        .repo = repo,
        .options = options,
        .report = ret,
        .findings = findings,
        .progress = progress,
        .jobs = choose_jobs(repo, options->jobs),
        .named = names_backups(options),
        .mutex = PTHREAD_MUTEX_INITIALIZER,
    };
    blobtable_init(&verify.blobs);
    int rc = run(&verify, lock, then, ctx, err);
    verify_done(&verify);
    if (rc < 0)
        verify_report_done(ret);
    return rc;
}

int verify_run(Repo *repo, const VerifyOptions *options, VerifyReport *ret, Findings *findings, Progress *progress,
               Error *err)
{
    _cleanup_(repo_unlock_cleanup) RepoLock *lock = NULL;
    if (names_backups(options) && options->percent > 0 && options->percent < 100) {
        error_set(err, ERR_USAGE, "a share of single backups cannot be read");
        return error_hint(err, "Read all of them, or a share of all backups: each run then goes on where the one "
                               "before stopped.");
    }
    if (!names_backups(options) && verify_stale_locks(repo, findings, err) < 0)
        return -1;
    if (repo_lock(repo, false, "verify", &lock, err) < 0)
        return -1;
    return verify_under(repo, lock, options, ret, findings, progress, NULL, NULL, err);
}
