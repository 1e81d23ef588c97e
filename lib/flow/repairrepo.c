/* kura repair-repository. A round verifies, and cures what it can; with a piece of an index come back, blobs that it
 * names may turn out to be missing too, so there is another round until one changes nothing. */
#include "kura/repairrepo.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "repairrepo_priv.h"

enum { ROUNDS_MAX = 5, UPLOAD_THREADS = 2, UPLOAD_BYTES = 128 * 1024 * 1024, ASIDE_TRIES = 100 };
#define ASIDE "damaged/"

DEFINE_CLEANUP(RepoLock, repo_unlock)

const char *repair_cure_name(RepairCure cure)
{
    static const char *const names[] = {"none", "cache", "copy", "files", "set-aside"};
    return names[cure];
}

void repairrepo_report_done(RepairRepoReport *report)
{
    for (size_t i = 0; i < report->n_objects; i++) {
        free(report->objects[i].object);
        free(report->objects[i].why);
        strvec_done(&report->objects[i].affected.kept);
    }
    free(report->objects);
    verify_report_done(&report->verify);
    *report = (RepairRepoReport){0};
}

/* ---- objects of the report ---- */

RepairObject *repairrepo_object(RepairRepo *repair, const char *object, const char *code)
{
    RepairRepoReport *report = repair->report;
    for (size_t i = 0; i < report->n_objects; i++)
        if (strcmp(report->objects[i].object, object) == 0)
            return &report->objects[i];
    xgrow(&report->objects, &report->cap_objects, report->n_objects);
    report->objects[report->n_objects] = (RepairObject){.object = xstrdup(object), .code = code};
    return &report->objects[report->n_objects++];
}

void repairrepo_why(RepairRepo *repair, const Wanted *wanted, const char *format, ...)
{
    RepairObject *object = &repair->report->objects[wanted->place];
    va_list args;
    va_start(args, format);
    free(object->why);
    object->why = xvasprintf(words_get(format), args);
    va_end(args);
}

static void take_affected(RepairObject *object, const VerifyDamage *damage)
{
    if (object->affected.kept.n > 0)
        return;
    for (size_t i = 0; i < damage->affected.kept.n; i++)
        strvec_push(&object->affected.kept, damage->affected.kept.v[i]);
    object->affected.more = damage->affected.more;
}

/* Of "files-damaged" the bytes are what was stored: nothing has other ones. */
static void want(RepairRepo *repair, size_t blob)
{
    char key[BLOB_KEY_SIZE];
    Verify *verify = repair->verify;
    const VerifyDamage *damage = verify_damage_of(verify, blob);
    const char *missing = verify->blobs.v[blob].state & BLOB_PRESENT ? "blob-damaged" : "blob-missing";
    Wanted wanted = {.ref = blobtable_ref(&verify->blobs, blob), .blob = blob};
    blob_key(repair->repo, &wanted.ref, key);
    RepairObject *object = repairrepo_object(repair, key, damage ? damage->code : missing);
    if (damage)
        take_affected(object, damage);
    wanted.place = (size_t)(object - repair->report->objects);
    wanted.found = strcmp(object->code, "files-damaged") == 0;
    if (wanted.found)
        repairrepo_why(repair, &wanted, "it was stored with other files than its index says");
    xgrow(&repair->wanted, &repair->cap_wanted, repair->n_wanted);
    repair->wanted[repair->n_wanted++] = wanted;
}

int repairrepo_cure(RepairRepo *repair, Wanted *wanted, RepairCure cure, Buf *data, Error *err)
{
    RepairObject *object = &repair->report->objects[wanted->place];
    BlobRef ref;
    wanted->found = true;
    object->cure = cure;
    if (repair->uploader == NULL)
        return 0;
    if (uploader_submit(repair->uploader, wanted->ref.kind, data, &ref, err) < 0)
        return -1;
    object->done = true;
    repair->n_done++;
    return 0;
}

/* ---- setting aside ---- */

/* Never onto another one. */
static int put_aside(Repo *repo, const char *key, const Buf *data, Error *err)
{
    Error why = ERROR_INIT;
    for (int i = 1; i < ASIDE_TRIES; i++) {
        _cleanup_free_ char *place = i == 1 ? xasprintf(ASIDE "%s", key) : xasprintf(ASIDE "%s.%d", key, i);
        if (store_put(repo_store(repo), place, data->data, data->len, true, &why) == 0)
            return 0;
        if (why.code != ERR_EXISTS)
            break;
    }
    if (err)
        *err = why;
    return -1;
}

