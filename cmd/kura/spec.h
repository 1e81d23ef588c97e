/* The tables of commands and options (commands.def, options.def) as data. Needs nothing but the C library, so that the
 * generator of the manual pages can use it at build time. */
#ifndef KURA_CMD_SPEC_H
#define KURA_CMD_SPEC_H

#include <stdbool.h>
#include <stddef.h>

typedef enum CommandId {
#define COMMAND(id, function, name, least, most, args, help) CMD_##id,
#include "commands.def"
#undef COMMAND
    CMD_COUNT
} CommandId;

typedef enum OptionId {
#define OPTION(id, ...) OPT_##id,
#include "options.def"
#undef OPTION
    OPT_COUNT
} OptionId;

typedef enum OptionType {
    OPTION_FLAG,     /* yes or no */
    OPTION_STRING,   /* not empty */
    OPTION_CONNINFO, /* a libpq connection string; may be empty */
    OPTION_LIST,     /* strings; repeatable */
    OPTION_NUMBER,   /* a whole number from 1 to 1024 */
    OPTION_SECONDS,  /* a decimal number */
    OPTION_SIZE,     /* bytes: a decimal number, with K, M or G behind it for units of 1024 */
    OPTION_PERCENT,  /* from 0 to 100; on the command line it may be left out, which means 100 */
    OPTION_SHARE,    /* from 0 to 100, a '%' may follow; never left out */
    OPTION_DAYS,     /* a decimal number */
    OPTION_DURATION, /* in seconds: a decimal number with s, m, h, d or w behind it */
    OPTION_WAIT,     /* the same; on the command line it may be left out, which means OPTION_WAIT_DEFAULT */
    OPTION_COMMANDS, /* command lines (kura/argv.h); repeatable */
    OPTION_ENUM,     /* one of `arg`, separated by '|' */
} OptionType;

enum { OPTION_NUMBER_MAX = 1024, OPTION_SECONDS_MAX = 1000000 };
#define OPTION_WAIT_DEFAULT "10m"
#define OPTION_DURATION_MAX (100.0 * 365 * 86400)
#define OPTION_SIZE_MAX (1024.0 * 1024 * 1024 * 1024)

/* Sections of the configuration file. */
enum { IN_NONE = 0, IN_KURA = 1, IN_REPOSITORY = 2, IN_APP = 4 };

typedef struct CommandSpec {
    CommandId id;
    const char *name;
    int least_args, most_args;
    const char *args; /* as shown, "" for none */
    const char *help;
} CommandSpec;

typedef struct OptionSpec {
    OptionId id;
    const char *name; /* also the configuration key */
    char short_name;  /* 0: none */
    OptionType type;
    const char *arg;     /* as shown; the choices of an OPTION_ENUM; "" for a flag */
    unsigned commands;   /* bit 1 << CommandId: takes it on the command line; 0: a key of the configuration only */
    unsigned configured; /* bit 1 << CommandId: takes it from environment and configuration */
    unsigned sections;   /* IN_* */
    const char *env;     /* "" for none */
    bool secret;         /* an OPTION_CONNINFO may hold a password; any other value is secret as a whole */
    const char *help, *prose;
} OptionSpec;

/* Commands that take any number of arguments have this many at most. */
enum { ARGS_MAX = 1000 };

extern const CommandSpec command_specs[CMD_COUNT];
extern const OptionSpec option_specs[OPT_COUNT];

const CommandSpec *command_find(const char *name); /* or NULL */

static inline bool option_belongs(const OptionSpec *spec, CommandId command)
{
    return spec->commands >> command & 1;
}
static inline bool option_configured(const OptionSpec *spec, CommandId command)
{
    return spec->configured >> command & 1;
}
/* Whether every command takes it. */
bool option_is_global(const OptionSpec *spec);
/* Whether exactly the commands that open a repository take it. */
bool option_is_of_repository(const OptionSpec *spec);
/* Whether it is a key of the configuration file and nothing else. */
static inline bool option_is_key_only(const OptionSpec *spec)
{
    return spec->commands == 0;
}
/* Whether it may be repeated, each value being one of a list. */
static inline bool option_is_list(const OptionSpec *spec)
{
    return spec->type == OPTION_LIST || spec->type == OPTION_COMMANDS;
}
/* Whether a value may be left out; if it is not, it stands behind '='. */
static inline bool option_is_optional(const OptionSpec *spec)
{
    return spec->type == OPTION_PERCENT || spec->type == OPTION_WAIT;
}
/* Whether the next word of a command line is its value when there is no '='. */
static inline bool option_takes_value(const OptionSpec *spec)
{
    return spec->type != OPTION_FLAG && !option_is_optional(spec);
}

/* The option of a command by its name (len bytes, without dashes) or by its short name; NULL when it has none. */
const OptionSpec *option_find(CommandId command, const char *name, size_t len);
const OptionSpec *option_find_short(CommandId command, char short_name);
/* The one of this name that is a key only, or NULL. */
const OptionSpec *option_find_key_only(const char *name);
/* The option a key of the configuration stands for in a section (IN_*), or NULL. */
const OptionSpec *option_find_key(const char *key, unsigned section);

/* Which of n words is spelled most like word: its index, or n when none is near. */
size_t spelling_nearest(const char *word, size_t n, const char *(*get)(const void *ctx, size_t i), const void *ctx);

#endif
