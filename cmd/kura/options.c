#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "kura/argv.h"
#include "kura/words.h"

static const char *yes_words[] = {"yes", "true", "on", "1"};
static const char *no_words[] = {"no", "false", "off", "0"};

static int parse_flag(const char *text, bool *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(yes_words); i++) {
        if (strcmp(text, yes_words[i]) == 0) {
            *ret = true;
            return 0;
        }
        if (strcmp(text, no_words[i]) == 0) {
            *ret = false;
            return 0;
        }
    }
    return -1;
}

/* Digits with at most one point: what strtod() would take beside that (hexadecimal, "inf") nobody means. */
static int parse_decimal(const char *text, bool whole, double *ret)
{
    size_t digits = strspn(text, "0123456789"), rest = 0;
    if (text[digits] == '.' && !whole)
        rest = 1 + strspn(text + digits + 1, "0123456789");
    if (digits == 0 || text[digits + rest] != 0 || rest == 1)
        return -1;
    *ret = strtod(text, NULL);
    return 0;
}

/* "800K", "1.5G": bytes. */
static int parse_size(const char *text, double *ret)
{
    static const char units[] = "KMG";
    size_t len = strlen(text);
    const char *unit = len > 0 ? strchr(units, text[len - 1]) : NULL;
    _cleanup_free_ char *number = xstrndup(text, unit ? len - 1 : len);
    if (parse_decimal(number, unit == NULL, ret) < 0)
        return -1;
    for (const char *u = units; unit != NULL && u <= unit; u++)
        *ret *= 1024;
    return *ret <= OPTION_SIZE_MAX ? 0 : -1;
}

static int parse_share(const char *text, double *ret)
{
    size_t len = strlen(text);
    _cleanup_free_ char *number = xstrndup(text, len > 0 && text[len - 1] == '%' ? len - 1 : len);
    return parse_decimal(number, false, ret) == 0 && *ret <= 100 ? 0 : -1;
}

