/* One page of a listing (ListObjectsV2, encoding-type=url). Pure. Source: Amazon S3 API Reference, ListObjectsV2. */
#ifndef KURA_S3LIST_H
#define KURA_S3LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/error.h"

typedef struct S3Entry {
    char *key; /* below the prefix */
    uint64_t size;
    int64_t time; /* LastModified; INT64_MIN when the server does not tell */
} S3Entry;

typedef struct S3Page {
    S3Entry *v; /* those of valid keys, in byte order, each once */
    size_t n, cap;
    size_t passed_over; /* objects that cannot be ours */
    bool truncated;     /* there are more pages */
    char *token;        /* of the next one; NULL when there is none */
} S3Page;

/* Parses the answer to a request for what begins with prefix (the store's own; its keys are without it). ERR_CORRUPT
 * for what is no such answer. */
int s3page_parse(const void *data, size_t len, const char *prefix, S3Page *ret, Error *err);
/* NULL-safe. */
void s3page_done(S3Page *page);

#endif
