#include <stdio.h>
#include <string.h>

#include "blob_priv.h"
#include "crypt_priv.h"
#include "kura/cache.h"
#include "kura/mem.h"
#include "kura/words.h"

static const char *const suffixes[] = {[BLOB_ZSTD] = "zst", [BLOB_TAR] = "tar", [BLOB_RAW] = "bin"};

const char *blob_suffix(BlobKind kind)
{
    return suffixes[kind];
}

void blob_key(const Repo *repo, const BlobRef *ref, char key[BLOB_KEY_SIZE])
{
    snprintf(key, BLOB_KEY_SIZE, "blobs/%.2s/%s.%s%s", ref->hash, ref->hash, blob_suffix(ref->kind),
             repo->crypt ? SEALED_SUFFIX : "");
}

void blob_ref_to_json(const BlobRef *ref, json_t *object)
{
    json_object_set_new(object, "blob", json_sprintf("%s.%s", ref->hash, blob_suffix(ref->kind)));
    json_set_u64(object, "size", ref->size);
}

static int parse_name(const char *name, BlobRef *ret)
{
    if (strlen(name) < SHA256_HEX_SIZE || name[SHA256_HEX_SIZE - 1] != '.')
        return -1;
    memcpy(ret->hash, name, SHA256_HEX_SIZE - 1);
    ret->hash[SHA256_HEX_SIZE - 1] = 0;
    if (!sha256_is_hex(ret->hash))
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
        if (strcmp(name + SHA256_HEX_SIZE, suffixes[i]) == 0) {
            ret->kind = (BlobKind)i;
            return 0;
        }
    return -1;
}

int blob_ref_from_key(const Repo *repo, const char *key, BlobRef *ret)
{
    char again[BLOB_KEY_SIZE], name[BLOB_KEY_SIZE];
    const char *slash = strrchr(key, '/');
    BlobRef ref = {0};
    if (slash == NULL || strlen(slash) > sizeof name)
        return -1;
    strcpy(name, slash + 1);
    if (repo->crypt && strlen(name) > strlen(SEALED_SUFFIX))
        name[strlen(name) - strlen(SEALED_SUFFIX)] = 0; /* whether it is that suffix shows below */
    if (parse_name(name, &ref) < 0)
        return -1;
    blob_key(repo, &ref, again);
    if (strcmp(key, again) != 0)
        return -1;
    *ret = ref;
    return 0;
}

int jnode_blob(const JsonNode *object, BlobRef *ret, Error *err)
{
    BlobRef ref;
    _cleanup_free_ char *name = NULL;
    if (jnode_text(object, "blob", &name, err) < 0 || jnode_u64(object, "size", BLOB_STORED_MAX, &ref.size, err) < 0)
        return -1;
    if (parse_name(name, &ref) < 0)
        return jnode_fail(object, err, "names \"%.100s\", which is not the name of a blob", name);
    *ret = ref;
    return 0;
}

int jnode_blobs(const JsonNode *object, const char *key, BlobRef **ret, size_t *ret_n, Error *err)
{
    JsonNode array;
    size_t n;
    if (jnode_array(object, key, &array, &n, err) < 0)
        return -1;
    _cleanup_free_ BlobRef *blobs = xcalloc(n, sizeof *blobs);
    for (size_t i = 0; i < n; i++) {
        JsonNode item = jnode_item(&array, i);
        if (jnode_blob(&item, &blobs[i], err) < 0)
            return -1;
    }
    *ret = steal(blobs);
    *ret_n = n;
    return 0;
}

int blob_ref_from_json(const json_t *object, BlobRef *ret, Error *err)
{
    JsonNode root = jnode_root(object);
    return jnode_blob(&root, ret, err);
}

int blob_missing(Repo *repo, const char *key, Error *err)
{
    error_set(err, ERR_NOT_FOUND, "\"%s\" is missing from the repository \"%s\"", key, store_name(repo->store));
    return error_hint(
        err, "\"kura repair-repository\" brings back what it can, from a copy of the repository for instance; the next "
             "backup stores it again when its content still exists.");
}

int blob_damaged(Repo *repo, const char *key, const char *how, Error *err)
{
    error_set(err, ERR_CORRUPT, "\"%s\" in the repository \"%s\" is damaged: %s", key, store_name(repo->store), how);
    return error_hint(
        err, "\"kura repair-repository\" brings back what it can, from a copy of the repository for instance; the next "
             "backup stores it again when its content still exists.");
}

static int wrong_size(Repo *repo, const BlobRef *ref, const char *key, uint64_t size, Error *err)
{
    char how[200];
    snprintf(how, sizeof how,
             repo->crypt ? _("it has %ju bytes, which is not the size of %ju encrypted ones")
                         : _("it has %ju bytes, which is not the size of %ju"),
             (uintmax_t)size, (uintmax_t)ref->size);
    return blob_damaged(repo, key, how, err);
}

bool blob_size_fits(const Repo *repo, const BlobRef *ref, uint64_t object_size)
{
    return repo->crypt ? age_count_recipients(ref->size, object_size) > 0 : object_size == ref->size;
}

int blob_check(Repo *repo, const BlobRef *ref, Error *err)
{
    char key[BLOB_KEY_SIZE];
    uint64_t size;
    Error why = ERROR_INIT;
    blob_key(repo, ref, key);
    if (store_head(repo->store, key, &size, &why) == 0)
        return blob_size_fits(repo, ref, size) ? 0 : wrong_size(repo, ref, key, size, err);
    if (why.code == ERR_NOT_FOUND)
        return blob_missing(repo, key, err);
    if (err)
        *err = why;
    return -1;
}

