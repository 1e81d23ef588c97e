#include "complete.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "kura/words.h"

enum { SECONDS_MAX = 2 };

typedef struct Completion {
    const CommandSpec *command;    /* NULL: none was typed */
    const OptionSpec *expects;     /* the option whose value comes next, or NULL */
    const char *values[OPT_COUNT]; /* typed for an option; NULL: none */
    bool options_ended;            /* by "--" */
    size_t n_args;
    const char *word;  /* being typed */
    size_t prefix_len; /* what of it stands for good: "--only=" */
    FILE *out;
} Completion;

static void offer(const Completion *completion, const char *text, const char *help)
{
    const char *typed = completion->word + completion->prefix_len;
    if (strncmp(text, typed, strlen(typed)) == 0)
        fprintf(completion->out, "%.*s%s%s%s\n", (int)completion->prefix_len, completion->word, text,
                help[0] ? "\t" : "", help);
}

/* ---- what was typed before ---- */

/* Before the command is known, any command's option of that name. */
static const OptionSpec *find_option(const CommandSpec *command, const char *name, size_t len)
{
    if (command != NULL)
        return option_find(command->id, name, len);
    for (size_t i = 0; i < CMD_COUNT; i++) {
        const OptionSpec *spec = option_find((CommandId)i, name, len);
        if (spec != NULL)
            return spec;
    }
    return NULL;
}

static void take_long(Completion *completion, const char *name)
{
    size_t len = strcspn(name, "=");
    const OptionSpec *spec = find_option(completion->command, name, len);
    if (spec == NULL)
        return;
    if (name[len] == '=')
        completion->values[spec->id] = name + len + 1;
    else if (option_takes_value(spec))
        completion->expects = spec;
}

/* "-qj4", "-qj" */
static void take_short(Completion *completion, const char *names)
{
    CommandId command = completion->command ? completion->command->id : CMD_HELP;
    for (; *names; names++) {
        const OptionSpec *spec = option_find_short(command, *names);
        if (spec == NULL || !option_takes_value(spec))
            continue;
        if (names[1] == 0)
            completion->expects = spec;
        return;
    }
}

static void take_word(Completion *completion, const char *word)
{
    if (completion->expects != NULL) {
        completion->values[completion->expects->id] = word;
        completion->expects = NULL;
    } else if (!completion->options_ended && strcmp(word, "--") == 0) {
        completion->options_ended = true;
    } else if (!completion->options_ended && strncmp(word, "--", 2) == 0) {
        take_long(completion, word + 2);
    } else if (!completion->options_ended && word[0] == '-' && word[1]) {
        take_short(completion, word + 1);
    } else if (completion->command == NULL) {
        completion->command = command_find(word);
    } else {
        completion->n_args++;
    }
}

/* ---- names from the configuration and the repository ---- */

static const char *environment(const char *name)
{
    return getenv(name);
}

/* The configuration, and the options that a listing would be run with. */
static int read_config(const Completion *completion, Config *config, Options *options)
{
    static const OptionId taken[] = {OPT_CONFIG, OPT_REPO, OPT_APP};
    Error err = ERROR_INIT;
    Findings findings = {0};
    options->command = &command_specs[CMD_LIST];
    for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
        const char *value = completion->values[taken[i]];
        if (value != NULL)
            options_set(options, &option_specs[taken[i]], SOURCE_COMMAND_LINE, value, "", &err);
    }
    int rc = options_environment(options, environment, &err);
    if (rc == 0) {
        const char *path = options_text(options, OPT_CONFIG);
        rc = config_load(path ? path : CONFIG_DEFAULT_PATH, path == NULL, config, &findings, &err);
    }
    if (rc == 0)
        rc = config_apply(config, options, &err);
    findings_done(&findings);
    return rc;
}

static void offer_sections(const Completion *completion, const Config *config, unsigned kind)
{
    for (size_t i = 0; i < config->n_sections; i++)
        if (config->sections[i].kind == kind)
            offer(completion, config->sections[i].name,
                  config->sections[i].location ? config->sections[i].location : "");
}

/* Manifests are named by their ids; a name that is no id is not shown to a shell. */
static void offer_ids(const Completion *completion, const char *location)
{
    _cleanup_free_ char *path = xasprintf("%s/backups", location);
    DIR *dir = strstr(location, "://") ? NULL : opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        size_t len = strcspn(entry->d_name, ".");
        if (len == 0 || strstr(entry->d_name + len, ".json") == NULL ||
            strspn(entry->d_name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != len)
            continue;
        entry->d_name[len] = 0;
        offer(completion, entry->d_name, "");
    }
    closedir(dir);
}

