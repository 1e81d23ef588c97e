/* A repository on a store: header, blobs, the queue that uploads them. Format: kura-format(5). */
#ifndef KURA_REPO_H
#define KURA_REPO_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/hash.h"
#include "kura/store.h"

enum { REPO_FORMAT_VERSION = 1 };
#define BLOB_MAX (64u * 1024 * 1024)              /* bytes of content a blob carries at most */
#define BLOB_STORED_MAX (BLOB_MAX + 1024u * 1024) /* with framing: what is read at most */

/* Fixed when the repository is made, so that equal rows give equal blobs ever after. */
typedef struct RepoParams {
    int zstd_level;        /* 1 */
    uint64_t segment_min;  /* raw bytes before a cut may come */
    uint64_t segment_mean; /* raw bytes after segment_min until one is expected */
    uint64_t segment_max;  /* raw bytes at which a cut is forced */
} RepoParams;

typedef struct Repo Repo;

/* Makes a repository in a store that holds none; ERR_EXISTS when there is one already. params NULL: defaults. */
int repo_create(Store *store, const RepoParams *params, Error *err);
/* Opens one. Borrows the store. ERR_NO_REPOSITORY when there is none, ERR_UNSUPPORTED for a newer format, ERR_KEY for
 * an encrypted one whose key file this host does not have (repokeys.h). */
int repo_open(Store *store, Repo **ret, Error *err);
void repo_close(Repo *repo);
const RepoParams *repo_params(const Repo *repo);
const char *repo_id(const Repo *repo);
Store *repo_store(const Repo *repo);
/* Whether what is in backups can be read: a plain repository, or one opened with an identity. */
bool repo_can_read(const Repo *repo);
/* blob_get then looks into this cache (cache.h) before it asks the store, and indexes are kept in it. Borrowed; NULL:
 * none. */
struct Cache;
void repo_set_cache(Repo *repo, struct Cache *cache);
struct Cache *repo_cache(const Repo *repo);

typedef enum BlobKind { BLOB_ZSTD, BLOB_TAR, BLOB_RAW } BlobKind; /* suffixes .zst .tar .bin */

typedef struct BlobRef {
    char hash[SHA256_HEX_SIZE]; /* of the bytes; in an encrypted repository, a keyed one of that */
    BlobKind kind;
    uint64_t size; /* bytes as stored, before encryption */
} BlobRef;

enum { BLOB_KEY_SIZE = 96 };
/* "blobs/ab/abcd..zst", in an encrypted repository "blobs/ab/abcd..zst.age". */
void blob_key(const Repo *repo, const BlobRef *ref, char key[BLOB_KEY_SIZE]);
const char *blob_suffix(BlobKind kind); /* "zst", "tar", "bin" */
/* The way back from a key, with size 0; -1 when it is not the key of a blob. */
int blob_ref_from_key(const Repo *repo, const char *key, BlobRef *ret);
/* What a blob of `from` is called in `to`. 1 when only its content can tell: names of an encrypted repository mean
 * nothing to another one. ERR_KEY without the naming key. */
int blob_renamed(const Repo *from, const Repo *to, const BlobRef *ref, BlobRef *ret, Error *err);
/* Whether all blobs have the same names in both. */
bool blob_names_shared(const Repo *a, const Repo *b);
/* Whether an object of that size in the store can be this blob. How many can decrypt it, which counts, may change. */
bool blob_size_fits(const Repo *repo, const BlobRef *ref, uint64_t object_size);
/* A reference in JSON: "abcd....zst" plus size, as the two members "blob" and "size" of object; parse is strict. */
void blob_ref_to_json(const BlobRef *ref, json_t *object);
int blob_ref_from_json(const json_t *object, BlobRef *ret, Error *err);

/* Stores a blob unless the repository has it. *ret_new (may be NULL) tells which. */
int blob_put(Repo *repo, BlobKind kind, const void *data, size_t len, BlobRef *ret, bool *ret_new, Error *err);
/* Reads a whole blob into *out (cleared first), from the cache if that has it, and checks size and hash: ERR_CORRUPT
 * names the blob and the remedy. What has the right size and the wrong hash is in *out nevertheless, for who wants to
 * know how much of it is good. ERR_KEY: it is encrypted, and no identity was given, or none that fits. */
int blob_get(Repo *repo, const BlobRef *ref, Buf *out, Error *err);
/* Appends a part of a blob to *out; not checked against the hash (the caller has the part's own). Of an encrypted blob
 * only the pieces of 64 KiB are read that hold the part, and once its header. Errors as blob_get. */
int blob_get_range(Repo *repo, const BlobRef *ref, uint64_t offset, uint64_t length, Buf *out, Error *err);
/* Whether these bytes are what the blob should be. */
bool blob_is(const Repo *repo, const BlobRef *ref, const void *data, size_t len);
/* 0 when present with the right size, ERR_NOT_FOUND or ERR_CORRUPT otherwise. */
int blob_check(Repo *repo, const BlobRef *ref, Error *err);

/* A bounded queue in front of uploader threads. Any thread may submit. */
typedef struct Uploader Uploader;

typedef struct UploadTotals {
    uint64_t blobs, bytes;         /* submitted */
    uint64_t new_blobs, new_bytes; /* of these, sent because the repository did not have them */
    uint64_t all_bytes;            /* of the blobs submitted or referred to, each counted once */
} UploadTotals;

