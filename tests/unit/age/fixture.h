/* What the tests of lib/age share: keys, data that is nowhere alike, and shorthand that asserts. */
#ifndef KURA_TEST_AGE_FIXTURE_H
#define KURA_TEST_AGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kura/age.h"
#include "kura/mem.h"

enum { LARGEST = 64 * 1024 * 1024, TAG = 16, SEALED_CHUNK = AGE_CHUNK + TAG };

DEFINE_CLEANUP(AgeIdentities, age_identities_free)
DEFINE_CLEANUP(AgeFile, age_close)

extern Error err;

/* A new key and its public half. */
AgeIdentities *new_key(AgeRecipient *ret);
/* Appends len bytes that depend on the seed. */
void fill(Buf *out, size_t len, uint32_t seed);
/* Encrypts all of plain, and asserts that it worked. */
void seal(const AgeRecipient *recipients, size_t n, const Buf *plain, Buf *out);
/* Asserts that data decrypts to plain. */
void assert_opens(const AgeIdentities *identities, const void *data, size_t len, const Buf *plain);
/* Asserts that decrypting fails, that nothing is released, and returns the error's code. */
ErrorCode refused(const AgeIdentities *identities, const void *data, size_t len);

#endif
