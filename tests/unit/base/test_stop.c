/* Each case runs in a forked child: a stop, once asked for, stays. The child's exit status is the verdict, 0 for good,
 * else the number of the check that failed. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kura/clock.h"
#include "kura/pool.h"
#include "kura/proc.h"
#include "kura/stop.h"

#define CHECK(number, condition)                                                                                       \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return (number);                                                                                           \
    } while (0)

#define SHELL(script) ((const char *const[]){"sh", "-c", (script), NULL})

static void run_forked(int (*body)(void))
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(body());
    int status;
    assert_true(pid > 0);
    assert_true(waitpid(pid, &status, 0) == pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1;
}

static int flag_body(void)
{
    Error err = ERROR_INIT;
    CHECK(1, stop_fd() == -1);
    stop_install();
    CHECK(2, stop_check(&err) == 0 && stop_signal() == 0 && stop_fd() >= 0 && !readable(stop_fd()));
    raise(SIGTERM);
    raise(SIGINT);
    CHECK(3, stop_signal() == SIGTERM);
    CHECK(4, readable(stop_fd()));
    CHECK(5, stop_check(&err) == -1 && err.code == ERR_INTERRUPTED && strstr(err.message, "TERM"));
    stop_hold();
    stop_hold();
    CHECK(6, stop_check(&err) == 0 && stop_fd() == -1);
    stop_release();
    CHECK(7, stop_check(&err) == 0);
    stop_release();
    CHECK(8, stop_check(&err) == -1 && readable(stop_fd()));
    return 0;
}

static void the_first_signal_stays_and_may_be_held(void **state)
{
    run_forked(flag_body);
}

static int nohup_body(void)
{
    signal(SIGHUP, SIG_IGN);
    stop_install();
    raise(SIGHUP);
    CHECK(1, stop_signal() == 0);
    raise(SIGINT);
    CHECK(2, stop_signal() == SIGINT);
    raise(SIGPIPE);
    return 0;
}

static void nohup_keeps_its_promise(void **state)
{
    run_forked(nohup_body);
}

static int wait_body(void)
{
    stop_install();
    const ProcSpec spec = {.argv = SHELL("sleep 1000 & wait")};
    Proc *proc;
    int status;
    Error err = ERROR_INIT;
    CHECK(1, proc_start(&spec, &proc, &err) == 0);
    raise(SIGTERM);
    double before = clock_monotonic();
    CHECK(2, proc_wait(proc, &status, &err) == -1);
    CHECK(3, err.code == ERR_INTERRUPTED);
    CHECK(4, clock_monotonic() - before < 20);
    CHECK(5, waitpid(-1, &status, WNOHANG) == -1); /* no child is left */
    proc_free(proc);
    return 0;
}

static void waiting_for_a_child_ends_with_it(void **state)
{
    run_forked(wait_body);
}

static void *terminate(void *arg)
{
    kill(getpid(), SIGTERM);
    return arg;
}

static int run_body(void)
{
    stop_install();
    const ProcSpec spec = {.argv = SHELL("sleep 1000")};
    Error err = ERROR_INIT;
    Buf out = BUF_INIT(10);
    pthread_t thread;
    CHECK(1, pthread_create(&thread, NULL, terminate, NULL) == 0);
    CHECK(2, proc_run(&spec, &out, &err) == -1);
    CHECK(3, err.code == ERR_INTERRUPTED);
    pthread_join(thread, NULL);
    return 0;
}

static void running_a_silent_child_ends_with_it(void **state)
{
    run_forked(run_body);
}

static int held_body(void)
{
    stop_install();
    raise(SIGTERM);
    stop_hold();
    const ProcSpec spec = {.argv = SHELL("echo cleaned up")};
    Buf out = BUF_INIT(100);
    CHECK(1, proc_run(&spec, &out, NULL) == 0);
    CHECK(2, strcmp(buf_str(&out), "cleaned up\n") == 0);
    stop_release();
    buf_done(&out);
    return 0;
}

static void cleaning_up_may_run_children(void **state)
{
    run_forked(held_body);
}

static int until_stopped(void *ctx, Pool *pool, size_t worker, Error *err)
{
    if (worker == 0)
        raise(SIGINT);
    while (pool_check(pool, err) == 0)
        poll(NULL, 0, 1);
    return -1;
}

static int pool_body(void)
{
    stop_install();
    Error err = ERROR_INIT;
    CHECK(1, pool_run(3, until_stopped, NULL, &err) == -1);
    CHECK(2, err.code == ERR_INTERRUPTED);
    return 0;
}

static void a_pool_ends_with_it(void **state)
{
    run_forked(pool_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_signal_stays_and_may_be_held), cmocka_unit_test(nohup_keeps_its_promise),
        cmocka_unit_test(waiting_for_a_child_ends_with_it),       cmocka_unit_test(running_a_silent_child_ends_with_it),
        cmocka_unit_test(cleaning_up_may_run_children),           cmocka_unit_test(a_pool_ends_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
