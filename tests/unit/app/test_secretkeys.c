/* Keys that belong together, and fingerprints of secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "kura/fingerprint.h"
#include "kura/mem.h"
#include "kura/secretkeys.h"

DEFINE_CLEANUP(RailsCipher, railscipher_free)

/* Made by ActiveRecord 7.2.2 with this primary key and salt: by SHA-256, by SHA-256 of a long text, by SHA-1. */
static const char primary[] = "kura's primary key", salt[] = "kura's salt";
static const char by_sha256[] =
    "{\"p\":\"cR5ieFplaQE6xWSRi5mI6w==\",\"h\":{\"iv\":\"/paQM7sT4tGbC8Jx\",\"at\":\"Y2xJnVLzuhT/l1AUeQEuhg==\"}}";
static const char compressed[] =
    "{\"p\":\"ylz/J4aX/6ycMV8nvnNA9fagHWqwXCc0\",\"h\":{\"iv\":\"X950uhKsHCNO2uYa\",\"at\":"
    "\"S7Oqoc6gNnXoBQDpdNx5Ow==\",\"c\":true}}";
static const char by_sha1[] =
    "{\"p\":\"MYeG6kd3Za3/mlaXVDAe/w==\",\"h\":{\"iv\":\"PnTU60fNR2erFTZ0\",\"at\":\"0Ql+a9e7CkU+NptSbMXZow==\"}}";

static void test_rails(void **state)
{
    (void)state;
    _cleanup_(railscipher_free_cleanup) RailsCipher *cipher = railscipher_new(primary, salt);
    assert_int_equal(railscipher_open(cipher, by_sha256), RAILS_OPENED);
    assert_int_equal(railscipher_open(cipher, by_sha1), RAILS_OPENED);
    assert_int_equal(railscipher_open(cipher, compressed), RAILS_OPENED);
}

static void test_rails_other_keys(void **state)
{
    (void)state;
    _cleanup_(railscipher_free_cleanup) RailsCipher *other = railscipher_new("another", salt);
    _cleanup_(railscipher_free_cleanup) RailsCipher *salted = railscipher_new(primary, "another");
    assert_int_equal(railscipher_open(other, by_sha256), RAILS_REFUSED);
    assert_int_equal(railscipher_open(other, by_sha1), RAILS_REFUSED);
    assert_int_equal(railscipher_open(salted, by_sha256), RAILS_REFUSED);
}

