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
    blobtable_done(&verify->blobs);
    pthread_mutex_destroy(&verify->mutex);
}

void verify_report_done(VerifyReport *report)
{
    for (size_t i = 0; i < report->n_backups; i++)
        free(report->backups[i].id);
    for (size_t i = 0; i < report->n_damages; i++)
        verify_damage_done(&report->damages[i]);
    free(report->backups);
    free(report->damages);
    *report = (VerifyReport){0};
}

static int run(Verify *verify, Error *err)
{
    const VerifyOptions *options = verify->options;
    _cleanup_(strvec_done) StrVec all = {0};
    bool named = options->ids != NULL && options->ids->n > 0;
    if (!named && manifest_list(verify->repo, &all, err) < 0)
        return -1;
    if (verify_collect(verify, named ? options->ids : &all, err) < 0 ||
        verify_present(verify, !named && options->app == NULL, err) < 0 ||
        (options->percent > 0 && verify_read(verify, err) < 0) || verify_judge(verify, err) < 0)
        return -1;
    verify_report_damages(verify);
    return 0;
}

static size_t choose_jobs(Repo *repo, size_t asked)
{
    return asked == 0 && store_is_remote(repo_store(repo)) ? REMOTE_JOBS : flow_jobs(asked);
}

int verify_run(Repo *repo, const VerifyOptions *options, VerifyReport *ret, Findings *findings, Progress *progress,
               Error *err)
{
    _cleanup_(repo_unlock_cleanup) RepoLock *lock = NULL;
    if (repo_lock(repo, false, "verify", &lock, err) < 0)
        return -1;
    *ret = (VerifyReport){.damages = xcalloc(VERIFY_DAMAGES_MAX, sizeof *ret->damages)};
    Verify verify = {
        .repo = repo,
        .options = options,
        .report = ret,
        .findings = findings,
        .progress = progress,
        .jobs = choose_jobs(repo, options->jobs),
        .mutex = PTHREAD_MUTEX_INITIALIZER,
    };
    blobtable_init(&verify.blobs);
    int rc = run(&verify, err);
    verify_done(&verify);
    /* Once the lock is lost a prune may have taken away what is missed here. */
    if (rc < 0 || repo_lock_check(lock, err) < 0) {
        verify_report_done(ret);
        return -1;
    }
    return 0;
}
