/* AWS Signature Version 4 in the Authorization header, as S3 wants it: the path is encoded once and never normalised.
 * Pure: no clock, no connection. Source: "Create a signed AWS API request" (AWS IAM User Guide) and "Authenticating
 * Requests: Using the Authorization Header" (Amazon S3 API Reference). The caller sends exactly the bytes it had
 * signed. */
#ifndef KURA_SIGV4_H
#define KURA_SIGV4_H

#include <stddef.h>
#include <time.h>

#include "kura/buf.h"
#include "kura/error.h"

enum {
    SIGV4_STAMP_SIZE = 17,  /* "20150830T123600Z" with its NUL */
    SIGV4_HEADERS_MAX = 32, /* more are refused */
    SIGV4_PARAMS_MAX = 32
};

/* A header that is signed, or a parameter of a query, not encoded. A parameter without a value has "". Borrowed. */
typedef struct SigV4Pair {
    const char *name;
    const char *value;
} SigV4Pair;

/* What is signed; all of it borrowed. S3 demands these headers among the signed ones: host (with the port as sent) and
 * every x-amz-* that is sent: x-amz-date (the stamp), x-amz-content-sha256 (the payload hash) and, with temporary
 * credentials, x-amz-security-token. */
typedef struct SigV4Request {
    const char *method;       /* in capitals */
    const char *path;         /* from sigv4_encode_path, beginning with '/' */
    const char *query;        /* from sigv4_encode_query, without '?'; "" for none */
    const SigV4Pair *headers; /* in any order; names in any case, one may come repeatedly */
    size_t n_headers;
    const char *payload_hash; /* lower-case hex SHA-256 of the body, or "UNSIGNED-PAYLOAD" */
    const char *region;       /* of the scope */
    const char *service;      /* "s3" */
    const char *stamp;        /* from sigv4_stamp */
} SigV4Request;

/* The moment as x-amz-date has it; "" for one that no such date can tell. */
void sigv4_stamp(time_t moment, char ret[SIGV4_STAMP_SIZE]);

/* Appends a path or key, percent-encoded: all bytes but A-Z a-z 0-9 - . _ ~ and '/'. Fails only when out is full. */
int sigv4_encode_path(const char *path, Buf *out, Error *err);
/* Appends "name=value&name=value", names and values percent-encoded ('/' too), sorted as the signature demands. */
int sigv4_encode_query(const SigV4Pair *params, size_t n, Buf *out, Error *err);

/* The steps, each appending to *out; sigv4_authorize does all of them. */
int sigv4_canonical_request(const SigV4Request *request, Buf *out, Error *err);
int sigv4_string_to_sign(const SigV4Request *request, const char *canonical_request, Buf *out, Error *err);

/* Keeps the last signing key, which is good for one day, region and secret. Thread-safe. */
typedef struct SigV4Keys SigV4Keys;
SigV4Keys *sigv4_keys_new(void);
/* Wipes and frees. NULL-safe. */
void sigv4_keys_free(SigV4Keys *keys);

/* Appends the value of the Authorization header. Not for logs: with it the same request can be sent again. */
int sigv4_authorize(SigV4Keys *keys, const char *access_key, const char *secret_key, const SigV4Request *request,
                    Buf *out, Error *err);

#endif
