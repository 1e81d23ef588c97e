/* What the header is for: the file key, wrapped and unwrapped, and the authentication code over the rest. */
#include "header.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base64.h"
#include "key.h"

static void compute_mac(const uint8_t file_key[FILE_KEY_SIZE], const void *data, size_t len, uint8_t ret[KEY_SIZE])
{
    uint8_t key[KEY_SIZE];
    hkdf(file_key, FILE_KEY_SIZE, "", 0, "header", key);
    hmac_sha256(key, data, len, ret);
    OPENSSL_cleanse(key, sizeof key);
}

static int no_key_fits(const Header *header, Error *err)
{
    if (header->n > 0)
        return error_set(err, ERR_KEY, "none of the keys at hand opens it");
    error_set(err, ERR_UNSUPPORTED, "it is encrypted for recipients of type \"%s\" only", header->foreign);
    return error_hint(err, "Only recipients of type X25519 (\"age1...\") are supported.");
}

static int find_file_key(const Header *header, const AgeIdentities *identities, uint8_t *ret_file_key, Error *err)
{
    for (size_t i = 0; i < header->n; i++)
        for (size_t k = 0; k < age_identities_count(identities); k++)
            switch (stanza_unwrap(&header->stanza[i], identities_pair(identities, k), ret_file_key)) {
            case STANZA_FITS:
                return 0;
            case STANZA_LOW_ORDER:
                return error_set(err, ERR_CORRUPT, "the age header is damaged: a share is a point of low order");
            case STANZA_OTHER_KEY:
                break;
            }
    return no_key_fits(header, err);
}

int header_unwrap(const Header *header, const uint8_t *data, const AgeIdentities *identities,
                  uint8_t ret_file_key[FILE_KEY_SIZE], Error *err)
{
    uint8_t file_key[FILE_KEY_SIZE], mac[KEY_SIZE];
    int rc = find_file_key(header, identities, file_key, err);
    if (rc == 0) {
        compute_mac(file_key, data, header->mac_covers, mac);
        if (CRYPTO_memcmp(mac, header->mac, sizeof mac) != 0)
            rc = error_set(err, ERR_CORRUPT, "the age header was changed: its authentication code does not match");
        else
            memcpy(ret_file_key, file_key, FILE_KEY_SIZE);
    }
    OPENSSL_cleanse(file_key, sizeof file_key);
    return rc;
}

static int write_stanza(const Stanza *stanza, Buf *out, Error *err)
{
    char share[BASE64_CHARS + 1], body[BASE64_CHARS + 1];
    base64_encode(stanza->share, sizeof stanza->share, share);
    base64_encode(stanza->body, sizeof stanza->body, body);
    return buf_printf(out, err, "-> X25519 %s\n%s\n", share, body);
}

static int write_stanzas(const uint8_t *file_key, const AgeRecipient *recipients, size_t n, Buf *out, Error *err)
{
    for (size_t i = 0; i < n; i++) {
        Stanza stanza;
        if (!stanza_wrap(file_key, recipients[i].key, &stanza))
            return error_set(err, ERR_USAGE, "recipient %zu is not a usable public key", i + 1);
        if (write_stanza(&stanza, out, err) < 0)
            return -1;
    }
    return 0;
}

int header_write(const uint8_t file_key[FILE_KEY_SIZE], const AgeRecipient *recipients, size_t n, Buf *out, Error *err)
{
    const size_t start = out->len;
    uint8_t mac[KEY_SIZE];
    char text[BASE64_CHARS + 1];
    if (n == 0 || n > AGE_RECIPIENTS_MAX)
        return error_set(err, ERR_USAGE, "%zu recipients: there must be 1 to %d", n, AGE_RECIPIENTS_MAX);
    if (buf_append_str(out, AGE_VERSION_LINE, err) < 0 || write_stanzas(file_key, recipients, n, out, err) < 0 ||
        buf_append_str(out, "---", err) < 0)
        return -1;
    compute_mac(file_key, out->data + start, out->len - start, mac);
    base64_encode(mac, sizeof mac, text);
    return buf_printf(out, err, " %s\n", text);
}
