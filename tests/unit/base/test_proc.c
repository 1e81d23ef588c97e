#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/proc.h"
#include "kura/stop.h"

#define SHELL(script) ((const char *const[]){"sh", "-c", (script), NULL})

enum { PATIENCE_SECONDS = 20 };

static void read_all(int fd, Buf *out)
{
    char chunk[4096];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        assert_int_equal(buf_append(out, chunk, (size_t)n, NULL), 0);
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void count_line(void *ctx, const char *line)
{
    size_t *lines = ctx;
    if (strcmp(line, "an error line of some length, as a chatty tool writes it") == 0)
        ++*lines;
}

static void much_on_both_outputs_blocks_nobody(void **state)
{
    size_t lines = 0;
    const ProcSpec spec = {.argv = SHELL("i=0; while [ $i -lt 4000 ]; do "
                                         "echo 'an error line of some length, as a chatty tool writes it' >&2; "
                                         "echo 'a line of output'; i=$((i+1)); done; echo last >&2"),
                           .pipe_stdout = true,
                           .on_stderr = count_line,
                           .ctx = &lines};
    Proc *proc;
    int status = -1;
    assert_int_equal(proc_start(&spec, &proc, NULL), 0);
    Buf out = BUF_INIT(1 << 20);
    read_all(proc_stdout(proc), &out);
    assert_int_equal(proc_wait(proc, &status, NULL), 0);
    assert_int_equal(status, 0);
    assert_int_equal(count_lines(buf_str(&out)), 4000);
    assert_int_equal(lines, 4000);
    const char *tail = proc_stderr_tail(proc);
    assert_true(strlen(tail) <= 16 * 1024);
    assert_string_equal(tail + strlen(tail) - 6, "\nlast\n");
    buf_done(&out);
    proc_free(proc);
}

static void output_that_nobody_pipes_goes_to_the_tail(void **state)
{
    const ProcSpec spec = {.argv = SHELL("echo out; printf 'no newline'")};
    Proc *proc;
    int status;
    assert_int_equal(proc_start(&spec, &proc, NULL), 0);
    assert_int_equal(proc_stdout(proc), -1);
    assert_int_equal(proc_stdin(proc), -1);
    assert_int_equal(proc_wait(proc, &status, NULL), 0);
    assert_string_equal(proc_stderr_tail(proc), "out\nno newline\n");
    proc_free(proc);
}

static void a_line_longer_than_the_tail_shows_its_beginning(void **state)
{
    const ProcSpec spec = {.argv = SHELL("printf 'start '; head -c 100000 /dev/zero | tr '\\0' x")};
    Proc *proc;
    int status;
    assert_int_equal(proc_start(&spec, &proc, NULL), 0);
    assert_int_equal(proc_wait(proc, &status, NULL), 0);
    assert_int_equal(strlen(proc_stderr_tail(proc)), 16 * 1024);
    assert_memory_equal(proc_stderr_tail(proc), "start xxx", 9);
    proc_free(proc);
}

static int status_of(const char *script)
{
    const ProcSpec spec = {.argv = SHELL(script)};
    Proc *proc;
    int status = -1;
    assert_int_equal(proc_start(&spec, &proc, NULL), 0);
    assert_int_equal(proc_wait(proc, &status, NULL), 0);
    proc_free(proc);
    return status;
}

static void status_tells_exit_or_signal(void **state)
{
    assert_int_equal(status_of("exit 0"), 0);
    assert_int_equal(status_of("exit 7"), 7);
    assert_int_equal(status_of("kill -KILL $$"), 128 + SIGKILL);
    assert_int_equal(status_of("kill -TERM $$"), 128 + SIGTERM);
}

static void a_second_wait_gives_the_same(void **state)
{
    const ProcSpec spec = {.argv = SHELL("exit 3")};
    Proc *proc;
    int status = -1;
    assert_int_equal(proc_start(&spec, &proc, NULL), 0);
    assert_int_equal(proc_wait(proc, &status, NULL), 0);
    proc_end(proc);
    assert_int_equal(proc_wait(proc, &status, NULL), 0);
    assert_int_equal(status, 3);
    proc_free(proc);
}

static void the_overlay_replaces_and_adds_for_the_child_alone(void **state)
{
    setenv("KURA_TEST_KEPT", "kept", 1);
    setenv("KURA_TEST_LAID", "old", 1);
    const ProcSpec spec = {.argv = SHELL("echo \"$KURA_TEST_KEPT $KURA_TEST_LAID $KURA_TEST_NEW\""),
                           .env = (const char *const[]){"KURA_TEST_LAID=new", "KURA_TEST_NEW=a=b", NULL}};
    Buf out = BUF_INIT(1000);
    assert_int_equal(proc_run(&spec, &out, NULL), 0);
    assert_string_equal(buf_str(&out), "kept new a=b\n");
    assert_string_equal(getenv("KURA_TEST_LAID"), "old");
    assert_null(getenv("KURA_TEST_NEW"));
    buf_done(&out);
}

static void a_missing_program_is_told_at_the_start(void **state)
{
    Error err = ERROR_INIT;
    const ProcSpec spec = {.argv = (const char *const[]){"/nonexistent/pg_dump", NULL}, .pipe_stdout = true};
    Proc *proc = NULL;
    assert_int_equal(proc_start(&spec, &proc, &err), -1);
    assert_null(proc);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_non_null(strstr(err.message, "/nonexistent/pg_dump"));
    const ProcSpec not_a_program = {.argv = (const char *const[]){"/etc/passwd", NULL}};
    assert_int_equal(proc_start(&not_a_program, &proc, &err), -1);
    assert_int_equal(err.code, ERR_PERMISSION);
}

static void input_reaches_the_child_until_it_is_closed(void **state)
{
    const ProcSpec spec = {.argv = (const char *const[]){"sort", "-n", NULL}, .pipe_stdin = true, .pipe_stdout = true};
    Proc *proc;
    int status;
    assert_int_equal(proc_start(&spec, &proc, NULL), 0);
    assert_int_equal(write(proc_stdin(proc), "3\n10\n1\n", 7), 7);
    proc_close_stdin(proc);
    assert_int_equal(proc_stdin(proc), -1);
    Buf out = BUF_INIT(100);
    read_all(proc_stdout(proc), &out);
    assert_string_equal(buf_str(&out), "1\n3\n10\n");
    assert_int_equal(proc_wait(proc, &status, NULL), 0);
    assert_int_equal(status, 0);
    buf_done(&out);
    proc_free(proc);
}

static void without_a_pipe_the_input_is_empty(void **state)
{
    assert_int_equal(status_of("read line && exit 1; exit 0"), 0);
}

static void run_collects_output_and_fails_with_the_tail(void **state)
{
    Error err = ERROR_INIT;
    Buf out = BUF_INIT(10);
    const ProcSpec good = {.argv = SHELL("echo 12345")};
    assert_int_equal(proc_run(&good, &out, &err), 0);
    assert_string_equal(buf_str(&out), "12345\n");
    const ProcSpec bad = {.argv = SHELL("echo 'the reason' >&2; exit 4")};
    assert_int_equal(proc_run(&bad, &out, &err), -1);
    assert_int_equal(err.code, ERR_TOOL);
    assert_non_null(strstr(err.message, "status 4"));
    assert_non_null(strstr(err.message, "the reason"));
    const ProcSpec chatty = {.argv = SHELL("while :; do echo more than fits; done")};
    assert_int_equal(proc_run(&chatty, &out, &err), -1);
    assert_int_equal(err.code, ERR_FAILED);
    buf_done(&out);
}

static bool alive(pid_t pid)
{
    char path[64], state_of = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state_of) != 1)
        state_of = 0;
    fclose(file);
    return state_of != 'Z' && state_of != 0;
}

