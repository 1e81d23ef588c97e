/* age files. The input is one: the key is that of the public test vectors, so that headers which open are in the
 * corpus. What opens as a whole opens piece by piece to the same bytes, and is the same after another recipient was
 * added. As text the input is tried as keys, too. */
#include <string.h>

#include "fuzz.h"
#include "kura/age.h"
#include "kura/mem.h"

enum { LONGEST = 1 << 26 };

static const char vectors_key[] = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

static void failed(const Error *err)
{
    fuzz_require(err->code != ERR_NONE && err->message[0] != 0);
}

static void same(const Buf *out, const Buf *plain)
{
    fuzz_require(out->len == plain->len && (plain->len == 0 || memcmp(out->data, plain->data, plain->len) == 0));
}

/* The whole, in ranges of a length that falls on no border. */
static void read_ranges(const AgeFile *file, const uint8_t *data, size_t len, const Buf *plain)
{
    enum { STEP = AGE_CHUNK - 3000 };
    Buf out = BUF_INIT(LONGEST);
    for (uint64_t offset = 0; offset < plain->len; offset += STEP) {
        const uint64_t n = plain->len - offset < STEP ? plain->len - offset : STEP;
        uint64_t from, size;
        age_range(file, plain->len, offset, n, &from, &size);
        fuzz_require(from <= len && size <= len - from);
        fuzz_require(age_decrypt_range(file, plain->len, offset, n, data + from, size, &out, NULL) == 0);
    }
    same(&out, plain);
    buf_done(&out);
}

static void rewrap(const AgeIdentities *identities, const uint8_t *data, size_t len, const Buf *plain)
{
    static AgeIdentities *other;
    AgeRecipient recipient;
    Buf file = BUF_INIT(LONGEST), out = BUF_INIT(LONGEST);
    if (other == NULL)
        other = age_identities_new();
    age_identities_recipient(other, 0, &recipient);
    fuzz_require(age_rewrap(identities, &recipient, 1, data, len, &file, NULL) == 0);
    fuzz_require(file.len == age_encrypted_size(plain->len, 1));
    fuzz_require(age_decrypt(other, file.data, file.len, &out, NULL) == 0);
    same(&out, plain);
    buf_done(&file);
    buf_done(&out);
}

static void try_file(const AgeIdentities *identities, const uint8_t *data, size_t len)
{
    Error err = ERROR_INIT;
    Buf plain = BUF_INIT(LONGEST);
    AgeFile *file = NULL;
    const bool opened = age_open(identities, data, len, &file, &err) == 0;
    fuzz_require(opened || file == NULL);
    if (age_decrypt(identities, data, len, &plain, &err) == 0) {
        fuzz_require(opened);
        read_ranges(file, data, len, &plain);
        rewrap(identities, data, len, &plain);
    } else {
        failed(&err);
        fuzz_require(plain.len == 0);
    }
    age_close(file);
    buf_done(&plain);
}

static void try_keys(const uint8_t *data, size_t len)
{
    Error err = ERROR_INIT;
    char *text = xstrndup((const char *)data, len);
    AgeIdentities *identities;
    AgeRecipient recipient;
    if (age_identities_parse((const char *)data, len, &identities, &err) == 0)
        age_identities_free(identities);
    else
        failed(&err);
    if (age_recipient_parse(text, &recipient, &err) == 0) {
        char again[AGE_RECIPIENT_SIZE];
        age_recipient_format(&recipient, again);
        fuzz_require(strcmp(text, again) == 0);
    } else {
        failed(&err);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static AgeIdentities *identities;
    if (identities == NULL)
        fuzz_require(age_identities_parse(vectors_key, strlen(vectors_key), &identities, NULL) == 0);
    try_file(identities, data, len);
    try_keys(data, len);
    return 0;
}