/* "26h", "35d": seconds. A number alone is refused: it would be taken for what it is not. */
static int parse_duration(const char *text, double *ret)
{
    static const struct {
        char letter;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    size_t len = strlen(text), unit = 0;
    while (unit < ARRAY_SIZE(units) && (len == 0 || units[unit].letter != text[len - 1]))
        unit++;
    if (unit == ARRAY_SIZE(units))
        return -1;
    _cleanup_free_ char *number = xstrndup(text, len - 1);
    if (parse_decimal(number, false, ret) < 0)
        return -1;
    *ret *= units[unit].seconds;
    return *ret <= OPTION_DURATION_MAX ? 0 : -1;
}

static int parse_command(const char *text, const char *where, Error *err)
{
    _cleanup_(strvec_done) StrVec argv = {0};
    return argv_split(text, &argv, err) < 0 ? error_wrap(err, "invalid value for %s", where) : 0;
}

static int choice_index(const char *choices, const char *text)
{
    size_t len = strlen(text);
    int index = 0;
    for (const char *word = choices;; word++, index++) {
        size_t word_len = strcspn(word, "|");
        if (len == word_len && strncmp(word, text, len) == 0)
            return index;
        word += word_len;
        if (*word == 0)
            return -1;
    }
}

static int value_parse(const OptionSpec *spec, const char *text, const char *where, OptionValue *ret, Error *err)
{
    switch (spec->type) {
    case OPTION_FLAG:
        if (parse_flag(text, &ret->flag) < 0)
            return error_set(err, ERR_USAGE, "invalid value \"%s\" for %s: yes or no is needed", text, where);
        return 0;
    case OPTION_NUMBER:
        if (parse_decimal(text, true, &ret->number) < 0 || ret->number < 1 || ret->number > OPTION_NUMBER_MAX)
            return error_set(err, ERR_USAGE, "invalid value \"%s\" for %s: a whole number from 1 to %d is needed", text,
                             where, OPTION_NUMBER_MAX);
        return 0;
    case OPTION_SECONDS:
        if (parse_decimal(text, false, &ret->number) < 0 || ret->number > OPTION_SECONDS_MAX)
            return error_set(err, ERR_USAGE, "invalid value \"%s\" for %s: seconds from 0 to %d are needed", text,
                             where, OPTION_SECONDS_MAX);
        return 0;
    case OPTION_SIZE:
        if (parse_size(text, &ret->number) < 0)
            return error_set(err, ERR_USAGE,
                             "invalid value \"%s\" for %s: a number of bytes up to 1024G is needed, such as 800K or 5M",
                             text, where);
        return 0;
    case OPTION_PERCENT:
    case OPTION_SHARE:
        if (parse_share(text, &ret->number) < 0)
            return error_set(err, ERR_USAGE, "invalid value \"%s\" for %s: a percentage from 0 to 100 is needed", text,
                             where);
        return 0;
    case OPTION_DAYS:
        if (parse_decimal(text, false, &ret->number) < 0 || ret->number < 0 || ret->number > OPTION_SECONDS_MAX)
            return error_set(err, ERR_USAGE, "invalid value \"%s\" for %s: days from 0 to %d are needed", text, where,
                             OPTION_SECONDS_MAX);
        return 0;
    case OPTION_DURATION:
    case OPTION_WAIT:
        if (parse_duration(text, &ret->number) < 0)
            return error_set(err, ERR_USAGE,
                             "invalid value \"%s\" for %s: a duration is needed, such as 90s, 26h or 35d", text, where);
        return 0;
    case OPTION_COMMANDS:
        return parse_command(text, where, err);
    case OPTION_ENUM:
        ret->number = choice_index(spec->arg, text);
        if (ret->number < 0)
            return error_set(err, ERR_USAGE, "invalid value \"%s\" for %s: one of %s is needed", text, where,
                             spec->arg);
        return 0;
    case OPTION_STRING:
    case OPTION_LIST:
        if (text[0] == 0)
            return error_set(err, ERR_USAGE, "%s needs a value that is not empty", where);
        return 0;
    case OPTION_CONNINFO:
        return 0;
    }
    return 0;
}

int options_check(const OptionSpec *spec, const char *text, const char *where, Error *err)
{
    OptionValue value = {0};
    return value_parse(spec, text, where, &value, err);
}

int options_set(Options *options, const OptionSpec *spec, Source source, const char *text, const char *where,
                Error *err)
{
    OptionValue *value = &options->values[spec->id];
    if (source < value->source)
        return 0;
    OptionValue parsed = {.source = source};
    if (value_parse(spec, text, where, &parsed, err) < 0)
        return -1;
    if (source == value->source && (option_is_list(spec) || spec->type == OPTION_FLAG)) {
        parsed.list = value->list;
    } else if (source == value->source) {
        error_set(err, ERR_USAGE, "%s is given more than once", where);
        return error_hint(err, "It takes one value; only lists may be repeated.");
    } else {
        strvec_done(&value->list);
    }
    *value = parsed;
    strvec_push(&value->list, text);
    return 0;
}

bool options_given(const Options *options, OptionId id)
{
    return options->values[id].source != SOURCE_NONE;
}

const char *options_text(const Options *options, OptionId id)
{
    return options_given(options, id) ? options->values[id].list.v[0] : NULL;
}

bool options_flag(const Options *options, OptionId id)
{
    return options->values[id].flag;
}

double options_number(const Options *options, OptionId id, double absent)
{
    return options_given(options, id) ? options->values[id].number : absent;
}

const StrVec *options_list(const Options *options, OptionId id)
{
    return &options->values[id].list;
}

int options_choice(const Options *options, OptionId id, int absent)
{
    return options_given(options, id) ? (int)options->values[id].number : absent;
}

static StrVec copy_list(const StrVec *list)
{
    StrVec copy = {0};
    for (size_t i = 0; i < list->n; i++)
        strvec_push(&copy, list->v[i]);
    return copy;
}

Options options_copy(const Options *options)
{
    Options copy = *options;
    for (size_t i = 0; i < OPT_COUNT; i++)
        copy.values[i].list = copy_list(&options->values[i].list);
    copy.args = copy_list(&options->args);
    return copy;
}

void options_done(Options *options)
{
    for (size_t i = 0; i < OPT_COUNT; i++)
        strvec_done(&options->values[i].list);
    strvec_done(&options->args);
}

int options_environment(Options *options, const char *(*getenv_fn)(const char *name), Error *err)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const OptionSpec *spec = &option_specs[i];
        const char *text = spec->env[0] ? getenv_fn(spec->env) : NULL;
        if (text == NULL || text[0] == 0 || !option_configured(spec, options->command->id))
            continue;
        _cleanup_free_ char *where = xasprintf(_("environment variable %s"), spec->env);
        if (options_set(options, spec, SOURCE_ENVIRONMENT, text, where, err) < 0)
            return -1;
    }
    return 0;
}
