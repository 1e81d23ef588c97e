#include "spec.h"

#include <stdint.h>
#include <string.h>

#define ON(id) (1u << CMD_##id)
#define ON_ALL ((1u << CMD_COUNT) - 1)
#define ON_NONE 0u
#define ON_REPO                                                                                                        \
    (ON(INIT) | ON(BACKUP) | ON(LIST) | ON(REPORT) | ON(SHOW) | ON(RESTORE) | ON(REHEARSE) | ON(EXPORT) | ON(VERIFY) | \
     ON(COPY) | ON(DOCTOR) | ON(KEY) | ON(STATUS) | ON(PRUNE) | ON(PIN) | ON(UNPIN) | ON(REPAIR_REPOSITORY) | ON(GUARD) | \
     ON(MOVE))
/* What runs at night, with nobody watching. */
#define ON_NIGHT (ON(BACKUP) | ON(REHEARSE) | ON(VERIFY) | ON(PRUNE) | ON(COPY))
enum { PLAIN = false, SECRET = true };

/* An option that the manual cannot explain does not build. */
#define OPTION(id, name, short_name, type, arg, commands, configured, sections, env, secret, help, prose)              \
    _Static_assert(sizeof(prose) > 20, "option --" name " has no prose");                                              \
    _Static_assert(sizeof(help) > 5 && sizeof(help) <= 72, "the help of --" name " must fit a line");                  \
    _Static_assert(!(secret) || OPTION_##type == OPTION_CONNINFO || (commands) == ON_NONE,                             \
                   "--" name ": a secret does not belong on a command line");                                          \
    _Static_assert((commands) != ON_NONE || ((sections) != IN_NONE && sizeof(env) == 1),                               \
                   "--" name " is taken from nowhere, or from the environment alone");
#include "options.def"
#undef OPTION

const CommandSpec command_specs[CMD_COUNT] = {
#define COMMAND(id, function, name, least, most, args, help) [CMD_##id] = {CMD_##id, name, least, most, args, help},
#include "commands.def"
#undef COMMAND
};

const OptionSpec option_specs[OPT_COUNT] = {
#define OPTION(id, name, short_name, type, arg, commands, configured, sections, env, secret, help, prose)              \
    [OPT_##id] = {OPT_##id,                                                                                            \
                  name,                                                                                                \
                  short_name,                                                                                          \
                  OPTION_##type,                                                                                       \
                  arg,                                                                                                 \
                  commands,                                                                                            \
                  (commands) ? (commands) & (configured) : (configured),                                               \
                  sections,                                                                                            \
                  env,                                                                                                 \
                  secret,                                                                                              \
                  help,                                                                                                \
                  prose},
#include "options.def"
#undef OPTION
};

const CommandSpec *command_find(const char *name)
{
    for (size_t i = 0; i < CMD_COUNT; i++)
        if (strcmp(command_specs[i].name, name) == 0)
            return &command_specs[i];
    return NULL;
}

bool option_is_global(const OptionSpec *spec)
{
    return spec->commands == ON_ALL;
}

bool option_is_of_repository(const OptionSpec *spec)
{
    return spec->commands == ON_REPO;
}

const OptionSpec *option_find(CommandId command, const char *name, size_t len)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const OptionSpec *spec = &option_specs[i];
        if (option_belongs(spec, command) && strncmp(spec->name, name, len) == 0 && spec->name[len] == 0)
            return spec;
    }
    return NULL;
}

const OptionSpec *option_find_short(CommandId command, char short_name)
{
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (option_belongs(&option_specs[i], command) && option_specs[i].short_name == short_name)
            return &option_specs[i];
    return NULL;
}

const OptionSpec *option_find_key_only(const char *name)
{
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (option_is_key_only(&option_specs[i]) && strcmp(option_specs[i].name, name) == 0)
            return &option_specs[i];
    return NULL;
}

const OptionSpec *option_find_key(const char *key, unsigned section)
{
    for (size_t i = 0; i < OPT_COUNT; i++)
        if ((option_specs[i].sections & section) && strcmp(option_specs[i].name, key) == 0)
            return &option_specs[i];
    return NULL;
}

enum { SPELLING_MAX = 40 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be added, dropped, replaced or exchanged with their neighbour to make one word the other. */
static size_t spelling_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > SPELLING_MAX || m > SPELLING_MAX)
        return SIZE_MAX;
    size_t rows[3][SPELLING_MAX + 1];
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

size_t spelling_nearest(const char *word, size_t n, const char *(*get)(const void *ctx, size_t i), const void *ctx)
{
    size_t allowed = strlen(word) / 3 + 1; /* further away it is another word, not a slip */
    size_t best = n, best_distance = allowed + 1;
    for (size_t i = 0; i < n; i++) {
        const char *candidate = get(ctx, i);
        size_t distance = candidate == NULL ? SIZE_MAX : spelling_distance(word, candidate);
        if (distance < best_distance) {
            best = i;
            best_distance = distance;
        }
    }
    return best;
}
