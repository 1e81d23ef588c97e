/* The lifecycle rules of a bucket, as far as they can harm backups. Pure. Source: Amazon S3 API Reference,
 * GetBucketLifecycleConfiguration. */
#ifndef KURA_S3LIFECYCLE_H
#define KURA_S3LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/error.h"

typedef struct S3Rule {
    char id[64];       /* printable; "" when it has none */
    char expires[40];  /* "after 30 days", "on 2027-01-01"; "" when it deletes no current objects */
    char archives[40]; /* the storage class that objects cannot be read from; "" for none */
    bool old_versions; /* deletes versions that are not current any more */
    bool ends_uploads; /* removes incomplete multipart uploads */
} S3Rule;

typedef struct S3Rules {
    S3Rule *v; /* those in force for untagged objects below the prefix */
    size_t n, cap;
} S3Rules;

/* prefix: that of the store. ERR_CORRUPT for what is no such document. */
int s3rules_parse(const void *data, size_t len, const char *prefix, S3Rules *ret, Error *err);
/* NULL-safe. */
void s3rules_done(S3Rules *rules);

#endif
