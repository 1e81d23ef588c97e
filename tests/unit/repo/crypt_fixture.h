/* An encrypted repository for a test, in the store of fixture.h, with a key file in a directory of its own. */
#ifndef KURA_TEST_REPO_CRYPT_FIXTURE_H
#define KURA_TEST_REPO_CRYPT_FIXTURE_H

#include "fixture.h"
#include "kura/repokeys.h"

/* `repo` is opened as a host does that backs up; `reader` with the identity and without a key file. */
extern Repo *reader;
extern AgeIdentities *owner, *stranger; /* the first can read the repository */
extern char *key_file;

int crypt_set_up(void **state);
int crypt_tear_down(void **state);
#define CRYPT_TEST(function) cmocka_unit_test_setup_teardown(function, crypt_set_up, crypt_tear_down)

/* Opens the repository once more; path may be one that is not there. */
Repo *open_as(RepoUse use, const AgeIdentities *identities, const char *path);
/* Must fail with ERR_KEY, and these words in the message. */
void assert_locked_out(RepoUse use, const AgeIdentities *identities, const char *path, const char *part);
AgeRecipient recipient_of(const AgeIdentities *identities);

void get_object(const char *key, Buf *out);
void put_bytes(const char *key, const void *data, size_t len);
/* The only object whose key begins with prefix. To be freed. */
char *only_object(const char *prefix);
/* Changes a member of kura.json; takes the reference. */
void set_header(const char *member, json_t *value);

#endif
