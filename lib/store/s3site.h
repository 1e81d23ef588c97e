/* What is known of the server of one store, and what it taught since. Thread-safe. */
#ifndef KURA_S3SITE_H
#define KURA_S3SITE_H

#include <stdatomic.h>
#include <time.h>

#include "kura/buf.h"
#include "kura/store.h"
#include "s3location.h"

/* A copy of it, for one attempt. */
typedef struct S3Target {
    S3Endpoint endpoint;
    char region[S3_REGION_SIZE];
    bool virtual_host;   /* the bucket stands in the host's name */
    long clock_offset;   /* seconds that the server's clock is ahead */
    unsigned generation; /* grows with every lesson */
} S3Target;

typedef struct S3Site S3Site;

/* url: NULL for AWS's own endpoint of the region. The location is borrowed for the site's life. ERR_USAGE. */
int s3site_open(const S3Location *location, const char *url, const char *region, const StoreOptions *options,
                S3Site **ret, Error *err);
/* NULL-safe. */
void s3site_close(S3Site *site);

void s3site_target(S3Site *site, S3Target *ret);

/* Lessons. Each tells whether an attempt is worth repeating at once: the lesson was new, or another thread learned
 * something since `used` was taken. A lesson of one kind is believed once a minute, so that a server that keeps
 * changing its mind is not followed in circles. */
bool s3site_learn_region(S3Site *site, const S3Target *used, const char *region);
bool s3site_learn_clock(S3Site *site, const S3Target *used, time_t server, time_t local);
/* Turns from host style to path style, or back; only where the style was not told. */
bool s3site_learn_style(S3Site *site, const S3Target *used);
/* url: of a redirect, of which scheme, host and port count. TLS is never given up. */
bool s3site_learn_endpoint(S3Site *site, const S3Target *used, const char *url);

/* Appends what goes into the Host header: the name, the bucket before it where it belongs, the port if it is not the
 * scheme's own. */
int s3site_host(const S3Site *site, const S3Target *target, Buf *out, Error *err);
/* Appends the encoded path of a key below the prefix; "" is the prefix itself, NULL the bucket. */
int s3site_path(const S3Site *site, const S3Target *target, const char *key, Buf *out, Error *err);

#endif
