#include "s3cred.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "s3env.h"
#include "s3location.h"
#include "s3metadata.h"
#include "s3profile.h"
#include "secrettext.h"

enum {
    MARGIN = 10 * 60,  /* seconds before they expire that credentials are fetched anew: a request, with all of its
                          retries, shall end in time, and instances have new ones 5 minutes before at the latest */
    PAUSE = 60,        /* seconds between two fetches while there are credentials that have not expired */
    CONNECT_MS = 1000, /* these services are on this machine or one hop away */
    TOTAL_MS = 2000
};

struct S3Chain {
    char *region, *endpoint; /* NULL: not told */
    char *exposed_file;
    char *looked; /* the sources before the fetched ones, for a hint; NULL when one of them had credentials */
    char *container_url, *instance_url;
    S3Patience patience;
    pthread_mutex_t mutex; /* guards the rest, and is held during a fetch */
    S3Credentials held;
    double next_fetch;
};

DEFINE_CLEANUP(S3Chain, s3chain_close)

void s3chain_close(S3Chain *chain)
{
    if (chain == NULL)
        return;
    free(chain->region);
    free(chain->endpoint);
    free(chain->exposed_file);
    free(chain->looked);
    free(chain->container_url);
    free(chain->instance_url);
    s3credentials_done(&chain->held);
    pthread_mutex_destroy(&chain->mutex);
    free(chain);
}

static int from_options(S3Chain *chain, const StoreOptions *options, Error *err)
{
    chain->held = s3credentials_new(options->s3_access_key, options->s3_secret_key, options->s3_session_token);
    if (chain->held.access_key == NULL && chain->held.secret_key == NULL && chain->held.session_token == NULL)
        return 0;
    return s3credentials_check(&chain->held, _("the configuration (s3-access-key, s3-secret-key)"), err);
}

static int from_environment(S3Chain *chain, Error *err)
{
    const char *access_key = s3env("AWS_ACCESS_KEY_ID"), *secret_key = s3env("AWS_SECRET_ACCESS_KEY");
    if (access_key == NULL && secret_key == NULL)
        return 0;
    chain->held = s3credentials_new(access_key, secret_key, s3env("AWS_SESSION_TOKEN"));
    return s3credentials_check(&chain->held, _("the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"), err);
}

static int refuse_other_way(const S3Profile *profile, Error *err)
{
    error_set(err, ERR_UNSUPPORTED, "%s has no keys but \"%s\", which kura does not support", profile->places,
              profile->other_way);
    return error_hint(err,
                      "Give the profile aws_access_key_id and aws_secret_access_key, or put what \"aws configure "
                      "export-credentials --profile %s --format env\" prints into the environment.",
                      profile->name);
}

static int from_profile(S3Chain *chain, const S3Profile *profile, Error *err)
{
    if (profile->keys_file == NULL)
        return profile->other_way ? refuse_other_way(profile, err) : 0;
    _cleanup_free_ char *source = xasprintf(_("profile \"%s\" of \"%s\""), profile->name, profile->keys_file);
    chain->held = s3credentials_copy(&profile->keys);
    if (s3credentials_check(&chain->held, source, err) < 0)
        return -1;
    if (profile->keys_exposed) {
        log_debug("everybody on this host may read the S3 credentials in \"%s\"", profile->keys_file);
        chain->exposed_file = xstrdup(profile->keys_file);
    }
    return 0;
}

/* A pod that was given a role by its service account would otherwise act as the machine it runs on. */
static int refuse_web_identity(Error *err)
{
    if (s3env("AWS_WEB_IDENTITY_TOKEN_FILE") == NULL)
        return 0;
    error_set(err, ERR_UNSUPPORTED,
              "AWS_WEB_IDENTITY_TOKEN_FILE is set: kura cannot assume a role with a web identity");
    return error_hint(err, "Use EKS Pod Identity, or keys in the environment or in a credentials file.");
}

/* The sources that need no request, in their order. */
static int look(S3Chain *chain, const StoreOptions *options, const S3Profile *profile, Error *err)
{
    const S3Credentials *held = &chain->held;
    if (from_options(chain, options, err) < 0)
        return -1;
    if (held->access_key == NULL && options->s3_profile == NULL && from_environment(chain, err) < 0)
        return -1;
    if (held->access_key == NULL && from_profile(chain, profile, err) < 0)
        return -1;
    if (held->access_key)
        return 0;
    if (refuse_web_identity(err) < 0 || s3container_url(&chain->container_url, err) < 0)
        return -1;
    chain->instance_url = s3instance_url();
    chain->looked = xasprintf(_("the configuration (s3-access-key), %s, %s"),
                              options->s3_profile ? _("not the environment because a profile is given")
                                                  : _("the environment (AWS_ACCESS_KEY_ID)"),
                              profile->places);
    return 0;
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    return a ? a : b ? b : c;
}

static const char *given(const char *option)
{
    return option && option[0] ? option : NULL;
}

static int find_region(S3Chain *chain, const StoreOptions *options, const S3Profile *profile, Error *err)
{
    const char *region = first_of(given(options->s3_region),
                                  first_of(s3env("AWS_REGION"), s3env("AWS_DEFAULT_REGION"), profile->region), NULL);
    if (region && !s3region_valid(region))
        return error_set(err, ERR_USAGE, "the S3 region is no name of a region");
    chain->region = xstrdup_null(region);
    return 0;
}