/* threads at least 1. max_bytes bounds what waits in the queue and what is being sent: submit blocks until there is
 * room (one blob is always let in). */
Uploader *uploader_new(Repo *repo, size_t threads, uint64_t max_bytes);
/* Says that the repository has this blob: submitted, it is neither asked for nor sent. Believed of a remote store only:
 * on a local one asking is cheap, and a blob that was lost is stored again. */
void uploader_know(Uploader *uploader, const BlobRef *ref);
/* Says that this blob may be missing: from now on nobody who knows it is believed. One that is damaged is stored again
 * when it is submitted, in the place of what is there, and until then the repository does not have it. */
void uploader_doubt(Uploader *uploader, const BlobRef *ref, bool damaged);
/* Whether a new manifest may refer to a blob of an earlier one without submitting it again: asks the store, once for
 * each blob, unless that is to be believed (see uploader_know). */
int uploader_has(Uploader *uploader, const BlobRef *ref, bool *ret, Error *err);
/* Says that a manifest will refer to a blob which is there, but which perhaps no manifest refers to so far: a killed
 * run may have left it. uploader_drain and uploader_finish see to it that it survives a crash. Of what is submitted and
 * found to be there they do so anyhow. */
void uploader_rely(Uploader *uploader, const BlobRef *ref);
/* Counts a blob that is referred to without being submitted. */
void uploader_refer(Uploader *uploader, const BlobRef *ref);
/* Learns from a listing which blobs a remote repository has: others are then sent without asking, and uploader_has
 * answers by it. Where there are too many, it asks from now on. Before anything is submitted. */
int uploader_know_all(Uploader *uploader, Error *err);
/* From now on the repository is asked for every blob. Before anything is submitted or known. */
void uploader_distrust(Uploader *uploader);
/* Takes the bytes out of *data (left empty, its max kept), names them at once, queues them. -1 with the first
 * uploader's error once one failed, or ERR_INTERRUPTED. */
int uploader_submit(Uploader *uploader, BlobKind kind, Buf *data, BlobRef *ret, Error *err);
/* The same, and gives the SHA-256 of the bytes, which need not be the blob's name. */
int uploader_submit_hashed(Uploader *uploader, BlobKind kind, Buf *data, BlobRef *ret,
                           char ret_content[SHA256_HEX_SIZE], Error *err);
/* Waits until everything that was submitted is stored. */
int uploader_drain(Uploader *uploader, Error *err);
/* Waits until everything is stored, stops the threads; totals may be NULL. */
int uploader_finish(Uploader *uploader, UploadTotals *totals, Error *err);
/* Drops what is queued, stops the threads, frees. NULL-safe; also after uploader_finish. */
void uploader_free(Uploader *uploader);
/* What was submitted and sent so far. */
UploadTotals uploader_totals(Uploader *uploader);

/* One zstd frame with the repository's fixed parameters and a checksum, in one go, into *out (cleared first). */
int repo_compress(const Repo *repo, const void *data, size_t len, Buf *out, Error *err);
/* Decompresses one or more concatenated frames completely; never allocates past out->max. ERR_CORRUPT, ERR_TRUNCATED.
 */
int repo_decompress(const void *data, size_t len, Buf *out, Error *err);
/* The same piece by piece, without a buffer for the whole: fn gets at most max bytes in all, and returns 0, or -1 to
 * end with its error. */
int repo_decompress_pieces(const void *data, size_t len, uint64_t max,
                           int (*fn)(void *ctx, const void *piece, size_t len, Error *err), void *ctx, Error *err);

/* Gives a context the parameters of repo_compress, for frames that are made piece by piece. -1 when libzstd refuses. */
struct ZSTD_CCtx_s;
int repo_zstd_setup(const Repo *repo, struct ZSTD_CCtx_s *ctx);

/* Locks (kura-format(5)): backups hold shared ones, one for each application, prune an exclusive one. A lock is an
 * object locks/<id>.json (in an encrypted repository locks/<id>.json.age) telling who, where, since when, until when;
 * an expired one counts as absent. ERR_LOCKED names the holder. */
typedef struct RepoLock RepoLock;
int repo_lock(Repo *repo, bool exclusive, const char *purpose, RepoLock **ret, Error *err);
/* A shared one for work on one application: it also stands against others of this kind that name the same. */
int repo_lock_app(Repo *repo, const char *purpose, const char *app, RepoLock **ret, Error *err);
/* How long both wait for somebody else's lock before they fail; 0, until this is called. */
void repo_set_lock_wait(Repo *repo, double seconds);
void repo_unlock(RepoLock *lock); /* NULL-safe */
/* Whether the lock still holds, which asks the store: -1 with ERR_LOCKED once it could not be refreshed in time or
 * somebody removed it, or the store's own error. To be asked before anything is deleted, and before a manifest is
 * committed. */
int repo_lock_check(RepoLock *lock, Error *err);

/* When the lock was written last, by the store's own clock, with which objects' times are to be compared. ERR_LOCKED
 * when it is gone. */
int repo_lock_time(RepoLock *lock, int64_t *ret, Error *err);

/* Tells of every lock as a finding: notes of those that hold and of stale ones, a warning of one that is held strangely
 * long or cannot be read. Changes nothing. */
int repo_lock_survey(Repo *repo, Findings *findings, Error *err);

#endif
