#include "header_priv.h"

#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "kura/clock.h"
#include "repo_priv.h"

#define HEADER_KEY "kura.json"
enum {
    HEADER_MAX = 64 * 1024,
    ZSTD_LEVEL_MAX = 19,
    SEALED_SEGMENT_MIN =
        64 * 1024, /* who writes to the store could else have each row stored by itself, and see its size */
};

static const RepoParams defaults = {
    .zstd_level = 1,
    .segment_min = 512 * 1024,
    .segment_mean = 512 * 1024,
    .segment_max = BLOB_MAX,
};

static bool params_valid(const RepoParams *params)
{
    return params->zstd_level >= 1 && params->zstd_level <= ZSTD_LEVEL_MAX && params->segment_min >= 1 &&
           params->segment_mean >= 1 && params->segment_mean <= BLOB_MAX && params->segment_max <= BLOB_MAX &&
           params->segment_min <= params->segment_max;
}

int header_init(const RepoParams *params, RepoHeader *ret, Error *err)
{
    if (params == NULL)
        params = &defaults;
    if (!params_valid(params))
        return error_set(err, ERR_USAGE, "the parameters of a new repository are out of range");
    ret->params = *params;
    random_text(HEX_DIGITS, REPO_ID_SIZE - 1, ret->id);
    return 0;
}

void header_done(RepoHeader *header)
{
    buf_done(&header->naming_key);
    json_unref(&header->document);
}

int header_encrypt(RepoHeader *header, const AgeRecipient *recipients, size_t n,
                   const uint8_t naming_key[NAMING_KEY_SIZE], Error *err)
{
    buf_clear(&header->naming_key);
    if (header->params.segment_min < SEALED_SEGMENT_MIN)
        return error_set(err, ERR_USAGE, "segments of an encrypted repository have %d bytes at least",
                         SEALED_SEGMENT_MIN);
    if (age_encrypt(recipients, n, naming_key, NAMING_KEY_SIZE, &header->naming_key, err) < 0)
        return error_wrap(err, "encrypting the naming key");
    memmove(header->recipients, recipients, n * sizeof *recipients);
    header->n_recipients = n;
    header->encrypted = true;
    return 0;
}

/* ---- writing ---- */

/* Sets the members that differ between repositories of one key and another. */
static void set_keys(const RepoHeader *header, json_t *document)
{
    json_t *array = json_array();
    for (size_t i = 0; i < header->n_recipients; i++) {
        char text[AGE_RECIPIENT_SIZE];
        age_recipient_format(&header->recipients[i], text);
        json_array_append_new(array, json_string(text));
    }
    json_object_set_new(document, "recipients", array);
    _cleanup_free_ char *base64 = xmalloc(header->naming_key.len / 3 * 4 + 5);
    EVP_EncodeBlock((unsigned char *)base64, header->naming_key.data, (int)header->naming_key.len);
    json_set_text(document, "naming_key", base64);
}

static json_t *header_to_json(const RepoHeader *header)
{
    json_t *document = jsondoc_new("repository"), *zstd = json_object(), *segment = json_object();
    char created[32];
    clock_format_utc(time(NULL), created, sizeof created);
    json_set_text(document, "id", header->id);
    json_set_text(document, "created", created);
    json_set_text(document, "cipher", header->encrypted ? "age" : "none");
    if (header->encrypted)
        set_keys(header, document);
    json_set_u64(zstd, "level", (uint64_t)header->params.zstd_level);
    json_object_set_new(document, "zstd", zstd);
    json_set_u64(segment, "min", header->params.segment_min);
    json_set_u64(segment, "mean", header->params.segment_mean);
    json_set_u64(segment, "max", header->params.segment_max);
    json_object_set_new(document, "segment", segment);
    return document;
}

static int put(Store *store, const json_t *document, bool exclusive, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(HEADER_MAX);
    return jsondoc_format(document, &text, err) < 0 ? -1
                                                    : store_put(store, HEADER_KEY, text.data, text.len, exclusive, err);
}

int header_create(Store *store, const RepoHeader *header, Error *err)
{
    _cleanup_(json_unref) json_t *document = header_to_json(header);
    Error why = ERROR_INIT;
    if (put(store, document, true, &why) == 0)
        return 0;
    if (why.code == ERR_EXISTS)
        return error_set(err, ERR_EXISTS, "there is a repository in \"%s\" already", store_name(store));
    if (err)
        *err = why;
    return error_wrap(err, "making a repository in \"%s\"", store_name(store));
}

int header_update(Store *store, const RepoHeader *header, Error *err)
{
    set_keys(header, header->document);
    return put(store, header->document, false, err) < 0 ? error_wrap(err, "writing \"%s\"", HEADER_KEY) : 0;
}

/* ---- reading ---- */

