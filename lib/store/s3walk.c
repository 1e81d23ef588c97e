/* A listing: page after page, each taken whole before its keys are shown, so that fn may use the store. */
#include <string.h>

#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "s3_priv.h"
#include "s3walk.h"

enum { ANSWER_MAX = 16 * 1024 * 1024, IDLE_PAGES_MAX = 10000 };

int s3_list_page(S3 *s3, const char *prefix, const char *token, const char *max_keys, S3Page *ret, S3Outcome *outcome,
                 Error *err)
{
    _cleanup_(buf_done) Buf body = BUF_INIT(ANSWER_MAX);
    _cleanup_free_ char *whole = xasprintf("%s%s", s3->location.prefix, prefix);
    const SigV4Pair params[] = {{"list-type", "2"},
                                {"encoding-type", "url"},
                                {"max-keys", max_keys},
                                {"prefix", whole},
                                {"continuation-token", token}};
    const S3Call call = {.method = "GET",
                         .shown = whole,
                         .params = params,
                         .n_params = ARRAY_SIZE(params) - (token == NULL),
                         .out = &body,
                         .xml = true};
    if (s3_request(s3, &call, outcome, err) < 0)
        return -1;
    if (s3page_parse(body.data, body.len, s3->location.prefix, ret, err) < 0)
        return error_wrap(err, "could not list \"%s\"", whole);
    if (ret->passed_over)
        log_debug("S3 list \"%s\": %zu objects are not kura's", whole, ret->passed_over);
    return 0;
}

/* Shows the keys of a page; *last is the one before, and the last one afterwards. *ret_shown: there were new ones. */
static int show(const S3Page *page, const char *prefix, char **last, StoreListFn fn, void *ctx, bool *ret_shown,
                Error *err)
{
    *ret_shown = false;
    for (size_t i = 0; i < page->n; i++) {
        const S3Entry *entry = &page->v[i];
        int order = *last ? strcmp(*last, entry->key) : -1;
        if (strncmp(entry->key, prefix, strlen(prefix)) != 0 || order == 0)
            continue;
        if (order > 0) {
            error_set(err, ERR_UNSUPPORTED, "the server lists \"%s\" behind \"%s\"", entry->key, *last);
            return error_hint(err, "kura needs a bucket whose lists are in order, which directory buckets' are not.");
        }
        free(*last);
        *last = xstrdup(entry->key);
        *ret_shown = true;
        if (fn(ctx, &(StoreObject){.key = entry->key, .size = entry->size, .time = entry->time}, err) < 0)
            return -1;
    }
    return 0;
}

int s3_list(Store *store, const char *prefix, StoreListFn fn, void *ctx, Error *err)
{
    _cleanup_free_ char *token = NULL, *last = NULL;
    size_t idle = 0;
    for (;;) {
        _cleanup_(s3page_done) S3Page page = {0};
        S3Outcome outcome;
        bool shown;
        if (stop_check(err) < 0 || s3_list_page(s3_of(store), prefix, token, "1000", &page, &outcome, err) < 0 ||
            show(&page, prefix, &last, fn, ctx, &shown, err) < 0)
            return -1;
        if (!page.truncated)
            return 0;
        idle = shown ? 0 : idle + 1;
        if (idle > IDLE_PAGES_MAX || (token && strcmp(token, page.token) == 0))
            return error_set(err, ERR_CORRUPT, "the server's list of \"%s\" does not end", prefix);
        free(token);
        token = steal(page.token);
    }
}
