#include "holdback.h"

#include <string.h>

int holdback_push(Holdback *holdback, const uint8_t *data, size_t len,
                  int (*pass)(void *ctx, const void *data, size_t len, Error *err), void *ctx, Error *err)
{
    size_t total = holdback->n + len, out = total > holdback->keep ? total - holdback->keep : 0;
    size_t old = out < holdback->n ? out : holdback->n, fresh = out - old;
    if (old > 0 && pass(ctx, holdback->bytes, old, err) < 0)
        return -1;
    if (fresh > 0 && pass(ctx, data, fresh, err) < 0)
        return -1;
    holdback->n -= old;
    memmove(holdback->bytes, holdback->bytes + old, holdback->n);
    memcpy(holdback->bytes + holdback->n, data + fresh, len - fresh);
    holdback->n += len - fresh;
    return 0;
}
