/* Keys and their text forms. Secrets are wiped wherever they were, on every way out. */
#include "key.h"

#include <assert.h>
#include <ctype.h>
#include <openssl/crypto.h>
#include <string.h>

#include "bech32.h"
#include "kura/mem.h"
#include "kura/words.h"

struct AgeIdentities {
    size_t n;
    KeyPair pair[];
};

int age_recipient_parse(const char *text, AgeRecipient *ret, Error *err)
{
    static const uint8_t any[KEY_SIZE];
    uint8_t shared[KEY_SIZE];
    Bech32 bech32;
    AgeRecipient recipient;
    if (strncasecmp(text, "AGE-SECRET-KEY-", 15) == 0)
        return error_set(err, ERR_USAGE, "this is a secret key, where a public one (\"age1...\") belongs");
    const char *wrong = bech32_parse(text, strlen(text), &bech32);
    if (wrong)
        return error_set(err, ERR_USAGE, "not an age recipient: %s", wrong);
    if (strcmp(bech32.hrp, "age") != 0 || !bech32_bytes(&bech32, recipient.key, sizeof recipient.key))
        return error_set(err, ERR_USAGE, "not an age recipient of type X25519 (\"age1\" and 58 characters)");
    /* A point of low order is one with every secret. */
    if (!x25519(any, recipient.key, shared))
        return error_set(err, ERR_USAGE, "not an age recipient: no secret key has this public key");
    *ret = recipient;
    return 0;
}

void age_recipient_format(const AgeRecipient *recipient, char ret[AGE_RECIPIENT_SIZE])
{
    char text[BECH32_TEXT_MAX + 1];
    bech32_format("age", recipient->key, sizeof recipient->key, text);
    memcpy(ret, text, AGE_RECIPIENT_SIZE);
}

static AgeIdentities *identities_alloc(size_t max)
{
    return xcalloc(1, sizeof(AgeIdentities) + max * sizeof(KeyPair));
}

static KeyPair *add_pair(AgeIdentities *identities, const uint8_t secret[KEY_SIZE])
{
    KeyPair *pair = &identities->pair[identities->n++];
    memcpy(pair->secret, secret, KEY_SIZE);
    x25519_public(secret, pair->public);
    return pair;
}

AgeIdentities *age_identities_new(void)
{
    AgeIdentities *identities = identities_alloc(1);
    uint8_t secret[KEY_SIZE];
    crypto_random(secret, sizeof secret);
    add_pair(identities, secret);
    OPENSSL_cleanse(secret, sizeof secret);
    return identities;
}

AgeIdentities *age_identities_from_secret(const uint8_t secret[32])
{
    AgeIdentities *identities = identities_alloc(1);
    uint8_t derived[KEY_SIZE];
    hkdf(secret, 32, "", 0, "kura age identity", derived);
    add_pair(identities, derived);
    OPENSSL_cleanse(derived, sizeof derived);
    return identities;
}

/* What is wrong with a line that should be a secret key, or NULL. */
static const char *parse_secret(const char *line, size_t len, uint8_t ret[KEY_SIZE])
{
    Bech32 bech32;
    const char *wrong = bech32_parse(line, len, &bech32);
    if (wrong == NULL && strcmp(bech32.hrp, "age") == 0)
        wrong = _("it is a public key");
    else if (wrong == NULL && (strcmp(bech32.hrp, "AGE-SECRET-KEY-") != 0 || !bech32_bytes(&bech32, ret, KEY_SIZE)))
        wrong = _("it is a key of another type");
    OPENSSL_cleanse(&bech32, sizeof bech32);
    return wrong;
}

static int parse_line(const char *line, size_t len, AgeIdentities *identities, size_t number, Error *err)
{
    uint8_t secret[KEY_SIZE];
    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (len == 0 || line[0] == '#')
        return 0;
    if (identities->n == AGE_IDENTITIES_MAX)
        return error_set(err, ERR_KEY, "there are more than %d secret keys", AGE_IDENTITIES_MAX);
    const char *wrong = parse_secret(line, len, secret);
    if (wrong)
        error_set(err, ERR_KEY, "line %zu is not a secret key (\"AGE-SECRET-KEY-1...\"): %s", number, wrong);
    else
        add_pair(identities, secret);
    OPENSSL_cleanse(secret, sizeof secret);
    return wrong ? -1 : 0;
}

static int parse_lines(const char *text, size_t len, AgeIdentities *identities, Error *err)
{
    size_t number = 0;
    for (const char *line = text, *stop = text + len; line < stop;) {
        const char *end = memchr(line, '\n', (size_t)(stop - line));
        if (parse_line(line, (size_t)((end ? end : stop) - line), identities, ++number, err) < 0)
            return -1;
        line = end ? end + 1 : stop;
    }
    return identities->n ? 0 : error_set(err, ERR_KEY, "there is no secret key (\"AGE-SECRET-KEY-1...\") in it");
}

/* age-keygen's output may itself have been encrypted. */
static bool is_encrypted(const char *text, size_t len)
{
    static const char *const beginnings[] = {"age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE-----"};
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
        if (len >= strlen(beginnings[i]) && memcmp(text, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

int age_identities_parse(const char *text, size_t len, AgeIdentities **ret, Error *err)
{
    if (is_encrypted(text, len)) {
        error_set(err, ERR_KEY, "the secret keys are themselves encrypted, with a passphrase");
        return error_hint(err, "Decrypt the file with \"age -d\" first.");
    }
    AgeIdentities *identities = identities_alloc(AGE_IDENTITIES_MAX);
    if (parse_lines(text, len, identities, err) < 0) {
        age_identities_free(identities);
        return -1;
    }
    *ret = identities;
    return 0;
}

size_t age_identities_count(const AgeIdentities *identities)
{
    return identities->n;
}

const KeyPair *identities_pair(const AgeIdentities *identities, size_t i)
{
    assert(i < identities->n);
    return &identities->pair[i];
}

void age_identities_recipient(const AgeIdentities *identities, size_t i, AgeRecipient *ret)
{
    memcpy(ret->key, identities_pair(identities, i)->public, KEY_SIZE);
}

int age_identities_format(const AgeIdentities *identities, size_t i, Buf *out, Error *err)
{
    char text[BECH32_TEXT_MAX + 1];
    bech32_format("age-secret-key-", identities_pair(identities, i)->secret, KEY_SIZE, text);
    for (char *c = text; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    int rc = buf_append_str(out, text, err);
    OPENSSL_cleanse(text, sizeof text);
    return rc;
}

void age_identities_free(AgeIdentities *identities)
{
    if (identities == NULL)
        return;
    OPENSSL_cleanse(identities->pair, identities->n * sizeof(KeyPair));
    free(identities);
}
