/* A request as it goes out: URL and headers, signed. */
#ifndef KURA_S3SIGNED_H
#define KURA_S3SIGNED_H

#include "kura/buf.h"
#include "s3cred.h"
#include "s3site.h"
#include "sigv4.h"

/* What is asked of the server; all of it borrowed. */
typedef struct S3Wanted {
    const char *method;
    const char *key; /* below the prefix; NULL: the bucket itself */
    const SigV4Pair *params;
    size_t n_params;
    const SigV4Pair *headers; /* besides those that every request has */
    size_t n_headers;
    const char *sha256; /* hexadecimal, of the body */
    const char *md5;    /* base64, of the body; NULL without one */
    bool expect;        /* ask before sending the body */
} S3Wanted;

typedef struct S3Signed {
    Buf url;
    char *headers[SIGV4_HEADERS_MAX + 1]; /* "Name: value", NULL-terminated; good for minutes, and not for logs */
    size_t n;
} S3Signed;

/* Signs for the target at this moment (by the server's clock). The errors of buf.h and sigv4.h. */
int s3sign(const S3Wanted *wanted, const S3Site *site, const S3Target *target, SigV4Keys *keys,
           const S3Credentials *credentials, S3Signed *ret, Error *err);
/* Wipes and frees. NULL-safe, and usable with _cleanup_. */
void s3signed_done(S3Signed *request);

#endif
