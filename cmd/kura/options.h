/* What the command line, the environment and the configuration say, by the table of options. */
#ifndef KURA_CMD_OPTIONS_H
#define KURA_CMD_OPTIONS_H

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/mem.h"
#include "spec.h"

/* Where a value came from; a later one of this list replaces an earlier one altogether. */
typedef enum Source {
    SOURCE_NONE,
    SOURCE_KURA,
    SOURCE_REPOSITORY,
    SOURCE_APP,
    SOURCE_ENVIRONMENT,
    SOURCE_COMMAND_LINE,
} Source;

typedef struct OptionValue {
    Source source;
    StrVec list; /* one string unless the option is a list */
    bool flag;
    double number;
} OptionValue;

typedef struct Options {
    const CommandSpec *command;
    OptionValue values[OPT_COUNT];
    StrVec args;
    size_t before_dashes; /* how many of them stood before "--"; all, without one */
} Options;

/* Reads a command line (argv[0] is the program). Options stand before or after the command, as "--name value",
 * "--name=value", "-x value" or "-xvalue"; "--" ends them. No command at all, --help and --version become the commands
 * `help` and `version`. ERR_USAGE with the nearest spelling as hint. */
int options_parse(int argc, const char *const argv[], Options *ret, Error *err);
/* A copy of its own, to be freed with options_done(). */
Options options_copy(const Options *options);
void options_done(Options *options);

/* Takes what the environment says and the command line does not. getenv_fn is getenv outside tests. */
int options_environment(Options *options, const char *(*getenv_fn)(const char *name), Error *err);

/* Sets a value, unless there is one of a stronger source. where names the place in messages: "option --jobs". */
int options_set(Options *options, const OptionSpec *spec, Source source, const char *text, const char *where,
                Error *err);
/* Whether text would do as a value. */
int options_check(const OptionSpec *spec, const char *text, const char *where, Error *err);

bool options_given(const Options *options, OptionId id);
const char *options_text(const Options *options, OptionId id); /* NULL when absent */
bool options_flag(const Options *options, OptionId id);        /* false when absent */
double options_number(const Options *options, OptionId id, double absent);
const StrVec *options_list(const Options *options, OptionId id);
/* Which of an enum's choices: 0 is the first; `absent` when it is not given. */
int options_choice(const Options *options, OptionId id, int absent);

/* Whether a command line asks for JSON, read with no more care than it takes to report that it cannot be read. */
bool options_want_json(int argc, const char *const argv[]);

#endif
