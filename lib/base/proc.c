/* fork + exec rather than posix_spawn: the child asks the kernel to be killed when the thread that made it ends, so
 * that not even a killed kura leaves a pg_dump behind. */
#include "kura/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
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
    int drain; /* readable once the child has ended: nothing it wrote can come any more */
    pthread_t reader;
    atomic_bool reader_done;
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
    size_t len = proc->line.len < TAIL_MAX ? proc->line.len : TAIL_MAX - 1;
    if (proc->tail.len + len + 1 > TAIL_MAX)
        buf_consume(&proc->tail, proc->tail.len + len + 1 - TAIL_MAX);
    buf_append(&proc->tail, buf_str(&proc->line), len, NULL);
    buf_append(&proc->tail, "\n", 1, NULL);
    buf_clear(&proc->line);
}

static void take_stderr(Proc *proc, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            end_line(proc);
        else if (proc->line.len < LINE_MAX_LEN)
            buf_append(&proc->line, &text[i], 1, NULL);
    }
}

/* Reads once, at most max bytes; 0 at the end. */
static size_t read_some(Proc *proc, size_t max)
{
    char chunk[4096];
    ssize_t n;
    do
        n = read(proc->err_pipe, chunk, max < sizeof chunk ? max : sizeof chunk);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return 0;
    take_stderr(proc, chunk, (size_t)n);
    return (size_t)n;
}

/* Reads to the end of the pipe; but a descendant of the child that went into the background may hold it open for ever,
 * so once the child has ended what is in the pipe at that moment is all. */
static void *read_stderr(void *arg)
{
    Proc *proc = arg;
    struct pollfd fds[] = {{.fd = proc->err_pipe, .events = POLLIN}, {.fd = proc->drain, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents) {
            int left = 0;
            ioctl(proc->err_pipe, FIONREAD, &left);
            for (size_t n; left > 0 && (n = read_some(proc, (size_t)left)) > 0;)
                left -= (int)n;
            break;
        }
        if (read_some(proc, SIZE_MAX) == 0)
            break;
    }
    if (proc->line.len > 0)
        end_line(proc);
    proc->reader_done = true;
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
    int failure = spec->user ? become_for_good(spec->user) : 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* behind the change of user, which forgets it */
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
    int drain = eventfd(0, EFD_CLOEXEC);
    if (drain < 0 || (spec->pipe_stdin && pipe2(in, O_CLOEXEC) < 0) ||
        (spec->pipe_stdout && pipe2(out, O_CLOEXEC) < 0) || pipe2(err_pipe, O_CLOEXEC) < 0 ||
        pipe2(report, O_CLOEXEC) < 0) {
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
                   .drain = drain,
                   .on_stderr = spec->on_stderr,
                   .ctx = spec->ctx,
                   .line = BUF_INIT(LINE_MAX_LEN),
                   .tail = BUF_INIT(TAIL_MAX),
                   .name = xstrdup(spec->argv[0])};
    if (pthread_create(&proc->reader, NULL, read_stderr, proc) != 0)
        abort();
    *ret = proc;
    return 0;
failed:
    close_fd(&drain);
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

/* Whether the child has ended. It stays a zombie, which keeps its process group's number from being used again. */
static bool has_ended(const Proc *proc)
{
    siginfo_t info = {0};
    return proc->reaped || waitid(P_PID, (id_t)proc->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

/* Reaps a child that has ended, and reads the rest of what it wrote. */
static void reap(Proc *proc)
{
    int status = 0;
    pid_t pid;
    do
        pid = waitpid(proc->pid, &status, 0);
    while (pid < 0 && errno == EINTR);
    proc->reaped = true;
    proc->status = pid < 0 ? 127 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    eventfd_write(proc->drain, 1);
    pthread_join(proc->reader, NULL);
}

int proc_wait(Proc *proc, int *ret_status, Error *err)
{
    proc_close_stdin(proc);
    while (!has_ended(proc)) {
        if (stop_check(err) < 0) {
            proc_end(proc);
            return -1;
        }
        poll(NULL, 0, POLL_MS);
    }
    if (!proc->reaped)
        reap(proc);
    *ret_status = proc->status;
    return 0;
}

int proc_wait_group(Proc *proc, double seconds, int *ret_status, bool *ret_timed_out, Error *err)
{
    double deadline = clock_monotonic() + seconds;
    *ret_timed_out = false;
    proc_close_stdin(proc);
    while (!has_ended(proc) && !*ret_timed_out) {
        *ret_timed_out = seconds > 0 && clock_monotonic() >= deadline;
        if (stop_check(err) < 0) {
            proc_end(proc);
            return -1;
        }
        poll(NULL, 0, POLL_MS);
    }
    proc_end(proc);
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
    if (proc->reaped)
        return;
    kill(-proc->pid, SIGTERM);
    double deadline = clock_monotonic() + GRACE_SECONDS;
    /* the end of standard error tells that the child's own children are gone as well */
    while (!(has_ended(proc) && proc->reader_done) && clock_monotonic() < deadline)
        poll(NULL, 0, POLL_MS / 4);
    kill(-proc->pid, SIGKILL);
    reap(proc);
}

void proc_free(Proc *proc)
{
    if (proc == NULL)
        return;
    proc_end(proc);
    close_fd(&proc->out);
    close_fd(&proc->err_pipe);
    close_fd(&proc->drain);
    buf_done(&proc->line);
    buf_done(&proc->tail);
    free(proc->name);
    free(proc);
}

static int collect(const Proc *proc, Buf *out, Error *err)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = proc->out, .events = POLLIN}, {.fd = stop_fd(), .events = POLLIN}};
        poll(fds, 2, -1);
        if (stop_check(err) < 0)
            return -1;
        if (fds[0].revents == 0)
            continue;
        char chunk[8192];
        ssize_t n = read(proc->out, chunk, sizeof chunk);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "reading the output of \"%s\"", proc->name);
        if (n > 0 && buf_append(out, chunk, (size_t)n, err) < 0)
            return error_wrap(err, "reading the output of \"%s\"", proc->name);
    }
}

int proc_run(const ProcSpec *spec, Buf *out, Error *err)
{
    ProcSpec piped = *spec;
    piped.pipe_stdout = true;
    Proc *proc;
    if (proc_start(&piped, &proc, err) < 0)
        return -1;
    int status, rc = collect(proc, out, err);
    if (rc == 0 && (rc = proc_wait(proc, &status, err)) == 0 && status != 0)
        rc = error_set(err, ERR_TOOL, "\"%s\" ended with status %d: %s", proc->name, status, proc_stderr_tail(proc));
    proc_free(proc);
    return rc;
}
