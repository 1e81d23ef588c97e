/* Small HTTP requests to services of this machine that hand out credentials: never through a proxy, never redirected,
 * short in time and in length. */
#ifndef KURA_S3FETCH_H
#define KURA_S3FETCH_H

#include "kura/error.h"

enum { S3FETCH_BODY_MAX = 64 * 1024, S3FETCH_TRIES = 2 };

typedef struct S3Fetch {
    const char *method; /* "GET" or "PUT", the latter without a body */
    const char *url;    /* http or https */
    const char *header; /* "Name: value", or NULL */
    unsigned connect;   /* milliseconds until a connection stands */
    unsigned total;     /* milliseconds for each of the tries */
} S3Fetch;

/* Gives the body, as text, of an answer with status 200; free it with secrettext_free. Tries again after a failed
 * connection, no answer in time, and a status from 500 on. ERR_CONNECTION; ERR_SERVER for other statuses; ERR_CORRUPT
 * for a body that is too long or no text; ERR_INTERRUPTED. Messages do not name the URL. */
int s3fetch(const S3Fetch *request, char **ret_body, Error *err);

#endif
