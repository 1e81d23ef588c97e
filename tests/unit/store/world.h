/* A home directory and an environment without a trace of AWS, for tests of credentials. */
#ifndef KURA_TEST_STORE_WORLD_H
#define KURA_TEST_STORE_WORLD_H

#include <stddef.h>

/* Unsets every AWS_* variable, disables the instance metadata, and makes a new home directory. Setup and teardown of
 * cmocka; *state is the path of the directory. */
int world_setup(void **state);
int world_teardown(void **state);

/* Writes a file below the home directory, with the directories above it. */
void world_write(const char *home, const char *name, const char *text, size_t len);

#endif
