/* A line's insides: the attempt (s3line.c) and what libcurl calls (s3lineio.c). */
#ifndef KURA_S3LINE_PRIV_H
#define KURA_S3LINE_PRIV_H

#include <curl/curl.h>

#include "s3line.h"

enum {
    S3LINE_WAKE_MAX = 200,               /* milliseconds: how late a stop or a limit is noticed at most */
    S3LINE_BYTES_PER_SECOND = 16 * 1024, /* each second's worth of body adds a second to the whole attempt */
    S3LINE_SOCKETS_MAX = 8               /* watched at once; a line rarely has two */
};

struct S3Line {
    CURLM *multi;
    CURL *easy;
    int sockets[S3LINE_SOCKETS_MAX]; /* open ones, and -1 */
    /* Of the attempt under way: */
    const S3LineSettings *settings;
    const S3Exchange *exchange;
    struct curl_slist *headers;
    S3Answer *answer;
    Error *err;
    bool local;        /* err says why this side ended it */
    bool headers_done; /* of the final answer */
    size_t sent, dropped;
    double start, allowed; /* seconds: begin; how long the whole may take */
    double moved;          /* when the last byte was seen moving */
    int queued;            /* bytes in the kernel's send buffer, when last looked at */
};

/* Sets the handle's functions. */
void s3line_set_callbacks(S3Line *line);
/* Looks whether bytes left the kernel's buffers. */
void s3line_watch(S3Line *line);
/* Notes what the attempt ended with. */
void s3line_fault(S3Line *line, S3Fault which, const char *why);

#endif
