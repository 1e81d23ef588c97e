#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "ini.h"
#include "kura/words.h"
#include "redact.h"

enum { CONFIG_MAX = 1024 * 1024 };

void config_done(Config *config)
{
    for (size_t i = 0; i < config->n_sections; i++) {
        free(config->sections[i].name);
        free(config->sections[i].location);
    }
    for (size_t i = 0; i < config->n_values; i++)
        free(config->values[i].text);
    free(config->sections);
    free(config->values);
    free(config->path);
    *config = (Config){0};
}

/* ---- reading ---- */

static const char *kind_words[] = {"kura", "app", "repository"};
static const unsigned kinds[] = {IN_KURA, IN_APP, IN_REPOSITORY};

static const char *kind_word(const void *ctx, size_t i)
{
    return kind_words[i];
}

static int unknown_section(const Config *config, unsigned line, const char *text, Error *err)
{
    error_set(err, ERR_USAGE, "%s:%u: unknown section [%s]", config->path, line, text);
    _cleanup_free_ char *word = xstrndup(text, strcspn(text, " \t"));
    size_t i = spelling_nearest(word, ARRAY_SIZE(kind_words), kind_word, NULL);
    if (i == ARRAY_SIZE(kind_words))
        return error_hint(err, "Sections are [kura], [app NAME] and [repository NAME].");
    return error_hint(err, "Did you mean [%s%s]?", kind_words[i], kinds[i] == IN_KURA ? "" : " NAME");
}

/* The section of this text, made when it is new; n_sections on error. */
static int find_section(Config *config, unsigned line, const char *text, size_t *ret, Error *err)
{
    size_t word_len = strcspn(text, " \t"), kind = 0;
    const char *name = text + word_len + strspn(text + word_len, " \t");
    while (kind < ARRAY_SIZE(kinds) &&
           (strlen(kind_words[kind]) != word_len || strncmp(kind_words[kind], text, word_len) != 0))
        kind++;
    if (kind == ARRAY_SIZE(kinds) || (kinds[kind] == IN_KURA) != (*name == 0))
        return unknown_section(config, line, text, err);
    for (*ret = 0; *ret < config->n_sections; ++*ret)
        if (config->sections[*ret].kind == kinds[kind] && strcmp(config->sections[*ret].name, name) == 0)
            return 0;
    xgrow(&config->sections, &config->sections_cap, config->n_sections);
    config->sections[config->n_sections++] = (ConfigSection){.kind = kinds[kind], .name = xstrdup(name)};
    return 0;
}

typedef struct KeyList {
    unsigned kind;
} KeyList;

/* The keys of a section: those of the options, then "location". */
static const char *key_name(const void *ctx, size_t i)
{
    const KeyList *list = ctx;
    if (i == OPT_COUNT)
        return list->kind == IN_REPOSITORY ? "location" : NULL;
    return option_specs[i].sections & list->kind ? option_specs[i].name : NULL;
}

static int unknown_key(const Config *config, unsigned line, const char *section, unsigned kind, const char *key,
                       Error *err)
{
    error_set(err, ERR_USAGE, "%s:%u: unknown key \"%s\" in section [%s]", config->path, line, key, section);
    KeyList list = {kind};
    size_t i = spelling_nearest(key, OPT_COUNT + 1, key_name, &list);
    if (i <= OPT_COUNT)
        return error_hint(err, "Did you mean \"%s\"?", key_name(&list, i));
    return error_hint(err, "The keys of each section are in kura.conf(5).");
}

/* A value that may stand once stands twice. */
static int check_repeated(const Config *config, const ConfigValue *value, const char *where, Error *err)
{
    for (size_t i = 0; i < config->n_values && !option_is_list(value->spec); i++)
        if (config->values[i].section == value->section && config->values[i].spec == value->spec)
            return error_set(err, ERR_USAGE, "%s is given on line %u already", where, config->values[i].line);
    return 0;
}

static int take_location(Config *config, unsigned line, ConfigSection *section, const char *text, Error *err)
{
    if (text[0] == 0)
        return error_set(err, ERR_USAGE, "%s:%u: key \"location\" needs a value that is not empty", config->path, line);
    if (section->location != NULL)
        return error_set(err, ERR_USAGE, "%s:%u: key \"location\" is given twice for repository \"%s\"", config->path,
                         line, section->name);
    section->location = xstrdup(text);
    return 0;
}

