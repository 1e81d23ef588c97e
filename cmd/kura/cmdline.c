#include <stdlib.h>
#include <string.h>

#include "kura/words.h"
#include "options.h"

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

/* `kura doctor APP`, `kura guard APP -- COMMAND`: the application decides what the configuration file says. */
static int take_app(Options *options, Error *err)
{
    StrVec *args = &options->args;
    const CommandId command = options->command->id;
    size_t n = command == CMD_GUARD ? options->before_dashes : command == CMD_DOCTOR ? args->n : 0;
    if (n == 0)
        return 0;
    if (command == CMD_GUARD && (n > 1 || n == args->n)) {
        error_set(err, ERR_USAGE, "the command to run is not told apart from the application");
        return error_hint(err, "Write it behind two hyphens: kura guard APP -- COMMAND ARGUMENT..");
    }
    if (options_set(options, &option_specs[OPT_APP], SOURCE_COMMAND_LINE, args->v[0], _("argument APP"), err) < 0)
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
    } else if (check_args(ret, err) < 0 || take_app(ret, err) < 0) {
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
