/* Who can read an encrypted repository, and whom a host trusts. */
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "crypt_priv.h"
#include "kura/secret.h"

bool repo_is_encrypted(const Repo *repo)
{
    return repo->crypt != NULL;
}

const AgeRecipient *repo_recipients(const Repo *repo, size_t *ret_n)
{
    *ret_n = repo->crypt->header.n_recipients;
    return repo->crypt->header.recipients;
}

const char *repo_key_file(const Repo *repo)
{
    return repo->crypt->key_file_path;
}

RepoPinning repo_pinning(const Repo *repo)
{
    const KeyFile *file = repo->crypt->key_file;
    const RepoHeader *header = &repo->crypt->header;
    if (file == NULL)
        return REPO_PINNED_NONE;
    return recipients_equal(file->recipients, file->n_recipients, header->recipients, header->n_recipients)
               ? REPO_PINNED_SAME
               : REPO_PINNED_OTHER;
}

const AgeRecipient *repo_pinned(const Repo *repo, size_t *ret_n)
{
    const KeyFile *file = repo->crypt->key_file;
    *ret_n = file ? file->n_recipients : 0;
    return file ? file->recipients : NULL;
}

static int no_place(Error *err)
{
    error_set(err, ERR_USAGE, "this user has no place for a key file: HOME is not set");
    return error_hint(err, "Say with --key-file where it should be.");
}

static void fill_key_file(KeyFile *file, const Store *store, const RepoHeader *header)
{
    memcpy(file->repository, header->id, sizeof file->repository);
    keyfile_location(store, file->location);
    memcpy(file->recipients, header->recipients, header->n_recipients * sizeof *file->recipients);
    file->n_recipients = header->n_recipients;
}

static int check_recipients(const AgeRecipient *recipients, size_t n, Error *err)
{
    if (n == 0 || n > REPO_RECIPIENTS_MAX)
        return error_set(err, ERR_USAGE, "%zu recipients, where there must be 1 to %d", n, REPO_RECIPIENTS_MAX);
    for (size_t i = 0; i < n; i++)
        if (recipients_contain(recipients, i, &recipients[i])) {
            char text[AGE_RECIPIENT_SIZE];
            age_recipient_format(&recipients[i], text);
            return error_set(err, ERR_USAGE, "the recipient %s is given twice", text);
        }
    return 0;
}

/* The key file comes first: a repository whose naming key nobody has would be of no use. */
static int create(Store *store, const RepoHeader *header, const KeyFile *file, const char *path, Error *err)
{
    if (keyfile_write(path, file, false, err) < 0)
        return -1;
    if (header_create(store, header, err) == 0)
        return 0;
    unlink(path);
    return -1;
}

int repo_create_encrypted(Store *store, const RepoParams *params, const AgeRecipient *recipients, size_t n,
                          const char *key_file, Error *err)
{
    _cleanup_(header_done) RepoHeader header = REPO_HEADER_INIT;
    _cleanup_(keyfile_free_cleanup) KeyFile *file = keyfile_new();
    if (getrandom(file->naming_key, sizeof file->naming_key, 0) != (ssize_t)sizeof file->naming_key)
        abort(); /* so few bytes are always given at once */
    if (check_recipients(recipients, n, err) < 0 || header_init(params, &header, err) < 0 ||
        header_encrypt(&header, recipients, n, file->naming_key, err) < 0)
        return -1;
    fill_key_file(file, store, &header);
    _cleanup_free_ char *path = key_file ? xstrdup(key_file) : keyfile_path(header.id);
    return path ? create(store, &header, file, path, err) : no_place(err);
}

int repo_pin(Repo *repo, Error *err)
{
    RepoCrypt *crypt = repo->crypt;
    if (crypt->key_file_path == NULL)
        return no_place(err);
    _cleanup_(keyfile_free_cleanup) KeyFile *file = keyfile_new();
    memcpy(file->naming_key, crypt->secrets->naming, sizeof file->naming_key);
    fill_key_file(file, repo->store, &crypt->header);
    if (keyfile_write(crypt->key_file_path, file, true, err) < 0)
        return -1;
    keyfile_free(crypt->key_file);
    crypt->key_file = steal(file);
    crypt->recipients = crypt->key_file->recipients;
    crypt->n_recipients = crypt->key_file->n_recipients;
    return 0;
}

static int others_pinned(const Repo *repo, Error *err)
{
    error_set(err, ERR_KEY, "the repository \"%s\" has other recipients than those this host trusts",
              store_name(repo->store));
    return error_hint(err,
                      "Look at them with \"kura key list\", and accept them with \"kura key pin\" if all are right. "
                      "Then add the new one.");
}

/* The recipients as they shall be. A host that pins some adds to these alone; what kura.json has may be they already,
 * or they and the new one, when this was interrupted. */
static int plan(const Repo *repo, const AgeRecipient *recipient, AgeRecipient *ret, size_t *ret_n, Error *err)
{
    const RepoHeader *header = &repo->crypt->header;
    size_t n = repo->crypt->n_recipients;
    memcpy(ret, repo->crypt->recipients, n * sizeof *ret);
    if (!recipients_contain(ret, n, recipient)) {
        if (n == REPO_RECIPIENTS_MAX)
            return error_set(err, ERR_USAGE, "the repository has %zu recipients, which is as many as it can have", n);
        ret[n++] = *recipient;
    }
    *ret_n = n;
    if (repo_pinning(repo) == REPO_PINNED_OTHER && !recipients_equal(ret, n, header->recipients, header->n_recipients))
        return others_pinned(repo, err);
    return 0;
}

/* Under a lock of its own, so that no backup that does not know of the new recipient is under way. */
static int change_header(Repo *repo, const AgeRecipient *recipients, size_t n, Error *err)
{
    RepoCrypt *crypt = repo->crypt;
    RepoLock *lock;
    if (recipients_equal(recipients, n, crypt->header.recipients, crypt->header.n_recipients))
        return 0;
    if (repo_lock(repo, true, "key add", &lock, err) < 0)
        return -1;
    int rc = header_encrypt(&crypt->header, recipients, n, crypt->secrets->naming, err);
    if (rc == 0)
        rc = repo_lock_check(lock, err);
    if (rc == 0)
        rc = header_update(repo->store, &crypt->header, err);
    repo_unlock(lock);
    return rc;
}

int repo_add_recipient(Repo *repo, const AgeRecipient *recipient, size_t threads, RewrapTotals *ret, Findings *findings,
                       Progress *progress, Error *err)
{
    RepoCrypt *crypt = repo->crypt;
    AgeRecipient recipients[AGE_RECIPIENTS_MAX];
    size_t n = 0;
    RepoLock *lock;
    if (crypt_identities(repo, err) == NULL || plan(repo, recipient, recipients, &n, err) < 0 ||
        change_header(repo, recipients, n, err) < 0)
        return -1;
    if (crypt->key_file && repo_pinning(repo) != REPO_PINNED_SAME && repo_pin(repo, err) < 0)
        return -1;
    crypt->n_recipients = crypt->key_file ? crypt->key_file->n_recipients : crypt->header.n_recipients;
    if (repo_lock(repo, false, "key add", &lock, err) < 0)
        return -1;
    int rc = crypt_rewrap(repo, threads, ret, findings, progress, err);
    repo_unlock(lock);
    return rc;
}
