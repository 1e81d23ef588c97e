#include "crypt_priv.h"

#include <string.h>

#include "kura/secret.h"

void crypt_free(RepoCrypt *crypt)
{
    if (crypt == NULL)
        return;
    header_done(&crypt->header);
    secret_free(crypt->secrets, sizeof *crypt->secrets);
    age_identities_free(crypt->own);
    keyfile_free(crypt->key_file);
    range_cache_free(crypt->ranges);
    free(crypt->key_file_path);
    free(crypt);
}

static const RepoSecrets *secrets_of(const Repo *repo, Error *err)
{
    if (repo->crypt->secrets == NULL)
        error_set(err, ERR_KEY, "the repository \"%s\" was opened without a key", store_name(repo->store));
    return repo->crypt->secrets;
}

int crypt_name(const Repo *repo, const char content[SHA256_HEX_SIZE], char ret[SHA256_HEX_SIZE], Error *err)
{
    uint8_t mac[SHA256_SIZE];
    const RepoSecrets *secrets = secrets_of(repo, err);
    if (secrets == NULL)
        return -1;
    sha256_hmac(secrets->naming, sizeof secrets->naming, content, SHA256_HEX_SIZE - 1, mac);
    hex_format(mac, sizeof mac, ret);
    return 0;
}

void crypt_app(const Repo *repo, const char *app, char ret[9])
{
    uint8_t mac[SHA256_SIZE];
    const RepoSecrets *secrets = secrets_of(repo, NULL);
    strcpy(ret, "_");
    if (secrets == NULL)
        return;
    sha256_hmac(secrets->app, sizeof secrets->app, app, strlen(app), mac);
    hex_format(mac, 4, ret);
}

int crypt_manifest_mac(const Repo *repo, const void *data, size_t len, char ret[SHA256_HEX_SIZE], Error *err)
{
    uint8_t mac[SHA256_SIZE];
    const RepoSecrets *secrets = secrets_of(repo, err);
    if (secrets == NULL)
        return -1;
    sha256_hmac(secrets->manifest, sizeof secrets->manifest, data, len, mac);
    hex_format(mac, sizeof mac, ret);
    return 0;
}

static int seal(const AgeRecipient *recipients, size_t n, const void *data, size_t len, Buf *out, Error *err)
{
    return age_encrypt(recipients, n, data, len, out, err) < 0 ? error_wrap(err, "encrypting") : 0;
}

int crypt_seal(const Repo *repo, const void *data, size_t len, Buf *out, Error *err)
{
    return seal(repo->crypt->recipients, repo->crypt->n_recipients, data, len, out, err);
}

int crypt_seal_in_place(const Repo *repo, Buf *data, Error *err)
{
    const RepoCrypt *crypt = repo->crypt;
    data->max = (size_t)age_encrypted_size(data->len, crypt->n_recipients);
    return age_encrypt_in_place(crypt->recipients, crypt->n_recipients, data, err) < 0 ? error_wrap(err, "encrypting")
                                                                                       : 0;
}

int crypt_seal_lock(const Repo *repo, const void *data, size_t len, Buf *out, Error *err)
{
    const RepoCrypt *crypt = repo->crypt;
    AgeRecipient recipients[AGE_RECIPIENTS_MAX];
    if (secrets_of(repo, err) == NULL)
        return -1;
    memcpy(recipients, crypt->recipients, crypt->n_recipients * sizeof *recipients);
    age_identities_recipient(crypt->own, 0, &recipients[crypt->n_recipients]);
    return seal(recipients, crypt->n_recipients + 1, data, len, out, err);
}

const AgeIdentities *crypt_identities(const Repo *repo, Error *err)
{
    const RepoCrypt *crypt = repo->crypt;
    if (crypt->identities)
        return crypt->identities;
    _cleanup_free_ char *recipients = recipients_text(crypt->header.recipients, crypt->header.n_recipients);
    error_set(err, ERR_KEY, "the repository \"%s\" is encrypted, and no identity was given to read it with",
              store_name(repo->store));
    error_hint(err, "Give --identity with the file that holds the identity of %s.", recipients);
    return NULL;
}

int crypt_open(const Repo *repo, const void *data, size_t len, Buf *out, Error *err)
{
    const AgeIdentities *identities = crypt_identities(repo, err);
    return identities ? age_decrypt(identities, data, len, out, err) : -1;
}

int crypt_open_lock(const Repo *repo, const void *data, size_t len, Buf *out, Error *err)
{
    return secrets_of(repo, err) ? age_decrypt(repo->crypt->own, data, len, out, err) : -1;
}
