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

/* ---- the command line ---- */

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != 0;
}

/* Whether any command has a valued option of this name. */
static bool any_takes_value(const char *name, size_t len, char short_name)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const OptionSpec *spec = &option_specs[i];
        bool same =
            short_name ? spec->short_name == short_name : strncmp(spec->name, name, len) == 0 && spec->name[len] == 0;
        if (same && option_takes_value(spec))
            return true;
    }
    return false;
}

/* Whether the option in `word`, before any command was seen, takes `next` as its value. A name that is a flag of one
 * command and takes a value with another (--files) is the flag when the very command that says so follows. */
static bool takes_next(const char *word, const char *next)
{
    bool is_long = word[1] == '-';
    size_t len = strlen(word + 2);
    if (is_long ? strchr(word, '=') != NULL : len > 0)
        return false;
    const CommandSpec *command = next ? command_find(next) : NULL;
    if (command != NULL) {
        const OptionSpec *spec =
            is_long ? option_find(command->id, word + 2, len) : option_find_short(command->id, word[1]);
        if (spec != NULL && !option_takes_value(spec))
            return false;
    }
    return any_takes_value(word + 2, len, is_long ? 0 : word[1]);
}

/* The position of the command, or argc. */
static int find_command(int argc, const char *const argv[])
{
    int i = 1;
    for (; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return i + 1 < argc ? i + 1 : argc;
        if (!is_option(argv[i]))
            return i;
        if (takes_next(argv[i], argv[i + 1]))
            i++;
    }
    return argc;
}

static const char *command_name(const void *ctx, size_t i)
{
    return command_specs[i].name;
}

static int unknown_command(const char *word, Error *err)
{
    error_set(err, ERR_USAGE, "unknown command \"%s\"", word);
    size_t i = spelling_nearest(word, CMD_COUNT, command_name, NULL);
    if (i < CMD_COUNT)
        return error_hint(err, "Did you mean \"kura %s\"?", command_specs[i].name);
    return error_hint(err, "Try \"kura help\".");
}

/* A mistyped option before the command: its value would be taken for the command, and may be a secret. */
static bool is_unknown_anywhere(const char *word)
{
    if (strncmp(word, "--", 2) != 0 || word[2] == 0 || strchr(word, '=') != NULL)
        return false;
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (strcmp(option_specs[i].name, word + 2) == 0)
            return false;
    return true;
}

static const char *option_name(const void *ctx, size_t i)
{
    return option_belongs(&option_specs[i], *(const CommandId *)ctx) ? option_specs[i].name : NULL;
}

/* A key of the configuration on a command line: a secret's value is not repeated, and where it belongs is said. */
static int misplaced_key(const OptionSpec *spec, Error *err)
{
    if (!spec->secret) {
        error_set(err, ERR_USAGE, "--%s is no option of the command line", spec->name);
        return error_hint(err, "Write \"%s = ..\" into the configuration file; kura.conf(5) tells where.", spec->name);
    }
    error_set(err, ERR_USAGE, "--%s is no option of the command line, where other users could read it", spec->name);
    if (strncmp(spec->name, "s3-", 3) != 0)
        return error_hint(err, "Write \"%s = ..\" into the configuration file.", spec->name);
    return error_hint(err,
                      "Write \"%s = ..\" into a [repository NAME] section of the configuration file, or use the "
                      "variables of AWS (AWS_ACCESS_KEY_ID ..) or the shared credentials file. Consider what was "
                      "written here as known to others.",
                      spec->name);
}

static int unknown_option(const CommandSpec *command, const char *name, Error *err)
{
    const OptionSpec *key = option_find_key_only(name);
    if (key != NULL)
        return misplaced_key(key, err);
    error_set(err, ERR_USAGE, "unknown option --%s for \"kura %s\"", name, command->name);
    _cleanup_(buf_done) Buf owners = BUF_INIT(1024);
    for (size_t i = 0; i < OPT_COUNT; i++)
        for (CommandId id = 0; id < CMD_COUNT && strcmp(option_specs[i].name, name) == 0; id++)
            if (option_belongs(&option_specs[i], id))
                buf_printf(&owners, NULL, "%s%s", owners.len ? ", " : "", command_specs[id].name);
    if (owners.len)
        return error_hint(err, "It is an option of: %s.", buf_str(&owners));
    size_t i = spelling_nearest(name, OPT_COUNT, option_name, &command->id);
    if (i < OPT_COUNT)
        return error_hint(err, "Did you mean --%s?", option_specs[i].name);
    return error_hint(err, "Try \"kura help %s\".", command->name);
}

static const char *default_value(const OptionSpec *spec)
{
    if (spec->type == OPTION_FLAG)
        return "yes";
    return spec->type == OPTION_WAIT ? OPTION_WAIT_DEFAULT : "100";
}