int repairrepo_copy_aside(RepairRepo *repair, const char *key, Error *err)
{
    _cleanup_(buf_done) Buf data = BUF_INIT(2ull * BLOB_STORED_MAX);
    if (store_get(repo_store(repair->repo), key, 0, UINT64_MAX, &data, err) < 0 ||
        repo_lock_check(repair->lock, err) < 0 || put_aside(repair->repo, key, &data, err) < 0)
        return error_wrap(err, "moving \"%s\" to \"%s\"", key, ASIDE);
    return 0;
}

static int move_aside(RepairRepo *repair, const char *key, Error *err)
{
    if (repairrepo_copy_aside(repair, key, err) < 0)
        return -1;
    if (store_delete(repo_store(repair->repo), key, err) < 0)
        return error_wrap(err, "moving \"%s\" to \"%s\"", key, ASIDE);
    repair->n_done++;
    return 0;
}

/* Whether nobody can use it. A pack of which some files are whole can be restored from. */
static bool is_useless(RepairRepo *repair, const Wanted *wanted)
{
    uint8_t state = repair->verify->blobs.v[wanted->blob].state;
    Error why = ERROR_INIT;
    _cleanup_(buf_done) Buf data = BUF_INIT(BLOB_STORED_MAX);
    if (state & BLOB_SOME_FILES) {
        _cleanup_free_ char *before = xstrdup_null(repair->report->objects[wanted->place].why);
        repairrepo_why(repair, wanted, "%s%sit stays where it is, for its other files are whole", before ? before : "",
                       before ? "; " : "");
        return false;
    }
    if (blob_get(repair->repo, &wanted->ref, &data, &why) == 0 ||
        (why.code != ERR_CORRUPT && why.code != ERR_TRUNCATED)) {
        if (why.code != ERR_NOT_FOUND)
            repairrepo_why(repair, wanted, "it stays where it is: %s", why.message);
        return false;
    }
    return true;
}

/* What cannot be set aside is told; the others need not wait for it. */
static int set_aside(RepairRepo *repair, Wanted *wanted, Error *err)
{
    Error why = ERROR_INIT;
    char key[BLOB_KEY_SIZE];
    RepairObject *object = &repair->report->objects[wanted->place];
    blob_key(repair->repo, &wanted->ref, key);
    if (strcmp(object->code, "blob-missing") == 0 || object->done || !is_useless(repair, wanted))
        return stop_check(err);
    object->cure = CURE_SET_ASIDE;
    if (!repair->options->apply)
        return stop_check(err);
    if (move_aside(repair, key, &why) == 0) {
        object->done = true;
        return 0;
    }
    if (why.code == ERR_LOCKED || why.code == ERR_INTERRUPTED || why.code == ERR_CONNECTION) {
        *err = why;
        return -1;
    }
    object->cure = CURE_NONE;
    repairrepo_why(repair, wanted, "%s", why.message);
    return 0;
}

/* ---- rounds ---- */

static void open_caches(RepairRepo *repair)
{
    const StrVec *apps = &repair->verify->apps;
    const char *more = repair->options->app;
    repair->caches = xcalloc(apps->n + 1, sizeof *repair->caches);
    for (size_t i = 0; repair->options->cache_dir && i <= apps->n; i++) {
        const char *app = i < apps->n ? apps->v[i] : more && !strvec_contains(apps, more) ? more : NULL;
        Error why = ERROR_INIT;
        Cache *cache;
        if (app == NULL)
            continue;
        if (cache_open(repair->options->cache_dir, repair->repo, app, &cache, &why) == 0)
            repair->caches[repair->n_caches++] = cache;
        else
            log_debug("%s", why.message);
    }
}

