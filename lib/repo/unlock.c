/* Finding the keys of an encrypted repository, and doubting what its kura.json says: everything in there is chosen by
 * whoever can write to the store. */
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#include "crypt_priv.h"
#include "kura/secret.h"
#include "kura/words.h"

/* Reads the host's key file, if there is one. */
static int load_key_file(const Repo *repo, RepoCrypt *crypt, const RepoAccess *access, Error *err)
{
    Error why = ERROR_INIT;
    crypt->key_file_path = access->key_file ? xstrdup(access->key_file) : keyfile_path(repo->id);
    if (crypt->key_file_path == NULL)
        return 0;
    if (keyfile_read(crypt->key_file_path, &crypt->key_file, &why) == 0) {
        if (strcmp(crypt->key_file->repository, repo->id) == 0)
            return 0;
        error_set(err, ERR_KEY, "the key file \"%s\" is of another repository, %s", crypt->key_file_path,
                  crypt->key_file->repository);
        return error_hint(err, "The repository in \"%s\" is %s. If it should be the other one, somebody replaced it.",
                          store_name(repo->store), repo->id);
    }
    if (why.code == ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = why;
    return -1;
}

static int wrong_identity(const Repo *repo, const RepoHeader *header, Error *err)
{
    _cleanup_free_ char *recipients = recipients_text(header->recipients, header->n_recipients);
    error_set(err, ERR_KEY, "the identity does not fit the repository \"%s\", which is encrypted for %s",
              store_name(repo->store), recipients);
    return error_hint(err, "Give --identity with the file that holds the identity of one of these recipients.");
}

/* The naming key of kura.json. The buffer never grows, so that it leaves no copies. */
static int decrypt_naming_key(const Repo *repo, const RepoCrypt *crypt, uint8_t ret[NAMING_KEY_SIZE], Error *err)
{
    Error why = ERROR_INIT;
    const Buf *sealed = &crypt->header.naming_key;
    _cleanup_(secret_buf_done) Buf key = BUF_INIT(NAMING_KEY_SIZE);
    if (buf_reserve(&key, NAMING_KEY_SIZE, err) < 0)
        return -1;
    if (age_decrypt(crypt->identities, sealed->data, sealed->len, &key, &why) == 0 && key.len == NAMING_KEY_SIZE) {
        memcpy(ret, key.data, NAMING_KEY_SIZE);
        return 0;
    }
    if (why.code == ERR_KEY)
        return wrong_identity(repo, &crypt->header, err);
    error_set(err, ERR_CORRUPT, "the naming key in kura.json of \"%s\" is damaged%s%s", store_name(repo->store),
              why.code ? ": " : "", why.message);
    return error_hint(err, "Bring kura.json back from a copy of the repository.");
}

static int check_naming_key(const Repo *repo, const RepoCrypt *crypt, const uint8_t *other, Error *err)
{
    if (CRYPTO_memcmp(other, crypt->key_file->naming_key, NAMING_KEY_SIZE) == 0)
        return 0;
    error_set(err, ERR_KEY, "kura.json of \"%s\" holds another naming key than the key file \"%s\"",
              store_name(repo->store), crypt->key_file_path);
    return error_hint(err, "Somebody replaced kura.json. Bring it back from a copy of the repository.");
}

/* Fills secrets->naming from the identity and the key file: each is enough, and both must agree. 1 when there is
 * neither. */
static int find_naming_key(const Repo *repo, RepoCrypt *crypt, Error *err)
{
    uint8_t *naming = crypt->secrets->naming;
    if (crypt->identities) {
        if (decrypt_naming_key(repo, crypt, naming, err) < 0)
            return -1;
        return crypt->key_file ? check_naming_key(repo, crypt, naming, err) : 0;
    }
    if (crypt->key_file == NULL)
        return 1;
    memcpy(naming, crypt->key_file->naming_key, NAMING_KEY_SIZE);
    return 0;
}

static int no_key(const Repo *repo, const RepoCrypt *crypt, Error *err)
{
    _cleanup_free_ char *recipients = recipients_text(crypt->header.recipients, crypt->header.n_recipients);
    error_set(err, ERR_KEY, "the repository \"%s\" is encrypted, and there is no key for it here",
              store_name(repo->store));
    return error_hint(err,
                      "To read it, give --identity with the file that holds the identity of %s. To back up, bring "
                      "this host's key file back to \"%s\", or name it with --key-file.",
                      recipients, crypt->key_file_path ? crypt->key_file_path : _("its place"));
}

/* What is stored must be readable by those whom this host was told to trust, and by nobody else. */
static int check_pinned(const Repo *repo, const RepoCrypt *crypt, Error *err)
{
    const KeyFile *file = crypt->key_file;
    if (file == NULL) {
        error_set(err, ERR_KEY, "the repository \"%s\" is encrypted, and this host has no key file for it",
                  store_name(repo->store));
        return error_hint(err, "Bring it back to \"%s\", or make one with \"kura key pin --identity FILE\".",
                          crypt->key_file_path ? crypt->key_file_path : _("its place"));
    }
    if (recipients_equal(file->recipients, file->n_recipients, crypt->header.recipients, crypt->header.n_recipients))
        return 0;
    error_set(err, ERR_KEY, "the repository \"%s\" has other recipients than those this host trusts",
              store_name(repo->store));
    return error_hint(err,
                      "Look at them with \"kura key list\". A recipient that nobody of yours added with \"kura key "
                      "add\" is an intruder's; if all are right, \"kura key pin\" makes this host trust them.");
}

static void derive(RepoCrypt *crypt)
{
    RepoSecrets *secrets = crypt->secrets;
    sha256_hkdf(secrets->naming, "kura manifest", secrets->manifest);
    sha256_hkdf(secrets->naming, "kura application", secrets->app);
    crypt->own = age_identities_from_secret(secrets->naming);
}

static void choose_recipients(RepoCrypt *crypt)
{
    const KeyFile *file = crypt->key_file;
    crypt->recipients = file ? file->recipients : crypt->header.recipients;
    crypt->n_recipients = file ? file->n_recipients : crypt->header.n_recipients;
}

static int unlock(const Repo *repo, RepoCrypt *crypt, const RepoAccess *access, Error *err)
{
    if (load_key_file(repo, crypt, access, err) < 0)
        return -1;
    choose_recipients(crypt);
    crypt->secrets = secret_new(sizeof *crypt->secrets);
    int rc = find_naming_key(repo, crypt, err);
    if (rc < 0)
        return -1;
    if (rc == 0) {
        derive(crypt);
    } else {
        secret_free(crypt->secrets, sizeof *crypt->secrets);
        crypt->secrets = NULL;
        if (access->use != REPO_LOOK)
            return no_key(repo, crypt, err);
    }
    return access->use == REPO_WRITE ? check_pinned(repo, crypt, err) : 0;
}

int crypt_unlock(Repo *repo, RepoHeader *header, const RepoAccess *access, Error *err)
{
    RepoCrypt *crypt = xcalloc(1, sizeof *crypt);
    crypt->header = *header;
    *header = (RepoHeader)REPO_HEADER_INIT;
    crypt->identities = access->identities;
    crypt->ranges = range_cache_new();
    if (unlock(repo, crypt, access, err) < 0) {
        crypt_free(crypt);
        return -1;
    }
    repo->crypt = crypt;
    return 0;
}

/* The key file that this host has for a repository of this id or at this place: who replaces kura.json may leave the
 * one as it was and not the other. To be freed; NULL when there is none. */
static char *find_key_file(const Repo *repo)
{
    char location[LOCATION_SIZE];
    _cleanup_free_ char *path = keyfile_path(repo->id);
    if (path && access(path, F_OK) == 0)
        return steal(path);
    keyfile_location(repo->store, location);
    return keyfile_find(location);
}

int crypt_expect_plain(const Repo *repo, const RepoAccess *access, Error *err)
{
    _cleanup_free_ char *found = access->key_file ? xstrdup(access->key_file) : find_key_file(repo);
    if (found == NULL || access->use == REPO_LOOK)
        return 0;
    error_set(err, ERR_KEY, "the repository \"%s\" is not encrypted, but there is a key file for it, \"%s\"",
              store_name(repo->store), found);
    return error_hint(err, "Somebody replaced kura.json, and a backup would be readable by everybody who can read the "
                           "store. If the repository was made anew without encryption, remove the key file.");
}
