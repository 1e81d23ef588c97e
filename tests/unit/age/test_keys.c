/* Keys as text: Bech32 by the vectors of BIP 173, then age's own forms, and what must not be taken for one. */
#include "fixture.h"

#include <ctype.h>

#include "bech32.h"

static const char *parse(const char *text)
{
    Bech32 bech32;
    return bech32_parse(text, strlen(text), &bech32);
}

/* "Test vectors" of BIP 173. */
static void takes_valid_bech32(void **state)
{
    static const char *const valid[] = {
        "A12UEL5L",
        "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        "?1ezyfcl",
    };
    for (size_t i = 0; i < ARRAY_SIZE(valid); i++)
        if (parse(valid[i]) != NULL)
            fail_msg("\"%s\": %s", valid[i], parse(valid[i]));
}

static void refuses_invalid_bech32(void **state)
{
    static const char *const invalid[] = {
        "\x20"
        "1nwldj5", /* a part of a character that is not allowed */
        "\x7f"
        "1axkwrx",
        "\x80"
        "1eym55h",
        "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
        "pzry9x0s0muk", /* no separator */
        "1pzry9x0s0muk",
        "x1b4n0q5v", /* a character that is none of the 32 */
        "li1dgmt3",  /* a checksum that is too short */
        "de1lg7wt\xff",
        "A1G7SGD8", /* a checksum of the upper-case part */
        "10a06t8",
        "1qzzfhee",
        "A12uEL5L",
        "a12uel5m",
        "",
        "1",
        "a1",
    };
    for (size_t i = 0; i < ARRAY_SIZE(invalid); i++)
        if (parse(invalid[i]) == NULL)
            fail_msg("\"%s\" was taken", invalid[i]);
}

static void bech32_gives_back_bytes(void **state)
{
    for (size_t len = 0; len <= 40; len++) {
        uint8_t bytes[40], back[40];
        char text[BECH32_TEXT_MAX + 1];
        Bech32 bech32;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(i * 89 + len);
        bech32_format("abcdefghijklmnopqr", bytes, len, text);
        assert_null(bech32_parse(text, strlen(text), &bech32));
        assert_string_equal(bech32.hrp, "abcdefghijklmnopqr");
        assert_true(bech32_bytes(&bech32, back, len));
        assert_memory_equal(back, bytes, len);
        assert_false(bech32_bytes(&bech32, back, len + 1));
        if (len > 0)
            assert_false(bech32_bytes(&bech32, back, len - 1));
    }
}

static void bech32_padding_is_zero(void **state)
{
    Bech32 bech32 = {.n = 52};
    uint8_t bytes[32];
    assert_true(bech32_bytes(&bech32, bytes, 32));
    for (int bit = 0; bit < 4; bit++) {
        bech32.groups[51] = (uint8_t)(1 << bit);
        assert_false(bech32_bytes(&bech32, bytes, 32));
    }
    bech32.groups[51] = 16; /* the last bit of the last byte */
    assert_true(bech32_bytes(&bech32, bytes, 32));
    assert_int_equal(bytes[31], 1);
}

