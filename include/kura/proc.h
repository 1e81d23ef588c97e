/* Child processes: an argument vector (never a shell), an environment overlay for the child alone, all pipes always
 * drained, a process group of its own, always reaped. A child dies with kura, even with a killed one. */
#ifndef KURA_PROC_H
#define KURA_PROC_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/become.h"
#include "kura/buf.h"
#include "kura/error.h"

typedef struct ProcSpec {
    const char *const *argv; /* NULL-terminated; argv[0] is a path or is looked up in PATH */
    const char *const *env;  /* NULL-terminated "NAME=value", laid over the environment; may be NULL. Never logged. */
    bool pipe_stdout;        /* else standard output is drained into the stderr tail */
    bool pipe_stdin;         /* else /dev/null */
    const SystemUser *user;  /* whom it runs as, may read what root may; NULL: as this process */
    /* Called from a thread of proc's for every line on standard error, without its newline. May be NULL. */
    void (*on_stderr)(void *ctx, const char *line);
    void *ctx;
} ProcSpec;

typedef struct Proc Proc;

int proc_start(const ProcSpec *spec, Proc **ret, Error *err);
/* The read end of the child's standard output, the write end of its standard input; -1 when not piped. Owned by proc.
 */
int proc_stdout(const Proc *proc);
int proc_stdin(const Proc *proc);
/* Closes the write end, so that the child sees the end of its input. */
void proc_close_stdin(Proc *proc);
/* Waits until the child has ended and everything it wrote is read. *ret_status is its exit status, or 128 + signal.
 * When a stop is asked for, ends the child and fails with ERR_INTERRUPTED. */
int proc_wait(Proc *proc, int *ret_status, Error *err);
/* The same for at most so many seconds (0: for ever): then *ret_timed_out is true, and the child was ended. Whatever
 * else is in its process group when it has ended is ended, too. */
int proc_wait_group(Proc *proc, double seconds, int *ret_status, bool *ret_timed_out, Error *err);
/* The last lines (at most 16 KiB) of standard error; valid until proc_free, complete after proc_wait or proc_end. */
const char *proc_stderr_tail(const Proc *proc);
/* Ends the child's whole process group (TERM, after two seconds KILL) and reaps it. Harmless after proc_wait. */
void proc_end(Proc *proc);
/* proc_end, and frees. NULL-safe. */
void proc_free(Proc *proc);

/* Runs a child and collects its standard output (at most out->max bytes). Fails with ERR_TOOL when its status is not 0.
 */
int proc_run(const ProcSpec *spec, Buf *out, Error *err);

#endif
