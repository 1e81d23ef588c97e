/* Gives every object a header for the recipients as they are now. Only the header changes; a store without partial
 * writes takes the whole object again nevertheless. A put replaces an object in one step, so that readers see the old
 * one or the new one. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "crypt_priv.h"
#include "document_priv.h"
#include "kura/mem.h"
#include "kura/pool.h"

enum { BLOB_DIRECTORIES = 256, PREFIX_SIZE = AGE_HEADER_MAX + 16 };
static const char *const others[] = {"backups/", "rehearsals/", "pins/"};

typedef struct Rewrap {
    Repo *repo;
    Findings *findings;
    Progress *progress;
    atomic_uint next; /* of the directories of blobs, then of `others` */
    atomic_uint_least64_t objects, rewritten, failed;
} Rewrap;

typedef struct Worker {
    Rewrap *rewrap;
    Pool *pool;
} Worker;

/* Whether an object has a header as crypt_seal would write one today: these differ in length by their recipients. */
static int is_done(Repo *repo, const char *key, uint64_t size, bool *ret, Error *err)
{
    const RepoCrypt *crypt = repo->crypt;
    AgeFile *file;
    _cleanup_(buf_done) Buf prefix = BUF_INIT(PREFIX_SIZE);
    if (store_get(repo->store, key, 0, size < PREFIX_SIZE ? size : PREFIX_SIZE, &prefix, err) < 0 ||
        age_open(crypt->identities, prefix.data, prefix.len, &file, err) < 0)
        return -1;
    *ret = age_payload_start(file) == age_encrypted_size(0, crypt->n_recipients) - 16; /* less an empty chunk's tag */
    age_close(file);
    return 0;
}

static int rewrite(Repo *repo, const char *key, uint64_t size, Error *err)
{
    const RepoCrypt *crypt = repo->crypt;
    size_t room = (size_t)size + SEALED_EXTRA_MAX;
    _cleanup_(buf_done) Buf before = BUF_INIT(room), after = BUF_INIT(room);
    if (store_get(repo->store, key, 0, UINT64_MAX, &before, err) < 0 ||
        age_rewrap(crypt->identities, crypt->recipients, crypt->n_recipients, before.data, before.len, &after, err) < 0)
        return -1;
    return store_put(repo->store, key, after.data, after.len, false, err);
}

static bool concerns_one_object(ErrorCode code)
{
    return code == ERR_CORRUPT || code == ERR_TRUNCATED || code == ERR_KEY || code == ERR_UNSUPPORTED;
}

static int rewrap_object(Rewrap *rewrap, const char *key, uint64_t size, Error *err)
{
    Error why = ERROR_INIT;
    bool done = false;
    int rc = is_done(rewrap->repo, key, size, &done, &why);
    if (rc == 0 && !done)
        rc = rewrite(rewrap->repo, key, size, &why);
    if (rc < 0 && why.code == ERR_NOT_FOUND) /* removed meanwhile */
        return 0;
    rewrap->objects++;
    if (rc == 0) {
        rewrap->rewritten += !done;
        progress_add(rewrap->progress, size, 1);
        return 0;
    }
    if (!concerns_one_object(why.code)) {
        if (err)
            *err = why;
        return error_wrap(err, "rewriting \"%s\"", key);
    }
    rewrap->failed++;
    findings_add(rewrap->findings, FINDING_ERROR, "object-not-rewritten",
                 "The new recipient cannot read it. Bring it back from a copy of the repository, and do this again.",
                 "\"%s\" could not be rewritten: %s", key, why.message);
    return 0;
}

static int rewrap_listed(void *ctx, const char *key, uint64_t size, Error *err)
{
    Worker *worker = ctx;
    size_t len = strlen(key), suffix = strlen(SEALED_SUFFIX);
    if (pool_check(worker->pool, err) < 0)
        return -1;
    if (len < suffix || strcmp(key + len - suffix, SEALED_SUFFIX) != 0)
        return 0;
    if (size > DOCUMENT_SEALED_MAX)
        return error_set(err, ERR_CORRUPT, "\"%s\" is larger than any object of a repository", key);
    progress_item(worker->rewrap->progress, key);
    return rewrap_object(worker->rewrap, key, size, err);
}

/* Directory by directory: a list of all objects would not fit into memory, and each worker has its own. */
static int work(void *ctx, Pool *pool, size_t number, Error *err)
{
    (void)number;
    Rewrap *rewrap = ctx;
    Worker worker = {.rewrap = rewrap, .pool = pool};
    for (;;) {
        char prefix[32];
        unsigned i = atomic_fetch_add(&rewrap->next, 1);
        if (i >= BLOB_DIRECTORIES + ARRAY_SIZE(others))
            return 0;
        if (i >= BLOB_DIRECTORIES)
            strcpy(prefix, others[i - BLOB_DIRECTORIES]);
        else
            snprintf(prefix, sizeof prefix, "blobs/%02x/", i);
        if (store_list(rewrap->repo->store, prefix, rewrap_listed, &worker, err) < 0)
            return -1;
    }
}

int crypt_rewrap(Repo *repo, size_t threads, RewrapTotals *ret, Findings *findings, Progress *progress, Error *err)
{
    Rewrap rewrap = {.repo = repo, .findings = findings, .progress = progress};
    progress_phase(progress, "keys", 0);
    int rc = pool_run(threads, work, &rewrap, err);
    *ret = (RewrapTotals){.objects = rewrap.objects, .rewritten = rewrap.rewritten, .failed = rewrap.failed};
    return rc;
}
