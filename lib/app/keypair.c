#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "kura/mem.h"
#include "kura/secret.h"
#include "kura/secretkeys.h"

enum { PEM_MAX = 64 * 1024, POINT = 65, SCALAR = 32, BYTES_MAX = 256 };

/* For keys that need a password: there is none, and nobody to ask. */
static int no_password(char *buffer, int size, int writing, void *ctx)
{
    return -1;
}

static EVP_PKEY *read_pem(const char *text, bool private)
{
    size_t len = strnlen(text, PEM_MAX + 1);
    BIO *bio = len <= PEM_MAX ? BIO_new_mem_buf(text, (int)len) : NULL;
    EVP_PKEY *key = NULL;
    if (bio)
        key = private ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
                      : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    BIO_free(bio);
    return key;
}

KeyPair keypair_pem(const char *public_key, const char *private_key)
{
    EVP_PKEY *public = read_pem(public_key, false), *private = read_pem(private_key, true);
    KeyPair result = PAIR_UNREADABLE;
    if (public && private)
        result = EVP_PKEY_eq(public, private) == 1 ? PAIR_FITS : PAIR_DIFFERS;
    EVP_PKEY_free(public);
    EVP_PKEY_free(private);
    return result;
}

/* The point of a scalar, as 65 bytes; false: it is no scalar of the curve. */
static bool point_of(const uint8_t scalar[SCALAR], uint8_t ret[POINT])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM *number = BN_bin2bn(scalar, SCALAR, NULL);
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    bool made = point && number && !BN_is_zero(number) && BN_cmp(number, EC_GROUP_get0_order(group)) < 0 &&
                EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1 &&
                EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, ret, POINT, NULL) == POINT;
    EC_POINT_free(point);
    BN_clear_free(number);
    EC_GROUP_free(group);
    return made;
}

KeyPair keypair_vapid(const char *public_key, const char *private_key)
{
    size_t public_len = 0, private_len = 0;
    uint8_t point[POINT];
    _cleanup_free_ uint8_t *public = base64_bytes(public_key, BYTES_MAX, &public_len);
    _cleanup_free_ uint8_t *private = base64_bytes(private_key, BYTES_MAX, &private_len);
    KeyPair result = PAIR_UNREADABLE;
    if (public && private && public_len == POINT && private_len == SCALAR && point_of(private, point))
        result = memcmp(point, public, POINT) == 0 ? PAIR_FITS : PAIR_DIFFERS;
    if (private)
        secret_wipe(private, private_len);
    return result;
}
