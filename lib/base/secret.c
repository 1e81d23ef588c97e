#include "kura/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kura/fdio.h"
#include "kura/mem.h"

/* Pages of its own: both calls work on whole pages, and a lock on a shared one would end with the first that frees. */
void *secret_new(size_t size)
{
    void *secret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (secret == MAP_FAILED)
        abort();
    madvise(secret, size, MADV_DONTDUMP);
    mlock(secret, size); /* may fail: the limit of locked memory is small for ordinary users */
    return secret;
}

void secret_free(void *secret, size_t size)
{
    if (secret == NULL)
        return;
    OPENSSL_cleanse(secret, size);
    munmap(secret, size);
}

void secret_wipe(void *data, size_t size)
{
    OPENSSL_cleanse(data, size);
}

void secret_buf_done(Buf *buf)
{
    if (buf == NULL)
        return;
    OPENSSL_cleanse(buf->data, buf->cap);
    buf_done(buf);
}

/* Reads to the end, or one byte more than out may hold. The buffer is as large as it gets from the start: one that
 * grows leaves copies behind. */
static int read_all(int fd, Buf *out, bool *ret_too_large, Error *err)
{
    uint8_t beyond;
    if (buf_reserve(out, out->max - out->len, err) < 0)
        return -1;
    for (;;) {
        bool full = out->len == out->max;
        ssize_t n = read(fd, full ? &beyond : out->data + out->len, full ? 1 : out->max - out->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "cannot read it");
        *ret_too_large = n > 0 && full;
        if (n == 0 || full)
            return buf_append(out, "", 0, err);
        out->len += (size_t)n;
    }
}

int secret_file_read(const char *path, Buf *out, Error *err)
{
    bool too_large;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_errno(err, errno, "cannot open \"%s\"", path);
    if (read_all(fd, out, &too_large, err) < 0)
        return error_wrap(err, "reading \"%s\"", path);
    return too_large ? error_set(err, ERR_USAGE, "\"%s\" is too large to hold keys", path) : 0;
}

int secret_file_create(const char *path, const void *data, size_t len, Error *err)
{
    return file_make(path, data, len, 0600, err);
}

int secret_file_replace(const char *path, const void *data, size_t len, Error *err)
{
    return file_put(path, data, len, 0600, err);
}
