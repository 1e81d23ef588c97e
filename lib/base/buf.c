#include "kura/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"

void buf_done(Buf *buf)
{
    if (buf == NULL)
        return;
    free(buf->data);
    *buf = BUF_INIT(buf->max);
}

void buf_clear(Buf *buf)
{
    buf->len = 0;
    if (buf->data)
        buf->data[0] = 0;
}

int buf_reserve(Buf *buf, size_t len, Error *err)
{
    if (len > buf->max || buf->len > buf->max - len)
        return error_set(err, ERR_FAILED, "%zu bytes are more than this buffer may hold (%zu)", len, buf->max);
    size_t need = buf->len + len + 1;
    if (need <= buf->cap)
        return 0;
    size_t cap = buf->cap ? buf->cap : 256;
    while (cap < need)
        cap += cap / 2 + 1;
    if (cap - 1 > buf->max)
        cap = buf->max + 1;
    buf->data = xreallocarray(buf->data, cap, 1);
    buf->cap = cap;
    return 0;
}

int buf_append(Buf *buf, const void *data, size_t len, Error *err)
{
    if (buf_reserve(buf, len, err) < 0)
        return -1;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = 0;
    return 0;
}

int buf_append_str(Buf *buf, const char *text, Error *err)
{
    return buf_append(buf, text, strlen(text), err);
}

int buf_printf(Buf *buf, Error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    int rc = buf_append_str(buf, text, err);
    free(text);
    return rc;
}

void buf_consume(Buf *buf, size_t len)
{
    if (len == 0)
        return;
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
    buf->data[buf->len] = 0;
}

const char *buf_str(const Buf *buf)
{
    if (buf->data == NULL)
        return "";
    buf->data[buf->len] = 0; /* who used buf_reserve added to len alone */
    return (const char *)buf->data;
}

void strvec_done(StrVec *vec)
{
    if (vec == NULL)
        return;
    for (size_t i = 0; i < vec->n; i++)
        free(vec->v[i]);
    free(vec->v);
    *vec = (StrVec){0};
}

static void push_owned(StrVec *vec, char *text)
{
    xgrow(&vec->v, &vec->cap, vec->n + 1);
    vec->v[vec->n++] = text;
    vec->v[vec->n] = NULL;
}

void strvec_push(StrVec *vec, const char *text)
{
    push_owned(vec, xstrdup(text));
}

void strvec_pushf(StrVec *vec, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    push_owned(vec, text);
}

bool strvec_contains(const StrVec *vec, const char *text)
{
    for (size_t i = 0; i < vec->n; i++)
        if (strcmp(vec->v[i], text) == 0)
            return true;
    return false;
}
