/* Segments: every row comes back, in order; equal rows give equal blobs; a change in front leaves the later cuts where
 * they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../lib/flow/segment.h"
#include "kura/mem.h"
#include "kura/repo.h"
#include "kura/store.h"

typedef struct Fixture {
    Store *store;
    Repo *repo;
    Uploader *uploader;
    SegmentWriter *writer;
} Fixture;

static const RepoParams small = {.zstd_level = 1, .segment_min = 8192, .segment_mean = 8192, .segment_max = 65536};

static int setup(void **state)
{
    Fixture *fixture = xcalloc(1, sizeof *fixture);
    Error err = ERROR_INIT;
    store_mem_forget("segment");
    assert_int_equal(store_open("mem:segment", NULL, true, &fixture->store, &err), 0);
    assert_int_equal(repo_create(fixture->store, &small, &err), 0);
    assert_int_equal(repo_open(fixture->store, &fixture->repo, &err), 0);
    fixture->uploader = uploader_new(fixture->repo, 1, 1 << 20);
    fixture->writer = segment_writer_new(fixture->repo, fixture->uploader);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;
    segment_writer_free(fixture->writer);
    uploader_free(fixture->uploader);
    repo_close(fixture->repo);
    store_close(fixture->store);
    store_mem_forget("segment");
    free(fixture);
    return 0;
}

typedef struct Run {
    RowDigest digest;
    ManifestSegment *segments;
    size_t n;
} Run;

static void add_rows(Fixture *fixture, Buf *all, unsigned from, unsigned to, size_t pad)
{
    Error err = ERROR_INIT;
    char *row = xmalloc(pad + 64);
    for (unsigned i = from; i < to; i++) {
        int len = snprintf(row, pad + 64, "%u\t%0*u\n", i, (int)pad, i * 2654435761u);
        assert_int_equal(segment_writer_row(fixture->writer, row, (size_t)len, &err), 0);
        if (all)
            buf_append(all, row, (size_t)len, NULL);
    }
    free(row);
}

static Run end_run(Fixture *fixture)
{
    Run run;
    Error err = ERROR_INIT;
    assert_int_equal(segment_writer_end(fixture->writer, &run.digest, &run.segments, &run.n, &err), 0);
    return run;
}

/* All text of a run's segments, each checked against what the manifest would say. */
static void read_all(Fixture *fixture, const Run *run, Buf *out)
{
    Error err = ERROR_INIT;
    Buf blob = BUF_INIT(BLOB_STORED_MAX), plain = BUF_INIT(BLOB_MAX);
    uint64_t rows = 0;
    assert_int_equal(uploader_finish(fixture->uploader, NULL, &err), 0);
    for (size_t i = 0; i < run->n; i++) {
        assert_int_equal(blob_get(fixture->repo, &run->segments[i].blob, &blob, &err), 0);
        buf_clear(&plain);
        assert_int_equal(repo_decompress(blob.data, blob.len, &plain, &err), 0);
        assert_int_equal(plain.len, run->segments[i].raw);
        assert_true(plain.len <= small.segment_max);
        uint64_t ends = 0;
        for (size_t j = 0; j < plain.len; j++)
            ends += plain.data[j] == '\n';
        assert_int_equal(ends, run->segments[i].rows);
        rows += ends;
        buf_append(out, plain.data, plain.len, NULL);
    }
    assert_int_equal(rows, run->digest.rows);
    buf_done(&blob);
    buf_done(&plain);
}

static void test_round_trip(void **state)
{
    Fixture *fixture = *state;
    Buf all = BUF_INIT(64 << 20), back = BUF_INIT(64 << 20);
    add_rows(fixture, &all, 0, 20000, 40);
    Run run = end_run(fixture);
    assert_true(run.n > 20);
    assert_int_equal(run.digest.bytes, all.len);
    read_all(fixture, &run, &back);
    assert_int_equal(back.len, all.len);
    assert_memory_equal(back.data, all.data, all.len);
    free(run.segments);
    buf_done(&all);
    buf_done(&back);
}

static void test_empty_run(void **state)
{
    Run run = end_run(*state);
    assert_int_equal(run.n, 0);
    assert_int_equal(run.digest.rows, 0);
    free(run.segments);
}

