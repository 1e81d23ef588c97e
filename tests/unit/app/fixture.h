/* Reading texts and trees of applications in tests. */
#ifndef KURA_TEST_APP_FIXTURE_H
#define KURA_TEST_APP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "settings.h"

typedef int (*Format)(SettingsInput *input, Settings *ret, Error *err);

/* Reads a text; "" when it was read, else the message. What was read before is forgotten. */
const char *read_text(Format format, const char *text);
const char *read_bytes(Format format, const char *text, size_t len);
/* What the last text says of a key; NULL: nothing. */
const char *value(const char *key);
/* The bytes of the last text that the value of a key stands in. To be freed. */
char *written(const char *key);
size_t settings_read(void);        /* how many there are */
const char *finding_of_text(void); /* code of the first finding, or "" */
void forget(void);

#endif