static void offer_names(const Completion *completion, const char *what)
{
    Config config = {0};
    Options options = {0};
    if (read_config(completion, &config, &options) == 0) {
        const StrVec *locations = options_list(&options, OPT_REPO);
        if (strcmp(what, "REPO") == 0)
            offer_sections(completion, &config, IN_REPOSITORY);
        else if (strcmp(what, "NAME") == 0)
            offer_sections(completion, &config, IN_APP);
        for (size_t i = 0; strcmp(what, "ID") == 0 && i < locations->n; i++)
            offer_ids(completion, locations->v[i]);
    }
    options_done(&options);
    config_done(&config);
}

/* ---- the word itself ---- */

static void offer_commands(const Completion *completion)
{
    for (size_t i = 0; i < CMD_COUNT; i++)
        offer(completion, command_specs[i].name, words_get(command_specs[i].help));
}

static void offer_options(const Completion *completion)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const OptionSpec *spec = &option_specs[i];
        if (completion->command ? !option_belongs(spec, completion->command->id) : !option_is_global(spec))
            continue;
        _cleanup_free_ char *name = xasprintf("--%s", spec->name);
        offer(completion, name, words_get(spec->help));
    }
}

/* What the tables call a value: in lower case the value itself, in upper case its kind. */
static void offer_values(const Completion *completion, const char *what)
{
    if (strncmp(what, "FILE", 4) == 0 || strcmp(what, "OUT") == 0 || strcmp(what, "ARCHIVE") == 0)
        fputs(":file\n", completion->out);
    if (strcmp(what, "DIR") == 0 || strcmp(what, "REPO") == 0 ||
        (strcmp(what, "NAME=DIR") == 0 && strchr(completion->word + completion->prefix_len, '=')))
        fputs(":dir\n", completion->out);
    if (strcmp(what, "ID") == 0 || strcmp(what, "NAME") == 0 || strcmp(what, "REPO") == 0)
        offer_names(completion, what);
    if (what[0] >= 'a' && what[0] <= 'z')
        offer(completion, what, "");
}

static void offer_option_values(const Completion *completion, const OptionSpec *spec)
{
    for (const char *p = spec->arg; *p; p += strcspn(p, "|"), p += *p == '|') {
        _cleanup_free_ char *what = xstrndup(p, strcspn(p, "|"));
        offer_values(completion, what);
    }
}

/* The next argument is, of each alternative in "list|add RECIPIENT|pin", the word of its number; of "[ID|latest].." any
 * is. */
static void offer_arguments(const Completion *completion)
{
    const char *args = completion->command->args;
    size_t number = strstr(args, "..") ? 0 : completion->n_args;
    for (const char *p = args + strspn(args, "["); *p && *p != ']'; p += strcspn(p, "|]"), p += *p == '|') {
        size_t len = strcspn(p, "|]"), skipped = 0;
        const char *word = p;
        for (; skipped < number && memchr(word, ' ', (size_t)(p + len - word)); skipped++)
            word = strchr(word, ' ') + 1;
        if (skipped < number)
            continue;
        size_t word_len = strcspn(word, " |]");
        _cleanup_free_ char *what = xstrndup(word, word_len);
        if (strcmp(what, "COMMAND") == 0)
            offer_commands(completion);
        else
            offer_values(completion, what);
    }
}

static void complete_word(Completion *completion)
{
    const char *word = completion->word, *equals = strchr(word, '=');
    bool option = word[0] == '-' && !completion->options_ended;
    if (completion->expects != NULL) {
        offer_option_values(completion, completion->expects);
    } else if (option && strncmp(word, "--", 2) == 0 && equals != NULL) {
        const OptionSpec *spec = find_option(completion->command, word + 2, (size_t)(equals - word - 2));
        completion->prefix_len = (size_t)(equals + 1 - word);
        if (spec != NULL)
            offer_option_values(completion, spec);
    } else if (option) {
        offer_options(completion);
    } else if (completion->command == NULL) {
        offer_commands(completion);
    } else {
        offer_arguments(completion);
    }
}

static void give_up(int sig)
{
    _exit(0);
}

void complete_write(const char *const words[], size_t n, FILE *out)
{
    Completion completion = {.word = n > 0 ? words[n - 1] : "", .out = out};
    signal(SIGALRM, give_up);
    alarm(SECONDS_MAX);
    for (size_t i = 0; i + 1 < n; i++)
        take_word(&completion, words[i]);
    complete_word(&completion);
    alarm(0);
}
