/* Whether and when a request is tried again. Pure. */
#ifndef KURA_S3RETRY_H
#define KURA_S3RETRY_H

#include "s3answer.h"
#include "s3error.h"

/* What one attempt means: done (code is ERR_NONE), or by fault, error code and status what can be done. A refusal that
 * came counts even when the connection broke behind it. reached: see s3fault_meaning. */
S3Meaning s3retry_meaning(const S3Answer *answer, const S3Error *error, bool reached);

/* Whether the server may have acted on a request that was not answered with a clear yes or no. */
bool s3retry_ambiguous(const S3Answer *answer);

/* Milliseconds until the next attempt: doubling from 0.1 s (0.5 s when the server asked to slow down) to 20 s, of which
 * chance takes away up to a half; never less than Retry-After, of which a minute is believed. tries: how many were
 * made, at least 1. random: any 32 bits. */
unsigned s3retry_delay(unsigned tries, const S3Answer *answer, unsigned random);

/* How long to go on, in milliseconds from the first failure: `retry`, but a quarter of a minute at most for a server
 * that was never reached, and S3RETRY_HURRIED_MAX once a stop was asked for: what is still sent then only tidies up. */
enum { S3RETRY_HURRIED_MAX = 5 * 1000 };
unsigned s3retry_patience(unsigned retry, bool reached, bool hurried);

#endif