static int take_line(void *ctx, unsigned line, const char *section, const char *key, const char *text, Error *err)
{
    Config *config = ctx;
    if (section == NULL)
        return error_set(err, ERR_USAGE, "%s:%u: key \"%s\" stands before the first section", config->path, line, key);
    ConfigValue value = {.line = line};
    if (find_section(config, line, section, &value.section, err) < 0)
        return -1;
    if (key == NULL)
        return 0;
    ConfigSection *found = &config->sections[value.section];
    if (found->kind == IN_REPOSITORY && strcmp(key, "location") == 0)
        return take_location(config, line, found, text, err);
    value.spec = option_find_key(key, found->kind);
    if (value.spec == NULL)
        return unknown_key(config, line, section, found->kind, key, err);
    _cleanup_free_ char *where = xasprintf("%s:%u: key \"%s\"", config->path, line, key);
    if (check_repeated(config, &value, where, err) < 0 || options_check(value.spec, text, where, err) < 0)
        return -1;
    value.text = xstrdup(text);
    xgrow(&config->values, &config->values_cap, config->n_values);
    config->values[config->n_values++] = value;
    return 0;
}

static bool has_value(const Config *config, size_t section, OptionId id)
{
    for (size_t i = 0; i < config->n_values; i++)
        if (config->values[i].section == section && config->values[i].spec->id == id)
            return true;
    return false;
}

static int check_repository(const Config *config, size_t section, Error *err)
{
    const ConfigSection *repository = &config->sections[section];
    bool key = has_value(config, section, OPT_S3_ACCESS_KEY), secret = has_value(config, section, OPT_S3_SECRET_KEY);
    if (repository->location == NULL)
        return error_set(err, ERR_USAGE, "%s: section [repository %s] has no key \"location\"", config->path,
                         repository->name);
    if (key != secret || (has_value(config, section, OPT_S3_SESSION_TOKEN) && !key))
        return error_set(err, ERR_USAGE, "%s: section [repository %s] lacks the key \"%s\"", config->path,
                         repository->name, key ? "s3-secret-key" : "s3-access-key");
    return 0;
}

int config_parse(const char *text, size_t len, const char *path, Config *ret, Error *err)
{
    *ret = (Config){.path = xstrdup(path)};
    int rc = ini_read(text, len, path, take_line, ret, err);
    for (size_t i = 0; rc == 0 && i < ret->n_sections; i++)
        if (ret->sections[i].kind == IN_REPOSITORY)
            rc = check_repository(ret, i, err);
    if (rc < 0)
        config_done(ret);
    return rc;
}

static bool holds_secret(const Config *config)
{
    for (size_t i = 0; i < config->n_values; i++) {
        const OptionSpec *spec = config->values[i].spec;
        if (spec->secret && (spec->type != OPTION_CONNINFO || conninfo_has_secret(config->values[i].text)))
            return true;
    }
    return false;
}

int config_load(const char *path, bool optional, Config *ret, Findings *findings, Error *err)
{
    *ret = (Config){0};
    _cleanup_(buf_done) Buf text = BUF_INIT(CONFIG_MAX);
    struct stat st;
    if (file_read(path, &text, &st, err) < 0) {
        if (!optional || (err->sys_errno != ENOENT && err->sys_errno != ENOTDIR && err->sys_errno != EACCES))
            return error_wrap(err, "configuration file");
        if (err->sys_errno == EACCES)
            findings_add(findings, FINDING_NOTE, "config-unreadable", NULL,
                         "configuration file \"%s\" may not be read by this user and is left aside", path);
        error_clear(err);
        return 0;
    }
    if (config_parse(buf_str(&text), text.len, path, ret, err) < 0)
        return -1;
    ret->owner = st.st_uid;
    ret->mode = st.st_mode;
    if ((st.st_mode & S_IROTH) && holds_secret(ret))
        findings_add(findings, FINDING_WARNING, "config-readable",
                     "Take the right to read it away with \"chmod o-r\", or move the secret to ~/.pgpass or "
                     "~/.aws/credentials.",
                     "configuration file \"%s\" holds a password or a secret key and everybody may read it", path);
    return 0;
}

int config_check_trusted(const Config *config, Error *err)
{
    bool owned = config->owner == 0 || config->owner == geteuid();
    if (owned && (config->mode & (S_IWGRP | S_IWOTH)) == 0)
        return 0;
    error_set(err, ERR_PERMISSION,
              owned ? N_("configuration file \"%s\" names programs to run, and others may write to it")
                    : N_("configuration file \"%s\" names programs to run, and somebody else owns it"),
              config->path);
    return error_hint(err,
                      "Give it to root with \"chown root\", and take the right to write away with \"chmod go-w\".");
}

/* ---- applying ---- */