static void test_rails_damage(void **state)
{
    (void)state;
    _cleanup_(railscipher_free_cleanup) RailsCipher *cipher = railscipher_new(primary, salt);
    _cleanup_free_ char *changed = xstrdup(by_sha256);
    changed[7] = 'S'; /* of the ciphertext */
    assert_int_equal(railscipher_open(cipher, changed), RAILS_REFUSED);
    static const char *const others[] = {
        "", "JBSWY3DPEHPK3PXP", "{}", "[1]", "{\"p\":\"AAAA\"}", "{\"p\":\"AAAA\",\"h\":{\"iv\":1,\"at\":null}}",
        /* short tag, short iv, no base64 */
        "{\"p\":\"cR5ieFplaQE6xWSRi5mI6w==\",\"h\":{\"iv\":\"/paQM7sT4tGbC8Jx\",\"at\":\"Y2xJnQ==\"}}",
        "{\"p\":\"cR5ieFplaQE6xWSRi5mI6w==\",\"h\":{\"iv\":\"/paQ\",\"at\":\"Y2xJnVLzuhT/l1AUeQEuhg==\"}}",
        "{\"p\":\"!!!\",\"h\":{\"iv\":\"/paQM7sT4tGbC8Jx\",\"at\":\"Y2xJnVLzuhT/l1AUeQEuhg==\"}}"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(railscipher_open(cipher, others[i]), RAILS_NO_MESSAGE);
}

/* RFC 8291, section 5: the keys of its application server, and of its user agent. */
static void test_vapid(void **state)
{
    static const char public[] =
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
    static const char private[] = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    static const char other[] = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
    (void)state;
    assert_int_equal(keypair_vapid(public, private), PAIR_FITS);
    _cleanup_free_ char *padded = xasprintf("%s=", private), *other_public = xasprintf("%s=", public);
    assert_int_equal(keypair_vapid(other_public, padded), PAIR_FITS);
    assert_int_equal(keypair_vapid(public, other), PAIR_DIFFERS);
    static const char *const unreadable[] = {"",
                                             "=",
                                             "AAAA",
                                             "!",
                                             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                             "//////////////////////////////////////////8"};
    for (size_t i = 0; i < ARRAY_SIZE(unreadable); i++)
        assert_int_equal(keypair_vapid(public, unreadable[i]), PAIR_UNREADABLE);
    assert_int_equal(keypair_vapid(private, private), PAIR_UNREADABLE);
}

/* A fresh pair in PEM; both to be freed. */
static void make_pair(char **ret_public, char **ret_private)
{
    EVP_PKEY *key = EVP_RSA_gen(1024);
    BIO *public = BIO_new(BIO_s_mem()), *private = BIO_new(BIO_s_mem());
    char *data;
    assert_non_null(key);
    assert_int_equal(PEM_write_bio_PUBKEY(public, key), 1);
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(private, key, NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(public, &data);
    *ret_public = xstrndup(data, (size_t)len);
    len = BIO_get_mem_data(private, &data);
    *ret_private = xstrndup(data, (size_t)len);
    BIO_free(public);
    BIO_free(private);
    EVP_PKEY_free(key);
}

static void test_pem(void **state)
{
    _cleanup_free_ char *public = NULL, *private = NULL, *other_public = NULL, *other_private = NULL;
    (void)state;
    make_pair(&public, &private);
    make_pair(&other_public, &other_private);
    assert_int_equal(keypair_pem(public, private), PAIR_FITS);
    assert_int_equal(keypair_pem(public, other_private), PAIR_DIFFERS);
    assert_int_equal(keypair_pem(other_public, private), PAIR_DIFFERS);
    assert_int_equal(keypair_pem(private, public), PAIR_UNREADABLE);
    assert_int_equal(keypair_pem(public, ""), PAIR_UNREADABLE);
    assert_int_equal(keypair_pem("hello", private), PAIR_UNREADABLE);
}

static void test_fingerprints(void **state)
{
    char fresh_salt[FINGERPRINT_SALT_HEX_SIZE], print[FINGERPRINT_HEX_SIZE], again[FINGERPRINT_HEX_SIZE];
    (void)state;
    fingerprint_make("OTP_SECRET", "correct horse", fresh_salt, print);
    assert_true(fingerprint_is_valid(fresh_salt, print));
    assert_true(fingerprint_fits("OTP_SECRET", "correct horse", fresh_salt, print));
    assert_false(fingerprint_fits("OTP_SECRET", "correct horsf", fresh_salt, print));
    assert_false(fingerprint_fits("OTP_SECRE", "Tcorrect horse", fresh_salt, print));
    assert_false(fingerprint_fits("OTP_SECRET", "correct horse", fresh_salt, "00"));
    assert_false(fingerprint_is_valid("00", print));
    fingerprint_make("OTP_SECRET", "correct horse", fresh_salt, again);
    assert_string_not_equal(print, again);
}

/* By Python's hashlib.scrypt over the name, a NUL and the secret. */
static void test_fingerprint_vector(void **state)
{
    (void)state;
    assert_true(fingerprint_fits("OTP_SECRET", "correct horse", "000102030405060708090a0b0c0d0e0f",
                                 "3fe131b068205656cf8e56198cb37f12611df703ba8f47e3aa8096121cad6da2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rails),
        cmocka_unit_test(test_rails_other_keys),
        cmocka_unit_test(test_rails_damage),
        cmocka_unit_test(test_vapid),
        cmocka_unit_test(test_pem),
        cmocka_unit_test(test_fingerprints),
        cmocka_unit_test(test_fingerprint_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
