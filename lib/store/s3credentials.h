/* One set of S3 credentials. */
#ifndef KURA_S3CREDENTIALS_H
#define KURA_S3CREDENTIALS_H

#include <time.h>

#include "kura/error.h"

/* Owned by whoever holds it. */
typedef struct S3Credentials {
    char *access_key; /* NULL: there are none */
    char *secret_key;
    char *session_token; /* NULL for lasting credentials */
    time_t expires;      /* 0: never */
} S3Credentials;

/* Copies the strings, any of which may be NULL or, with the same meaning, empty. */
S3Credentials s3credentials_new(const char *access_key, const char *secret_key, const char *session_token);
S3Credentials s3credentials_copy(const S3Credentials *credentials);
/* Wipes and frees the strings. NULL-safe, and usable with _cleanup_. */
void s3credentials_done(S3Credentials *credentials);

/* Both keys must be there, and only characters that can stand in a header and in a credential scope. ERR_USAGE names
 * the source, given as "the environment", and never quotes a value. */
int s3credentials_check(const S3Credentials *credentials, const char *source, Error *err);

#endif
