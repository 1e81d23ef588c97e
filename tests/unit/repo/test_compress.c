#include "fixture.h"

#include <stdio.h>
#include <zstd.h>

/* Text of `lines` lines that compresses as rows do. */
static void make_rows(Buf *out, int lines)
{
    for (int i = 0; i < lines; i++)
        assert_int_equal(buf_printf(out, &err, "%d\tuser%d\t2026-11-%02d\n", i, i * 7919 % 1000, i % 28 + 1), 0);
}

static void compress(const Buf *rows, Buf *frame)
{
    assert_int_equal(repo_compress(repo, rows->data, rows->len, frame, &err), 0);
}

static void round_trip(void **state)
{
    (void)state;
    for (int lines = 0; lines < 200000; lines = lines * 8 + 1) {
        _cleanup_(buf_done) Buf rows = BUF_INIT(BLOB_MAX), frame = BUF_INIT(BLOB_STORED_MAX), back = BUF_INIT(BLOB_MAX);
        make_rows(&rows, lines);
        compress(&rows, &frame);
        assert_int_equal(repo_decompress(frame.data, frame.len, &back, &err), 0);
        assert_int_equal(back.len, rows.len);
        if (rows.len)
            assert_memory_equal(back.data, rows.data, rows.len);
    }
}

static void equal_rows_give_equal_bytes(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf rows = BUF_INIT(BLOB_MAX), once = BUF_INIT(BLOB_STORED_MAX),
                            again = BUF_INIT(BLOB_STORED_MAX);
    make_rows(&rows, 50000);
    assert_int_equal(buf_reserve(&again, 30u * 1024 * 1024, &err), 0); /* room must not matter */
    compress(&rows, &once);
    compress(&rows, &again);
    assert_int_equal(once.len, again.len);
    assert_memory_equal(once.data, again.data, once.len);
}

/* The context that repo_zstd_setup prepares makes frames of the same kind: level and checksum. */
static void setup_gives_the_same_parameters(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf rows = BUF_INIT(BLOB_MAX), frame = BUF_INIT(BLOB_STORED_MAX),
                            other = BUF_INIT(BLOB_STORED_MAX);
    make_rows(&rows, 5000);
    compress(&rows, &frame);
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    assert_int_equal(repo_zstd_setup(repo, ctx), 0);
    assert_int_equal(buf_reserve(&other, ZSTD_compressBound(rows.len), &err), 0);
    other.len = ZSTD_compress2(ctx, other.data, ZSTD_compressBound(rows.len), rows.data, rows.len);
    ZSTD_freeCCtx(ctx);
    assert_int_equal(other.len, frame.len);
    assert_memory_equal(other.data, frame.data, frame.len);
    assert_true(frame.data[4] & 4); /* the frame header's checksum flag */
}

static void frames_are_concatenated(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf rows = BUF_INIT(BLOB_MAX), frame = BUF_INIT(BLOB_STORED_MAX),
                            frames = BUF_INIT(BLOB_STORED_MAX), back = BUF_INIT(BLOB_MAX);
    make_rows(&rows, 20000);
    compress(&rows, &frame);
    for (int i = 0; i < 3; i++)
        assert_int_equal(buf_append(&frames, frame.data, frame.len, &err), 0);
    assert_int_equal(repo_decompress(frames.data, frames.len, &back, &err), 0);
    assert_int_equal(back.len, 3 * rows.len);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(back.data + (size_t)i * rows.len, rows.data, rows.len);
}

static void the_maximum_is_exact(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf rows = BUF_INIT(BLOB_MAX), frame = BUF_INIT(BLOB_STORED_MAX);
    make_rows(&rows, 30000);
    compress(&rows, &frame);
    _cleanup_(buf_done) Buf enough = BUF_INIT(rows.len), less = BUF_INIT(rows.len - 1), none = BUF_INIT(0);
    assert_int_equal(repo_decompress(frame.data, frame.len, &enough, &err), 0);
    assert_int_equal(enough.len, rows.len);
    assert_int_equal(repo_decompress(frame.data, frame.len, &less, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_true(less.cap <= less.max + 1);
    assert_int_equal(repo_decompress(frame.data, frame.len, &none, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void every_prefix_is_truncated(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf rows = BUF_INIT(BLOB_MAX), frame = BUF_INIT(BLOB_STORED_MAX), back = BUF_INIT(BLOB_MAX);
    make_rows(&rows, 200);
    compress(&rows, &frame);
    _cleanup_(buf_done) Buf exact = BUF_INIT(rows.len);
    for (size_t len = 0; len < frame.len; len++) {
        assert_int_equal(repo_decompress(frame.data, len, &back, &err), -1);
        assert_int_equal(err.code, ERR_TRUNCATED);
        assert_int_equal(repo_decompress(frame.data, len, &exact, &err), -1);
        assert_int_equal(err.code, ERR_TRUNCATED);
    }
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf rows = BUF_INIT(BLOB_MAX), frame = BUF_INIT(BLOB_STORED_MAX), back = BUF_INIT(1 << 20);
    make_rows(&rows, 200);
    compress(&rows, &frame);
    for (size_t i = 0; i < frame.len; i++) {
        frame.data[i] ^= 0x55;
        assert_int_equal(repo_decompress(frame.data, frame.len, &back, &err), -1);
        frame.data[i] ^= 0x55;
    }
    assert_int_equal(buf_append(&frame, "x", 1, &err), 0);
    assert_int_equal(repo_decompress(frame.data, frame.len, &back, &err), -1);
}

/* A frame that claims 2^62 bytes of content, and one whose window would take a gigabyte. */
static void claims_are_not_believed(void **state)
{
    (void)state;
    static const uint8_t claim[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x01, 0, 0};
    static const uint8_t window[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0, 0};
    _cleanup_(buf_done) Buf out = BUF_INIT(1000);
    assert_int_equal(repo_decompress(claim, sizeof claim, &out, &err), -1);
    assert_int_equal(repo_decompress(window, sizeof window, &out, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void a_bomb_stops_at_the_maximum(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf frame = BUF_INIT(BLOB_STORED_MAX), out = BUF_INIT(1 << 20);
    _cleanup_free_ char *zeros = xcalloc(1, BLOB_MAX);
    assert_int_equal(repo_compress(repo, zeros, BLOB_MAX, &frame, &err), 0);
    assert_int_equal(repo_decompress(frame.data, frame.len, &out, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_true(out.cap <= out.max + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPO_TEST(round_trip),
        REPO_TEST(equal_rows_give_equal_bytes),
        REPO_TEST(setup_gives_the_same_parameters),
        REPO_TEST(frames_are_concatenated),
        REPO_TEST(the_maximum_is_exact),
        REPO_TEST(every_prefix_is_truncated),
        REPO_TEST(every_changed_byte_is_noticed),
        REPO_TEST(claims_are_not_believed),
        REPO_TEST(a_bomb_stops_at_the_maximum),
    };
    return cmocka_run_group_tests_name("compress", tests, NULL, NULL);
}