static int read_params(const JsonNode *root, bool encrypted, RepoParams *ret, Error *err)
{
    JsonNode zstd, segment;
    int64_t level;
    if (jnode_object(root, "zstd", &zstd, err) < 0 || jnode_int(&zstd, "level", 1, ZSTD_LEVEL_MAX, &level, err) < 0 ||
        jnode_object(root, "segment", &segment, err) < 0 ||
        jnode_u64(&segment, "min", BLOB_MAX, &ret->segment_min, err) < 0 ||
        jnode_u64(&segment, "mean", BLOB_MAX, &ret->segment_mean, err) < 0 ||
        jnode_u64(&segment, "max", BLOB_MAX, &ret->segment_max, err) < 0)
        return -1;
    ret->zstd_level = (int)level;
    if (encrypted && ret->segment_min < SEALED_SEGMENT_MIN)
        return jnode_fail(&segment, err, "makes segments so short that their sizes tell what is in them");
    return params_valid(ret) ? 0 : jnode_fail(&segment, err, "does not fit together");
}

static int read_id(const JsonNode *root, char ret[REPO_ID_SIZE], Error *err)
{
    _cleanup_free_ char *id = NULL;
    if (jnode_text(root, "id", &id, err) < 0)
        return -1;
    if (strlen(id) != REPO_ID_SIZE - 1 || strspn(id, HEX_DIGITS) != REPO_ID_SIZE - 1)
        return jnode_fail(root, err, "has an id that is not 32 hexadecimal digits");
    memcpy(ret, id, REPO_ID_SIZE);
    return 0;
}

static int read_recipients(const JsonNode *root, RepoHeader *header, Error *err)
{
    _cleanup_(strvec_done) StrVec texts = {0};
    if (jnode_texts(root, "recipients", &texts, err) < 0)
        return -1;
    if (texts.n == 0 || texts.n > REPO_RECIPIENTS_MAX)
        return jnode_fail(root, err, "has %zu recipients, where there must be 1 to %d", texts.n, REPO_RECIPIENTS_MAX);
    for (size_t i = 0; i < texts.n; i++) {
        AgeRecipient *recipient = &header->recipients[i];
        if (age_recipient_parse(texts.v[i], recipient, NULL) < 0)
            return jnode_fail(root, err, "has \"%.100s\" among its recipients, which is none", texts.v[i]);
        if (recipients_contain(header->recipients, i, recipient))
            return jnode_fail(root, err, "has the recipient \"%.100s\" twice", texts.v[i]);
    }
    header->n_recipients = texts.n;
    return 0;
}

static int read_naming_key(const JsonNode *root, Buf *out, Error *err)
{
    _cleanup_free_ char *text = NULL;
    if (jnode_text(root, "naming_key", &text, err) < 0)
        return -1;
    size_t len = strlen(text), pad = len - strcspn(text, "=");
    if (len == 0 || len % 4 != 0 || pad > 2 || len / 4 * 3 > out->max || buf_reserve(out, len / 4 * 3, err) < 0)
        return jnode_fail(root, err, "has a naming_key that is too long or no base64");
    int n = EVP_DecodeBlock(out->data, (const unsigned char *)text, (int)len);
    if (n < (int)pad)
        return jnode_fail(root, err, "has a naming_key that is no base64");
    out->len = (size_t)n - pad;
    return 0;
}

static int read_cipher(const JsonNode *root, RepoHeader *header, Error *err)
{
    _cleanup_free_ char *cipher = NULL;
    if (jnode_text(root, "cipher", &cipher, err) < 0)
        return -1;
    header->encrypted = strcmp(cipher, "age") == 0;
    if (header->encrypted)
        return read_recipients(root, header, err) < 0 ? -1 : read_naming_key(root, &header->naming_key, err);
    if (strcmp(cipher, "none") == 0)
        return 0;
    error_set(err, ERR_UNSUPPORTED, "the repository is encrypted with \"%.40s\", which this kura does not know",
              cipher);
    return error_hint(err, "A newer kura made it. Update kura on this host.");
}

static int parse(const Buf *text, RepoHeader *ret, Error *err)
{
    if (jsondoc_parse(text->data, text->len, "repository", &ret->document, err) < 0)
        return -1;
    JsonNode root = jnode_root(ret->document);
    if (read_id(&root, ret->id, err) < 0 || read_cipher(&root, ret, err) < 0)
        return -1;
    return read_params(&root, ret->encrypted, &ret->params, err);
}

static int no_repository(Store *store, Error *err)
{
    error_set(err, ERR_NO_REPOSITORY, "there is no repository in \"%s\"", store_name(store));
    return error_hint(err, "Check the location, or make a repository there with \"kura init --repo %s\".",
                      store_name(store));
}

int header_read(Store *store, RepoHeader *ret, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(HEADER_MAX);
    Error why = ERROR_INIT;
    if (store_get(store, HEADER_KEY, 0, UINT64_MAX, &text, &why) < 0) {
        if (why.code == ERR_NOT_FOUND)
            return no_repository(store, err);
        if (err)
            *err = why;
        return error_wrap(err, "opening the repository in \"%s\"", store_name(store));
    }
    if (parse(&text, ret, err) < 0)
        return error_wrap(err, "reading \"%s\" in \"%s\"", HEADER_KEY, store_name(store));
    return 0;
}
