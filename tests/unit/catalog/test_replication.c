/* Who is waited for at a commit, and whether a replica's reader finds what was just written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/replication.h"

static void expect_names(const char *text, bool any, unsigned count, size_t n, bool all, const char *last)
{
    SyncNames names;
    Error err = ERROR_INIT;
    assert_int_equal(syncnames_parse(text, &names, &err), 0);
    assert_int_equal(names.any, any);
    assert_int_equal(names.count, count);
    assert_int_equal(names.names.n, n);
    assert_int_equal(names.all, all);
    if (last)
        assert_string_equal(names.names.v[n - 1], last);
    syncnames_done(&names);
}

static void test_names(void **state)
{
    (void)state;
    expect_names("", false, 0, 0, false, NULL);
    expect_names("  ", false, 0, 0, false, NULL);
    expect_names("s1", false, 1, 1, false, "s1");
    expect_names(" s1 , \"s 2\"", false, 1, 2, false, "s 2");
    expect_names("*", false, 1, 1, true, "*");
    expect_names("\"*\"", false, 1, 1, false, "*");
    expect_names("2 (s1, s2, s3)", false, 2, 3, false, "s3");
    expect_names("FIRST 3 (s1,*)", false, 3, 2, true, "*");
    expect_names("any 1(\"a\"\"b\")", true, 1, 1, false, "a\"b");
    expect_names("ANY 2 (s1, s2)", true, 2, 2, false, "s2");
    expect_names("\"any\", first1", false, 1, 2, false, "first1");
}

static void test_bad_names(void **state)
{
    static const char *const bad[] = {",",     "s1,",      "\"s1",  "ANY 1 (s1",  "ANY 1 ()",
                                      "ANY x", "2 (s1) y", "s1 s2", "ANY 0 (s1)", "FIRST (s1)"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        SyncNames names;
        Error err = ERROR_INIT;
        assert_int_equal(syncnames_parse(bad[i], &names, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
    }
}

/* A primary whose standbys are "s1", "s2".. in these states; NULL: not seen. */
typedef struct Case {
    const char *names, *commit;
    const char *sync_states[3];
    const char *replica;
    ReplReads reads;
    unsigned missing;
} Case;

/* The structs own their texts; those of these tests are not freed. */
static char *writable(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void expect_reads(const Case *c)
{
    static char s1[] = "s1", s2[] = "s2", s3[] = "s3", *const standby_names[] = {s1, s2, s3};
    ReplStandby standbys[3] = {0};
    ReplPrimary primary = {.commit = writable(c->commit), .standbys = {.seen = true, .v = standbys}};
    ReplServer replica = {.name = writable(c->replica)};
    for (size_t n = 0; n < 3 && c->sync_states[n]; n++) {
        bool unseen = strcmp(c->sync_states[n], "?") == 0;
        standbys[n] = (ReplStandby){.name = standby_names[n],
                                    .state = unseen ? NULL : writable("streaming"),
                                    .sync_state = unseen ? NULL : writable(c->sync_states[n])};
        primary.standbys.n++;
        primary.standbys.seen &= !unseen;
    }
    Error err = ERROR_INIT;
    assert_int_equal(syncnames_parse(c->names, &primary.names, &err), 0);
    if (replication_reads(&primary, &replica) != c->reads)
        fail_msg("%s, %s: %d", c->names, c->replica, replication_reads(&primary, &replica));
    if (primary.standbys.seen)
        assert_int_equal(replication_missing(&primary), c->missing);
    syncnames_done(&primary.names);
}

static void test_reads(void **state)
{
    static const Case cases[] = {
        {"", "remote_apply", {"async"}, "s1", READS_NO_STANDBYS, 0},
        {"", "on", {"?"}, "s1", READS_NO_STANDBYS, 0},
        {"s1", "remote_apply", {"sync"}, "s1", READS_OWN_WRITES, 0},
        {"s1", "Remote_Apply", {"sync"}, NULL, READS_OWN_WRITES, 0},
        {"s1", "on", {"sync"}, "s1", READS_COMMIT, 0},
        {"s1", NULL, {"sync"}, "s1", READS_UNSEEN, 0},
        {"s1", "remote_apply", {"?"}, "s1", READS_UNSEEN, 0},
        {"s1", "remote_write", {"?"}, "s1", READS_COMMIT, 0},
        {"s1", "remote_apply", {"sync", "async"}, "s2", READS_ASYNC, 0},
        {"s1", "remote_apply", {"sync", "async"}, "s1", READS_OWN_WRITES, 0},
        {"s1", "remote_apply", {"sync", "async"}, "another", READS_ASYNC, 0},
        {"FIRST 1 (s1, s2)", "remote_apply", {"sync", "potential"}, "s2", READS_ASYNC, 0},
        {"FIRST 2 (s1, s2)", "remote_apply", {"sync", "sync"}, "s2", READS_OWN_WRITES, 0},
        {"ANY 1 (s1, s2)", "remote_apply", {"quorum", "quorum"}, "s1", READS_QUORUM, 0},
        {"ANY 2 (s1, s2)", "remote_apply", {"quorum", "quorum"}, "s1", READS_OWN_WRITES, 0},
        {"ANY 2 (s1, s2, s3)", "remote_apply", {"quorum", "quorum"}, "s1", READS_QUORUM, 0},
        {"ANY 1 (*)", "remote_apply", {"quorum"}, "s1", READS_OWN_WRITES, 0},
        {"ANY 1 (*)", "remote_apply", {"quorum", "quorum"}, "s1", READS_QUORUM, 0},
        {"s1", "remote_apply", {NULL}, "s1", READS_ASYNC, 1},
        {"FIRST 2 (s1, s2)", "remote_apply", {"sync"}, "s1", READS_OWN_WRITES, 1},
        {"2 (s3, s1)", "on", {"async"}, "s1", READS_ASYNC, 2},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_reads(&cases[i]);
}

/* Where several standbys bear one name the address tells; where nothing does the worst counts. */
static void test_which(void **state)
{
    ReplStandby standbys[2] = {{.name = writable("walreceiver"),
                                .address = writable("10.0.0.1"),
                                .state = writable("streaming"),
                                .sync_state = writable("sync")},
                               {.name = writable("walreceiver"),
                                .address = writable("10.0.0.2"),
                                .state = writable("streaming"),
                                .sync_state = writable("async")}};
    ReplPrimary primary = {
        .commit = writable("remote_apply"), .names = {.count = 1}, .standbys = {.seen = true, .v = standbys, .n = 2}};
    (void)state;
    assert_int_equal(
        replication_reads(&primary, &(ReplServer){.name = writable("walreceiver"), .address = writable("10.0.0.1")}),
        READS_OWN_WRITES);
    assert_int_equal(
        replication_reads(&primary, &(ReplServer){.name = writable("walreceiver"), .address = writable("10.0.0.2")}),
        READS_ASYNC);
    assert_int_equal(replication_reads(&primary, &(ReplServer){.name = writable("walreceiver")}), READS_ASYNC);
    assert_int_equal(replication_reads(&primary, &(ReplServer){0}), READS_ASYNC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_bad_names),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_which),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
