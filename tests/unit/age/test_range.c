/* Parts of a file: the right bytes from exactly the pieces that hold them, and no piece that was changed, moved, or is
 * of another file or size. */
#include "fixture.h"

enum { TOTAL = 3 * AGE_CHUNK + 1000 };

typedef struct Sample {
    AgeRecipient recipient;
    AgeIdentities *identities;
    AgeFile *file;
    Buf plain, sealed;
} Sample;

static void sample_init(Sample *sample, size_t total)
{
    *sample = (Sample){.plain = BUF_INIT(LARGEST), .sealed = BUF_INIT(LARGEST)};
    sample->identities = new_key(&sample->recipient);
    fill(&sample->plain, total, (uint32_t)total);
    seal(&sample->recipient, 1, &sample->plain, &sample->sealed);
    assert_int_equal(age_open(sample->identities, sample->sealed.data, sample->sealed.len, &sample->file, &err), 0);
    assert_int_equal(age_payload_start(sample->file), age_encrypted_size(0, 1) - TAG);
}

static void sample_done(Sample *sample)
{
    age_close(sample->file);
    age_identities_free(sample->identities);
    buf_done(&sample->plain);
    buf_done(&sample->sealed);
}

/* Reads a range from a copy that has these bytes alone, so that a sanitizer sees every other one that is touched. */
static int read_range(const Sample *sample, uint64_t total, uint64_t offset, uint64_t length, Buf *out)
{
    uint64_t from, size;
    age_range(sample->file, total, offset, length, &from, &size);
    assert_true(from + size <= sample->sealed.len);
    uint8_t *part = xmalloc(size ? size : 1);
    memcpy(part, sample->sealed.data + from, size);
    int rc = age_decrypt_range(sample->file, total, offset, length, part, size, out, &err);
    free(part);
    return rc;
}

static void assert_range(const Sample *sample, uint64_t offset, uint64_t length)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(length + 4); /* no room for whole pieces */
    assert_int_equal(buf_append_str(&out, "then", &err), 0);
    assert_int_equal(read_range(sample, sample->plain.len, offset, length, &out), 0);
    assert_int_equal(out.len, 4 + length);
    assert_memory_equal(out.data, "then", 4);
    if (length > 0)
        assert_memory_equal(out.data + 4, sample->plain.data + offset, length);
}

static void assert_no_range(const Sample *sample, uint64_t total, uint64_t offset, uint64_t length, ErrorCode code)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(LARGEST);
    assert_int_equal(buf_append_str(&out, "then", &err), 0);
    assert_int_equal(read_range(sample, total, offset, length, &out), -1);
    assert_int_equal(err.code, code);
    assert_int_equal(out.len, strlen("then"));
    assert_string_equal(buf_str(&out), "then");
}

static void every_boundary(void **state)
{
    static const uint64_t at[] = {0,      1,      65535,  65536,  65537,  131071,    131072,
                                  131073, 196607, 196608, 196609, 197607, TOTAL - 1, TOTAL};
    Sample sample;
    sample_init(&sample, TOTAL);
    for (size_t i = 0; i < ARRAY_SIZE(at); i++)
        for (size_t k = i; k < ARRAY_SIZE(at); k++)
            assert_range(&sample, at[i], at[k] - at[i]);
    sample_done(&sample);
}

static void files_of_every_size(void **state)
{
    static const size_t totals[] = {0, 1, 65535, 65536, 65537, 131072, 131073};
    for (size_t i = 0; i < ARRAY_SIZE(totals); i++) {
        Sample sample;
        sample_init(&sample, totals[i]);
        assert_range(&sample, 0, totals[i]);
        assert_range(&sample, totals[i], 0);
        if (totals[i] > 0)
            assert_range(&sample, totals[i] - 1, 1);
        sample_done(&sample);
    }
}