static void assert_gone(pid_t pid)
{
    double deadline = clock_monotonic() + PATIENCE_SECONDS;
    while (alive(pid) && clock_monotonic() < deadline)
        sched_yield();
    assert_false(alive(pid));
}

/* Starts script, which prints the pid of a child of its own, and returns that. */
static Proc *start_with_grandchild(const char *script, pid_t *ret_grandchild)
{
    const ProcSpec spec = {.argv = SHELL(script), .pipe_stdout = true};
    Proc *proc;
    assert_int_equal(proc_start(&spec, &proc, NULL), 0);
    char text[32] = "";
    size_t used = 0;
    while (used < sizeof text - 1 && strchr(text, '\n') == NULL) {
        ssize_t n = read(proc_stdout(proc), text + used, sizeof text - 1 - used);
        assert_true(n > 0);
        used += (size_t)n;
    }
    *ret_grandchild = (pid_t)strtol(text, NULL, 10);
    assert_true(alive(*ret_grandchild));
    return proc;
}

static void ending_takes_the_grandchildren_along(void **state)
{
    pid_t grandchild;
    Proc *proc = start_with_grandchild("sleep 1000 & echo $!; wait", &grandchild);
    proc_end(proc);
    assert_gone(grandchild);
    int status = -1;
    assert_int_equal(proc_wait(proc, &status, NULL), 0);
    assert_int_equal(status, 128 + SIGTERM);
    proc_free(proc);
}

