/* Damaged tables of contents: each is read to an error or to something that is written back as it came, and none makes
 * the reader ask for more memory than a small multiple of the bytes it was given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocated.h"
#include "fixture.h"
#include "kura/mem.h"

static const char *const names[] = {"pipe", "dir/toc.dat"};

enum { SLACK = 16 * 1024, MULTIPLE = 4 };

static int read_bounded(const uint8_t *data, size_t len, bool directory, Toc **ret, Error *err)
{
    size_t before = allocated;
    int rc = toc_read(data, len, directory, NULL, NULL, ret, err);
    assert_true(allocated - before <= SLACK + MULTIPLE * len);
    return rc;
}

/* The bytes move to memory of exactly their size, so that a sanitizer sees a read behind their end. */
static void assert_cut_is_seen(const Buf *whole, size_t len, bool directory)
{
    Error err = ERROR_INIT;
    Toc *toc = NULL;
    uint8_t *cut = malloc(len ? len : 1);
    memcpy(cut, whole->data, len);
    assert_int_equal(read_bounded(cut, len, directory, &toc, &err), -1);
    assert_int_equal(err.code, ERR_TRUNCATED);
    assert_true(err.message[0] != 0);
    free(cut);
}

static void assert_error_or_lossless(const uint8_t *data, size_t len, bool directory)
{
    Error err = ERROR_INIT;
    Toc *toc = NULL;
    if (read_bounded(data, len, directory, &toc, &err) < 0) {
        assert_true(err.code == ERR_TRUNCATED || err.code == ERR_CORRUPT || err.code == ERR_UNSUPPORTED);
        assert_true(err.message[0] != 0);
        return;
    }
    Buf out = written(toc);
    assert_true(out.len <= len);
    assert_memory_equal(out.data, data, out.len);
    buf_done(&out);
    toc_free(toc);
}

static Buf one_of_each_type(int major, const char *name)
{
    Toc *toc = fixture_toc(major, name);
    keep_one_of_each_type(toc);
    assert_true(toc->n_entries > 30);
    Buf buf = written(toc);
    toc_free(toc);
    return buf;
}

static void a_cut_at_any_byte_is_seen(void **state)
{
    for (size_t m = 0; m < N_MAJORS; m++) {
        Toc *toc = fixture_toc(fixture_majors[m], "pipe");
        Buf custom = written(toc), directory = one_of_each_type(fixture_majors[m], "dir/toc.dat");
        for (size_t len = 0; len < custom.len; len++)
            assert_cut_is_seen(&custom, len, false);
        for (size_t len = 0; len < directory.len; len++)
            assert_cut_is_seen(&directory, len, true);
        buf_done(&custom);
        buf_done(&directory);
        toc_free(toc);
    }
}

static void any_changed_byte_does_no_harm(void **state)
{
    static const uint8_t patterns[] = {0x01, 0x10, 0x80, 0xff};
    for (size_t m = 0; m < N_MAJORS; m++) {
        Buf buf = one_of_each_type(fixture_majors[m], names[m % 2]);
        for (size_t at = 0; at < buf.len; at++) {
            uint8_t before = buf.data[at];
            for (size_t p = 0; p < ARRAY_SIZE(patterns); p++) {
                buf.data[at] = before ^ patterns[p];
                assert_error_or_lossless(buf.data, buf.len, m % 2 == 1);
            }
            buf.data[at] = before;
        }
        buf_done(&buf);
    }
}

/* Written over every place, integer or not, so that all integers get all of them. */
static void extreme_integers_do_no_harm(void **state)
{
    static const uint8_t extremes[][5] = {
        {0, 0xff, 0xff, 0xff, 0x7f},
        {1, 0xff, 0xff, 0xff, 0x7f},
        {0, 0xff, 0xff, 0xff, 0xff},
        {1, 0, 0, 0, 0x80},
        {0, 0, 0, 0, 0x40},
        {0, 0, 0, 0, 0},
        {1, 1, 0, 0, 0},
    };
    for (size_t m = 0; m < N_MAJORS; m++) {
        Buf buf = one_of_each_type(fixture_majors[m], names[m % 2]);
        for (size_t at = 0; at + 5 <= buf.len; at++) {
            uint8_t before[5];
            memcpy(before, buf.data + at, 5);
            for (size_t e = 0; e < ARRAY_SIZE(extremes); e++) {
                memcpy(buf.data + at, extremes[e], 5);
                assert_error_or_lossless(buf.data, buf.len, m % 2 == 1);
            }
            memcpy(buf.data + at, before, 5);
        }
        buf_done(&buf);
    }
}

/* The densest things there are: empty strings as dependencies, entries without anything. */
static void memory_is_bounded_for_what_takes_fewest_bytes(void **state)
{
    enum { MANY = 200000 };
    Toc *toc = fixture_toc(18, "pipe"), *again;
    TocEntry *entry = &toc->entries[0];
    const char **deps = xcalloc(MANY, sizeof *deps);
    for (size_t i = 0; i < MANY; i++)
        deps[i] = "1";
    entry->deps = deps;
    entry->n_deps = MANY;
    Buf out = written(toc);
    assert_int_equal(read_bounded(out.data, out.len, false, &again, NULL), 0);
    assert_int_equal(again->entries[0].n_deps, MANY);
    toc_free(again);
    buf_done(&out);
    free(deps);

    toc->minor = 12;
    toc->entries = xcalloc(MANY, sizeof *toc->entries);
    toc->n_entries = MANY;
    for (int i = 0; i < MANY; i++)
        toc->entries[i] = (TocEntry){.dump_id = i + 1,
                                     .table_oid = "0",
                                     .oid = "0",
                                     .tag = "",
                                     .desc = "",
                                     .section = SECTION_NONE,
                                     .with_oids = "",
                                     .offset_flag = OFFSET_NO_DATA};
    out = written(toc);
    assert_int_equal(read_bounded(out.data, out.len, false, &again, NULL), 0);
    assert_int_equal(again->n_entries, MANY);
    toc_free(again);
    buf_done(&out);
    free(toc->entries);
    toc_free(toc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_at_any_byte_is_seen),
        cmocka_unit_test(any_changed_byte_does_no_harm),
        cmocka_unit_test(extreme_integers_do_no_harm),
        cmocka_unit_test(memory_is_bounded_for_what_takes_fewest_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