static void end_round(RepairRepo *repair)
{
    for (size_t i = 0; i < repair->n_caches; i++)
        cache_close(repair->caches[i]);
    for (size_t i = 0; i < repair->n_lost; i++) {
        manifest_free(repair->lost[i].found);
        free(repair->lost[i].name);
    }
    free(repair->lost);
    free(repair->caches);
    free(repair->wanted);
    uploader_free(repair->uploader);
    repair->caches = NULL;
    repair->lost = NULL;
    repair->wanted = NULL;
    repair->uploader = NULL;
    repair->n_caches = repair->n_wanted = repair->cap_wanted = repair->n_lost = repair->cap_lost = 0;
}

static int cure_blobs(RepairRepo *repair, Error *err)
{
    if (repair->options->apply) {
        repair->uploader = uploader_new(repair->repo, UPLOAD_THREADS, UPLOAD_BYTES);
        for (size_t i = 0; i < repair->n_wanted; i++)
            uploader_doubt(repair->uploader, &repair->wanted[i].ref, true);
    }
    if (repairrepo_from_caches(repair, err) < 0 || repairrepo_from_copy(repair, err) < 0 ||
        repairrepo_from_files(repair, err) < 0)
        return -1;
    return repair->uploader ? uploader_finish(repair->uploader, NULL, err) : 0;
}

void repairrepo_miss(RepairRepo *repair, const BlobRef *ref)
{
    BlobTable *blobs = &repair->verify->blobs;
    size_t position = blobtable_add(blobs, ref);
    if (blobs->v[position].state & (BLOB_BAD | BLOB_PRESENT))
        return;
    blobs->v[position].state |= BLOB_BAD;
    want(repair, position);
}

static int cure(Verify *verify, void *ctx, Error *err)
{
    RepairRepo *repair = ctx;
    repair->verify = verify;
    for (size_t i = 0; i < verify->blobs.n; i++)
        if (verify->blobs.v[i].state & BLOB_BAD)
            want(repair, i);
    open_caches(repair);
    progress_phase(repair->progress, "repair", 0);
    int rc = repairrepo_find_manifests(repair, err);
    if (rc == 0 && repair->n_wanted > 0)
        rc = cure_blobs(repair, err);
    for (size_t i = 0; i < repair->n_wanted && rc == 0; i++)
        rc = repair->wanted[i].found ? 0 : set_aside(repair, &repair->wanted[i], err);
    if (rc == 0)
        rc = repairrepo_cure_manifests(repair, err);
    repair->incomplete = verify->incomplete;
    end_round(repair);
    return rc;
}

static int run_round(RepairRepo *repair, double percent, Findings *findings, Error *err)
{
    const VerifyOptions options = {.percent = percent, .jobs = repair->options->jobs};
    verify_report_done(&repair->report->verify);
    repair->n_done = 0;
    return verify_under(repair->repo, repair->lock, &options, &repair->report->verify, findings, repair->progress, cure,
                        repair, err);
}

/* Only the last round's findings tell how the repository is. What an index that came back names was not read yet. */
static int run_rounds(RepairRepo *repair, Findings *findings, Error *err)
{
    for (int round = 1;; round++) {
        Findings found = FINDINGS_INIT;
        bool reads = round == 1 || repair->incomplete;
        int rc = run_round(repair, reads ? repair->options->percent : 0, &found, err);
        bool last = rc < 0 || repair->n_done == 0 || round == ROUNDS_MAX;
        for (size_t i = 0; last && rc == 0 && i < found.n; i++)
            findings_add(findings, found.v[i].severity, found.v[i].code, found.v[i].hint, "%s", found.v[i].message);
        findings_done(&found);
        if (last)
            return rc;
    }
}

int repair_repository(Repo *repo, const RepairRepoOptions *options, RepairRepoReport *ret, Findings *findings,
                      Progress *progress, Error *err)
{
    _cleanup_(repo_unlock_cleanup) RepoLock *lock = NULL;
    if (verify_stale_locks(repo, findings, err) < 0 ||
        repo_lock(repo, options->apply, "repair-repository", &lock, err) < 0)
        return -1;
    *ret = (RepairRepoReport){0};
    RepairRepo repair = {.repo = repo, .options = options, .report = ret, .progress = progress, .lock = lock};
    int rc = run_rounds(&repair, findings, err);
    if (rc == 0) {
        ret->leftovers = ret->verify.leftovers;
        rc = options->apply ? store_tidy(repo_store(repo), err) : 0;
    }
    if (rc < 0)
        repairrepo_report_done(ret);
    return rc;
}
