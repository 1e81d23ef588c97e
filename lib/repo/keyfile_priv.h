/* The key file of a host: lines of a keyword and a value, see kura-format(5). */
#ifndef KURA_KEYFILE_PRIV_H
#define KURA_KEYFILE_PRIV_H

#include "kura/mem.h"
#include "kura/repokeys.h"

enum {
    NAMING_KEY_SIZE = 32,
    REPO_ID_SIZE = 33 /* 32 hexadecimal digits and NUL */,
    LOCATION_SIZE = 1024,
    KEYFILE_MAX = 16 * 1024
};

/* In memory of secret_new. */
typedef struct KeyFile {
    char repository[REPO_ID_SIZE];
    char location[LOCATION_SIZE]; /* of the repository as this host reaches it; "" when that is not known */
    uint8_t naming_key[NAMING_KEY_SIZE];
    AgeRecipient recipients[REPO_RECIPIENTS_MAX];
    size_t n_recipients;
} KeyFile;

KeyFile *keyfile_new(void);
void keyfile_free(KeyFile *file); /* NULL-safe */

/* ERR_KEY, with the number of the line; messages never quote it. */
int keyfile_parse(const char *text, size_t len, KeyFile **ret, Error *err);
int keyfile_format(const KeyFile *file, Buf *out, Error *err);

/* ERR_NOT_FOUND when there is none. */
int keyfile_read(const char *path, KeyFile **ret, Error *err);
/* Makes the directory of keyfile_path() when it is missing, no other. Without replace ERR_EXISTS. */
int keyfile_write(const char *path, const KeyFile *file, bool replace, Error *err);

/* Where this host keeps the key file of a repository: /etc/kura/keys/<id>.key for root, below $XDG_CONFIG_HOME or
 * ~/.config for others. NULL when there is no such place. To be freed. */
char *keyfile_path(const char *repository);
/* The key file kept for a repository at this location, or NULL. To be freed. */
char *keyfile_find(const char *location);

/* How a key file names where a store is: the same for different spellings of a directory. "" when it cannot. */
void keyfile_location(const Store *store, char ret[LOCATION_SIZE]);

DEFINE_CLEANUP(KeyFile, keyfile_free)

#endif