static void find_endpoint(S3Chain *chain, const StoreOptions *options, const S3Profile *profile)
{
    const char *endpoint = given(options->s3_endpoint);
    if (endpoint == NULL && !s3env_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") && !profile->ignores_endpoint)
        endpoint = first_of(s3env("AWS_ENDPOINT_URL_S3"), s3env("AWS_ENDPOINT_URL"), profile->endpoint);
    chain->endpoint = xstrdup_null(endpoint);
}

static unsigned at_most(unsigned usual, unsigned wanted)
{
    return wanted && wanted < usual ? wanted : usual;
}

static S3Patience patience_of(const StoreTimes *times)
{
    if (times == NULL)
        return (S3Patience){CONNECT_MS, TOTAL_MS};
    return (S3Patience){at_most(CONNECT_MS, times->connect), at_most(TOTAL_MS, times->total)};
}

int s3chain_open(const StoreOptions *options, S3Chain **ret, Error *err)
{
    _cleanup_(s3chain_close_cleanup) S3Chain *chain = xcalloc(1, sizeof *chain);
    _cleanup_(s3profile_done) S3Profile profile = {0};
    pthread_mutex_init(&chain->mutex, NULL);
    chain->patience = patience_of(options->times);
    if (s3profile_read(given(options->s3_profile), &profile, err) < 0 ||
        find_region(chain, options, &profile, err) < 0 || look(chain, options, &profile, err) < 0)
        return -1;
    find_endpoint(chain, options, &profile);
    *ret = steal(chain);
    return 0;
}

/* Says all at once why there are none; why is what the instance metadata service answered. */
static int nothing_found(const S3Chain *chain, const Error *why, Error *err)
{
    error_set(err, ERR_PERMISSION, "no credentials for S3 were found");
    return error_hint(err,
                      "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a credentials file. Looked at: %s, "
                      "container credentials (AWS_CONTAINER_CREDENTIALS_FULL_URI is not set), instance metadata at "
                      "\"%s\" (%s).",
                      chain->looked, chain->instance_url ? chain->instance_url : _("nowhere"),
                      chain->instance_url ? why->message : _("AWS_EC2_METADATA_DISABLED is set"));
}

/* A query could hold something secret. */
static int fetch_of_container(const S3Chain *chain, S3Credentials *ret, Error *err)
{
    const char *url = chain->container_url;
    if (s3container_fetch(url, chain->patience, ret, err) == 0)
        return 0;
    error_hint(err, "No other source was asked because the environment has AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or "
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI.");
    return error_wrap(err, "container credentials at \"%.*s\"", (int)strcspn(url, "?"), url);
}

static int fetch(const S3Chain *chain, S3Credentials *ret, Error *err)
{
    Error why = ERROR_INIT;
    if (chain->container_url)
        return fetch_of_container(chain, ret, err);
    if (chain->instance_url && s3instance_fetch(chain->instance_url, chain->patience, ret, &why) == 0)
        return 0;
    bool first = chain->held.access_key == NULL;
    if (first && why.code != ERR_INTERRUPTED)
        return nothing_found(chain, &why, err);
    if (err)
        *err = why;
    return error_wrap(err, "instance metadata at \"%s\"", chain->instance_url);
}

static bool is_due(const S3Chain *chain, time_t now)
{
    const S3Credentials *held = &chain->held;
    if (held->access_key == NULL)
        return true;
    if (held->expires == 0 || held->expires - now > MARGIN)
        return false;
    return held->expires <= now || clock_monotonic() >= chain->next_fetch;
}

static int refresh(S3Chain *chain, Error *err)
{
    time_t now = time(NULL);
    if (!is_due(chain, now))
        return 0;
    Error why = ERROR_INIT;
    S3Credentials fetched;
    int rc = fetch(chain, &fetched, &why);
    chain->next_fetch = clock_monotonic() + PAUSE;
    if (rc == 0) {
        s3credentials_done(&chain->held);
        chain->held = fetched;
        return 0;
    }
    if (chain->held.access_key && chain->held.expires > now && why.code != ERR_INTERRUPTED) {
        log_debug("the S3 credentials cannot be renewed yet: %s", why.message);
        return 0;
    }
    if (err)
        *err = why;
    return -1;
}

int s3chain_get(S3Chain *chain, S3Credentials *ret, Error *err)
{
    pthread_mutex_lock(&chain->mutex);
    int rc = refresh(chain, err);
    if (rc == 0)
        *ret = s3credentials_copy(&chain->held);
    pthread_mutex_unlock(&chain->mutex);
    return rc;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool s3chain_renew(S3Chain *chain, const S3Credentials *refused)
{
    S3Credentials *held = &chain->held;
    pthread_mutex_lock(&chain->mutex);
    bool same =
        same_text(held->access_key, refused->access_key) && same_text(held->session_token, refused->session_token);
    if (same && held->expires != 0) {
        held->expires = 1; /* long ago */
        same = refresh(chain, NULL) < 0 || same_text(held->session_token, refused->session_token);
    }
    pthread_mutex_unlock(&chain->mutex);
    return !same;
}

const char *s3chain_region(const S3Chain *chain)
{
    return chain->region;
}

const char *s3chain_endpoint(const S3Chain *chain)
{
    return chain->endpoint;
}

const char *s3chain_exposed_file(const S3Chain *chain)
{
    return chain->exposed_file;
}
