#include "s3limit.h"

#include <pthread.h>

#include "kura/clock.h"
#include "kura/mem.h"

enum { PIECE_MIN = 256, PIECE_MAX = 64 * 1024 };

static const double saved_up = 0.1; /* seconds */

struct S3Limit {
    pthread_mutex_t mutex;
    double rate;
    size_t piece;
    double next; /* when the line is free again */
};

S3Limit *s3limit_new(uint64_t rate)
{
    S3Limit *limit = xcalloc(1, sizeof *limit);
    uint64_t piece = rate / 20;
    pthread_mutex_init(&limit->mutex, NULL);
    limit->rate = (double)rate;
    limit->piece = piece < PIECE_MIN ? PIECE_MIN : piece > PIECE_MAX ? PIECE_MAX : (size_t)piece;
    return limit;
}

void s3limit_free(S3Limit *limit)
{
    if (limit == NULL)
        return;
    pthread_mutex_destroy(&limit->mutex);
    free(limit);
}

size_t s3limit_take(S3Limit *limit, size_t want, double *ret_wait)
{
    size_t len = want < limit->piece ? want : limit->piece;
    double now = clock_monotonic();
    pthread_mutex_lock(&limit->mutex);
    if (limit->next < now - saved_up)
        limit->next = now - saved_up;
    double wait = limit->next - now;
    limit->next += (double)len / limit->rate;
    pthread_mutex_unlock(&limit->mutex);
    *ret_wait = wait > 0 ? wait : 0;
    return len;
}
