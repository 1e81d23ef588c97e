#include "s3http.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "kura/mem.h"
#include "s3line.h"

static const StoreTimes usual = {.connect = 10 * 1000, .stall = 30 * 1000, .total = 300 * 1000, .retry = 300 * 1000};

struct S3Http {
    S3LineSettings settings;
    char *ca;
    pthread_mutex_t mutex;
    S3Line *
        *idle; /* guarded by mutex; the one used last, whose connection is the least likely to be dead, at the end */
    size_t n, cap;
};

static unsigned or_usual(unsigned given, unsigned otherwise)
{
    return given ? given : otherwise;
}

int s3http_open(const char *ca, bool direct, const StoreTimes *times, S3Http **ret, Error *err)
{
    if (ca && access(ca, R_OK) < 0)
        return error_errno(err, errno, "could not read the CA certificates \"%s\"", ca);
    S3Http *http = xcalloc(1, sizeof *http);
    StoreTimes given = times ? *times : usual;
    pthread_mutex_init(&http->mutex, NULL);
    http->ca = xstrdup_null(ca);
    http->settings = (S3LineSettings){.times = {.connect = or_usual(given.connect, usual.connect),
                                                .stall = or_usual(given.stall, usual.stall),
                                                .total = or_usual(given.total, usual.total),
                                                .retry = or_usual(given.retry, usual.retry)},
                                      .ca = http->ca,
                                      .direct = direct};
    *ret = http;
    return 0;
}

void s3http_close(S3Http *http)
{
    if (http == NULL)
        return;
    for (size_t i = 0; i < http->n; i++)
        s3line_free(http->idle[i]);
    free(http->idle);
    pthread_mutex_destroy(&http->mutex);
    free(http->ca);
    free(http);
}

const StoreTimes *s3http_times(const S3Http *http)
{
    return &http->settings.times;
}

static S3Line *take_line(S3Http *http)
{
    pthread_mutex_lock(&http->mutex);
    S3Line *line = http->n ? http->idle[--http->n] : NULL;
    pthread_mutex_unlock(&http->mutex);
    return line ? line : s3line_new();
}

static void give_back(S3Http *http, S3Line *line)
{
    pthread_mutex_lock(&http->mutex);
    xgrow(&http->idle, &http->cap, http->n);
    http->idle[http->n++] = line;
    pthread_mutex_unlock(&http->mutex);
}

void s3http_exchange(S3Http *http, const S3Exchange *exchange, S3Answer *ret, Error *err)
{
    S3Line *line = take_line(http);
    s3line_exchange(line, &http->settings, exchange, ret, err);
    give_back(http, line);
}
