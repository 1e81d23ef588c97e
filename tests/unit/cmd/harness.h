/* What the tests of cmd/ share. */
#ifndef KURA_TEST_CMD_HARNESS_H
#define KURA_TEST_CMD_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "options.h"

/* Parses a command line given as words; ends the test when it is refused. */
#define parse_ok(options, ...)                                                                                         \
    parse_words((options), (const char *const[]){"kura", __VA_ARGS__, NULL},                                           \
                (int)(sizeof((const char *const[]){"kura", __VA_ARGS__}) / sizeof(char *)), __func__)

static inline void parse_words(Options *options, const char *const *words, int n, const char *test)
{
    Error err = ERROR_INIT;
    if (options_parse(n, words, options, &err) < 0)
        fail_msg("%s: %s", test, err.message);
}

#endif
