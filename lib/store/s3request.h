/* A request with all its patience: signed, sent, tried again, and what it means in the end. */
#ifndef KURA_S3REQUEST_H
#define KURA_S3REQUEST_H

#include "s3answer.h"
#include "s3cred.h"
#include "s3error.h"
#include "s3http.h"
#include "s3limit.h"
#include "s3site.h"
#include "sigv4.h"

/* What the requests of one handle share. Owned by the handle; the parts are thread-safe. */
typedef struct S3Client {
    S3Site *site;
    S3Http *http;
    S3Chain *chain;
    SigV4Keys *keys;
    S3Limit *limit;      /* NULL: none */
    atomic_bool reached; /* the server was heard of */
    atomic_bool no_expect;
} S3Client;

/* All borrowed. */
typedef struct S3Call {
    const char *method;
    const char *key;   /* below the prefix; NULL: the bucket itself */
    const char *shown; /* the object's name in messages; NULL: the key */
    const SigV4Pair *params;
    size_t n_params;
    const SigV4Pair *headers; /* besides those that every request has; signed */
    size_t n_headers;
    const void *body; /* of PUT and POST */
    size_t body_len;
    Buf *out;        /* the body of a success is appended; on failure it is as it was. NULL: dropped */
    S3Accept accept; /* may be NULL */
    void *ctx;
    bool xml; /* the body of a success is a document, which may be an error after all */
} S3Call;

/* How it ended, for those who want to know more than the Error says. */
typedef struct S3Outcome {
    S3Answer answer; /* of the last attempt */
    S3Error error;
    unsigned tries;
    bool ambiguous; /* an earlier attempt, or sending of the last one, may have had its effect */
} S3Outcome;

/* 0 for a success (status 200 to 299). -1: what the table in s3error.c says; ERR_NOT_FOUND for 404, ERR_EXISTS for 412,
 * ERR_TRUNCATED for 416, ERR_INTERRUPTED for a stop, accept's error for its refusal. *ret is filled either way. */
int s3request(S3Client *client, const S3Call *call, S3Outcome *ret, Error *err);

/* Waits so many milliseconds; -1 with ERR_INTERRUPTED when a stop is asked for. */
int s3request_wait(unsigned milliseconds, Error *err);

#endif
