#include "document_priv.h"

#include <stdio.h>
#include <string.h>

#include "crypt_priv.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "manifest_priv.h"

#define SUFFIX ".json"
enum { KEY_SIZE = 160 };

static const char *suffix(const Repo *repo)
{
    return repo->crypt ? SUFFIX SEALED_SUFFIX : SUFFIX;
}

static void document_key(const Repo *repo, const DocumentKind *kind, const char *id, char key[KEY_SIZE])
{
    snprintf(key, KEY_SIZE, "%s%s%s", kind->prefix, id, suffix(repo));
}

static int put_text(Repo *repo, const DocumentKind *kind, const char *id, const Buf *text, bool exclusive, Error *err)
{
    char key[KEY_SIZE];
    document_key(repo, kind, id, key);
    if (repo->crypt == NULL)
        return store_put(repo->store, key, text->data, text->len, exclusive, err);
    _cleanup_(buf_done) Buf sealed = BUF_INIT(DOCUMENT_SEALED_MAX);
    if (document_seal(repo, kind, text, &sealed, err) < 0)
        return -1;
    return store_put(repo->store, key, sealed.data, sealed.len, exclusive, err);
}

int document_put(Repo *repo, const DocumentKind *kind, const char *id, const json_t *document, bool exclusive,
                 Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(kind->max);
    if (jsondoc_format(document, &text, err) < 0)
        return error_wrap(err, "writing the document of a %s", words_get(kind->what));
    if (kind->check(text.data, text.len, err) < 0)
        return error_wrap(err, "the document of the new %s would not be readable", words_get(kind->what));
    return put_text(repo, kind, id, &text, exclusive, err) < 0
               ? error_wrap(err, "committing %s %s", words_get(kind->what), id)
               : 0;
}

static int no_document(Repo *repo, const DocumentKind *kind, const char *id, Error *err)
{
    error_set(err, ERR_NOT_FOUND, "there is no %s \"%s\" in the repository \"%s\"", words_get(kind->what), id,
              store_name(repo->store));
    return error_hint(err, "\"kura list\" shows what there is.");
}

static int get_text(Repo *repo, const DocumentKind *kind, const char *key, Buf *out, Error *err)
{
    if (repo->crypt == NULL)
        return store_get(repo->store, key, 0, UINT64_MAX, out, err);
    _cleanup_(buf_done) Buf sealed = BUF_INIT(DOCUMENT_SEALED_MAX);
    if (crypt_identities(repo, err) == NULL) /* before anything is fetched */
        return -1;
    if (store_get(repo->store, key, 0, UINT64_MAX, &sealed, err) < 0)
        return -1;
    return document_unseal(repo, kind, &sealed, out, err);
}

static bool name_valid(const DocumentKind *kind, const char *name)
{
    unsigned revision;
    _cleanup_free_ char *id = NULL;
    return kind->name_parse ? kind->name_parse(name, &id, &revision) == 0 : manifest_id_valid(name);
}

int document_get(Repo *repo, const DocumentKind *kind, const char *id, Buf *out, Error *err)
{
    char key[KEY_SIZE];
    Error why = ERROR_INIT;
    if (!name_valid(kind, id))
        return no_document(repo, kind, id, err);
    document_key(repo, kind, id, key);
    if (get_text(repo, kind, key, out, &why) == 0)
        return 0;
    if (why.code == ERR_NOT_FOUND)
        return no_document(repo, kind, id, err);
    if (err)
        *err = why;
    return error_wrap(err, "reading %s %s", words_get(kind->what), id);
}

typedef struct Listing {
    const DocumentKind *kind;
    const char *suffix;
    StrVec *ids;
} Listing;

static int add_id(void *ctx, const char *key, uint64_t size, Error *err)
{
    (void)size;
    (void)err;
    Listing *listing = ctx;
    size_t len = strlen(key), fixed = strlen(listing->kind->prefix) + strlen(listing->suffix);
    if (len <= fixed || strcmp(key + len - strlen(listing->suffix), listing->suffix) != 0)
        return 0;
    _cleanup_free_ char *id = xstrndup(key + strlen(listing->kind->prefix), len - fixed);
    if (name_valid(listing->kind, id))
        strvec_push(listing->ids, id);
    return 0;
}

int document_list(Repo *repo, const DocumentKind *kind, const char *prefix, StrVec *ret, Error *err)
{
    Listing listing = {.kind = kind, .suffix = suffix(repo), .ids = ret};
    _cleanup_free_ char *whole = xasprintf("%s%s", kind->prefix, prefix);
    return store_list(repo->store, whole, add_id, &listing, err);
}

int document_is_there(Repo *repo, const DocumentKind *kind, const char *id, bool *ret, Error *err)
{
    char key[KEY_SIZE];
    uint64_t size;
    Error why = ERROR_INIT;
    document_key(repo, kind, id, key);
    *ret = store_head(repo->store, key, &size, &why) == 0;
    if (*ret || why.code == ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = why;
    return error_wrap(err, "looking for %s %s", kind->what, id);
}

int document_delete(Repo *repo, const DocumentKind *kind, const char *id, Error *err)
{
    char key[KEY_SIZE];
    document_key(repo, kind, id, key);
    return store_delete(repo->store, key, err) < 0 ? error_wrap(err, "removing %s %s", words_get(kind->what), id) : 0;
}