static size_t section_find(const Config *config, unsigned kind, const char *name)
{
    for (size_t i = 0; i < config->n_sections; i++)
        if (config->sections[i].kind == kind && strcmp(config->sections[i].name, name) == 0)
            return i;
    return config->n_sections;
}

static int apply_section(const Config *config, size_t section, Source source, Options *options, Error *err)
{
    for (size_t i = 0; i < config->n_values; i++) {
        const ConfigValue *value = &config->values[i];
        if (value->section != section || !option_configured(value->spec, options->command->id))
            continue;
        _cleanup_free_ char *where = xasprintf("%s:%u: key \"%s\"", config->path, value->line, value->spec->name);
        if (options_set(options, value->spec, source, value->text, where, err) < 0)
            return -1;
    }
    return 0;
}

/* The section of a repository; n_sections when its name is a location. */
static size_t find_named(const Config *config, const char *name)
{
    return strpbrk(name, "/:") ? config->n_sections : section_find(config, IN_REPOSITORY, name);
}

/* The section of the repository that is meant; n_sections when it is a location, or nobody can know. */
static size_t find_repository(const Config *config, const Options *options)
{
    size_t none = config->n_sections, found = none;
    const char *name = options_text(options, OPT_REPO);
    if (name != NULL)
        return find_named(config, name);
    for (size_t i = 0; i < config->n_sections; i++) {
        if (config->sections[i].kind != IN_REPOSITORY)
            continue;
        if (found < none)
            return none;
        found = i;
    }
    return found;
}

/* Puts the location in the place of the name it was called by; further repositories keep their names. */
static void settle_location(Options *options, const char *location)
{
    OptionValue *value = &options->values[OPT_REPO];
    StrVec list = {0};
    strvec_push(&list, location);
    for (size_t i = 1; i < value->list.n; i++)
        strvec_push(&list, value->list.v[i]);
    strvec_done(&value->list);
    value->list = list;
    if (value->source == SOURCE_NONE)
        value->source = SOURCE_REPOSITORY;
}

int config_apply(const Config *config, Options *options, Error *err)
{
    size_t none = config->n_sections;
    const char *name = options_text(options, OPT_APP);
    size_t app = name ? section_find(config, IN_APP, name) : none;
    if (app < none && apply_section(config, app, SOURCE_APP, options, err) < 0)
        return -1;
    size_t kura = section_find(config, IN_KURA, "");
    if (kura < none && apply_section(config, kura, SOURCE_KURA, options, err) < 0)
        return -1;
    size_t repository = find_repository(config, options);
    if (repository == none)
        return 0;
    settle_location(options, config->sections[repository].location);
    return apply_section(config, repository, SOURCE_REPOSITORY, options, err);
}

/* A value of another repository's options, weaker than the section's. */
static void inherit(const Options *options, const OptionSpec *spec, Options *ret)
{
    const OptionValue *value = &options->values[spec->id];
    OptionValue *copy = &ret->values[spec->id];
    if (!(spec->sections & IN_REPOSITORY) || spec->id == OPT_KEY_FILE || value->source == SOURCE_NONE ||
        value->source == SOURCE_REPOSITORY)
        return;
    *copy = (OptionValue){.source = SOURCE_KURA, .flag = value->flag, .number = value->number};
    for (size_t i = 0; i < value->list.n; i++)
        strvec_push(&copy->list, value->list.v[i]);
}

int config_other_repository(const Config *config, const Options *options, const char *name, Options *ret, Error *err)
{
    *ret = (Options){.command = options->command};
    for (size_t i = 0; i < OPT_COUNT; i++)
        inherit(options, &option_specs[i], ret);
    size_t section = find_named(config, name);
    ret->values[OPT_REPO].source = SOURCE_REPOSITORY;
    if (section == config->n_sections) {
        strvec_push(&ret->values[OPT_REPO].list, name);
        return 0;
    }
    strvec_push(&ret->values[OPT_REPO].list, config->sections[section].location);
    return apply_section(config, section, SOURCE_REPOSITORY, ret, err);
}

void config_list(const Config *config, unsigned kind, StrVec *ret)
{
    for (size_t i = 0; i < config->n_sections; i++)
        if (config->sections[i].kind == kind)
            strvec_push(ret, config->sections[i].name);
}

char *config_names(const Config *config, unsigned kind)
{
    char *names = NULL;
    for (size_t i = 0; i < config->n_sections; i++) {
        if (config->sections[i].kind != kind)
            continue;
        char *longer = xasprintf("%s%s%s", names ? names : "", names ? ", " : "", config->sections[i].name);
        free(names);
        names = longer;
    }
    return names;
}
