#include "secrettext.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void secrettext_free(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

/* Reads until the end or until there is one byte too many. */
static int fill(int fd, char *text, size_t max, size_t *ret_len)
{
    *ret_len = 0;
    while (*ret_len <= max) {
        ssize_t got = read(fd, text + *ret_len, max + 1 - *ret_len);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return -1;
        if (got > 0)
            *ret_len += (size_t)got;
    }
    return 0;
}

static int read_text(int fd, const char *path, size_t max, char *text, size_t *ret_len, Error *err)
{
    if (fill(fd, text, max, ret_len) < 0)
        return error_errno(err, errno, "cannot read \"%s\"", path);
    if (*ret_len > max)
        return error_set(err, ERR_CORRUPT, "\"%s\" is longer than %zu bytes", path, max);
    if (memchr(text, 0, *ret_len))
        return error_set(err, ERR_CORRUPT, "\"%s\" is no text: it has NUL bytes", path);
    text[*ret_len] = 0;
    return 0;
}

int secrettext_read(const char *path, size_t max, char **ret_text, bool *ret_exposed, Error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "cannot open \"%s\"", path);
    char *text = xmalloc(max + 2);
    size_t len;
    int rc = read_text(fd, path, max, text, &len, err);
    if (rc == 0) {
        *ret_text = xstrdup(text);
        if (ret_exposed)
            *ret_exposed = S_ISREG(st.st_mode) && (st.st_mode & S_IROTH) != 0;
    }
    OPENSSL_cleanse(text, len);
    free(text);
    return rc;
}
