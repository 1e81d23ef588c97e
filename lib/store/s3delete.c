#include <string.h>

#include "kura/mem.h"
#include "s3_priv.h"
#include "s3xml.h"

/* S3 takes 1000 at once, but some servers say nothing until the last one is gone, and take 50 ms for each (Swift). */
enum { BATCH_MAX = 100, DOCUMENT_MAX = 16 * 1024 * 1024 };

int s3_delete(Store *store, const char *key, Error *err)
{
    S3 *s3 = s3_of(store);
    const S3Call call = {.method = "DELETE", .key = key};
    S3Outcome outcome;
    Error why = ERROR_INIT;
    if (s3_request(s3, &call, &outcome, &why) == 0 || why.code == ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = why;
    return -1;
}

static int append_escaped(Buf *out, const char *text, Error *err)
{
    for (; *text; text++) {
        static const char special[] = "&<>\"'";
        static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
        const char *at = strchr(special, *text);
        if ((at ? buf_append_str(out, names[at - special], err) : buf_append(out, text, 1, err)) < 0)
            return -1;
    }
    return 0;
}

static int format_batch(const S3 *s3, const char *const *keys, size_t n, Buf *out, Error *err)
{
    if (buf_append_str(out, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>", err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (buf_append_str(out, "<Object><Key>", err) < 0 || append_escaped(out, s3->location.prefix, err) < 0 ||
            append_escaped(out, keys[i], err) < 0 || buf_append_str(out, "</Key></Object>", err) < 0)
            return -1;
    return buf_append_str(out, "</Delete>", err);
}

/* The objects that a batch did not remove. */
typedef struct Refused {
    const char *prefix;
    StrVec keys;
    bool is_result;
} Refused;

static int take_element(void *ctx, const char *path, const char *text, Error *err)
{
    Refused *refused = ctx;
    size_t len = strlen(refused->prefix);
    if (strcmp(path, "DeleteResult") == 0)
        refused->is_result = true;
    if (strcmp(path, "DeleteResult/Error/Key") != 0)
        return 0;
    if (strncmp(text, refused->prefix, len) != 0 || !store_key_valid(text + len))
        return error_set(err, ERR_CORRUPT, "the server refuses to delete something else than it was asked to");
    strvec_push(&refused->keys, text + len);
    return 0;
}

/* What a batch leaves is deleted one by one: that has the patience, and tells why not. */
static int delete_refused(S3 *s3, const Buf *answer, const char *const *keys, size_t n, Error *err)
{
    _cleanup_(strvec_done) StrVec none = {0};
    Refused refused = {.prefix = s3->location.prefix, .keys = none};
    int rc = s3xml_parse(answer->data, answer->len, take_element, &refused, err);
    none = refused.keys;
    if (rc == 0 && !refused.is_result)
        rc = error_set(err, ERR_CORRUPT, "the server's answer is not about deleted objects");
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (strvec_contains(&none, keys[i]))
            rc = s3_delete(&s3->store, keys[i], err);
    return rc;
}

static int delete_one_by_one(S3 *s3, const char *const *keys, size_t n, Error *err)
{
    for (size_t i = 0; i < n; i++)
        if (s3_delete(&s3->store, keys[i], err) < 0)
            return -1;
    return 0;
}

static int delete_batch(S3 *s3, const char *const *keys, size_t n, Error *err)
{
    _cleanup_(buf_done) Buf document = BUF_INIT(DOCUMENT_MAX), answer = BUF_INIT(DOCUMENT_MAX);
    if (format_batch(s3, keys, n, &document, err) < 0)
        return -1;
    const SigV4Pair param = {"delete", ""}, header = {"Content-Type", "application/xml"};
    const S3Call call = {.method = "POST",
                         .shown = s3->location.prefix,
                         .params = &param,
                         .n_params = 1,
                         .headers = &header,
                         .n_headers = 1,
                         .body = document.data,
                         .body_len = document.len,
                         .out = &answer,
                         .xml = true};
    S3Outcome outcome;
    Error why = ERROR_INIT;
    if (s3_request(s3, &call, &outcome, &why) == 0)
        return delete_refused(s3, &answer, keys, n, err);
    if (why.code == ERR_UNSUPPORTED || outcome.answer.status == 405) {
        s3->no_batch = true;
        return delete_one_by_one(s3, keys, n, err);
    }
    if (err)
        *err = why;
    return -1;
}

int s3_delete_many(Store *store, const char *const *keys, size_t n, Error *err)
{
    S3 *s3 = s3_of(store);
    for (size_t i = 0; i < n; i += BATCH_MAX) {
        size_t count = n - i < BATCH_MAX ? n - i : BATCH_MAX;
        int rc = s3->no_batch || count == 1 ? delete_one_by_one(s3, keys + i, count, err)
                                            : delete_batch(s3, keys + i, count, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}