static void asks_for_the_pieces_it_needs(void **state)
{
    static const struct {
        uint64_t offset, length, first, size;
    } cases[] = {
        {0, 1, 0, SEALED_CHUNK},
        {65535, 1, 0, SEALED_CHUNK},
        {65536, 1, 1, SEALED_CHUNK},
        {65535, 2, 0, 2 * SEALED_CHUNK},
        {65536, 65536, 1, SEALED_CHUNK},
        {65536, 65537, 1, 2 * SEALED_CHUNK},
        {TOTAL - 1, 1, 3, 1000 + TAG},
        {TOTAL - 1001, 2, 2, SEALED_CHUNK + 1000 + TAG},
        {0, TOTAL, 0, 3 * SEALED_CHUNK + 1000 + TAG},
        {70000, 0, 1, 0},
        {TOTAL, 0, 3, 0},
    };
    Sample sample;
    sample_init(&sample, TOTAL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t from, size;
        age_range(sample.file, TOTAL, cases[i].offset, cases[i].length, &from, &size);
        assert_int_equal(from, age_payload_start(sample.file) + cases[i].first * SEALED_CHUNK);
        assert_int_equal(size, cases[i].size);
    }
    sample_done(&sample);
}

/* A changed piece spoils the ranges that touch it, and no other. */
static void changes_are_seen_where_they_are(void **state)
{
    Sample sample;
    sample_init(&sample, TOTAL);
    for (uint64_t bad = 0; bad < 4; bad++) {
        uint8_t *byte = sample.sealed.data + age_payload_start(sample.file) + bad * SEALED_CHUNK + 500;
        *byte ^= 1;
        for (uint64_t piece = 0; piece < 4; piece++) {
            if (piece == bad)
                assert_no_range(&sample, TOTAL, piece * AGE_CHUNK + 10, 1, ERR_CORRUPT);
            else
                assert_range(&sample, piece * AGE_CHUNK + 10, 1);
        }
        assert_no_range(&sample, TOTAL, 0, TOTAL, ERR_CORRUPT);
        *byte ^= 1;
    }
    assert_range(&sample, 0, TOTAL);
    sample_done(&sample);
}

static void pieces_keep_their_place(void **state)
{
    Sample sample;
    sample_init(&sample, 4 * AGE_CHUNK);
    uint8_t *piece = sample.sealed.data + age_payload_start(sample.file);
    for (uint64_t a = 0; a < 4; a++)
        for (uint64_t b = 0; b < 4; b++) {
            uint8_t kept[SEALED_CHUNK];
            memcpy(kept, piece + a * SEALED_CHUNK, SEALED_CHUNK);
            memcpy(piece + a * SEALED_CHUNK, piece + b * SEALED_CHUNK, SEALED_CHUNK);
            if (a == b)
                assert_range(&sample, a * AGE_CHUNK, AGE_CHUNK);
            else
                assert_no_range(&sample, 4 * AGE_CHUNK, a * AGE_CHUNK, AGE_CHUNK, ERR_CORRUPT);
            memcpy(piece + a * SEALED_CHUNK, kept, SEALED_CHUNK);
        }
    assert_range(&sample, 0, 4 * AGE_CHUNK);
    sample_done(&sample);
}

static void another_files_pieces_do_not_fit(void **state)
{
    Sample one, two;
    sample_init(&one, TOTAL);
    two = one;
    two.sealed = BUF_INIT(LARGEST);
    seal(&one.recipient, 1, &one.plain, &two.sealed); /* same text, same recipient, another file key */
    assert_no_range(&two, TOTAL, 0, 10, ERR_CORRUPT);
    buf_done(&two.sealed);
    sample_done(&one);
}

