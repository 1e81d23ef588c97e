#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/findings.h"
#include "kura/pool.h"

typedef struct Count {
    atomic_size_t calls;
    atomic_size_t numbers; /* one bit a worker */
} Count;

static int count(void *ctx, Pool *pool, size_t worker, Error *err)
{
    Count *seen = ctx;
    seen->calls++;
    seen->numbers |= (size_t)1 << worker;
    return pool_check(pool, err);
}

static void every_worker_runs_once(void **state)
{
    Count seen = {0};
    assert_int_equal(pool_run(5, count, &seen, NULL), 0);
    assert_int_equal(seen.calls, 5);
    assert_int_equal(seen.numbers, 31);
}

static void there_is_at_least_one_worker(void **state)
{
    Count seen = {0};
    assert_int_equal(pool_run(0, count, &seen, NULL), 0);
    assert_int_equal(seen.calls, 1);
}

/* Worker 2 fails of itself, the others because it did. */
static int fail_second(void *ctx, Pool *pool, size_t worker, Error *err)
{
    if (worker == 2)
        return error_set(err, ERR_CORRUPT, "worker %zu found it", worker);
    while (pool_check(pool, err) == 0)
        sched_yield();
    return -1;
}

static void the_first_failure_is_told_and_ends_the_others(void **state)
{
    Error err = ERROR_INIT;
    assert_int_equal(pool_run(4, fail_second, NULL, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_string_equal(err.message, "worker 2 found it");
    assert_int_equal(pool_run(4, fail_second, NULL, NULL), -1);
}

static int add_findings(void *ctx, Pool *pool, size_t worker, Error *err)
{
    for (int i = 0; i < 100; i++)
        findings_add(ctx, FINDING_WARNING, "race", NULL, "worker %zu, %d", worker, i);
    return 0;
}

static void findings_may_come_from_all_of_them(void **state)
{
    Findings findings = FINDINGS_INIT;
    assert_int_equal(pool_run(4, add_findings, &findings, NULL), 0);
    assert_int_equal(findings_count(&findings, FINDING_WARNING), 400);
    findings_done(&findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_worker_runs_once),
        cmocka_unit_test(there_is_at_least_one_worker),
        cmocka_unit_test(the_first_failure_is_told_and_ends_the_others),
        cmocka_unit_test(findings_may_come_from_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
