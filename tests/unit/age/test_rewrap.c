/* Other recipients, the same payload. */
#include "fixture.h"

static void payload_is_kept(void **state)
{
    static const size_t sizes[] = {0, 1, 65536, 200000};
    AgeRecipient old, added[3];
    _cleanup_(age_identities_free_cleanup) AgeIdentities *had = new_key(&old);
    AgeIdentities *have[ARRAY_SIZE(added)];
    for (size_t i = 0; i < ARRAY_SIZE(added); i++)
        have[i] = new_key(&added[i]);
    for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
        _cleanup_(buf_done) Buf plain = BUF_INIT(LARGEST), before = BUF_INIT(LARGEST), after = BUF_INIT(LARGEST);
        fill(&plain, sizes[s], 5);
        seal(&old, 1, &plain, &before);
        assert_int_equal(buf_append_str(&after, "kept", &err), 0);
        assert_int_equal(age_rewrap(had, added, ARRAY_SIZE(added), before.data, before.len, &after, &err), 0);
        assert_memory_equal(after.data, "kept", 4);
        buf_consume(&after, 4);
        assert_int_equal(after.len, age_encrypted_size(plain.len, ARRAY_SIZE(added)));
        const size_t payload = before.len - (size_t)(age_encrypted_size(0, 1) - 16 - TAG);
        assert_memory_equal(after.data + after.len - payload, before.data + before.len - payload, payload);
        assert_int_equal(refused(had, after.data, after.len), ERR_KEY);
        for (size_t i = 0; i < ARRAY_SIZE(added); i++)
            assert_opens(have[i], after.data, after.len, &plain);
    }
    for (size_t i = 0; i < ARRAY_SIZE(added); i++)
        age_identities_free(have[i]);
}

static void one_more_recipient(void **state)
{
    AgeRecipient recipients[2];
    _cleanup_(age_identities_free_cleanup) AgeIdentities *one = new_key(&recipients[0]);
    _cleanup_(age_identities_free_cleanup) AgeIdentities *two = new_key(&recipients[1]);
    _cleanup_(buf_done) Buf plain = BUF_INIT(LARGEST), before = BUF_INIT(LARGEST), both = BUF_INIT(LARGEST);
    fill(&plain, 1000, 6);
    seal(recipients, 1, &plain, &before);
    assert_int_equal(age_rewrap(one, recipients, 2, before.data, before.len, &both, &err), 0);
    assert_opens(one, both.data, both.len, &plain);
    assert_opens(two, both.data, both.len, &plain);
}

static void assert_no_rewrap(const AgeIdentities *identities, const AgeRecipient *recipients, size_t n, const Buf *file,
                             size_t len, ErrorCode code)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(LARGEST);
    assert_int_equal(buf_append_str(&out, "kept", &err), 0);
    assert_int_equal(age_rewrap(identities, recipients, n, file->data, len, &out, &err), -1);
    assert_int_equal(err.code, code);
    assert_int_equal(out.len, strlen("kept"));
    assert_string_equal(buf_str(&out), "kept");
}

static void refuses_what_it_cannot_rewrap(void **state)
{
    AgeRecipient recipients[AGE_RECIPIENTS_MAX + 1] = {0};
    _cleanup_(age_identities_free_cleanup) AgeIdentities *one = new_key(&recipients[0]);
    _cleanup_(age_identities_free_cleanup) AgeIdentities *two = new_key(&recipients[1]);
    _cleanup_(buf_done) Buf plain = BUF_INIT(LARGEST), file = BUF_INIT(LARGEST);
    fill(&plain, 1000, 7);
    seal(recipients, 1, &plain, &file);
    const size_t header = file.len - 1000 - TAG - 16;
    assert_no_rewrap(two, recipients, 1, &file, file.len, ERR_KEY);
    assert_no_rewrap(one, recipients, 0, &file, file.len, ERR_USAGE);
    assert_no_rewrap(one, recipients, AGE_RECIPIENTS_MAX + 1, &file, file.len, ERR_USAGE);
    assert_no_rewrap(one, recipients, 3, &file, file.len, ERR_USAGE); /* the third is a point of low order */
    assert_no_rewrap(one, recipients, 1, &file, header - 1, ERR_TRUNCATED);
    assert_no_rewrap(one, recipients, 1, &file, header + 5, ERR_TRUNCATED);
    assert_no_rewrap(one, recipients, 1, &file, header + 16 + TAG - 1, ERR_TRUNCATED);
    file.data[header - 2] ^= 1; /* the authentication code */
    assert_no_rewrap(one, recipients, 1, &file, file.len, ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload_is_kept),
        cmocka_unit_test(one_more_recipient),
        cmocka_unit_test(refuses_what_it_cannot_rewrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
