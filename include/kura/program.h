/* Programs that the configuration names: hooks, notifications, the mailer. */
#ifndef KURA_PROGRAM_H
#define KURA_PROGRAM_H

#include "kura/error.h"

enum { PROGRAM_INPUT_MAX = 32 * 1024 };

typedef struct ProgramSpec {
    const char *command_line; /* argv.h */
    const char *const *env;   /* NULL-terminated "NAME=value", laid over kura's own; may be NULL */
    const char *input;        /* its standard input, at most PROGRAM_INPUT_MAX bytes; NULL: none */
    double timeout;           /* seconds; 0: none */
    /* Called for every line that it writes, from another thread. May be NULL. */
    void (*on_line)(void *ctx, const char *line);
    void *ctx;
} ProgramSpec;

/* Runs it to its end, and ends whatever is left in its process group then. ERR_TOOL: it did not end with status 0, or
 * not in time; the message has the last line that it wrote. */
int program_run(const ProgramSpec *spec, Error *err);

#endif