/* From the specification (c2sp.org/age): a key of 32 bytes 0x42 and its public half. */
static const char spec_secret[] = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
static const char spec_public[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

static AgeIdentities *identities_of(const char *text)
{
    AgeIdentities *identities;
    if (age_identities_parse(text, strlen(text), &identities, &err) < 0)
        fail_msg("%s", err.message);
    return identities;
}

static void assert_recipient(const AgeIdentities *identities, size_t i, const char *wanted)
{
    AgeRecipient recipient;
    char text[AGE_RECIPIENT_SIZE];
    age_identities_recipient(identities, i, &recipient);
    age_recipient_format(&recipient, text);
    assert_string_equal(text, wanted);
}

static void the_specifications_key_pair(void **state)
{
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = identities_of(spec_secret);
    _cleanup_(buf_done) Buf text = BUF_INIT(AGE_IDENTITY_SIZE);
    AgeRecipient recipient, own;
    assert_recipient(identities, 0, spec_public);
    assert_int_equal(age_identities_format(identities, 0, &text, &err), 0);
    assert_string_equal(buf_str(&text), spec_secret);
    assert_int_equal(text.len + 1, AGE_IDENTITY_SIZE);
    assert_int_equal(age_recipient_parse(spec_public, &recipient, &err), 0);
    age_identities_recipient(identities, 0, &own);
    assert_memory_equal(&recipient, &own, sizeof own);
}

static void identity_files(void **state)
{
    _cleanup_free_ char *text =
        xasprintf("# created: 2026-11-22T03:15:00Z\n# public key: %s\n%s\n\r\n#\n%s\r\n\n", spec_public, spec_secret,
                  "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0");
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = identities_of(text);
    assert_int_equal(age_identities_count(identities), 2);
    assert_recipient(identities, 0, spec_public);
}

/* No eight characters of it. */
static void assert_not_quoted(const char *text)
{
    for (const char *at = text; strlen(at) >= 8; at++) {
        _cleanup_free_ char *part = xstrndup(at, 8);
        assert_null(strcasestr(err.message, part));
    }
}

static void assert_no_identities(const char *text, const char *why)
{
    AgeIdentities *identities = NULL;
    error_clear(&err);
    assert_int_equal(age_identities_parse(text, strlen(text), &identities, &err), -1);
    assert_null(identities);
    assert_int_equal(err.code, ERR_KEY);
    if (strstr(err.message, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void refuses_other_identity_files(void **state)
{
    assert_no_identities("", "no secret key");
    assert_no_identities("# nothing\n\n", "no secret key");
    assert_no_identities(spec_public, "public key");
    assert_no_identities("AGE-SECRET-KEY-PQ-1HZLGZUPT4ETPKDEV8HSGFDCYZ4E522W0A7PU2LHT8EH9W6YLNC3SW78XKG",
                         "another type");
    assert_no_identities("age-encryption.org/v1\n-> scrypt bIQ 18\n", "passphrase");
    assert_no_identities("-----BEGIN AGE ENCRYPTED FILE-----\n", "passphrase");
    assert_no_identities("\n# ok\nAGE-SECRET-KEY-1GFPYYSJZ\n", "line 3");
}

/* Every character of a key replaced by another one, dropped or doubled; and in the wrong case. */
static void refuses_mistyped_identities(void **state)
{
    const size_t len = strlen(spec_secret);
    for (size_t i = 0; i < len; i++) {
        char text[128];
        memcpy(text, spec_secret, len + 1);
        text[i] = text[i] == 'Q' ? 'P' : 'Q';
        assert_no_identities(text, "line 1");
        if (i > 16)
            assert_not_quoted(text + 16);
        snprintf(text, sizeof text, "%.*s%s", (int)i, spec_secret, spec_secret + i + 1);
        assert_no_identities(text, "line 1");
        snprintf(text, sizeof text, "%.*s%s", (int)i + 1, spec_secret, spec_secret + i);
        assert_no_identities(text, "line 1");
    }
    char lower[128] = "";
    for (size_t i = 0; i < len; i++)
        lower[i] = (char)tolower((unsigned char)spec_secret[i]);
    assert_no_identities(lower, "another type");
    lower[20] = spec_secret[20];
    lower[21] = spec_secret[21];
    assert_no_identities(lower, "case");
    _cleanup_free_ char *blank = xasprintf("%s ", spec_secret);
    assert_no_identities(blank, "line 1");
}

static void refuses_too_many_identities(void **state)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(65536);
    AgeIdentities *identities;
    for (int i = 0; i < AGE_IDENTITIES_MAX; i++)
        assert_int_equal(buf_printf(&text, &err, "%s\n", spec_secret), 0);
    assert_int_equal(age_identities_parse(buf_str(&text), text.len, &identities, &err), 0);
    assert_int_equal(age_identities_count(identities), AGE_IDENTITIES_MAX);
    age_identities_free(identities);
    assert_int_equal(buf_append_str(&text, spec_secret, &err), 0);
    assert_no_identities(buf_str(&text), "more than");
}

static void assert_no_recipient(const char *text, const char *why)
{
    AgeRecipient recipient;
    error_clear(&err);
    assert_int_equal(age_recipient_parse(text, &recipient, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    if (strstr(err.message, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void refuses_other_recipients(void **state)
{
    assert_no_recipient("", "begin");
    assert_no_recipient("age1", "too short");
    assert_no_recipient(spec_secret, "secret key");
    assert_not_quoted(spec_secret + 16);
    assert_no_recipient("AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ", "of type X25519");
    assert_no_recipient("Age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj", "case");
    assert_no_recipient("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk", "checksum");
    assert_no_recipient("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n", "character");
    assert_no_recipient("a12uel5l", "of type X25519");
    assert_no_recipient("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN",
                        "character");
}

/* RFC 7748, section 6.1: with these points every secret gives zero. */
static void refuses_points_of_low_order(void **state)
{
    static const AgeRecipient low[] = {
        {{0}},
        {{1}},
        {{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
          0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(low); i++) {
        char text[AGE_RECIPIENT_SIZE];
        age_recipient_format(&low[i], text);
        assert_no_recipient(text, "no secret key");
    }
}

static void derived_keys(void **state)
{
    uint8_t secret[32] = {1, 2, 3};
    _cleanup_(age_identities_free_cleanup) AgeIdentities *one = age_identities_from_secret(secret);
    _cleanup_(age_identities_free_cleanup) AgeIdentities *again = age_identities_from_secret(secret);
    secret[31] = 1;
    _cleanup_(age_identities_free_cleanup) AgeIdentities *other = age_identities_from_secret(secret);
    AgeRecipient a, b;
    age_identities_recipient(one, 0, &a);
    age_identities_recipient(other, 0, &b);
    assert_memory_not_equal(&a, &b, sizeof a);
    /* Fixed for good: what was encrypted to it must stay readable. */
    assert_recipient(one, 0, "age1q8vjryfnn6exuqppdq48eyw3u4pwamp6rq5mqtvmgjjknckjfqkszq4770");
    assert_recipient(again, 0, "age1q8vjryfnn6exuqppdq48eyw3u4pwamp6rq5mqtvmgjjknckjfqkszq4770");
}

static void new_keys_differ(void **state)
{
    AgeRecipient a, b;
    age_identities_free(new_key(&a));
    age_identities_free(new_key(&b));
    assert_memory_not_equal(&a, &b, sizeof a);
    age_identities_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_valid_bech32),
        cmocka_unit_test(refuses_invalid_bech32),
        cmocka_unit_test(bech32_gives_back_bytes),
        cmocka_unit_test(bech32_padding_is_zero),
        cmocka_unit_test(the_specifications_key_pair),
        cmocka_unit_test(identity_files),
        cmocka_unit_test(refuses_other_identity_files),
        cmocka_unit_test(refuses_mistyped_identities),
        cmocka_unit_test(refuses_too_many_identities),
        cmocka_unit_test(refuses_other_recipients),
        cmocka_unit_test(refuses_points_of_low_order),
        cmocka_unit_test(derived_keys),
        cmocka_unit_test(new_keys_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
