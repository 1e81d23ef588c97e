#include <string.h>
#include <sys/random.h>

#include "crypt_priv.h"

void random_text(const char *alphabet, size_t digits, char *ret)
{
    size_t n = strlen(alphabet);
    for (size_t i = 0; i < digits; i++) {
        uint64_t number; /* so wide that the remainder is as good as even */
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            abort(); /* so few bytes are always given at once */
        ret[i] = alphabet[number % n];
    }
    ret[digits] = 0;
}

int repo_create(Store *store, const RepoParams *params, Error *err)
{
    _cleanup_(header_done) RepoHeader header = REPO_HEADER_INIT;
    return header_init(params, &header, err) < 0 ? -1 : header_create(store, &header, err);
}

int repo_open_with(Store *store, const RepoAccess *access, Repo **ret, Error *err)
{
    _cleanup_(header_done) RepoHeader header = REPO_HEADER_INIT;
    if (header_read(store, &header, err) < 0)
        return -1;
    Repo *repo = xcalloc(1, sizeof *repo);
    repo->store = store;
    readshare_init(&repo->share);
    repo->params = header.params;
    memcpy(repo->id, header.id, sizeof repo->id);
    int rc = header.encrypted ? crypt_unlock(repo, &header, access, err) : crypt_expect_plain(repo, access, err);
    if (rc < 0) {
        repo_close(repo);
        return -1;
    }
    *ret = repo;
    return 0;
}

int repo_open(Store *store, Repo **ret, Error *err)
{
    return repo_open_with(store, &(RepoAccess){.use = REPO_READ}, ret, err);
}

void repo_close(Repo *repo)
{
    if (repo == NULL)
        return;
    crypt_free(repo->crypt);
    readshare_done(&repo->share);
    free(repo);
}

const RepoParams *repo_params(const Repo *repo)
{
    return &repo->params;
}

const char *repo_id(const Repo *repo)
{
    return repo->id;
}

Store *repo_store(const Repo *repo)
{
    return repo->store;
}

bool repo_can_read(const Repo *repo)
{
    return repo->crypt == NULL || repo->crypt->identities != NULL;
}

void repo_set_cache(Repo *repo, struct Cache *cache)
{
    repo->cache = cache;
}

struct Cache *repo_cache(const Repo *repo)
{
    return repo->cache;
}
