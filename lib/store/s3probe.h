/* The storage test: what this bucket really does. */
#ifndef KURA_S3PROBE_H
#define KURA_S3PROBE_H

#include "s3_priv.h"

typedef struct S3Probe {
    S3 *s3;
    Findings *findings;
    char dir[40];         /* "probe/<random>/", below which everything happens */
    StrVec keys;          /* what was put and is still there */
    bool protected;       /* Object Lock keeps what is deleted for a while */
    bool versioned;       /* what is deleted or replaced stays as an old version */
    bool knows_lifecycle; /* the rules could be read */
    char expiration[256]; /* what the server said when an object was put: a rule will delete it */
} S3Probe;

/* Puts, reads, replaces and lists objects. */
void s3probe_objects(S3Probe *probe);
/* Whether this key may delete one of them, and what that means, given what s3probe_bucket learned. */
void s3probe_delete(S3Probe *probe);
/* What the bucket's configuration tells: versioning, Object Lock, lifecycle rules, incomplete uploads. */
void s3probe_bucket(S3Probe *probe);

#endif
