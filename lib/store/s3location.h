/* Where an S3 store is: bucket, prefix and endpoint, as a person writes them. Pure. */
#ifndef KURA_S3LOCATION_H
#define KURA_S3LOCATION_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/error.h"

enum {
    S3_KEY_MAX = 1024,   /* bytes of a whole key, everywhere */
    S3_PREFIX_MAX = 512, /* leaves room for the longest key of a store */
    S3_HOST_SIZE = 256,
    S3_REGION_SIZE = 64
};

typedef struct S3Location {
    char *bucket; /* 3 to 63 of [A-Za-z0-9._-], an alphanumeric one first */
    char *prefix; /* "", or valid UTF-8 without control characters that ends with '/' */
} S3Location;

typedef struct S3Endpoint {
    bool tls;
    char host[S3_HOST_SIZE]; /* lower case; an IPv6 address stands in its brackets */
    unsigned port;           /* 0: the scheme's own */
} S3Endpoint;

/* Parses "//BUCKET[/PREFIX]", a location without its "s3:". The prefix is taken as it is: no percent sign is decoded.
 * ERR_USAGE. */
int s3location_parse(const char *rest, S3Location *ret, Error *err);
/* NULL-safe. */
void s3location_done(S3Location *location);

/* Parses "[http[s]://]HOST[:PORT][/]"; https when it does not say. ERR_USAGE, never quoting a user or password in it.
 */
int s3endpoint_parse(const char *url, S3Endpoint *ret, Error *err);
/* AWS's own for a region, https. */
void s3endpoint_aws(const char *region, S3Endpoint *ret);
bool s3endpoint_equal(const S3Endpoint *a, const S3Endpoint *b);
/* Whether a may send us to b: the same host, or one of the same domain, or this host from this host. Anything else
 * could be a service that has nothing to do with the storage, and would be given what is stored. */
bool s3endpoint_akin(const S3Endpoint *a, const S3Endpoint *b);
/* Whether it is this host, by a name or an address that cannot mean another one. */
bool s3endpoint_is_loopback(const S3Endpoint *endpoint);
/* ERR_USAGE when requests would cross a network unencrypted and allow_http does not say that this is meant. */
int s3endpoint_check(const S3Endpoint *endpoint, bool allow_http, Error *err);
/* Whether "BUCKET.HOST" is the address to try first: for providers that ask for it, and with buckets whose name a
 * wildcard certificate covers. All other servers take the path style. */
bool s3endpoint_prefers_virtual_host(const S3Endpoint *endpoint, const char *bucket);
/* Splits "BUCKET." off the host of an endpoint; false when it does not begin so. */
bool s3endpoint_strip_bucket(S3Endpoint *endpoint, const char *bucket);
/* Whether text may be a region: [A-Za-z0-9._-]+, short enough. */
bool s3region_valid(const char *region);

#endif