static void test_same_rows_same_blobs(void **state)
{
    Fixture *fixture = *state;
    add_rows(fixture, NULL, 0, 5000, 30);
    Run first = end_run(fixture);
    add_rows(fixture, NULL, 0, 5000, 30);
    Run second = end_run(fixture);
    assert_int_equal(first.n, second.n);
    for (size_t i = 0; i < first.n; i++)
        assert_string_equal(first.segments[i].blob.hash, second.segments[i].blob.hash);
    assert_true(rowdigest_equal(&first.digest, &second.digest));
    free(first.segments);
    free(second.segments);
}

static bool has_blob(const Run *run, const char *hash)
{
    for (size_t i = 0; i < run->n; i++)
        if (strcmp(run->segments[i].blob.hash, hash) == 0)
            return true;
    return false;
}

static void test_rows_in_front_change_little(void **state)
{
    Fixture *fixture = *state;
    add_rows(fixture, NULL, 1000, 40000, 30);
    Run first = end_run(fixture);
    add_rows(fixture, NULL, 900, 40000, 30);
    Run second = end_run(fixture);
    size_t same = 0;
    for (size_t i = 0; i < first.n; i++)
        same += has_blob(&second, first.segments[i].blob.hash);
    assert_true(same * 10 >= first.n * 8);
    free(first.segments);
    free(second.segments);
}

static void test_rows_larger_than_a_segment(void **state)
{
    Fixture *fixture = *state;
    Buf all = BUF_INIT(64 << 20), back = BUF_INIT(64 << 20);
    add_rows(fixture, &all, 0, 10, 20);
    add_rows(fixture, &all, 10, 13, 200000);
    add_rows(fixture, &all, 13, 100, 20);
    Run run = end_run(fixture);
    size_t continued = 0;
    for (size_t i = 0; i < run.n; i++)
        continued += run.segments[i].continues;
    assert_false(run.segments[0].continues);
    assert_true(continued >= 9);
    read_all(fixture, &run, &back);
    assert_int_equal(back.len, all.len);
    assert_memory_equal(back.data, all.data, all.len);
    free(run.segments);
    buf_done(&all);
    buf_done(&back);
}

static Run end_bundled(Fixture *fixture)
{
    Run run;
    Error err = ERROR_INIT;
    assert_int_equal(segment_writer_end_bundled(fixture->writer, &run.digest, &run.segments, &run.n, &err), 0);
    return run;
}

/* Small runs become frames of one blob; what has several segments, or nothing, is not in it. */
static void test_bundle(void **state)
{
    enum { RUNS = 5 };
    Fixture *fixture = *state;
    Error err = ERROR_INIT;
    Buf all[RUNS], blob = BUF_INIT(BLOB_STORED_MAX), plain = BUF_INIT(BLOB_MAX);
    Run runs[RUNS];
    for (unsigned i = 0; i < RUNS; i++) {
        all[i] = BUF_INIT(1 << 20);
        add_rows(fixture, &all[i], 100 * i, 100 * i + (i == 1 ? 0 : i == 3 ? 20000 : 10), 40);
        runs[i] = end_bundled(fixture);
    }
    assert_int_equal(runs[1].n, 0);
    assert_true(runs[3].n > 20);
    assert_int_equal(runs[3].segments[0].length, 0);
    BlobRef ref;
    bool any;
    assert_int_equal(segment_writer_seal_bundle(fixture->writer, &ref, &any, &err), 0);
    assert_true(any);
    assert_int_equal(uploader_finish(fixture->uploader, NULL, &err), 0);
    assert_int_equal(blob_get(fixture->repo, &ref, &blob, &err), 0);
    uint64_t end = 0;
    for (unsigned i = 0; i < RUNS; i += 2) {
        size_t len;
        assert_int_equal(runs[i].n, 1);
        assert_int_equal(runs[i].segments[0].offset, end);
        const uint8_t *frame = manifest_segment_frame(&runs[i].segments[0], &blob, &len);
        assert_int_equal(repo_decompress(frame, len, &plain, &err), 0);
        assert_int_equal(plain.len, all[i].len);
        assert_memory_equal(plain.data, all[i].data, plain.len);
        assert_int_equal(runs[i].segments[0].rows, 10);
        end += len;
    }
    assert_int_equal(end, ref.size);
    assert_int_equal(segment_writer_seal_bundle(fixture->writer, &ref, &any, &err), 0);
    assert_false(any);
    for (unsigned i = 0; i < RUNS; i++) {
        free(runs[i].segments);
        buf_done(&all[i]);
    }
    buf_done(&blob);
    buf_done(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty_run, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_rows_same_blobs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows_in_front_change_little, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows_larger_than_a_segment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bundle, setup, teardown),
    };
    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
