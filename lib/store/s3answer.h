/* What came back for one attempt of one request: how it ended, the status, the headers that matter. Pure but for the
 * clock's names of months. Everything in it is bounded and printable. */
#ifndef KURA_S3ANSWER_H
#define KURA_S3ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "s3location.h"

typedef enum S3Fault {
    S3_FAULT_NONE,        /* a whole answer came */
    S3_FAULT_DNS,         /* no address for the name */
    S3_FAULT_CONNECT,     /* refused, or no connection in time */
    S3_FAULT_HANDSHAKE,   /* TLS could not be agreed on */
    S3_FAULT_CERTIFICATE, /* the server did not prove who it is */
    S3_FAULT_LOST,        /* the connection broke */
    S3_FAULT_SHORT,       /* the body ended before its announced length */
    S3_FAULT_STALL,       /* no byte in either direction for too long */
    S3_FAULT_TOTAL,       /* the whole attempt took too long */
    S3_FAULT_PROTOCOL,    /* not HTTP, or not an answer to the question */
    S3_FAULT_LOCAL,       /* refused by this side: the Error says why */
} S3Fault;

typedef struct S3Answer {
    S3Fault fault;
    char why[256];  /* of a fault, for people */
    int status;     /* of the answer's first line; 0 when none came */
    bool sent;      /* some of the request may have arrived */
    bool resent;    /* and was sent once more, without an answer to the first time */
    bool continued; /* the server asked for the body ("100 Continue") */
    bool has_length;
    uint64_t length; /* Content-Length */
    bool has_range;
    uint64_t range_first, range_last; /* Content-Range; meaningless with 416 */
    uint64_t range_total;
    time_t date;          /* 0: none */
    unsigned retry_after; /* seconds; 0: none */
    char request_id[128];
    char region[S3_REGION_SIZE]; /* x-amz-bucket-region */
    char location[1024];
    char etag[128];
    char expiration[256]; /* x-amz-expiration: a lifecycle rule will delete the object */
} S3Answer;

/* Takes one header line, status lines included (which forget what came before). Unknown or malformed ones are passed
 * over. */
void s3answer_header(S3Answer *answer, const char *line, size_t len, time_t now);

/* Copies hostile text for showing: what is no printable ASCII becomes '?', what does not fit is cut. */
void s3answer_copy(char *to, size_t size, const char *from, size_t len);

#endif
