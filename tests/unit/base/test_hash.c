#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/hash.h"

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void sha256_gives_the_published_vectors(void **state)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex("", 0, hex);
    assert_string_equal(hex, EMPTY_SHA256);
    sha256_hex("abc", 3, hex);
    assert_string_equal(hex, ABC_SHA256);
}

static void sha256_in_pieces_starts_anew_after_the_end(void **state)
{
    char hex[SHA256_HEX_SIZE];
    Sha256 *hash = sha256_new();
    sha256_update(hash, "a", 1);
    sha256_update(hash, "bc", 2);
    sha256_finish_hex(hash, hex);
    assert_string_equal(hex, ABC_SHA256);
    sha256_finish_hex(hash, hex);
    assert_string_equal(hex, EMPTY_SHA256);
    sha256_free(hash);
    sha256_free(NULL);
}

static void only_64_lower_case_digits_are_a_hash(void **state)
{
    assert_true(sha256_is_hex(EMPTY_SHA256));
    assert_false(sha256_is_hex(""));
    assert_false(sha256_is_hex(EMPTY_SHA256 "0"));
    assert_false(sha256_is_hex("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"));
    assert_false(sha256_is_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"));
}

static RowDigest digest_of(const char *const *rows, size_t n)
{
    RowDigest digest = {0};
    for (size_t i = 0; i < n; i++)
        rowdigest_add(&digest, rows[i], strlen(rows[i]));
    return digest;
}

static void one_row_is_its_xxh3_128(void **state)
{
    RowDigest digest = {0};
    uint64_t low = rowdigest_add(&digest, "", 0);
    char hex[33];
    rowdigest_format(&digest, hex);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f"); /* XXH128 of nothing, as xxhsum -H2 prints it */
    assert_true(low == UINT64_C(0x6001c324468d497f));
}

static void order_does_not_matter_but_number_does(void **state)
{
    const char *a[] = {"1\tx\n", "2\ty\n", "3\tz\n"}, *b[] = {"3\tz\n", "1\tx\n", "2\ty\n"};
    RowDigest one = digest_of(a, 3), other = digest_of(b, 3), less = digest_of(a, 2);
    assert_true(rowdigest_equal(&one, &other));
    assert_int_equal(one.rows, 3);
    assert_int_equal(one.bytes, 12);
    assert_false(rowdigest_equal(&one, &less));

    /* a sum sees a pair of doubled rows that an exclusive or would cancel */
    const char *doubled[] = {"1\tx\n", "1\tx\n"}, *other_doubled[] = {"2\ty\n", "2\ty\n"};
    RowDigest c = digest_of(doubled, 2), d = digest_of(other_doubled, 2);
    assert_false(rowdigest_equal(&c, &d));
    assert_true(c.low != 0 || c.high != 0);
}

static void merged_parts_are_the_whole(void **state)
{
    enum { ROWS = 200 };
    RowDigest whole = {0}, parts[3] = {{0}, {0}, {0}}, merged = {0};
    for (uint32_t row = 0; row < ROWS; row++) {
        rowdigest_add(&whole, &row, sizeof row);
        rowdigest_add(&parts[row % 3], &row, sizeof row);
    }
    for (size_t i = 0; i < 3; i++)
        rowdigest_merge(&merged, &parts[i]);
    assert_true(rowdigest_equal(&whole, &merged));
    assert_int_equal(merged.rows, ROWS);
}

static void the_sum_carries_into_its_high_half(void **state)
{
    RowDigest a = {.low = UINT64_MAX, .high = 1}, b = {.low = 2, .high = UINT64_MAX};
    rowdigest_merge(&a, &b);
    assert_true(a.low == 1);
    assert_true(a.high == 1);
}

static void text_and_back(void **state)
{
    RowDigest digest = {.low = 0x0123456789abcdef, .high = 0x10}, parsed;
    char hex[33];
    rowdigest_format(&digest, hex);
    assert_string_equal(hex, "00000000000000100123456789abcdef");
    assert_int_equal(rowdigest_parse(hex, &parsed), 0);
    assert_true(rowdigest_equal(&digest, &parsed));
    assert_int_equal(rowdigest_parse("", &parsed), -1);
    assert_int_equal(rowdigest_parse("0000000000000010 123456789abcdef", &parsed), -1);
    assert_int_equal(rowdigest_parse("00000000000000100123456789ABCDEF", &parsed), -1);
    assert_int_equal(rowdigest_parse("00000000000000100123456789abcdef0", &parsed), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_vectors),
        cmocka_unit_test(sha256_in_pieces_starts_anew_after_the_end),
        cmocka_unit_test(only_64_lower_case_digits_are_a_hash),
        cmocka_unit_test(one_row_is_its_xxh3_128),
        cmocka_unit_test(order_does_not_matter_but_number_does),
        cmocka_unit_test(merged_parts_are_the_whole),
        cmocka_unit_test(the_sum_carries_into_its_high_half),
        cmocka_unit_test(text_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
