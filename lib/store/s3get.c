/* GET and HEAD. The size of an object is learned from the headers, before a byte of its body is taken. */
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "s3_priv.h"

typedef struct Get {
    const char *key;
    uint64_t offset, length; /* as asked for; UINT64_MAX: all */
    bool ranged;
    Buf *out;
    uint64_t expected; /* bytes of the body, known from the headers */
} Get;

static int wrong(Error *err, const char *what)
{
    error_set(err, ERR_SERVER, "%s", what);
    return 1;
}

static int truncated(const char *key, uint64_t size, Error *err)
{
    return error_set(err, ERR_TRUNCATED, "object \"%s\" has %ju bytes only", key, (uintmax_t)size);
}

/* What a part of an object of this size is, or ERR_TRUNCATED. */
static int clip(const Get *get, uint64_t size, uint64_t *ret, Error *err)
{
    if (get->offset > size || (get->length != UINT64_MAX && get->length > size - get->offset))
        return truncated(get->key, size, err);
    *ret = get->length == UINT64_MAX ? size - get->offset : get->length;
    return 0;
}

static int accept_part(Get *get, const S3Answer *answer, Error *err)
{
    if (answer->status != 206) {
        error_set(err, ERR_UNSUPPORTED, "GET \"%s\": this server sends whole objects where a part is asked for",
                  get->key);
        return error_hint(err, "kura needs a server that answers requests with a Range.");
    }
    if (!answer->has_range || answer->range_first != get->offset)
        return wrong(err, _("the answer is another part of the object than the one asked for"));
    if (clip(get, answer->range_total, &get->expected, err) < 0)
        return -1;
    if (answer->range_last - answer->range_first + 1 != get->expected ||
        (answer->has_length && answer->length != get->expected))
        return wrong(err, _("the answer is of another length than the one asked for"));
    return 0;
}

static int accept_get(void *ctx, const S3Answer *answer, Error *err)
{
    Get *get = ctx;
    if (get->ranged) {
        int rc = accept_part(get, answer, err);
        if (rc != 0)
            return rc;
    } else {
        if (answer->status != 200 || !answer->has_length)
            return wrong(err, _("the answer does not tell the object's length"));
        get->expected = answer->length;
    }
    if (get->expected > SIZE_MAX - 1)
        return error_set(err, ERR_FAILED, "object \"%s\" is too big", get->key);
    return buf_reserve(get->out, (size_t)get->expected, err);
}

/* Where a part is empty, or outside of the object: only its size counts. */
static int get_nothing(Store *store, const Get *get, Error *err)
{
    uint64_t size, length = 0;
    if (s3_head(store, get->key, &size, err) < 0 || clip(get, size, &length, err) < 0)
        return -1;
    if (length > 0)
        return error_set(err, ERR_SERVER, "GET \"%s\": the server refuses a part that the object has", get->key);
    return 0;
}

static int get_once(Store *store, Get *get, Error *err)
{
    char range[64];
    if (get->length > INT64_MAX - get->offset)
        snprintf(range, sizeof range, "bytes=%ju-", (uintmax_t)get->offset);
    else
        snprintf(range, sizeof range, "bytes=%ju-%ju", (uintmax_t)get->offset,
                 (uintmax_t)(get->offset + get->length - 1));
    const SigV4Pair header = {"Range", range};
    const S3Call call = {.method = "GET",
                         .key = get->key,
                         .headers = &header,
                         .n_headers = get->ranged,
                         .out = get->out,
                         .accept = accept_get,
                         .ctx = get};
    S3Outcome outcome;
    size_t before = get->out->len;
    if (s3_request(s3_of(store), &call, &outcome, err) < 0)
        return outcome.answer.status == 416 ? get_nothing(store, get, err) : -1;
    if (get->out->len - before == get->expected)
        return 0;
    get->out->len = before;
    return error_set(err, ERR_SERVER, "GET \"%s\": the body is not as long as announced", get->key);
}

/* Some servers (Swift) lose sight of an object for an instant while it is replaced, as a lock is: what is missing is
 * looked for again before that is believed. */
int s3_get(Store *store, const char *key, uint64_t offset, uint64_t length, Buf *out, Error *err)
{
    Get get = {.key = key, .offset = offset, .length = length, .out = out};
    get.ranged = offset > 0 || length != UINT64_MAX;
    if (length == 0 || offset > INT64_MAX)
        return get_nothing(store, &get, err);
    Error why = ERROR_INIT;
    uint64_t size;
    int rc = get_once(store, &get, &why);
    if (rc < 0 && why.code == ERR_NOT_FOUND && s3_head(store, key, &size, NULL) == 0)
        rc = get_once(store, &get, &why);
    if (rc < 0 && err)
        *err = why;
    return rc;
}

typedef struct Size {
    bool known;
    uint64_t size;
} Size;

static int accept_head(void *ctx, const S3Answer *answer, Error *err)
{
    Size *size = ctx;
    if (!answer->has_length)
        return wrong(err, _("the answer does not tell the object's length"));
    *size = (Size){.known = true, .size = answer->length};
    return 0;
}

/* Ends the answer once the size is known. */
static int accept_first_byte(void *ctx, const S3Answer *answer, Error *err)
{
    Size *size = ctx;
    if (answer->status == 206 && answer->has_range)
        *size = (Size){.known = true, .size = answer->range_total};
    else if (answer->status == 200 && answer->has_length)
        *size = (Size){.known = true, .size = answer->length};
    else
        return wrong(err, _("the answer does not tell the object's length"));
    return error_set(err, ERR_FAILED, "enough");
}

/* A refused HEAD has no body that would say why; a GET of one byte has. */
static int head_by_get(S3 *s3, const char *key, uint64_t *ret_size, Error *err)
{
    Size size = {0};
    const SigV4Pair header = {"Range", "bytes=0-0"};
    const S3Call call = {
        .method = "GET", .key = key, .headers = &header, .n_headers = 1, .accept = accept_first_byte, .ctx = &size};
    S3Outcome outcome;
    int rc = s3_request(s3, &call, &outcome, err);
    if (rc < 0 && outcome.answer.status == 416)
        size = (Size){.known = true};
    if (!size.known)
        return rc;
    *ret_size = size.size;
    return 0;
}

int s3_head(Store *store, const char *key, uint64_t *ret_size, Error *err)
{
    S3 *s3 = s3_of(store);
    Size size = {0};
    const S3Call call = {.method = "HEAD", .key = key, .accept = accept_head, .ctx = &size};
    S3Outcome outcome;
    if (s3_request(s3, &call, &outcome, err) == 0) {
        *ret_size = size.size;
        return 0;
    }
    int status = outcome.answer.status;
    if (status < 300 || status >= 500 || (status == 404 && s3->bucket_seen))
        return -1;
    return head_by_get(s3, key, ret_size, err);
}
