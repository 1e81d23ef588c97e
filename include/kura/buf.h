/* Growing byte buffers with a maximum that is fixed when they are born, and growing lists of strings. */
#ifndef KURA_BUF_H
#define KURA_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/error.h"

typedef struct Buf {
    uint8_t *data; /* owned; NUL-terminated once anything was appended (the NUL is not counted in len) */
    size_t len;
    size_t cap;
    size_t max; /* appending past this fails */
} Buf;

#define BUF_INIT(maximum)                                                                                              \
    (Buf)                                                                                                              \
    {                                                                                                                  \
        .max = (maximum)                                                                                               \
    }

/* Frees the bytes; the buffer may be used again. NULL-safe, and usable with _cleanup_. */
void buf_done(Buf *buf);
/* Empties the buffer, keeps its memory. */
void buf_clear(Buf *buf);
/* Makes room for len more bytes at data + buf->len; the caller then adds to buf->len. */
int buf_reserve(Buf *buf, size_t len, Error *err);
int buf_append(Buf *buf, const void *data, size_t len, Error *err);
int buf_append_str(Buf *buf, const char *text, Error *err);
int buf_printf(Buf *buf, Error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Drops the first len bytes. */
void buf_consume(Buf *buf, size_t len);
/* The text of a buffer: "" when nothing was appended. Valid until the next change. */
const char *buf_str(const Buf *buf);

/* A growing list of owned strings; v is NULL-terminated once anything was pushed. */
typedef struct StrVec {
    char **v;
    size_t n;
    size_t cap;
} StrVec;

void strvec_done(StrVec *vec);
void strvec_push(StrVec *vec, const char *text);
void strvec_pushf(StrVec *vec, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool strvec_contains(const StrVec *vec, const char *text);

#endif
