/* Documents of encrypted repositories. Recipients are public, and age does not tell who encrypted: without more, who
 * can write to the store could write a backup of his own. So the manifest is wrapped into a document that vouches for
 * it with a key that only hosts of the repository, and its readers, have. A rehearsal likewise, under the same key:
 * what is vouched for begins with its kind. */
#include <openssl/crypto.h>
#include <string.h>

#include "crypt_priv.h"
#include "document_priv.h"

int document_seal(const Repo *repo, const DocumentKind *kind, const Buf *text, Buf *out, Error *err)
{
    char mac[SHA256_HEX_SIZE];
    if (crypt_manifest_mac(repo, text->data, text->len, mac, err) < 0)
        return -1;
    _cleanup_(json_unref) json_t *wrapper = jsondoc_new(kind->sealed);
    _cleanup_(buf_done) Buf wrapped = BUF_INIT(2 * kind->max); /* its quotation marks are escaped */
    json_set_text(wrapper, "mac", mac);
    json_object_set_new(wrapper, "document", json_stringn(buf_str(text), text->len));
    return jsondoc_format(wrapper, &wrapped, err) < 0 ? -1 : crypt_seal(repo, wrapped.data, wrapped.len, out, err);
}

static int unwrap(const Repo *repo, const DocumentKind *kind, const Buf *wrapped, Buf *out, Error *err)
{
    char mac[SHA256_HEX_SIZE];
    _cleanup_free_ char *document = NULL, *stated = NULL;
    _cleanup_(json_unref) json_t *wrapper = NULL;
    if (jsondoc_parse(wrapped->data, wrapped->len, kind->sealed, &wrapper, err) < 0)
        return -1;
    JsonNode root = jnode_root(wrapper);
    if (jnode_text(&root, "mac", &stated, err) < 0 || jnode_text(&root, "document", &document, err) < 0 ||
        crypt_manifest_mac(repo, document, strlen(document), mac, err) < 0)
        return -1;
    if (strlen(stated) != strlen(mac) || CRYPTO_memcmp(stated, mac, strlen(mac)) != 0) {
        error_set(err, ERR_CORRUPT, "it was not written by a host of this repository: its mac is wrong");
        return error_hint(err, "Somebody else put it there, or it was changed. Do not restore it; remove it when you "
                               "know how it came there.");
    }
    return buf_append_str(out, document, err);
}

int document_unseal(const Repo *repo, const DocumentKind *kind, const Buf *sealed, Buf *out, Error *err)
{
    _cleanup_(buf_done) Buf wrapped = BUF_INIT(2 * kind->max);
    if (crypt_open(repo, sealed->data, sealed->len, &wrapped, err) < 0)
        return -1;
    return unwrap(repo, kind, &wrapped, out, err);
}
