#include "sums.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"

void sums_add(Sums *sums, const char *path, const char *hex)
{
    Sum sum = {.path = xstrdup(path)};
    memcpy(sum.hex, hex, SHA256_HEX_SIZE);
    pthread_mutex_lock(&sums->mutex);
    xgrow(&sums->v, &sums->cap, sums->n);
    sums->v[sums->n++] = sum;
    pthread_mutex_unlock(&sums->mutex);
}

/* As coreutils write it: a line whose name has one of these three begins with a backslash. */
static const char *escape_of(char c)
{
    return c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : NULL;
}

int sums_format(const char *path, const char *hex, Buf *out, Error *err)
{
    const char *mark = strpbrk(path, "\\\n\r") ? "\\" : "";
    if (buf_printf(out, err, "%s%s  ", mark, hex) < 0)
        return -1;
    for (const char *c = path; *c; c++) {
        const char *escape = escape_of(*c);
        if ((escape ? buf_append_str(out, escape, err) : buf_append(out, c, 1, err)) < 0)
            return -1;
    }
    return buf_append(out, "\n", 1, err);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const Sum *)a)->path, ((const Sum *)b)->path);
}

int sums_write(Sums *sums, OutFile *file, Error *err)
{
    if (sums->n > 0)
        qsort(sums->v, sums->n, sizeof *sums->v, compare);
    _cleanup_(buf_done) Buf line = BUF_INIT(1024 * 1024);
    for (size_t i = 0; i < sums->n; i++) {
        buf_clear(&line);
        if (sums_format(sums->v[i].path, sums->v[i].hex, &line, err) < 0 ||
            outfile_write(file, line.data, line.len, err) < 0)
            return -1;
    }
    return 0;
}

void sums_done(Sums *sums)
{
    for (size_t i = 0; i < sums->n; i++)
        free(sums->v[i].path);
    free(sums->v);
    sums->v = NULL;
    sums->n = sums->cap = 0;
}
