/* Documents of a repository that are named by an id and written once: manifests, rehearsals, pins. In an encrypted
 * repository they are sealed. */
#ifndef KURA_DOCUMENT_PRIV_H
#define KURA_DOCUMENT_PRIV_H

#include <jansson.h>

#include "kura/buf.h"
#include "kura/repo.h"

typedef struct DocumentKind {
    const char *what;   /* for messages: "backup" */
    const char *prefix; /* of its objects' keys: "backups/" */
    const char *sealed; /* the kind of the document around it in an encrypted repository: "sealed-manifest" */
    size_t max;         /* bytes */
    /* Whether it can be read back, the last guard before it is written. */
    int (*check)(const void *text, size_t len, Error *err);
    /* Of a kind that is named by id and revision: takes a name apart. NULL: named by the id alone. */
    int (*name_parse)(const char *name, char **ret_id, unsigned *ret_revision);
} DocumentKind;

/* The most that a sealed document takes, of whichever kind. */
#define DOCUMENT_SEALED_MAX ((size_t)513 * 1024 * 1024)

/* Writes a document; ERR_EXISTS with exclusive, else over what is there. */
int document_put(Repo *repo, const DocumentKind *kind, const char *id, const json_t *document, bool exclusive,
                 Error *err);
/* Appends the text of one, decrypted. ERR_NOT_FOUND for what is no id, too; ERR_KEY without an identity, or one that
 * does not fit; ERR_CORRUPT when no host of the repository wrote it. */
int document_get(Repo *repo, const DocumentKind *kind, const char *id, Buf *out, Error *err);
/* All names that begin with prefix, in byte order of their objects: that is the one of their moments. */
int document_list(Repo *repo, const DocumentKind *kind, const char *prefix, StrVec *ret, Error *err);
/* Whether there is one of this name, readable or not. */
int document_is_there(Repo *repo, const DocumentKind *kind, const char *id, bool *ret, Error *err);
/* Removes one; what is not there is no error. */
int document_delete(Repo *repo, const DocumentKind *kind, const char *id, Error *err);

/* The object of a document in an encrypted repository, and the way back. Both append. */
int document_seal(const Repo *repo, const DocumentKind *kind, const Buf *text, Buf *out, Error *err);
int document_unseal(const Repo *repo, const DocumentKind *kind, const Buf *sealed, Buf *out, Error *err);

#endif
