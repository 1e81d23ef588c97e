#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "repo_priv.h"

#define HEADER_KEY "kura.json"
enum { HEADER_MAX = 64 * 1024, ZSTD_LEVEL_MAX = 19 };

static const RepoParams defaults = {
    .zstd_level = 1,
    .segment_min = 1024 * 1024,
    .segment_mean = 512 * 1024,
    .segment_max = BLOB_MAX,
};

void random_text(const char *alphabet, size_t digits, char *ret)
{
    size_t n = strlen(alphabet);
    for (size_t i = 0; i < digits; i++) {
        uint64_t number; /* so wide that the remainder is as good as even */
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            abort(); /* so few bytes are always given at once */
        ret[i] = alphabet[number % n];
    }
    ret[digits] = 0;
}

static bool params_valid(const RepoParams *params)
{
    return params->zstd_level >= 1 && params->zstd_level <= ZSTD_LEVEL_MAX && params->segment_min >= 1 &&
           params->segment_mean >= 1 && params->segment_mean <= BLOB_MAX && params->segment_max <= BLOB_MAX &&
           params->segment_min <= params->segment_max;
}

static json_t *header_to_json(const char *id, const RepoParams *params)
{
    json_t *header = jsondoc_new("repository"), *zstd = json_object(), *segment = json_object();
    char created[32];
    clock_format_utc(time(NULL), created, sizeof created);
    json_set_text(header, "id", id);
    json_set_text(header, "created", created);
    json_set_text(header, "cipher", "none");
    json_set_u64(zstd, "level", (uint64_t)params->zstd_level);
    json_object_set_new(header, "zstd", zstd);
    json_set_u64(segment, "min", params->segment_min);
    json_set_u64(segment, "mean", params->segment_mean);
    json_set_u64(segment, "max", params->segment_max);
    json_object_set_new(header, "segment", segment);
    return header;
}

int repo_create(Store *store, const RepoParams *params, Error *err)
{
    if (params == NULL)
        params = &defaults;
    if (!params_valid(params))
        return error_set(err, ERR_USAGE, "the parameters of a new repository are out of range");
    char id[REPO_ID_SIZE];
    random_text(HEX_DIGITS, REPO_ID_SIZE - 1, id);
    _cleanup_(json_unref) json_t *header = header_to_json(id, params);
    _cleanup_(buf_done) Buf text = BUF_INIT(HEADER_MAX);
    if (jsondoc_format(header, &text, err) < 0)
        return -1;
    Error why = ERROR_INIT;
    if (store_put(store, HEADER_KEY, text.data, text.len, true, &why) == 0)
        return 0;
    if (why.code == ERR_EXISTS)
        return error_set(err, ERR_EXISTS, "there is a repository in \"%s\" already", store_name(store));
    if (err)
        *err = why;
    return error_wrap(err, "making a repository in \"%s\"", store_name(store));
}

static int read_params(const JsonNode *root, RepoParams *ret, Error *err)
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

static int check_cipher(const JsonNode *root, Error *err)
{
    _cleanup_free_ char *cipher = NULL;
    if (jnode_text(root, "cipher", &cipher, err) < 0)
        return -1;
    if (strcmp(cipher, "none") == 0)
        return 0;
    error_set(err, ERR_UNSUPPORTED, "the repository is encrypted with \"%.40s\", which this kura does not know",
              cipher);
    return error_hint(err, "A newer kura made it. Update kura on this host.");
}

static int parse_header(const Buf *text, Repo *repo, Error *err)
{
    _cleanup_(json_unref) json_t *header = NULL;
    if (jsondoc_parse(text->data, text->len, "repository", &header, err) < 0)
        return -1;
    JsonNode root = jnode_root(header);
    if (read_id(&root, repo->id, err) < 0 || check_cipher(&root, err) < 0)
        return -1;
    return read_params(&root, &repo->params, err);
}

static int no_repository(Store *store, Error *err)
{
    error_set(err, ERR_NO_REPOSITORY, "there is no repository in \"%s\"", store_name(store));
    return error_hint(err, "Check the location, or make a repository there with \"kura init --repo %s\".",
                      store_name(store));
}

int repo_open(Store *store, Repo **ret, Error *err)
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
    Repo *repo = xcalloc(1, sizeof *repo);
    repo->store = store;
    readshare_init(&repo->share);
    if (parse_header(&text, repo, err) < 0) {
        repo_close(repo);
        return error_wrap(err, "reading \"" HEADER_KEY "\" in \"%s\"", store_name(store));
    }
    *ret = repo;
    return 0;
}

void repo_close(Repo *repo)
{
    if (repo == NULL)
        return;
    readshare_done(&repo->share);
    free(repo);
}

const RepoParams *repo_params(const Repo *repo)
{
    return &repo->params;
}

const char *repo_id(const Repo *repo)
{
    return repo->id;
}

Store *repo_store(const Repo *repo)
{
    return repo->store;
}

bool repo_can_read(const Repo *repo)
{
    (void)repo;
    return true;
}

void repo_set_cache(Repo *repo, struct Cache *cache)
{
    repo->cache = cache;
}

struct Cache *repo_cache(const Repo *repo)
{
    return repo->cache;
}
