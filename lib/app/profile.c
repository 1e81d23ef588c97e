#include "profile.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "builtin.h"
#include "file.h"
#include "kura/mem.h"
#include "kura/secret.h"

static const char *user_directory(void)
{
    const char *dir = secure_getenv("KURA_PROFILES");
    return dir && *dir ? dir : "/etc/kura/profiles";
}

/* ---- what a profile may say ---- */

/* Places of a profile as patterns, without what conditions and lists add to any of them. */
static const char *const known[] = {
    "@(name|title|recognise|environment|settings|database|replicas|redis|filesets|secrets|version|fork|usual)",
    "@(bucket|object-storage|extensions|exclude-table-data|media-queries|after-restore|services|programs|must-exist)",
    "@(key-proofs|stray-media.@(sql|cure))",
    "reads-replicas",
    "settings\\[\\].@(file|files|format|as|find.*)",
    "@(database|replicas\\[\\]|redis\\[\\]).@(role|each|url|address|host|port|database|user|password|sslmode|prefix)",
    "filesets\\[\\].@(name|root|only|exclude|secret)",
    "schema.@(tool|table|dirs|post-dirs|version|migrate|ask)",
    "secrets\\[\\].@(name|value|file|required|needed-for)",
    "key-proofs\\[\\].@(kind|sql|public|private|password|salt|needed-for)",
};

/* "a[3].b" as "a[].b". */
static char *without_numbers(const char *key)
{
    char *ret = xstrdup(key), *to = ret;
    for (const char *from = key; *from; from++) {
        *to++ = *from;
        if (*from == '[')
            from += strspn(from + 1, "0123456789");
    }
    *to = 0;
    return ret;
}

static bool cut_end(char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    if (len < end_len || strcmp(text + len - end_len, end) != 0)
        return false;
    text[len - end_len] = 0;
    return true;
}

static bool is_known(const char *key)
{
    _cleanup_free_ char *place = without_numbers(key);
    for (;;) {
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
            if (fnmatch(known[i], place, FNM_EXTMATCH) == 0)
                return true;
        if (!cut_end(place, "[]") && !cut_end(place, ".when") && !cut_end(place, ".unless") &&
            !cut_end(place, ".value"))
            return false;
    }
}

static int check(const Settings *profile, const char *name, Error *err)
{
    for (size_t i = 0; i < profile->n; i++)
        if (!is_known(profile->v[i].key)) {
            error_set(err, ERR_USAGE, "%s:%u: a profile has no \"%s\"", profile->v[i].place.file,
                      profile->v[i].place.line, profile->v[i].key);
            return error_hint(err, "The manual page kura-profile(5) tells what may stand there.");
        }
    const AppSetting *own = settings_get(profile, "name");
    if (own == NULL || strcmp(own->value, name) != 0) {
        error_set(err, ERR_USAGE, "profile \"%s\" does not say \"name: %s\"", name, name);
        return error_hint(err, "A profile is called as its file, without \".yaml\".");
    }
    return 0;
}

/* ---- where profiles are ---- */

static int read_text(const char *name, const char *file, const char *text, size_t len, Settings *ret, Error *err)
{
    Findings unused = FINDINGS_INIT;
    SettingsInput input = {.file = file, .prefix = "", .text = text, .len = len, .findings = &unused};
    *ret = (Settings){0};
    int rc = yaml_settings(&input, ret, err);
    if (rc == 0)
        rc = check(ret, name, err);
    if (rc < 0)
        settings_done(ret);
    findings_done(&unused);
    return rc;
}

static int read_users(const char *name, Settings *ret, Error *err)
{
    Buf text;
    _cleanup_free_ char *file = xasprintf("%s/%s.yaml", user_directory(), name);
    if (app_file_read("", file, &text, err) < 0)
        return -1;
    int rc = read_text(name, file, buf_str(&text), text.len, ret, err);
    buf_done(&text);
    return rc;
}

static const char *builtin_text(const char *name)
{
    for (const BuiltinProfile *profile = builtin_profiles; profile->name; profile++)
        if (strcmp(profile->name, name) == 0)
            return profile->text;
    return NULL;
}

static bool is_name(const char *name)
{
    return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] == 0;
}

int profile_read(const char *name, Settings *ret, Error *err)
{
    Error why = ERROR_INIT;
    const char *text = builtin_text(name);
    if (is_name(name) && read_users(name, ret, &why) == 0)
        return 0;
    if (is_name(name) && why.code != ERR_NOT_FOUND) {
        *err = why;
        return -1;
    }
    if (text)
        return read_text(name, name, text, strlen(text), ret, err);
    _cleanup_free_ char *names = profile_names_text();
    error_set(err, ERR_NOT_FOUND, "there is no profile \"%s\"", name);
    return error_hint(err, "Profiles are %s; kura-profile(5) tells how to write one.", names);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_users(StrVec *ret, Error *err)
{
    DIR *dir = opendir(user_directory());
    if (dir == NULL)
        return errno == ENOENT ? 0 : error_errno(err, errno, "could not read \"%s\"", user_directory());
    for (struct dirent *entry; (entry = readdir(dir));) {
        _cleanup_free_ char *name = xstrdup(entry->d_name);
        if (cut_end(name, ".yaml") && is_name(name))
            strvec_push(ret, name);
    }
    closedir(dir);
    if (ret->n > 1)
        qsort(ret->v, ret->n, sizeof *ret->v, by_name);
    return 0;
}

int app_profile_names(StrVec *ret, Error *err)
{
    if (add_users(ret, err) < 0)
        return -1;
    for (const BuiltinProfile *profile = builtin_profiles; profile->name; profile++)
        if (!strvec_contains(ret, profile->name))
            strvec_push(ret, profile->name);
    return 0;
}

char *profile_names_text(void)
{
    _cleanup_(strvec_done) StrVec names = {0};
    Buf text = BUF_INIT(SIZE_MAX / 2);
    app_profile_names(&names, NULL);
    for (size_t i = 0; i < names.n; i++)
        buf_printf(&text, NULL, "%s%s", i ? ", " : "", names.v[i]);
    char *ret = xstrdup(buf_str(&text));
    buf_done(&text);
    return ret;
}

bool profile_recognises(const Settings *profile, const char *dir)
{
    for (size_t i = 0;; i++) {
        bool all = true;
        for (size_t k = 0;; k++) {
            _cleanup_free_ char *place = xasprintf("recognise[%zu][%zu]", i, k);
            const AppSetting *path = settings_get(profile, place);
            if (path == NULL && k == 0)
                return false;
            if (path == NULL)
                break;
            all = all && app_file_exists(dir, path->value);
        }
        if (all)
            return true;
    }
}
