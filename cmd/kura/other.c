#include "other.h"

#include "unlock.h"

static void forget_identity(Other *other)
{
    OptionValue *identity = &other->options.values[OPT_IDENTITY];
    strvec_done(&identity->list);
    *identity = (OptionValue){0};
    age_identities_free(other->identities);
    other->identities = NULL;
}

static int unlock(Other *other, RepoUse use, Error *err)
{
    Error why = ERROR_INIT;
    bool inherited = other->options.values[OPT_IDENTITY].source == SOURCE_KURA;
    if (unlock_repo(&other->options, other->store, use, &other->identities, &other->repo, &why) == 0)
        return 0;
    if (inherited && why.code == ERR_KEY) {
        forget_identity(other);
        return unlock_repo(&other->options, other->store, use, &other->identities, &other->repo, err);
    }
    *err = why;
    return -1;
}

int other_open(const Session *session, const char *name, RepoUse use, Other *ret, Error *err)
{
    *ret = (Other){0};
    if (config_other_repository(session->config, session->options, name, &ret->options, err) < 0)
        return -1;
    StoreOptions options = session_store_options(&ret->options);
    if (store_open(options_text(&ret->options, OPT_REPO), &options, false, &ret->store, err) < 0)
        return -1;
    return unlock(ret, use, err);
}

void other_close(Other *other)
{
    repo_close(other->repo);
    age_identities_free(other->identities);
    store_close(other->store);
    options_done(&other->options);
}
