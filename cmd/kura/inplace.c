#include "inplace.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kura/mem.h"

static volatile sig_atomic_t child, early; /* early: what was sent before it was known to whom it goes */

static void pass_on(int signo)
{
    if (child > 0)
        kill((pid_t)child, signo);
    else
        early = signo;
}

/* A terminal's own signals reach the command by themselves, being of the same process group; what is sent to kura alone
 * is passed on. */
static const int terminal_signals[] = {SIGINT, SIGQUIT}, sent_signals[] = {SIGTERM, SIGHUP};
enum { SIGNALS = 4 };

static void set_signals(struct sigaction before[SIGNALS])
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN}, pass = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < ARRAY_SIZE(terminal_signals); i++)
        sigaction(terminal_signals[i], &ignore, &before[i]);
    for (size_t i = 0; i < ARRAY_SIZE(sent_signals); i++) {
        sigaction(sent_signals[i], &pass, &before[2 + i]);
        if (before[2 + i].sa_handler == SIG_IGN) /* nohup means it */
            sigaction(sent_signals[i], &ignore, NULL);
    }
}

static void restore_signals(const struct sigaction before[SIGNALS])
{
    for (size_t i = 0; i < ARRAY_SIZE(terminal_signals); i++)
        sigaction(terminal_signals[i], &before[i], NULL);
    for (size_t i = 0; i < ARRAY_SIZE(sent_signals); i++)
        sigaction(sent_signals[i], &before[2 + i], NULL);
}

/* The signals that it shall not find ignored because kura ignores them. */
static void list_defaults(const struct sigaction before[SIGNALS], sigset_t *ret)
{
    static const int signals[SIGNALS] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
    sigemptyset(ret);
    sigaddset(ret, SIGPIPE);
    for (size_t i = 0; i < SIGNALS; i++)
        if (before[i].sa_handler != SIG_IGN)
            sigaddset(ret, signals[i]);
}

static int spawn(const InPlace *how, const struct sigaction before[SIGNALS])
{
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t files;
    sigset_t defaults;
    pid_t pid = 0;
    list_defaults(before, &defaults);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&files);
    if (how->stdout_to_stderr)
        posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    mode_t own = umask(how->umask);
    int rc = posix_spawnp(&pid, how->argv[0], &files, &attr, how->argv, environ);
    umask(own);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    child = pid;
    if (rc == 0 && early != 0)
        kill(pid, early);
    return rc;
}

static int wait_for_child(void)
{
    int status;
    while (waitpid((pid_t)child, &status, 0) < 0 && errno == EINTR)
        ;
    child = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int inplace_run(const InPlace *how, int *ret_status, Error *err)
{
    struct sigaction before[SIGNALS];
    set_signals(before);
    int rc = spawn(how, before);
    if (rc == 0)
        *ret_status = wait_for_child();
    restore_signals(before);
    return rc == 0 ? 0 : error_errno(err, rc, "cannot run \"%s\"", how->argv[0]);
}
