#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypt_priv.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "manifest_priv.h"

/* "20261122T031500Z-", the application, "-x7k2". Ids begin with the moment so that their order is that of the backups.
 */
enum { STAMP_LENGTH = 16, RANDOM_LENGTH = 4, APP_MAX = MANIFEST_APP_MAX };
/* Seconds by which a clock may be wrong without anybody being told. */
enum { CLOCKS_DIFFER = 600 };
#define RANDOM_ALPHABET "abcdefghijklmnopqrstuvwxyz0123456789"
#define APP_ALPHABET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* Names of objects are not encrypted: the application must not be told from them. */
void manifest_app_part(const Repo *repo, const char *app, char ret[APP_MAX + 1])
{
    size_t len = 0;
    if (repo->crypt) {
        crypt_app(repo, app, ret);
        return;
    }
    for (; app[len] && len < APP_MAX; len++)
        ret[len] = strchr(APP_ALPHABET, app[len]) ? app[len] : '_';
    ret[len] = 0;
    if (len == 0)
        strcpy(ret, "_");
}

static char *id_of_moment(const Repo *repo, const char *app, time_t moment)
{
    struct tm tm;
    char stamp[STAMP_LENGTH + 1], part[APP_MAX + 1], random[RANDOM_LENGTH + 1];
    gmtime_r(&moment, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    manifest_app_part(repo, app, part);
    random_text(RANDOM_ALPHABET, RANDOM_LENGTH, random);
    return xasprintf("%s-%s-%s", stamp, part, random);
}

char *manifest_new_id(const Repo *repo, const char *app)
{
    return id_of_moment(repo, app, time(NULL));
}

char *manifest_next_id(const Repo *repo, const char *app, const StrVec *names, const char **ret_ahead)
{
    time_t now = time(NULL), moment = now;
    *ret_ahead = NULL;
    for (size_t i = 0; i < names->n; i++) {
        _cleanup_free_ char *id = NULL;
        unsigned revision;
        if (manifest_name_parse(names->v[i], &id, &revision) < 0 || !manifest_id_fits_app(repo, id, app))
            continue;
        time_t other = manifest_id_moment(id);
        if (other > now + CLOCKS_DIFFER)
            *ret_ahead = names->v[i];
        else if (other >= moment)
            moment = other + 1;
    }
    return id_of_moment(repo, app, moment);
}

static bool stamp_valid(const char *text)
{
    for (size_t i = 0; i < STAMP_LENGTH; i++) {
        bool good = i == 8 ? text[i] == 'T' : i == 15 ? text[i] == 'Z' : text[i] >= '0' && text[i] <= '9';
        if (!good)
            return false;
    }
    return true;
}

bool manifest_id_valid(const char *text)
{
    size_t len = strlen(text);
    if (len < STAMP_LENGTH + 3 + RANDOM_LENGTH || len > STAMP_LENGTH + 2 + APP_MAX + RANDOM_LENGTH)
        return false;
    const char *app = text + STAMP_LENGTH + 1, *random = text + len - RANDOM_LENGTH;
    return stamp_valid(text) && app[-1] == '-' && strspn(app, APP_ALPHABET) == strlen(app) && random[-1] == '-' &&
           strspn(random, RANDOM_ALPHABET) == RANDOM_LENGTH;
}

time_t manifest_id_moment(const char *id)
{
    char text[32];
    if (strnlen(id, STAMP_LENGTH) < STAMP_LENGTH || !stamp_valid(id))
        return -1;
    snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", id, id + 4, id + 6, id + 9, id + 11, id + 13);
    return clock_parse_utc(text);
}

/* The first revision bears none; the others are written as the number is, so that each has one name. */
int manifest_name_parse(const char *name, char **ret_id, unsigned *ret_revision)
{
    size_t len = strcspn(name, ".");
    const char *digits = name[len] ? name + len + 1 : "1";
    size_t n = strlen(digits);
    if (n == 0 || n > 6 || strspn(digits, "0123456789") != n || digits[0] == '0' ||
        (name[len] && strcmp(digits, "1") == 0))
        return -1;
    _cleanup_free_ char *id = xstrndup(name, len);
    if (!manifest_id_valid(id))
        return -1;
    *ret_revision = (unsigned)strtoul(digits, NULL, 10);
    *ret_id = steal(id);
    return 0;
}

char *manifest_name(const Manifest *manifest)
{
    return manifest->revision > 1 ? xasprintf("%s.%u", manifest->id, manifest->revision) : xstrdup(manifest->id);
}

bool manifest_id_fits_app(const Repo *repo, const char *id, const char *app)
{
    char part[APP_MAX + 1];
    manifest_app_part(repo, app, part);
    const char *middle = id + STAMP_LENGTH + 1;
    size_t len = strcspn(middle, ".") - 1 - RANDOM_LENGTH;
    return strlen(part) == len && strncmp(part, middle, len) == 0;
}

char *manifest_copied_id(const Repo *to, const char *id, const char *app)
{
    char part[APP_MAX + 1];
    manifest_app_part(to, app, part);
    return xasprintf("%.*s-%s-%s", STAMP_LENGTH, id, part, id + strlen(id) - RANDOM_LENGTH);
}

bool manifest_id_is_copy(const char *id, const char *other)
{
    return strncmp(id, other, STAMP_LENGTH) == 0 &&
           strcmp(id + strlen(id) - RANDOM_LENGTH, other + strlen(other) - RANDOM_LENGTH) == 0;
}

/* The latest of the ids whose backup is of this application: the manifest has the last word. */
static int latest_of_app(Repo *repo, const StrVec *ids, const char *app, char **ret, Error *err)
{
    for (size_t i = ids->n; i-- > 0;) {
        const char *id = ids->v[i];
        if (!manifest_id_fits_app(repo, id, app))
            continue;
        Manifest *manifest;
        if (manifest_load(repo, id, &manifest, err) < 0)
            return -1;
        bool same = strcmp(manifest->app, app) == 0;
        manifest_free(manifest);
        if (same) {
            *ret = xstrdup(id);
            return 0;
        }
    }
    return error_set(err, ERR_NOT_FOUND, "there is no backup of \"%s\" in the repository \"%s\"", app,
                     store_name(repo->store));
}

static int latest(Repo *repo, const StrVec *ids, char **ret, Error *err)
{
    if (ids->n == 0)
        return error_set(err, ERR_NOT_FOUND, "there is no backup in the repository \"%s\"", store_name(repo->store));
    *ret = xstrdup(ids->v[ids->n - 1]);
    return 0;
}

static int by_beginning(Repo *repo, const StrVec *ids, const char *name, char **ret, Error *err)
{
    const char *found = NULL;
    size_t matches = 0;
    for (size_t i = 0; i < ids->n; i++) {
        if (strncmp(ids->v[i], name, strlen(name)) != 0)
            continue;
        found = ids->v[i];
        matches++;
    }
    if (matches == 0 || name[0] == 0) {
        error_set(err, ERR_NOT_FOUND, "there is no backup \"%s\" in the repository \"%s\"", name,
                  store_name(repo->store));
        return error_hint(err, "\"kura list\" shows what there is.");
    }
    if (matches > 1) {
        error_set(err, ERR_USAGE, "\"%s\" is ambiguous: %zu backups begin with it", name, matches);
        return error_hint(err, "Write more of the id; \"kura list\" shows them.");
    }
    *ret = xstrdup(found);
    return 0;
}

int manifest_resolve(Repo *repo, const char *name, const char *app, char **ret, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0};
    if (manifest_list(repo, &ids, err) < 0)
        return -1;
    if (strcmp(name, "latest") != 0)
        return by_beginning(repo, &ids, name, ret, err);
    return app ? latest_of_app(repo, &ids, app, ret, err) : latest(repo, &ids, ret, err);
}
