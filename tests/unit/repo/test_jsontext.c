#include "fixture.h"

#include "jsonnode_priv.h"
#include "kura/jsontext.h"

static void assert_round_trip(const char *bytes, size_t len, bool plain)
{
    _cleanup_(json_unref) json_t *made = jsontext_new(bytes, len);
    assert_int_equal(json_is_string(made), plain);
    _cleanup_free_ char *text = json_dumps(made, JSON_ENCODE_ANY), *back = NULL;
    _cleanup_(json_unref) json_t *read = json_loads(text, JSON_DECODE_ANY, NULL);
    size_t back_len;
    assert_int_equal(jsontext_get(read, &back, &back_len, &err), 0);
    assert_int_equal(back_len, len);
    assert_memory_equal(back, bytes, len);
    assert_int_equal(back[len], 0);
}

static void utf8_stays_readable(void **state)
{
    (void)state;
    const char *const texts[] = {"", "plain", "\xe8\x94\xb5", "\xf0\x9f\x8d\xa3 sushi", "a \"b\" \\ \n\x01\x7f"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_round_trip(texts[i], strlen(texts[i]), true);
}

static void other_bytes_survive(void **state)
{
    (void)state;
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    for (size_t len = 129; len <= sizeof all; len++)
        assert_round_trip(all, len, false);
    assert_round_trip("caf\xe9", 4, false);
    assert_round_trip("\0", 1, false);
    assert_round_trip("a\0b", 3, false);
    assert_round_trip("\xc0\xaf", 2, false);         /* overlong */
    assert_round_trip("\xed\xa0\x80", 3, false);     /* a surrogate */
    assert_round_trip("\xf4\x90\x80\x80", 4, false); /* past the end of Unicode */
    assert_round_trip("\xe8\x94", 2, false);         /* cut */
}

static void assert_refused(const char *json)
{
    _cleanup_(json_unref) json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    char *text = NULL;
    size_t len;
    assert_int_equal(jsontext_get(value, &text, &len, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_null(text);
}

static void what_is_no_text_is_refused(void **state)
{
    (void)state;
    const char *const values[] = {
        "null",
        "1",
        "[]",
        "{}",
        "{\"base64\": 1}",
        "{\"base64\": \"AA==\", \"more\": 1}",
        "{\"base64\": \"A\"}",
        "{\"base64\": \"AAAAA\"}",
        "{\"base64\": \"AA=A\"}",
        "{\"base64\": \"====\"}",
        "{\"base64\": \"A===\"}",
        "{\"base64\": \"AA==AA==\"}",
        "{\"base64\": \"A A=\"}",
        "{\"base64\": \"AB==\"}", /* bits that no byte has */
        "{\"base64\": \"AAB=\"}",
        "{\"base64\": \"-_AA\"}",
        "{\"base64\": \"\xc3\xa4\xc3\xa4\"}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        assert_refused(values[i]);
}

static void a_zero_byte_needs_a_length(void **state)
{
    (void)state;
    _cleanup_(json_unref) json_t *with = jsontext_new("a\0b", 3), *without = jsontext_new("\xff", 1);
    char *text = NULL;
    assert_int_equal(jsontext_get(with, &text, NULL, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(jsontext_get(without, &text, NULL, &err), 0);
    assert_string_equal(text, "\xff");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_stays_readable),
        cmocka_unit_test(other_bytes_survive),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(a_zero_byte_needs_a_length),
    };
    return cmocka_run_group_tests_name("jsontext", tests, NULL, NULL);
}
