#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kura/words.h"

/* Without a language, which needs a locale and a catalogue (tests/it/words.sh), texts stay what they are. */
static void test_get(void **state)
{
    (void)state;
    assert_string_equal(words_get("a text"), "a text");
    assert_string_equal(words_get(""), ""); /* not a catalogue's header */
    assert_null(words_get(NULL));
}

/* Locales that there are none of must not hinder anything. */
static void test_no_such_locale(void **state)
{
    (void)state;
    setenv("LC_ALL", "xx_YY.UTF-8", 1);
    words_init("/nonexistent");
    assert_string_equal(words_get("a text"), "a text");
    assert_string_equal(words_get(""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_no_such_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
