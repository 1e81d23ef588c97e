/* What is encrypted comes back, for sizes around every border and any number of recipients, and sizes are as announced.
 */
#include "fixture.h"

static void every_size_comes_back(void **state)
{
    static const size_t sizes[] = {0,     1,      15,     16,     47,     48,     65535,   65536,
                                   65537, 131071, 131072, 131073, 196608, 655360, 3000001, 8u << 20};
    AgeRecipient recipient;
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = new_key(&recipient);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        _cleanup_(buf_done) Buf plain = BUF_INIT(LARGEST), sealed = BUF_INIT(LARGEST);
        fill(&plain, sizes[i], (uint32_t)i);
        seal(&recipient, 1, &plain, &sealed);
        assert_int_equal(sealed.len, age_encrypted_size(sizes[i], 1));
        assert_opens(identities, sealed.data, sealed.len, &plain);
    }
}

static void every_recipient_can_read(void **state)
{
    AgeIdentities *identities[AGE_RECIPIENTS_MAX];
    AgeRecipient recipients[AGE_RECIPIENTS_MAX + 1] = {0};
    _cleanup_(buf_done) Buf plain = BUF_INIT(LARGEST);
    fill(&plain, 70000, 1);
    for (size_t i = 0; i < AGE_RECIPIENTS_MAX; i++)
        identities[i] = new_key(&recipients[i]);
    for (size_t n = 1; n <= AGE_RECIPIENTS_MAX; n++) {
        _cleanup_(buf_done) Buf sealed = BUF_INIT(LARGEST);
        seal(recipients, n, &plain, &sealed);
        assert_int_equal(sealed.len, age_encrypted_size(plain.len, n));
        assert_int_equal(age_count_recipients(plain.len, sealed.len), n);
        for (size_t i = 0; i < n; i++)
            assert_opens(identities[i], sealed.data, sealed.len, &plain);
        if (n < AGE_RECIPIENTS_MAX)
            assert_int_equal(refused(identities[n], sealed.data, sealed.len), ERR_KEY);
    }
    for (size_t i = 0; i < AGE_RECIPIENTS_MAX; i++)
        age_identities_free(identities[i]);
}

static void one_of_many_keys_suffices(void **state)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(65536), plain = BUF_INIT(1000), sealed = BUF_INIT(LARGEST);
    AgeRecipient last;
    for (int i = 0; i < AGE_IDENTITIES_MAX; i++) {
        _cleanup_(age_identities_free_cleanup) AgeIdentities *key = new_key(&last);
        assert_int_equal(age_identities_format(key, 0, &text, &err), 0);
        assert_int_equal(buf_append_str(&text, "\n", &err), 0);
    }
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = NULL;
    assert_int_equal(age_identities_parse(buf_str(&text), text.len, &identities, &err), 0);
    fill(&plain, 1000, 2);
    seal(&last, 1, &plain, &sealed);
    assert_opens(identities, sealed.data, sealed.len, &plain);
}

static void in_place_it_is_the_same(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 2000, 65535, 65536, 65537, 131072, 3000001};
    AgeRecipient recipients[AGE_RECIPIENTS_MAX];
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = new_key(&recipients[0]);
    for (size_t i = 1; i < AGE_RECIPIENTS_MAX; i++)
        recipients[i] = recipients[0];
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        for (size_t n = 1; n <= AGE_RECIPIENTS_MAX; n += AGE_RECIPIENTS_MAX - 1) {
            _cleanup_(buf_done) Buf plain = BUF_INIT(LARGEST), data = BUF_INIT(age_encrypted_size(sizes[i], n));
            fill(&plain, sizes[i], (uint32_t)i);
            assert_int_equal(buf_append(&data, plain.data, plain.len, &err), 0);
            assert_int_equal(age_encrypt_in_place(recipients, n, &data, &err), 0);
            assert_int_equal(data.len, age_encrypted_size(sizes[i], n));
            assert_opens(identities, data.data, data.len, &plain);
        }
}

