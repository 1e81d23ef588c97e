#include <string.h>

#include "kura/datablocks.h"

static int give_row(RowSplitter *splitter, const char *row, size_t len, Error *err)
{
    if (len == 3 && memcmp(row, "\\.\n", 3) == 0) {
        splitter->ended = true;
        return 0;
    }
    return splitter->row(splitter->ctx, row, len, err);
}

static int refuse_long(const RowSplitter *splitter, Error *err)
{
    return error_set(err, ERR_FAILED, "a row is longer than the %zu bytes that are allowed", splitter->partial.max);
}

/* A row that ends where the piece at hand does not reach back to its start. */
static int finish_partial(RowSplitter *splitter, const char *rest, size_t len, Error *err)
{
    Buf *partial = &splitter->partial;
    if (buf_append(partial, rest, len, err) < 0)
        return -1;
    if (give_row(splitter, (const char *)partial->data, partial->len, err) < 0)
        return -1;
    buf_clear(partial);
    return 0;
}

int rowsplitter_feed(RowSplitter *splitter, const void *data, size_t len, Error *err)
{
    const char *next = data, *end = next + len;
    Buf *partial = &splitter->partial;
    while (next < end && !splitter->ended) {
        const char *newline = memchr(next, '\n', (size_t)(end - next));
        size_t n = newline ? (size_t)(newline - next) + 1 : (size_t)(end - next);
        if (n > partial->max - partial->len)
            return refuse_long(splitter, err);
        if (newline == NULL)
            return buf_append(partial, next, n, err);
        if ((partial->len ? finish_partial(splitter, next, n, err) : give_row(splitter, next, n, err)) < 0)
            return -1;
        next = newline + 1;
    }
    return 0;
}
