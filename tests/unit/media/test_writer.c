#include "fixture.h"

#include <stdio.h>
#include <string.h>

static size_t size_of_stream(unsigned i)
{
    return i % 100 == 50 ? 2 * 1024 * 1024 + i : i == 77 ? 40 * 1024 * 1024 : i == 3 ? 0 : 40000 + i;
}

/* Streams 0 .. n-1 without `left_out`. */
static ManifestFileset write_streams(Fixture *f, unsigned n, unsigned left_out)
{
    Error err = ERROR_INIT;
    ManifestFileset fileset = {0};
    Uploader *uploader = uploader_new(f->repo, 2, 64 * 1024 * 1024);
    FilesetWriter *writer = fileset_writer_new(f->repo, uploader);
    for (unsigned i = 0; i < n; i++) {
        char path[32];
        size_t len = size_of_stream(i);
        _cleanup_free_ uint8_t *data = noise(len, i);
        snprintf(path, sizeof path, "%010u", i);
        if (i == left_out)
            continue;
        assert_int_equal(fileset_writer_begin(writer, path, &err), 0);
        for (size_t at = 0; at < len; at += 50000)
            assert_int_equal(fileset_writer_data(writer, data + at, len - at < 50000 ? len - at : 50000, &err), 0);
        assert_int_equal(fileset_writer_end(writer, &err), 0);
    }
    assert_int_equal(fileset_writer_finish(writer, &fileset, &err), 0);
    assert_int_equal(uploader_finish(uploader, &f->totals, &err), 0);
    fileset_writer_free(writer);
    uploader_free(uploader);
    return fileset;
}

static int append(void *ctx, const void *data, size_t len, Error *err)
{
    return buf_append(ctx, data, len, err);
}

static void streams_come_back(void **state)
{
    Fixture *f = *state;
    Error err = ERROR_INIT;
    ManifestFileset fileset = write_streams(f, 200, 1000);
    assert_int_equal(fileset.files, 200);
    IndexReader *reader = index_reader_new(f->repo, &fileset);
    const IndexEntry *entry;
    unsigned i = 0;
    for (; index_reader_next(reader, &entry, &err) > 0; i++) {
        Buf content = BUF_INIT(64 * 1024 * 1024);
        _cleanup_free_ uint8_t *want = noise(size_of_stream(i), i);
        assert_int_equal(strtoul(entry->path, NULL, 10), i);
        if (read_entry(f, entry, append, &content, &err) < 0)
            fail_msg("%s", err.message);
        assert_int_equal(content.len, size_of_stream(i));
        assert_true(content.len == 0 || memcmp(content.data, want, content.len) == 0);
        buf_done(&content);
    }
    assert_int_equal(i, 200);
    index_reader_free(reader);
    fileset_done(&fileset);
}

/* Packs end at paths, so that a stream that is gone changes the packs around it alone. */
static void a_stream_that_is_gone_changes_little(void **state)
{
    Fixture *f = *state;
    ManifestFileset first = write_streams(f, 2000, 5000);
    assert_true(f->totals.new_bytes > 100 * 1024 * 1024);
    ManifestFileset second = write_streams(f, 2000, 400);
    assert_in_range(f->totals.new_bytes, 1, 50 * 1024 * 1024);
    fileset_done(&first);
    fileset_done(&second);
}

static void wrong_use_is_told(void **state)
{
    Fixture *f = *state;
    Error err = ERROR_INIT;
    ManifestFileset fileset;
    Uploader *uploader = uploader_new(f->repo, 1, 1024);
    FilesetWriter *writer = fileset_writer_new(f->repo, uploader);
    assert_int_equal(fileset_writer_begin(writer, "../x", &err), -1);
    assert_int_equal(fileset_writer_begin(writer, "b", &err), 0);
    assert_int_equal(fileset_writer_begin(writer, "c", &err), -1);
    assert_int_equal(fileset_writer_end(writer, &err), 0);
    assert_int_equal(fileset_writer_begin(writer, "a", &err), 0);
    int rc = fileset_writer_end(writer, &err);
    if (rc == 0)
        rc = fileset_writer_finish(writer, &fileset, &err);
    assert_int_equal(rc, -1);
    assert_non_null(strstr(err.message, "\"a\""));
    fileset_writer_free(writer);
    uploader_free(uploader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(streams_come_back),
        TEST(a_stream_that_is_gone_changes_little),
        TEST(wrong_use_is_told),
        cmocka_unit_test_setup_teardown(streams_come_back, fixture_setup_remote, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
