#include "kura/fingerprint.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "kura/hash.h"
#include "kura/mem.h"
#include "kura/secret.h"

enum { SALT = 16, PRINT = 32 };
enum { SCRYPT_N = 32768, SCRYPT_R = 8, SCRYPT_P = 1, SCRYPT_MEMORY = 64 << 20 };

static void compute(const char *name, const char *secret, const uint8_t salt[SALT], uint8_t ret[PRINT])
{
    size_t name_len = strlen(name) + 1, len = name_len + strlen(secret);
    char *text = xmalloc(len + 1);
    memcpy(text, name, name_len);
    memcpy(text + name_len, secret, len - name_len);
    /* libcrypto has scrypt built in: it fails only without memory */
    if (EVP_PBE_scrypt(text, len, salt, SALT, SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY, ret, PRINT) != 1)
        abort();
    secret_wipe(text, len);
    free(text);
}

void fingerprint_make(const char *name, const char *secret, char ret_salt[FINGERPRINT_SALT_HEX_SIZE],
                      char ret_print[FINGERPRINT_HEX_SIZE])
{
    uint8_t salt[SALT], print[PRINT];
    if (RAND_bytes(salt, sizeof salt) != 1)
        abort();
    compute(name, secret, salt, print);
    hex_format(salt, sizeof salt, ret_salt);
    hex_format(print, sizeof print, ret_print);
}

bool fingerprint_is_valid(const char *salt, const char *print)
{
    uint8_t bytes[PRINT];
    return hex_parse(salt, bytes, SALT) == 0 && hex_parse(print, bytes, PRINT) == 0;
}

bool fingerprint_fits(const char *name, const char *secret, const char *salt, const char *print)
{
    uint8_t salt_bytes[SALT], wanted[PRINT], found[PRINT];
    if (hex_parse(salt, salt_bytes, SALT) < 0 || hex_parse(print, wanted, PRINT) < 0)
        return false;
    compute(name, secret, salt_bytes, found);
    return CRYPTO_memcmp(found, wanted, PRINT) == 0;
}
