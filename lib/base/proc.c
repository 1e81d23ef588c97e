/* fork + exec rather than posix_spawn: the child asks the kernel to be killed when the thread that made it ends, so
 * that not even a killed kura leaves a pg_dump behind. */
#include "kura/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"

enum { TAIL_MAX = 16 * 1024, LINE_MAX_LEN = 64 * 1024, GRACE_SECONDS = 2, POLL_MS = 20 };

struct Proc {
    pid_t pid;
    bool reaped;
    int status;
    int out, in;
    int err_pipe;
    pthread_t reader;
    bool reader_running;
    void (*on_stderr)(void *ctx, const char *line);
    void *ctx;
    Buf line;
    Buf tail;
    char *name;
};

static void end_line(Proc *proc)
{
    if (proc->on_stderr)
        proc->on_stderr(proc->ctx, buf_str(&proc->line));
    if (proc->line.len + 1 <= TAIL_MAX) {
        if (proc->tail.len + proc->line.len + 1 > TAIL_MAX)
            buf_consume(&proc->tail, proc->tail.len + proc->line.len + 1 - TAIL_MAX);
        buf_append(&proc->tail, buf_str(&proc->line), proc->line.len, NULL);
        buf_append(&proc->tail, "\n", 1, NULL);
    }
    buf_clear(&proc->line);
}