/* Whoever cuts a file at a piece, and lies about its size, has no last piece to show. */
static void sizes_that_are_wrong(void **state)
{
    Sample sample;
    sample_init(&sample, 3 * AGE_CHUNK);
    assert_range(&sample, 0, 3 * AGE_CHUNK);
    assert_no_range(&sample, 2 * AGE_CHUNK, AGE_CHUNK, 10, ERR_CORRUPT); /* not the last one */
    assert_no_range(&sample, 2 * AGE_CHUNK, 2 * AGE_CHUNK - 1, 1, ERR_CORRUPT);
    assert_no_range(&sample, 3 * AGE_CHUNK - 1, 2 * AGE_CHUNK, 10, ERR_CORRUPT);
    assert_no_range(&sample, 4 * AGE_CHUNK, 2 * AGE_CHUNK, 10, ERR_CORRUPT); /* the last one, in the middle */
    sample_done(&sample);
}

static void ranges_past_the_end(void **state)
{
    static const struct {
        uint64_t total, offset, length;
    } cases[] = {{100, 0, 101},
                 {100, 100, 1},
                 {100, 101, 0},
                 {100, 50, UINT64_MAX},
                 {100, UINT64_MAX, 1},
                 {100, UINT64_MAX, UINT64_MAX},
                 {0, 0, 1},
                 {100, UINT64_MAX - 5, 10},
                 {AGE_CHUNK, AGE_CHUNK + 5, 1}};
    Sample sample;
    uint8_t data[200] = {0};
    sample_init(&sample, 100);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t len = 0; len <= sizeof data; len += 100) {
            _cleanup_(buf_done) Buf out = BUF_INIT(LARGEST);
            assert_int_equal(
                age_decrypt_range(sample.file, cases[i].total, cases[i].offset, cases[i].length, data, len, &out, &err),
                -1);
            assert_int_equal(err.code, ERR_CORRUPT);
            assert_int_equal(out.len, 0);
        }
    sample_done(&sample);
}

static void too_few_or_too_many_bytes(void **state)
{
    Sample sample;
    _cleanup_(buf_done) Buf out = BUF_INIT(LARGEST);
    uint64_t from, size;
    sample_init(&sample, TOTAL);
    age_range(sample.file, TOTAL, 100000, 50000, &from, &size);
    const uint8_t *data = sample.sealed.data + from;
    assert_int_equal(age_decrypt_range(sample.file, TOTAL, 100000, 50000, data, size - 1, &out, &err), -1);
    assert_int_equal(err.code, ERR_TRUNCATED);
    assert_int_equal(age_decrypt_range(sample.file, TOTAL, 100000, 50000, data, 0, &out, &err), -1);
    assert_int_equal(err.code, ERR_TRUNCATED);
    assert_int_equal(age_decrypt_range(sample.file, TOTAL, 100000, 50000, data, size + 1, &out, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(out.len, 0);
    sample_done(&sample);
}

static void opens_with_the_beginning_alone(void **state)
{
    Sample sample;
    AgeFile *file;
    sample_init(&sample, TOTAL);
    const size_t start = age_payload_start(sample.file);
    for (size_t len = 0; len < start; len++) {
        assert_int_equal(age_open(sample.identities, sample.sealed.data, len, &file, &err), -1);
        assert_int_equal(err.code, ERR_TRUNCATED);
    }
    assert_int_equal(age_open(sample.identities, sample.sealed.data, start, &file, &err), 0);
    assert_int_equal(age_payload_start(file), start);
    age_close(file);
    age_close(NULL);
    sample_done(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_boundary),
        cmocka_unit_test(files_of_every_size),
        cmocka_unit_test(asks_for_the_pieces_it_needs),
        cmocka_unit_test(changes_are_seen_where_they_are),
        cmocka_unit_test(pieces_keep_their_place),
        cmocka_unit_test(another_files_pieces_do_not_fit),
        cmocka_unit_test(sizes_that_are_wrong),
        cmocka_unit_test(ranges_past_the_end),
        cmocka_unit_test(too_few_or_too_many_bytes),
        cmocka_unit_test(opens_with_the_beginning_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
