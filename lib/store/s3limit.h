/* A limit on bytes a second that several threads share. */
#ifndef KURA_S3LIMIT_H
#define KURA_S3LIMIT_H

#include <stddef.h>
#include <stdint.h>

typedef struct S3Limit S3Limit;

/* rate: bytes a second, not 0. */
S3Limit *s3limit_new(uint64_t rate);
/* NULL-safe. */
void s3limit_free(S3Limit *limit);
/* How many of `want` bytes may be sent in one go: a twentieth of a second's worth at most, at least 1 of at least 1.
 * The caller waits *ret_wait seconds before it sends them. Callers are served in turn; what was not used in the past
 * tenth of a second is not saved up. */
size_t s3limit_take(S3Limit *limit, size_t want, double *ret_wait);

#endif
