#include "kura/program.h"

#include <string.h>

#include "kura/argv.h"
#include "kura/fdio.h"
#include "kura/mem.h"
#include "kura/proc.h"

/* A pipe holds all of it, so that this never waits; a program that does not read it may end before. */
static void give_input(const Proc *proc, const char *input)
{
    size_t len = strlen(input);
    if (fd_write_all(proc_stdin(proc), input, len < PROGRAM_INPUT_MAX ? len : PROGRAM_INPUT_MAX) < 0)
        return;
}

/* The last line of a text that ends with a newline. To be freed. */
static char *last_line(const char *text)
{
    size_t len = strlen(text);
    len -= len > 0;
    const char *before = memrchr(text, '\n', len);
    const char *line = before ? before + 1 : text;
    return xstrndup(line, len - (size_t)(line - text));
}

static int judge(const ProgramSpec *spec, const char *name, const Proc *proc, int status, bool timed_out, Error *err)
{
    _cleanup_free_ char *line = last_line(proc_stderr_tail(proc));
    const char *colon = line[0] ? ": " : "";
    if (timed_out)
        return error_set(err, ERR_TOOL, "\"%s\" did not end within %g s and was ended%s%s", name, spec->timeout, colon,
                         line);
    return status ? error_set(err, ERR_TOOL, "\"%s\" ended with status %d%s%s", name, status, colon, line) : 0;
}

int program_run(const ProgramSpec *spec, Error *err)
{
    int status;
    bool timed_out;
    Proc *proc;
    _cleanup_(strvec_done) StrVec argv = {0};
    if (argv_split(spec->command_line, &argv, err) < 0)
        return -1;
    const ProcSpec child = {.argv = (const char *const *)argv.v,
                            .env = spec->env,
                            .pipe_stdin = spec->input != NULL,
                            .on_stderr = spec->on_line,
                            .ctx = spec->ctx};
    if (proc_start(&child, &proc, err) < 0)
        return -1;
    if (spec->input)
        give_input(proc, spec->input);
    int rc = proc_wait_group(proc, spec->timeout, &status, &timed_out, err);
    if (rc == 0)
        rc = judge(spec, argv.v[0], proc, status, timed_out, err);
    proc_free(proc);
    return rc;
}
