/* One line to the server: a libcurl handle and its connections. Used by one thread at a time. */
#ifndef KURA_S3LINE_H
#define KURA_S3LINE_H

#include "s3http.h"

typedef struct S3Line S3Line;

/* Borrowed from the pool that the line belongs to. */
typedef struct S3LineSettings {
    StoreTimes times; /* without gaps */
    const char *ca;
    bool direct;
} S3LineSettings;

S3Line *s3line_new(void);
/* Ends its connections. */
void s3line_free(S3Line *line);
/* See s3http_exchange. */
void s3line_exchange(S3Line *line, const S3LineSettings *settings, const S3Exchange *exchange, S3Answer *ret,
                     Error *err);

#endif