/* Takes the value of an option from behind its '=' (value) or from the next word. */
static int take_value(Options *options, const OptionSpec *spec, const char *value, int argc, const char *const argv[],
                      int *position, Error *err)
{
    _cleanup_free_ char *where = xasprintf(_("option --%s"), spec->name);
    if (value == NULL && !option_takes_value(spec))
        value = default_value(spec);
    if (value == NULL) {
        if (*position + 1 >= argc)
            return error_set(err, ERR_USAGE, "%s needs a value: %s", where, spec->arg);
        value = argv[++*position];
    }
    return options_set(options, spec, SOURCE_COMMAND_LINE, value, where, err);
}

static int take_long(Options *options, int argc, const char *const argv[], int *position, Error *err)
{
    const char *name = argv[*position] + 2;
    size_t len = strcspn(name, "=");
    const OptionSpec *spec = option_find(options->command->id, name, len);
    if (spec == NULL) {
        _cleanup_free_ char *bare = xstrndup(name, len);
        return unknown_option(options->command, bare, err);
    }
    return take_value(options, spec, name[len] == '=' ? name + len + 1 : NULL, argc, argv, position, err);
}

/* A cluster of short options: "-qv", "-oOUT". */
static int take_short(Options *options, int argc, const char *const argv[], int *position, Error *err)
{
    for (const char *letter = argv[*position] + 1; *letter; letter++) {
        const OptionSpec *spec = option_find_short(options->command->id, *letter);
        if (spec == NULL) {
            error_set(err, ERR_USAGE, "unknown option -%c for \"kura %s\"", *letter, options->command->name);
            return error_hint(err, "Try \"kura help %s\".", options->command->name);
        }
        if (!option_takes_value(spec)) {
            if (take_value(options, spec, NULL, argc, argv, position, err) < 0)
                return -1;
            continue;
        }
        return take_value(options, spec, letter[1] ? letter + 1 : NULL, argc, argv, position, err);
    }
    return 0;
}

static int take_words(Options *options, int argc, const char *const argv[], int command_at, Error *err)
{
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (i == command_at)
            continue;
        if (ended || !is_option(word)) {
            strvec_push(&options->args, word);
            continue;
        }
        if (strcmp(word, "--") == 0) {
            ended = true;
            options->before_dashes = options->args.n;
        } else if ((word[1] == '-' ? take_long : take_short)(options, argc, argv, &i, err) < 0)
            return -1;
    }
    if (!ended)
        options->before_dashes = options->args.n;
    return 0;
}

/* `kura guard APP -- COMMAND`: what stands before the dashes is the application. */
static int take_guarded(Options *options, Error *err)
{
    StrVec *args = &options->args;
    if (options->command->id != CMD_GUARD || options->before_dashes == 0)
        return 0;
    if (options->before_dashes > 1 || options->before_dashes == args->n) {
        error_set(err, ERR_USAGE, "the command to run is not told apart from the application");
        return error_hint(err, "Write it behind two hyphens: kura guard APP -- COMMAND ARGUMENT..");
    }
    if (options_set(options, &option_specs[OPT_APP], SOURCE_COMMAND_LINE, args->v[0], "the application", err) < 0)
        return -1;
    free(args->v[0]);
    memmove(args->v, args->v + 1, args->n * sizeof *args->v); /* with the NULL at the end */
    args->n--;
    return 0;
}

static int check_args(const Options *options, Error *err)
{
    const CommandSpec *command = options->command;
    if (options->args.n < (size_t)command->least_args)
        error_set(err, ERR_USAGE, "\"kura %s\" needs %s", command->name, command->args);
    else if (options->args.n > (size_t)command->most_args)
        error_set(err, ERR_USAGE, "unexpected argument \"%s\"", options->args.v[command->most_args]);
    else
        return 0;
    return error_hint(err, "Try \"kura help %s\".", command->name);
}

/* `kura backup --help` is `kura help backup`. */
static void become_help(Options *options)
{
    strvec_done(&options->args);
    if (options->command->id != CMD_HELP)
        strvec_push(&options->args, options->command->name);
    options->command = &command_specs[CMD_HELP];
}

int options_parse(int argc, const char *const argv[], Options *ret, Error *err)
{
    *ret = (Options){.command = &command_specs[CMD_HELP]};
    int command_at = find_command(argc, argv);
    if (command_at < argc) {
        ret->command = command_find(argv[command_at]);
        if (ret->command == NULL && is_unknown_anywhere(argv[command_at - 1])) {
            error_set(err, ERR_USAGE, "unknown option %s", argv[command_at - 1]);
            return error_hint(err, "Try \"kura help\".");
        }
        if (ret->command == NULL)
            return unknown_command(argv[command_at], err);
    }
    if (take_words(ret, argc, argv, command_at, err) < 0) {
        options_done(ret);
        return -1;
    }
    bool bare = command_at >= argc;
    if (options_flag(ret, OPT_VERSION))
        ret->command = &command_specs[CMD_VERSION];
    else if (options_flag(ret, OPT_HELP))
        become_help(ret);
    else if (bare) {
        options_done(ret);
        error_set(err, ERR_USAGE, "no command is given");
        return error_hint(err, "Try \"kura help\".");
    } else if (check_args(ret, err) < 0 || take_guarded(ret, err) < 0) {
        options_done(ret);
        return -1;
    }
    return 0;
}

bool options_want_json(int argc, const char *const argv[])
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}