static void ending_takes_along_what_ignores_sigterm(void **state)
{
    pid_t grandchild;
    Proc *proc = start_with_grandchild("sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' & wait", &grandchild);
    proc_free(proc);
    assert_gone(grandchild);
}

static void ending_takes_along_what_a_dead_child_left_behind(void **state)
{
    pid_t grandchild;
    Proc *proc = start_with_grandchild("sleep 1000 & echo $!", &grandchild);
    proc_free(proc);
    assert_gone(grandchild);
}

static void waiting_does_not_hang_on_a_child_in_the_background(void **state)
{
    pid_t grandchild;
    Proc *proc = start_with_grandchild("sleep 1000 & echo $!; echo said >&2; exit 5", &grandchild);
    int status = -1;
    assert_int_equal(proc_wait(proc, &status, NULL), 0);
    assert_int_equal(status, 5);
    assert_string_equal(proc_stderr_tail(proc), "said\n");
    assert_true(alive(grandchild));
    kill(grandchild, SIGKILL);
    proc_free(proc);
}

static void children_inherit_no_descriptor(void **state)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd > 2);
    const ProcSpec other = {.argv = SHELL("sleep 1000"), .pipe_stdin = true, .pipe_stdout = true};
    Proc *first;
    assert_int_equal(proc_start(&other, &first, NULL), 0);
    const ProcSpec spec = {.argv = SHELL("ls /proc/self/fd | wc -l")};
    Buf out = BUF_INIT(100);
    assert_int_equal(proc_run(&spec, &out, NULL), 0);
    assert_int_equal(strtol(buf_str(&out), NULL, 10), 4); /* 0, 1, 2 and ls's own */
    buf_done(&out);
    proc_free(first);
    close(fd);
}

/* Some daemons start what they run that way: no child could be waited for. */
static void children_are_waited_for_though_nobody_wanted_to(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    const ProcSpec spec = {.argv = SHELL("exit 0")};
    Error err = ERROR_INIT;
    sigaction(SIGCHLD, &ignore, NULL);
    stop_install();
    if (proc_run(&spec, NULL, &err) < 0)
        fail_msg("%s", err.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(much_on_both_outputs_blocks_nobody),
        cmocka_unit_test(output_that_nobody_pipes_goes_to_the_tail),
        cmocka_unit_test(a_line_longer_than_the_tail_shows_its_beginning),
        cmocka_unit_test(status_tells_exit_or_signal),
        cmocka_unit_test(a_second_wait_gives_the_same),
        cmocka_unit_test(the_overlay_replaces_and_adds_for_the_child_alone),
        cmocka_unit_test(a_missing_program_is_told_at_the_start),
        cmocka_unit_test(input_reaches_the_child_until_it_is_closed),
        cmocka_unit_test(without_a_pipe_the_input_is_empty),
        cmocka_unit_test(run_collects_output_and_fails_with_the_tail),
        cmocka_unit_test(ending_takes_the_grandchildren_along),
        cmocka_unit_test(ending_takes_along_what_ignores_sigterm),
        cmocka_unit_test(ending_takes_along_what_a_dead_child_left_behind),
        cmocka_unit_test(waiting_does_not_hang_on_a_child_in_the_background),
        cmocka_unit_test(children_inherit_no_descriptor),
        cmocka_unit_test(children_are_waited_for_though_nobody_wanted_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
