#include "sources.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "wipe.h"

enum { MATCH_MAX = 256 };

typedef int (*Reader)(SettingsInput *input, Settings *ret, Error *err);

static Reader reader_of(const char *format)
{
    static const struct {
        const char *name;
        Reader read;
    } readers[] = {
        {"yaml", yaml_settings},           {"yaml-1.1", yaml11_settings},  {"dotenv", dotenv_settings},
        {"dotenv-2.8", dotenv28_settings}, {"dotenv-2", dotenv2_settings}, {"env", envfile_settings},
        {"compose", compose_settings},     {"ini", ini_settings},          {"hjson", hjson_settings},
        {"elixir", elixir_settings},
    };
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
        if (strcmp(readers[i].name, format) == 0)
            return readers[i].read;
    return NULL;
}

/* ---- one file ---- */

/* Adds what the first group of a regular expression matches, unless that is too long for a version or a name. */
static int match(SettingsInput *input, const char *key, const char *pattern, Settings *ret, Error *err)
{
    regex_t regex;
    regmatch_t groups[2];
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
        return error_set(err, ERR_USAGE, "invalid regular expression for \"%s\" in the profile", key);
    int rc = 0;
    if (regex.re_nsub > 0 && regexec(&regex, input->text, 2, groups, 0) == 0 && groups[1].rm_so >= 0) {
        size_t from = (size_t)groups[1].rm_so, len = (size_t)(groups[1].rm_eo - groups[1].rm_so);
        _cleanup_(wipe_text) char *value = xstrndup(input->text + from, len);
        if (len <= MATCH_MAX)
            rc = settings_add(ret, input, key, value, from, len, err);
    }
    regfree(&regex);
    return rc;
}

static int match_all(const Scene *scene, const char *source, SettingsInput *input, Settings *ret, Error *err)
{
    _cleanup_free_ char *find = xasprintf("%s.find.", source);
    size_t len = strlen(find);
    for (size_t i = 0; i < scene->profile->n; i++) {
        const AppSetting *entry = &scene->profile->v[i];
        if (strncmp(entry->key, find, len) == 0 && match(input, entry->key + len, entry->value, ret, err) < 0)
            return -1;
    }
    return 0;
}

static int read_format(Scene *scene, const char *source, SettingsInput *input, Error *err)
{
    _cleanup_free_ char *place = xasprintf("%s.format", source);
    const AppSetting *format = settings_get(scene->profile, place);
    if (format && strcmp(format->value, "match") == 0)
        return match_all(scene, source, input, &scene->settings, err);
    Reader read = format ? reader_of(format->value) : NULL;
    if (read == NULL)
        return error_set(err, ERR_USAGE, "the profile names no format that there is for \"%s\"", input->file);
    return read(input, &scene->settings, err);
}

static int read_file(Scene *scene, const char *source, const char *file, Error *err)
{
    Buf text;
    Error why = ERROR_INIT;
    if (scene_file_read(scene, file, &text, &why) < 0) {
        if (why.code == ERR_NOT_FOUND)
            return 0;
        *err = why;
        return -1;
    }
    _cleanup_free_ char *place = xasprintf("%s.as", source);
    const AppSetting *as = settings_get(scene->profile, place);
    SettingsInput input = {.file = file,
                           .prefix = as ? as->value : "",
                           .text = buf_str(&text),
                           .len = text.len,
                           .findings = scene->findings};
    int rc = read_format(scene, source, &input, err);
    secret_buf_done(&text);
    return rc;
}

/* ---- all ---- */

static int read_source(Scene *scene, const char *source, Error *err)
{
    _cleanup_free_ char *one = scene_member(scene, source, "file", NULL);
    _cleanup_free_ char *list = xasprintf("%s.files", source);
    _cleanup_(strvec_done) StrVec patterns = {0}, files = {0};
    if (one)
        strvec_push(&patterns, one);
    scene_list(scene, list, &patterns);
    for (size_t i = 0; i < patterns.n; i++)
        scene_glob(scene, patterns.v[i], &files);
    for (size_t i = 0; i < files.n; i++)
        if (read_file(scene, source, files.v[i], err) < 0)
            return -1;
    return 0;
}

/* The value in "NAME=VALUE"; NULL: it is another name's. */
static const char *value_in(const char *assignment, const char *name)
{
    size_t len = strlen(name);
    return strncmp(assignment, name, len) == 0 && assignment[len] == '=' ? assignment + len + 1 : NULL;
}

static const char *variable(const Scene *scene, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; value == NULL && scene->environment && i < scene->environment->n; i++)
        value = value_in(scene->environment->v[i], name);
    return value ? value : secure_getenv(name);
}

static int add_variable(Scene *scene, const char *name, Error *err)
{
    const char *value = variable(scene, name);
    SettingsInput input = {.file = _("the environment"), .prefix = "", .text = "", .len = 0};
    if (value == NULL)
        return 0;
    if (settings_add(&scene->settings, &input, name, value, 0, 0, err) < 0)
        return -1;
    AppPlace *origin = &scene->settings.v[scene->settings.n - 1].place;
    free(origin->file);
    *origin = (AppPlace){0};
    return 0;
}

/* A name that is mistyped would be passed over. */
static int check_environment(const Scene *scene, const StrVec *names, Error *err)
{
    for (size_t i = 0; scene->environment && i < scene->environment->n; i++) {
        const char *assignment = scene->environment->v[i];
        _cleanup_free_ char *name = xstrndup(assignment, strcspn(assignment, "="));
        if (strchr(assignment, '=') && strvec_contains(names, name))
            continue;
        _cleanup_free_ char *title = scene_value(scene, "title", NULL, NULL);
        error_set(err, ERR_USAGE, "\"%s\" is no variable that tells anything of %s", name, title ? title : "it");
        return error_hint(err, "Write NAME=VALUE, with one of the names that its profile has under \"environment\".");
    }
    return 0;
}

static int read_environment(Scene *scene, Error *err)
{
    _cleanup_(strvec_done) StrVec names = {0};
    scene_list(scene, "environment", &names);
    for (size_t i = 0; i < names.n; i++)
        if (add_variable(scene, names.v[i], err) < 0)
            return -1;
    return check_environment(scene, &names, err);
}

int sources_read(Scene *scene, Error *err)
{
    if (read_environment(scene, err) < 0)
        return -1;
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *source = xasprintf("settings[%zu]", i);
        if (!scene_has(scene, source))
            return 0;
        if (scene_applies(scene, source) && read_source(scene, source, err) < 0)
            return -1;
    }
}
