/* A repository in memory for a test, a store that obeys the test, and a manifest with everything in it. */
#ifndef KURA_TEST_REPO_FIXTURE_H
#define KURA_TEST_REPO_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/manifest.h"
#include "kura/mem.h"
#include "kura/rehearsal.h"
#include "kura/repo.h"
#include "kura/verifystate.h"

/* Set up and torn down for every test by fixture_set_up and fixture_tear_down. */
extern Store *store; /* the obedient store */
extern Repo *repo;
extern Error err;

int fixture_set_up(void **state);
int fixture_tear_down(void **state);
#define REPO_TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

/* What the store does and did. These may be NULL; -1 from one makes the request fail, from after_put once it is done.
 */
extern int (*before_put)(const char *key, Error *err);
extern int (*after_put)(const char *key, Error *err);
extern int (*before_get)(const char *key, Error *err);
/* When an object was put, as the store tells; NULL: as it was. */
extern int64_t (*time_of)(const StoreObject *object);
extern atomic_int n_puts, n_heads;
extern atomic_ullong bytes_got; /* of objects, by whoever asked */
/* Every request since set-up or forget_requests, as "PUT locks/..", "LIST backups/": how many begin so. */
int n_requests(const char *prefix);
void forget_requests(void);
/* The requests as one text, for messages. To be freed. */
char *requests_text(void);

void put_object(const char *key, const char *text);
/* How many objects begin with prefix. */
int count_objects(const char *prefix);

/* A whole document as it should be, from the directory of the tests. */
#define GOLDEN_MAX (1u << 20)
void read_golden(const char *name, Buf *out);

/* A manifest that uses every member, with names that are not UTF-8. Its id is SAMPLE_ID. */
#define SAMPLE_ID "20261122T031500Z-misskey-x7k2"
Manifest *sample_manifest(void);
ManifestApplication *sample_application(void); /* its member of that name */
/* As manifest_commit would store it. */
void format_manifest(const Manifest *manifest, Buf *out);

/* A rehearsal that uses every member, with names that are not UTF-8. Its id is REHEARSAL_ID, its backup SAMPLE_ID. */
#define REHEARSAL_ID "20261122T041500Z-misskey-k3x9"
Rehearsal *sample_rehearsal(void);
void format_rehearsal(const Rehearsal *rehearsal, Buf *out);

/* A verification's state that uses every member. */
void sample_verifystate(VerifyState *ret);

#endif