static void *read_stderr(void *arg)
{
    Proc *proc = arg;
    char chunk[4096];
    ssize_t n;
    while ((n = read(proc->err_pipe, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
        for (ssize_t i = 0; i < n; i++) {
            if (chunk[i] == '\n')
                end_line(proc);
            else if (proc->line.len < LINE_MAX_LEN)
                buf_append(&proc->line, &chunk[i], 1, NULL);
        }
    if (proc->line.len > 0)
        end_line(proc);
    return NULL;
}

/* The environment with the overlay's names replaced. The strings are borrowed. */
static char **merged_env(const char *const *overlay)
{
    size_t n = 0, extra = 0;
    while (environ[n])
        n++;
    while (overlay && overlay[extra])
        extra++;
    char **env = xcalloc(n + extra + 1, sizeof *env);
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        bool replaced = false;
        for (size_t j = 0; j < extra && !replaced; j++) {
            size_t name_len = strcspn(overlay[j], "=") + 1;
            replaced = strncmp(environ[i], overlay[j], name_len) == 0;
        }
        if (!replaced)
            env[used++] = environ[i];
    }
    for (size_t j = 0; j < extra; j++)
        env[used++] = (char *)overlay[j];
    return env;
}

static void exec_child(const ProcSpec *spec, char **env, const int in[2], const int out[2], const int err_pipe[2],
                       int report, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int failure = 0;
    if (getppid() != parent)
        failure = ESRCH;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup2(spec->pipe_stdin ? in[0] : null, 0) < 0 || dup2(spec->pipe_stdout ? out[1] : err_pipe[1], 1) < 0 ||
        dup2(err_pipe[1], 2) < 0)
        failure = errno;
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(SIGINT, &standard, NULL);
    sigaction(SIGTERM, &standard, NULL);
    sigaction(SIGHUP, &standard, NULL);
    sigaction(SIGPIPE, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (failure == 0) {
        execvpe(spec->argv[0], (char *const *)spec->argv, env);
        failure = errno;
    }
    if (write(report, &failure, sizeof failure) < 0)
        _exit(126);
    _exit(127);
}

static void close_pair(int pair[2])
{
    close_fd(&pair[0]);
    close_fd(&pair[1]);
}

int proc_start(const ProcSpec *spec, Proc **ret, Error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err_pipe[2] = {-1, -1}, report[2] = {-1, -1};
    if ((spec->pipe_stdin && pipe2(in, O_CLOEXEC) < 0) || (spec->pipe_stdout && pipe2(out, O_CLOEXEC) < 0) ||
        pipe2(err_pipe, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0) {
        error_errno(err, errno, "making a pipe for \"%s\"", spec->argv[0]);
        goto failed;
    }
    char **env = merged_env(spec->env);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        exec_child(spec, env, in, out, err_pipe, report[1], parent);
    free(env);
    if (pid < 0) {
        error_errno(err, errno, "starting \"%s\"", spec->argv[0]);
        goto failed;
    }
    setpgid(pid, pid);
    close_fd(&report[1]);
    close_fd(&in[0]);
    close_fd(&out[1]);
    close_fd(&err_pipe[1]);
    in[0] = out[1] = err_pipe[1] = report[1] = -1;
    int failure = 0;
    ssize_t n;
    do
        n = read(report[0], &failure, sizeof failure);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        error_errno(err, failure, "starting \"%s\"", spec->argv[0]);
        goto failed;
    }
    close_fd(&report[0]);
    Proc *proc = xcalloc(1, sizeof *proc);
    *proc = (Proc){.pid = pid,
                   .out = out[0],
                   .in = in[1],
                   .err_pipe = err_pipe[0],
                   .on_stderr = spec->on_stderr,
                   .ctx = spec->ctx,
                   .line = BUF_INIT(LINE_MAX_LEN),
                   .tail = BUF_INIT(TAIL_MAX),
                   .name = xstrdup(spec->argv[0])};
    if (pthread_create(&proc->reader, NULL, read_stderr, proc) != 0)
        abort();
    proc->reader_running = true;
    *ret = proc;
    return 0;
failed:
    close_pair(in);
    close_pair(out);
    close_pair(err_pipe);
    close_pair(report);
    return -1;
}

int proc_stdout(const Proc *proc)
{
    return proc->out;
}

int proc_stdin(const Proc *proc)
{
    return proc->in;
}

void proc_close_stdin(Proc *proc)
{
    close_fd(&proc->in);
    proc->in = -1;
}

/* Reaps without waiting; whether the child has ended. */
static bool try_reap(Proc *proc)
{
    if (proc->reaped)
        return true;
    int status;
    pid_t pid = waitpid(proc->pid, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return false;
    proc->reaped = true;
    proc->status = pid < 0 ? 127 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

static void join_reader(Proc *proc)
{
    if (!proc->reader_running)
        return;
    pthread_join(proc->reader, NULL);
    proc->reader_running = false;
}

int proc_wait(Proc *proc, int *ret_status, Error *err)
{
    proc_close_stdin(proc);
    while (!try_reap(proc)) {
        if (stop_check(err) < 0) {
            proc_end(proc);
            return -1;
        }
        poll(NULL, 0, POLL_MS);
    }
    join_reader(proc);
    *ret_status = proc->status;
    return 0;
}

const char *proc_stderr_tail(const Proc *proc)
{
    return buf_str(&proc->tail);
}

void proc_end(Proc *proc)
{
    proc_close_stdin(proc);
    if (!try_reap(proc)) {
        kill(-proc->pid, SIGTERM);
        double deadline = clock_monotonic() + GRACE_SECONDS;
        while (!try_reap(proc) && clock_monotonic() < deadline)
            poll(NULL, 0, POLL_MS / 4);
        while (!try_reap(proc)) {
            kill(-proc->pid, SIGKILL);
            poll(NULL, 0, POLL_MS);
        }
    }
    join_reader(proc);
}

void proc_free(Proc *proc)
{
    if (proc == NULL)
        return;
    proc_end(proc);
    close_fd(&proc->out);
    close_fd(&proc->err_pipe);
    buf_done(&proc->line);
    buf_done(&proc->tail);
    free(proc->name);
    free(proc);
}

int proc_run(const ProcSpec *spec, Buf *out, Error *err)
{
    ProcSpec piped = *spec;
    piped.pipe_stdout = true;
    Proc *proc;
    if (proc_start(&piped, &proc, err) < 0)
        return -1;
    int rc = 0, status;
    for (;;) {
        char chunk[8192];
        ssize_t n = read(proc->out, chunk, sizeof chunk);
        if (n == 0)
            break;
        if ((n < 0 && errno != EINTR) || stop_check(err) < 0 || (n > 0 && buf_append(out, chunk, (size_t)n, err) < 0)) {
            rc = -1;
            break;
        }
    }
    if (rc == 0 && (rc = proc_wait(proc, &status, err)) == 0 && status != 0)
        rc = error_set(err, ERR_TOOL, "\"%s\" ended with status %d: %s", proc->name, status, proc_stderr_tail(proc));
    proc_free(proc);
    return rc;
}
