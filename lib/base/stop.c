#include "kura/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_int caught;
static int event_fd = -1;
static _Thread_local int holds;

static void on_signal(int signo)
{
    int saved = errno, none = 0;
    if (atomic_compare_exchange_strong(&caught, &none, signo)) {
        uint64_t one = 1;
        if (write(event_fd, &one, sizeof one) < 0) {
            /* the flag alone does: every wait has a time limit */
        }
    }
    errno = saved;
}

/* A signal that is ignored from birth stays so: that is what nohup and a shell's "&" mean by it. */
static void catch_unless_ignored(int signo, const struct sigaction *action)
{
    struct sigaction old;
    if (sigaction(signo, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(signo, action, NULL);
}

void stop_install(void)
{
    event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    catch_unless_ignored(SIGINT, &action);
    catch_unless_ignored(SIGHUP, &action);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    action.sa_handler = SIG_DFL; /* who starts us ignoring it has no children to wait for: we have */
    sigaction(SIGCHLD, &action, NULL);
}

int stop_signal(void)
{
    return caught;
}

int stop_check(Error *err)
{
    if (caught == 0 || holds > 0)
        return 0;
    return error_set(err, ERR_INTERRUPTED, "interrupted by signal %s", sigabbrev_np(caught));
}

int stop_fd(void)
{
    return holds > 0 ? -1 : event_fd;
}

void stop_hold(void)
{
    holds++;
}

void stop_release(void)
{
    holds--;
}
