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

static void assert_mac(const uint8_t mac[SHA256_SIZE], const char *expected)
{
    char hex[SHA256_HEX_SIZE];
    hex_format(mac, SHA256_SIZE, hex);
    assert_string_equal(hex, expected);
}

/* RFC 4231, cases 1, 2 and 6. */
static void hmac_gives_the_published_vectors(void **state)
{
    uint8_t mac[SHA256_SIZE], key[131];
    memset(key, 0x0b, 20);
    sha256_hmac(key, 20, "Hi There", 8, mac);
    assert_mac(mac, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    sha256_hmac((const uint8_t *)"Jefe", 4, "what do ya want for nothing?", 28, mac);
    assert_mac(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    sha256_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, mac);
    assert_mac(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 5869 by its own definition: extract with a salt of zeros, then one block of expand. */
static void hkdf_is_two_steps_of_hmac(void **state)
{
    static const uint8_t zeros[SHA256_SIZE];
    uint8_t secret[SHA256_SIZE], extracted[SHA256_SIZE], expected[SHA256_SIZE], key[SHA256_SIZE];
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)i;
    sha256_hmac(zeros, sizeof zeros, secret, sizeof secret, extracted);
    sha256_hmac(extracted, sizeof extracted, "purpose\x01", 8, expected);
    sha256_hkdf(secret, "purpose", key);
    assert_memory_equal(key, expected, sizeof key);
    sha256_hkdf(secret, "another purpose", key);
    assert_memory_not_equal(key, expected, sizeof key);
}

static void hexadecimal_digits_and_back(void **state)
{
    const uint8_t bytes[] = {0x00, 0x9a, 0xff};
    uint8_t back[3];
    char hex[7];
    hex_format(bytes, sizeof bytes, hex);
    assert_string_equal(hex, "009aff");
    assert_int_equal(hex_parse(hex, back, sizeof back), 0);
    assert_memory_equal(back, bytes, sizeof bytes);
    static const char *const bad[] = {"", "009af", "009aff0", "009AFF", "009agg", " 009af"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(hex_parse(bad[i], back, sizeof back), -1);
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
        cmocka_unit_test(hmac_gives_the_published_vectors),
        cmocka_unit_test(hkdf_is_two_steps_of_hmac),
        cmocka_unit_test(hexadecimal_digits_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
