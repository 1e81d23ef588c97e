#include "fixture.h"

Error err;

AgeIdentities *new_key(AgeRecipient *ret)
{
    AgeIdentities *identities = age_identities_new();
    assert_int_equal(age_identities_count(identities), 1);
    age_identities_recipient(identities, 0, ret);
    return identities;
}

void fill(Buf *out, size_t len, uint32_t seed)
{
    assert_int_equal(buf_reserve(out, len, &err), 0);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        out->data[out->len++] = (uint8_t)(seed >> 24);
    }
}

void seal(const AgeRecipient *recipients, size_t n, const Buf *plain, Buf *out)
{
    assert_int_equal(age_encrypt(recipients, n, plain->data, plain->len, out, &err), 0);
}

void assert_opens(const AgeIdentities *identities, const void *data, size_t len, const Buf *plain)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(LARGEST);
    assert_int_equal(age_decrypt(identities, data, len, &out, &err), 0);
    assert_int_equal(out.len, plain->len);
    if (plain->len > 0)
        assert_memory_equal(out.data, plain->data, plain->len);
}

/* Every byte that the buffer owns is looked at: what was decrypted before a failure must not stay there. */
ErrorCode refused(const AgeIdentities *identities, const void *data, size_t len)
{
    static const char before[] = "before";
    _cleanup_(buf_done) Buf out = BUF_INIT(LARGEST);
    assert_int_equal(buf_reserve(&out, len + sizeof before, &err), 0);
    memset(out.data, 0, out.cap);
    assert_int_equal(buf_append_str(&out, before, &err), 0);
    error_clear(&err);
    assert_int_equal(age_decrypt(identities, data, len, &out, &err), -1);
    assert_int_equal(out.len, strlen(before));
    for (size_t i = out.len; i < out.cap; i++)
        assert_int_equal(out.data[i], 0);
    assert_true(err.message[0] != 0);
    return err.code;
}