int blob_is_absent(Repo *repo, const BlobRef *ref, bool *ret, Error *err)
{
    Error why = ERROR_INIT;
    *ret = blob_check(repo, ref, &why) < 0;
    /* One of the wrong size is what a store without atomic puts was left with: it is replaced. */
    if (!*ret || why.code == ERR_NOT_FOUND || why.code == ERR_CORRUPT)
        return 0;
    if (err)
        *err = why;
    return error_wrap(err, "looking for a blob");
}

int blob_seal(Repo *repo, Buf *data, Error *err)
{
    if (repo->crypt && crypt_seal_in_place(repo, data, err) < 0)
        return error_wrap(err, "storing a blob");
    return 0;
}

int blob_send(Repo *repo, const BlobRef *ref, const Buf *object, Error *err)
{
    char key[BLOB_KEY_SIZE];
    blob_key(repo, ref, key);
    if (store_put(repo->store, key, object->data, object->len, false, err) < 0)
        return error_wrap(err, "storing a blob");
    return 0;
}

int blob_settle(Repo *repo, const BlobRef *ref, Error *err)
{
    char key[BLOB_KEY_SIZE];
    blob_key(repo, ref, key);
    return store_settle(repo->store, key, err) < 0 ? error_wrap(err, "relying on a blob that is there") : 0;
}

int blob_name(const Repo *repo, BlobKind kind, const void *data, size_t len, BlobRef *ret,
              char ret_content[SHA256_HEX_SIZE], Error *err)
{
    if (len > BLOB_STORED_MAX)
        return error_set(err, ERR_FAILED, "a blob of %zu bytes is too large", len);
    *ret = (BlobRef){.kind = kind, .size = len};
    sha256_hex(data, len, ret_content);
    if (repo->crypt)
        return crypt_name(repo, ret_content, ret->hash, err);
    memcpy(ret->hash, ret_content, SHA256_HEX_SIZE);
    return 0;
}

int blob_put(Repo *repo, BlobKind kind, const void *data, size_t len, BlobRef *ret, bool *ret_new, Error *err)
{
    BlobRef ref;
    bool is_new;
    char content[SHA256_HEX_SIZE];
    _cleanup_(buf_done) Buf copy = BUF_INIT(BLOB_STORED_MAX);
    if (blob_name(repo, kind, data, len, &ref, content, err) < 0 || blob_is_absent(repo, &ref, &is_new, err) < 0)
        return -1;
    if (!is_new && blob_settle(repo, &ref, err) < 0)
        return -1;
    if (is_new && (buf_append(&copy, data, len, err) < 0 || blob_seal(repo, &copy, err) < 0 ||
                   blob_send(repo, &ref, &copy, err) < 0))
        return -1;
    *ret = ref;
    if (ret_new)
        *ret_new = is_new;
    return 0;
}

int blob_get_error(Repo *repo, const char *key, const Error *why, Error *err)
{
    if (why->code == ERR_NOT_FOUND)
        return blob_missing(repo, key, err);
    if (why->code == ERR_TRUNCATED)
        return blob_damaged(repo, key, "it is too short", err);
    if (err)
        *err = *why;
    return error_wrap(err, "reading a blob");
}

bool blob_is(const Repo *repo, const BlobRef *ref, const void *data, size_t len)
{
    BlobRef found;
    char hash[SHA256_HEX_SIZE];
    return len == ref->size && blob_name(repo, ref->kind, data, len, &found, hash, NULL) == 0 &&
           strcmp(found.hash, ref->hash) == 0;
}

static int check_content(Repo *repo, const BlobRef *ref, const char *key, const Buf *content, Error *err)
{
    BlobRef found;
    char hash[SHA256_HEX_SIZE];
    if (blob_name(repo, ref->kind, content->data, content->len, &found, hash, err) < 0)
        return -1;
    return strcmp(found.hash, ref->hash) == 0
               ? 0
               : blob_damaged(repo, key, _("its bytes do not have the hash in its name"), err);
}

static int fetch(Repo *repo, const BlobRef *ref, Buf *out, Error *err)
{
    char key[BLOB_KEY_SIZE];
    Error why = ERROR_INIT;
    blob_key(repo, ref, key);
    buf_clear(out);
    if (repo->crypt) {
        if (blob_get_sealed(repo, key, out, err) < 0)
            return -1;
    } else if (store_get(repo->store, key, 0, UINT64_MAX, out, &why) < 0) {
        return blob_get_error(repo, key, &why, err);
    }
    if (out->len != ref->size)
        return wrong_size(repo, ref, key, out->len, err);
    return check_content(repo, ref, key, out, err);
}

/* An answer over a network may be cut short or changed on the way and look complete: what seems damaged is fetched once
 * more. */
int blob_get(Repo *repo, const BlobRef *ref, Buf *out, Error *err)
{
    Error why = ERROR_INIT;
    if (cache_get_blob(repo->cache, ref, out) == 0 || fetch(repo, ref, out, &why) == 0)
        return 0;
    if (why.code == ERR_CORRUPT && store_is_remote(repo->store))
        return fetch(repo, ref, out, err);
    if (err)
        *err = why;
    return -1;
}

int blob_get_range(Repo *repo, const BlobRef *ref, uint64_t offset, uint64_t length, Buf *out, Error *err)
{
    char key[BLOB_KEY_SIZE];
    Error why = ERROR_INIT;
    if (repo->crypt)
        return blob_get_sealed_range(repo, ref, offset, length, out, err);
    blob_key(repo, ref, key);
    if (store_get(repo->store, key, offset, length, out, &why) < 0)
        return blob_get_error(repo, key, &why, err);
    return 0;
}
