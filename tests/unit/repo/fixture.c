#include "fixture.h"

#include <pthread.h>
#include <stdio.h>

#include "store_priv.h"

#define SPACE "repo-fixture"

Store *store;
Repo *repo;
Error err;
int (*before_put)(const char *key, Error *err);
int (*after_put)(const char *key, Error *err);
int (*before_get)(const char *key, Error *err);
int64_t (*time_of)(const StoreObject *object);
atomic_int n_puts, n_heads;
atomic_ullong bytes_got;

static pthread_mutex_t requests_mutex = PTHREAD_MUTEX_INITIALIZER;
static StrVec requests;

static void note(const char *method, const char *key)
{
    pthread_mutex_lock(&requests_mutex);
    strvec_pushf(&requests, "%s %s", method, key);
    pthread_mutex_unlock(&requests_mutex);
}

int n_requests(const char *prefix)
{
    int n = 0;
    pthread_mutex_lock(&requests_mutex);
    for (size_t i = 0; i < requests.n; i++)
        n += strncmp(requests.v[i], prefix, strlen(prefix)) == 0;
    pthread_mutex_unlock(&requests_mutex);
    return n;
}

void forget_requests(void)
{
    strvec_done(&requests);
}

char *requests_text(void)
{
    char *text = xstrdup("");
    for (size_t i = 0; i < requests.n; i++) {
        char *longer = xasprintf("%s%s\n", text, requests.v[i]);
        free(text);
        text = longer;
    }
    return text;
}

/* Hands everything on to a store in memory. */
typedef struct Obedient {
    Store store;
    Store *inner;
} Obedient;

static Store *inner(Store *outer)
{
    return ((Obedient *)outer)->inner;
}

static int obedient_put(Store *outer, const char *key, const void *data, size_t len, Error *e)
{
    note("PUT", key);
    n_puts++;
    if (before_put && before_put(key, e) < 0)
        return -1;
    if (store_put(inner(outer), key, data, len, false, e) < 0)
        return -1;
    return after_put ? after_put(key, e) : 0;
}

static int obedient_get(Store *outer, const char *key, uint64_t offset, uint64_t length, Buf *out, Error *e)
{
    note("GET", key);
    if (before_get && before_get(key, e) < 0)
        return -1;
    size_t before = out->len;
    int rc = store_get(inner(outer), key, offset, length, out, e);
    bytes_got += out->len - before;
    return rc;
}

static int obedient_head(Store *outer, const char *key, uint64_t *ret_size, Error *e)
{
    note("HEAD", key);
    n_heads++;
    return store_head(inner(outer), key, ret_size, e);
}

typedef struct Show {
    StoreListFn fn;
    void *ctx;
} Show;

static int show(void *ctx, const StoreObject *object, Error *e)
{
    const Show *next = ctx;
    StoreObject told = *object;
    if (time_of)
        told.time = time_of(object);
    return next->fn(next->ctx, &told, e);
}

static int obedient_list(Store *outer, const char *prefix, StoreListFn fn, void *ctx, Error *e)
{
    Show next = {.fn = fn, .ctx = ctx};
    note("LIST", prefix);
    return store_list_objects(inner(outer), prefix, show, &next, e);
}

static int obedient_delete(Store *outer, const char *key, Error *e)
{
    note("DELETE", key);
    return store_delete(inner(outer), key, e);
}

static int obedient_settle(Store *outer, const char *key, Error *e)
{
    note("SETTLE", key);
    return store_settle(inner(outer), key, e);
}

static void obedient_close(Store *outer)
{
    store_close(inner(outer));
    free(outer);
}

/* Without put_new: the dispatcher's way around a store that has none is tested on the way. */
static const StoreOps obedient_ops = {
    .put = obedient_put,
    .get = obedient_get,
    .head = obedient_head,
    .list = obedient_list,
    .delete = obedient_delete,
    .settle = obedient_settle,
    .close = obedient_close,
};

static Store *obedient_new(void)
{
    Obedient *obedient = xcalloc(1, sizeof *obedient);
    obedient->store = (Store){.ops = &obedient_ops, .name = xstrdup("the test's store")};
    assert_int_equal(store_open("mem:" SPACE, NULL, true, &obedient->inner, &err), 0);
    return &obedient->store;
}

int fixture_set_up(void **state)
{
    (void)state;
    err = (Error)ERROR_INIT;
    before_put = after_put = before_get = NULL;
    time_of = NULL;
    store = obedient_new();
    assert_int_equal(repo_create(store, NULL, &err), 0);
    assert_int_equal(repo_open(store, &repo, &err), 0);
    n_puts = n_heads = 0;
    forget_requests();
    return 0;
}

int fixture_tear_down(void **state)
{
    (void)state;
    repo_close(repo);
    store_close(store);
    store_mem_forget(SPACE);
    forget_requests();
    return 0;
}

void put_object(const char *key, const char *text)
{
    assert_int_equal(store_put(store, key, text, strlen(text), false, &err), 0);
}

static int count_one(void *ctx, const char *key, uint64_t size, Error *e)
{
    (void)key;
    (void)size;
    (void)e;
    ++*(int *)ctx;
    return 0;
}

int count_objects(const char *prefix)
{
    int n = 0;
    assert_int_equal(store_list(store, prefix, count_one, &n, &err), 0);
    return n;
}

void read_golden(const char *name, Buf *out)
{
    _cleanup_free_ char *path = xasprintf("%s%s", GOLDENS, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(buf_reserve(out, GOLDEN_MAX, &err), 0);
    out->len = fread(out->data, 1, GOLDEN_MAX, file);
    out->data[out->len] = 0;
    fclose(file);
    assert_true(out->len > 0);
}
