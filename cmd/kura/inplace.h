/* A command that runs in kura's place: with the caller's terminal, streams, process group and signals. */
#ifndef KURA_CMD_INPLACE_H
#define KURA_CMD_INPLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "kura/error.h"

typedef struct InPlace {
    char *const *argv; /* NULL-terminated; argv[0] is a path or is looked up in PATH */
    mode_t umask;
    bool stdout_to_stderr; /* standard output is somebody else's */
} InPlace;

/* Runs it to its end. *ret_status is its exit status, or 128 + signal. Meanwhile SIGINT and SIGQUIT are its business
 * alone, SIGTERM and SIGHUP are passed on to it. -1: it could not be run. */
int inplace_run(const InPlace *how, int *ret_status, Error *err);

#endif
