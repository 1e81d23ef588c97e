/* One attempt of one HTTP request, over connections that are kept. Nothing is signed, repeated or followed here.
 * Thread-safe: each attempt has a connection to itself. */
#ifndef KURA_S3HTTP_H
#define KURA_S3HTTP_H

#include "kura/buf.h"
#include "kura/store.h"
#include "s3answer.h"
#include "s3limit.h"

typedef struct S3Http S3Http;

/* ca: file of certificates, or NULL for the system's. direct: no proxy, whatever the environment says. Fills the gaps
 * of *times with the usual ones. ERR_USAGE, ERR_NOT_FOUND, ERR_PERMISSION for the file. */
int s3http_open(const char *ca, bool direct, const StoreTimes *times, S3Http **ret, Error *err);
/* Ends the connections. No attempt may be under way. NULL-safe. */
void s3http_close(S3Http *http);
/* With all gaps filled. */
const StoreTimes *s3http_times(const S3Http *http);

/* Sees the headers of a 2xx answer before its body comes. 0 takes it; -1 refuses it for good, with the error; 1 says
 * that it is no sensible answer to the question, which the error's message tells: S3_FAULT_PROTOCOL. */
typedef int (*S3Accept)(void *ctx, const S3Answer *answer, Error *err);

typedef struct S3Exchange {
    const char *method;         /* GET, HEAD, DELETE, PUT, POST; the last two have a body, be it empty */
    const char *url;            /* ready to be sent */
    const char *const *headers; /* "Name: value", NULL-terminated */
    const void *body;
    size_t body_len;
    S3Limit *limit;  /* for the body; NULL: none */
    Buf *out;        /* a 2xx answer's body is appended; NULL: it is dropped */
    Buf *error;      /* any other answer's body, as much as fits */
    S3Accept accept; /* may be NULL */
    void *ctx;
} S3Exchange;

/* Makes the attempt. *err is set for S3_FAULT_LOCAL alone, a stop (ERR_INTERRUPTED) among them. */
void s3http_exchange(S3Http *http, const S3Exchange *exchange, S3Answer *ret, Error *err);

#endif