static void in_place_it_may_be_refused(void **state)
{
    AgeRecipient recipient;
    age_identities_free(new_key(&recipient));
    _cleanup_(buf_done) Buf tight = BUF_INIT(age_encrypted_size(5, 1) - 1), plain = BUF_INIT(1000);
    assert_int_equal(buf_append_str(&tight, "hello", &err), 0);
    assert_int_equal(age_encrypt_in_place(&recipient, 1, &tight, &err), -1);
    assert_string_equal(buf_str(&tight), "hello");
    assert_int_equal(buf_append_str(&plain, "hello", &err), 0);
    assert_int_equal(age_encrypt_in_place(&recipient, 0, &plain, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_string_equal(buf_str(&plain), "hello");
}

static void appends_to_what_is_there(void **state)
{
    AgeRecipient recipient;
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = new_key(&recipient);
    _cleanup_(buf_done) Buf sealed = BUF_INIT(LARGEST), opened = BUF_INIT(LARGEST);
    assert_int_equal(buf_append_str(&sealed, "sealed:", &err), 0);
    assert_int_equal(buf_append_str(&opened, "opened:", &err), 0);
    assert_int_equal(age_encrypt(&recipient, 1, "text", 4, &sealed, &err), 0);
    assert_memory_equal(sealed.data, "sealed:age-encryption.org/v1\n", 29);
    assert_int_equal(age_decrypt(identities, sealed.data + 7, sealed.len - 7, &opened, &err), 0);
    assert_string_equal(buf_str(&opened), "opened:text");
}

static void no_two_files_are_alike(void **state)
{
    AgeRecipient recipient;
    age_identities_free(new_key(&recipient));
    _cleanup_(buf_done) Buf plain = BUF_INIT(100), one = BUF_INIT(LARGEST), two = BUF_INIT(LARGEST);
    fill(&plain, 100, 3);
    seal(&recipient, 1, &plain, &one);
    seal(&recipient, 1, &plain, &two);
    const size_t share = strlen("age-encryption.org/v1\n-> X25519 "), payload = one.len - 16 - 100 - TAG;
    assert_memory_not_equal(one.data + share, two.data + share, 43);
    assert_memory_not_equal(one.data + payload, two.data + payload, 16); /* nonces */
    assert_memory_not_equal(one.data + payload + 16, two.data + payload + 16, 100);
}

static void refuses_what_it_cannot_encrypt(void **state)
{
    AgeRecipient recipients[AGE_RECIPIENTS_MAX + 1] = {0};
    _cleanup_(buf_done) Buf out = BUF_INIT(LARGEST), small = BUF_INIT((size_t)age_encrypted_size(100, 1) - 1);
    uint8_t data[100] = {0};
    assert_int_equal(buf_append_str(&out, "before", &err), 0);
    assert_int_equal(age_encrypt(recipients, 0, data, 1, &out, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_int_equal(age_encrypt(recipients, AGE_RECIPIENTS_MAX + 1, data, 1, &out, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_int_equal(age_encrypt(recipients, SIZE_MAX, data, 1, &out, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    age_identities_free(new_key(&recipients[0]));
    assert_int_equal(age_encrypt(recipients, 2, data, 1, &out, &err), -1); /* the second is a point of low order */
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, "recipient 2"));
    assert_string_equal(buf_str(&out), "before");
    assert_int_equal(out.len, strlen("before"));
    assert_int_equal(age_encrypt(recipients, 1, data, sizeof data, &small, &err), -1);
    assert_int_equal(err.code, ERR_FAILED);
    assert_int_equal(small.len, 0);
}

static void a_buffer_of_the_announced_size_is_enough(void **state)
{
    AgeRecipient recipient;
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = new_key(&recipient);
    _cleanup_(buf_done) Buf plain = BUF_INIT(200000), sealed = BUF_INIT((size_t)age_encrypted_size(200000, 1)),
                            out = BUF_INIT(200000), small = BUF_INIT(199999);
    fill(&plain, 200000, 4);
    seal(&recipient, 1, &plain, &sealed);
    assert_int_equal(age_decrypt(identities, sealed.data, sealed.len, &out, &err), 0);
    assert_int_equal(age_decrypt(identities, sealed.data, sealed.len, &small, &err), -1);
    assert_int_equal(err.code, ERR_FAILED);
}

/* Sizes may come from a repository: none of them may be taken for what it is not, or overflow. */
static void counts_recipients_of_no_other_size(void **state)
{
    static const uint64_t sizes[] = {0, 1, 65535, 65536, 65537, 1u << 24, (uint64_t)1 << 40};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (size_t n = 1; n <= AGE_RECIPIENTS_MAX; n++) {
            const uint64_t size = age_encrypted_size(sizes[i], n);
            assert_int_equal(age_count_recipients(sizes[i], size), n);
            assert_int_equal(age_count_recipients(sizes[i], size + 1), 0);
            assert_int_equal(age_count_recipients(sizes[i], size - 1), 0);
        }
        assert_int_equal(age_count_recipients(sizes[i], 0), 0);
        assert_int_equal(age_count_recipients(sizes[i], age_encrypted_size(sizes[i], 0)), 0);
        assert_int_equal(age_count_recipients(sizes[i], age_encrypted_size(sizes[i], AGE_RECIPIENTS_MAX + 1)), 0);
        assert_int_equal(age_count_recipients(sizes[i], UINT64_MAX), 0);
    }
    for (uint64_t less = 0; less < 1000; less++) /* their sizes are beyond 64 bits, and begin again at 0 */
        assert_int_equal(age_count_recipients(UINT64_MAX - less, age_encrypted_size(UINT64_MAX - less, 1)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_comes_back),
        cmocka_unit_test(every_recipient_can_read),
        cmocka_unit_test(one_of_many_keys_suffices),
        cmocka_unit_test(in_place_it_is_the_same),
        cmocka_unit_test(in_place_it_may_be_refused),
        cmocka_unit_test(appends_to_what_is_there),
        cmocka_unit_test(no_two_files_are_alike),
        cmocka_unit_test(refuses_what_it_cannot_encrypt),
        cmocka_unit_test(a_buffer_of_the_announced_size_is_enough),
        cmocka_unit_test(counts_recipients_of_no_other_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
