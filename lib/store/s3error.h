/* What an S3 server says when it refuses, and what that means here. Pure. */
#ifndef KURA_S3ERROR_H
#define KURA_S3ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "s3answer.h"

/* The fields of an error document that matter. Bounded and printable. */
typedef struct S3Error {
    char code[64]; /* "" when there was none: [A-Za-z0-9.] */
    char message[256];
    char region[S3_REGION_SIZE];
    char endpoint[S3_HOST_SIZE];
    char request_id[128];
} S3Error;

/* What can be done about a refusal. */
typedef enum S3Remedy {
    S3_REMEDY_NONE,        /* it ends here */
    S3_REMEDY_WAIT,        /* try again after a while */
    S3_REMEDY_REGION,      /* sign for the region that the server names */
    S3_REMEDY_CLOCK,       /* sign with the server's time */
    S3_REMEDY_CREDENTIALS, /* get new credentials */
    S3_REMEDY_REDIRECT,    /* ask the endpoint that the server names */
    S3_REMEDY_STYLE,       /* put the bucket into the host's name */
    S3_REMEDY_NO_EXPECT,   /* do not ask before sending a body */
} S3Remedy;

typedef struct S3Meaning {
    ErrorCode code;
    S3Remedy remedy;
    const char *hint; /* NULL: none */
} S3Meaning;

/* Reads an error document. False, and all fields "", when it is none: a list, a proxy's page, nothing. */
bool s3error_parse(const void *data, size_t len, S3Error *ret);
/* What the refusal means: by its code, else by its status. */
S3Meaning s3error_meaning(const S3Error *error, int status);
/* What a fault of the transport means. reached: whether the server was heard of before, so that it cannot be a wrong
 * name or port. */
S3Meaning s3fault_meaning(S3Fault fault, bool reached);

#endif
