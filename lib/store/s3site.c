#include "s3site.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "sigv4.h"

enum { SKEW_MIN = 60 }; /* seconds; servers bear 15 minutes */

static const double believe_again = 60;

typedef enum Lesson { LESSON_REGION, LESSON_CLOCK, LESSON_STYLE, LESSON_ENDPOINT, LESSONS } Lesson;

struct S3Site {
    const S3Location *location;
    bool aws;         /* the endpoint follows the region */
    bool style_fixed; /* by the user */
    bool allow_http;
    pthread_mutex_t mutex;
    S3Target target;         /* guarded by mutex */
    double learned[LESSONS]; /* when, on the monotonic clock; 0: never */
};

int s3site_open(const S3Location *location, const char *url, const char *region, const StoreOptions *options,
                S3Site **ret, Error *err)
{
    S3Target target = {0};
    if (!s3region_valid(region))
        return error_set(err, ERR_USAGE, "\"%.80s\" is not the name of an S3 region", region);
    snprintf(target.region, sizeof target.region, "%s", region);
    s3endpoint_aws(region, &target.endpoint);
    if (url && (s3endpoint_parse(url, &target.endpoint, err) < 0 ||
                s3endpoint_check(&target.endpoint, options->s3_allow_http, err) < 0))
        return -1;
    bool automatic = options->s3_path_style == S3_PATH_STYLE_AUTO;
    target.virtual_host = automatic ? s3endpoint_prefers_virtual_host(&target.endpoint, location->bucket)
                                    : options->s3_path_style == S3_PATH_STYLE_NO;
    S3Site *site = xcalloc(1, sizeof *site);
    *site = (S3Site){.location = location,
                     .aws = url == NULL,
                     .style_fixed = !automatic,
                     .allow_http = options->s3_allow_http,
                     .mutex = PTHREAD_MUTEX_INITIALIZER,
                     .target = target};
    *ret = site;
    return 0;
}

void s3site_close(S3Site *site)
{
    if (site == NULL)
        return;
    pthread_mutex_destroy(&site->mutex);
    free(site);
}

void s3site_target(S3Site *site, S3Target *ret)
{
    pthread_mutex_lock(&site->mutex);
    *ret = site->target;
    pthread_mutex_unlock(&site->mutex);
}

/* Takes `taught` over when `news` says that it differs and the rules allow it. Called with the mutex held. */
static bool learn(S3Site *site, Lesson lesson, const S3Target *used, const S3Target *taught, bool news)
{
    if (site->target.generation != used->generation)
        return true;
    double now = clock_monotonic();
    if (!news || (site->learned[lesson] > 0 && now - site->learned[lesson] < believe_again))
        return false;
    site->learned[lesson] = now;
    site->target = *taught;
    site->target.generation++;
    return true;
}

bool s3site_learn_region(S3Site *site, const S3Target *used, const char *region)
{
    pthread_mutex_lock(&site->mutex);
    S3Target taught = site->target;
    bool news = s3region_valid(region) && strcmp(region, taught.region) != 0;
    if (news) {
        snprintf(taught.region, sizeof taught.region, "%s", region);
        if (site->aws)
            s3endpoint_aws(region, &taught.endpoint);
    }
    bool again = learn(site, LESSON_REGION, used, &taught, news);
    pthread_mutex_unlock(&site->mutex);
    return again;
}

bool s3site_learn_clock(S3Site *site, const S3Target *used, time_t server, time_t local)
{
    pthread_mutex_lock(&site->mutex);
    S3Target taught = site->target;
    taught.clock_offset = (long)(server - local);
    long change = taught.clock_offset - site->target.clock_offset;
    bool news = server != 0 && (change > SKEW_MIN || change < -SKEW_MIN);
    bool again = learn(site, LESSON_CLOCK, used, &taught, news);
    pthread_mutex_unlock(&site->mutex);
    return again;
}

bool s3site_learn_style(S3Site *site, const S3Target *used)
{
    pthread_mutex_lock(&site->mutex);
    S3Target taught = site->target;
    taught.virtual_host = !taught.virtual_host;
    bool again = learn(site, LESSON_STYLE, used, &taught, !site->style_fixed);
    pthread_mutex_unlock(&site->mutex);
    return again;
}

/* The endpoint and style that a redirect's URL stands for; the key in it is ours anyway. */
static bool parse_redirect(const S3Site *site, const S3Target *now, const char *url, S3Target *ret)
{
    char start[S3_HOST_SIZE + 16];
    const char *scheme = strstr(url, "://");
    size_t len = scheme ? (size_t)(scheme - url) + 3 : 0;
    len += strcspn(url + len, "/?#");
    if (len == 0 || len >= sizeof start)
        return false;
    snprintf(start, sizeof start, "%s%.*s", scheme || now->endpoint.tls ? "" : "http://", (int)len, url);
    *ret = *now;
    if (s3endpoint_parse(start, &ret->endpoint, NULL) < 0 ||
        s3endpoint_check(&ret->endpoint, site->allow_http, NULL) < 0 || (now->endpoint.tls && !ret->endpoint.tls))
        return false;
    bool named = s3endpoint_strip_bucket(&ret->endpoint, site->location->bucket);
    if (!s3endpoint_akin(&now->endpoint, &ret->endpoint))
        return false;
    if (!site->style_fixed)
        ret->virtual_host = named;
    return true;
}

bool s3site_learn_endpoint(S3Site *site, const S3Target *used, const char *url)
{
    pthread_mutex_lock(&site->mutex);
    S3Target taught;
    bool news = parse_redirect(site, &site->target, url, &taught) &&
                (!s3endpoint_equal(&taught.endpoint, &site->target.endpoint) ||
                 taught.virtual_host != site->target.virtual_host);
    bool again = learn(site, LESSON_ENDPOINT, used, &taught, news);
    pthread_mutex_unlock(&site->mutex);
    return again;
}

int s3site_host(const S3Site *site, const S3Target *target, Buf *out, Error *err)
{
    const S3Endpoint *endpoint = &target->endpoint;
    if (target->virtual_host && buf_printf(out, err, "%s.", site->location->bucket) < 0)
        return -1;
    if (buf_append_str(out, endpoint->host, err) < 0)
        return -1;
    return endpoint->port ? buf_printf(out, err, ":%u", endpoint->port) : 0;
}

int s3site_path(const S3Site *site, const S3Target *target, const char *key, Buf *out, Error *err)
{
    const S3Location *location = site->location;
    if (buf_append_str(out, "/", err) < 0)
        return -1;
    if (!target->virtual_host &&
        (sigv4_encode_path(location->bucket, out, err) < 0 || (key && buf_append_str(out, "/", err) < 0)))
        return -1;
    if (key == NULL)
        return 0;
    return sigv4_encode_path(location->prefix, out, err) < 0 ? -1 : sigv4_encode_path(key, out, err);
}
