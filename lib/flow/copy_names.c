#include "copy_names.h"

#include <string.h>

#include "kura/log.h"
#include "kura/mem.h"
#include "kura/repokeys.h"

#define NAMES_FILE "names"
/* More are not remembered: they are read again. */
enum { NAMES_MAX = 1000 * 1000 };

/* As they are kept: 64 hexadecimal digits, the SHA-256 of all records, and the records. */
typedef struct NameRecord {
    uint8_t hash[SHA256_SIZE], renamed[SHA256_SIZE];
    uint8_t kind;
} NameRecord;

enum { SUM_SIZE = SHA256_HEX_SIZE - 1 };

static void hex_of(const uint8_t bytes[SHA256_SIZE], char ret[SHA256_HEX_SIZE])
{
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        ret[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        ret[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    ret[SHA256_HEX_SIZE - 1] = 0;
}

static void learn(CopyNames *names, const BlobRef *ref, const uint8_t renamed[SHA256_SIZE])
{
    size_t position = blobtable_add(&names->known, ref);
    if (names->known.n > names->cap) {
        names->cap = names->cap ? names->cap * 2 : 1024;
        names->renamed = xreallocarray(names->renamed, names->cap, sizeof *names->renamed);
    }
    memcpy(names->renamed[position], renamed, SHA256_SIZE);
}

/* A name that is wrong would let a manifest refer to another blob: only a file that is whole is believed. */
static bool is_whole(const Buf *file)
{
    char sum[SHA256_HEX_SIZE];
    if (file->len < SUM_SIZE || (file->len - SUM_SIZE) % sizeof(NameRecord) != 0)
        return false;
    sha256_hex(file->data + SUM_SIZE, file->len - SUM_SIZE, sum);
    return memcmp(file->data, sum, SUM_SIZE) == 0;
}

static void load(CopyNames *names)
{
    _cleanup_(buf_done) Buf file = BUF_INIT(SUM_SIZE + NAMES_MAX * sizeof(NameRecord));
    if (cache_get_file(names->cache, NAMES_FILE, &file) < 0 || !is_whole(&file))
        return;
    for (size_t at = SUM_SIZE; at < file.len; at += sizeof(NameRecord)) {
        const NameRecord *record = (const NameRecord *)(file.data + at);
        BlobRef ref = {.kind = (BlobKind)record->kind};
        hex_of(record->hash, ref.hash);
        learn(names, &ref, record->renamed);
    }
    names->n_kept = names->known.n;
}

void copynames_init(CopyNames *names, Repo *from, Repo *to, const char *cache_dir)
{
    Error why = ERROR_INIT;
    *names = (CopyNames){.from = from, .to = to};
    names->learned = repo_is_encrypted(from) && !blob_names_shared(from, to);
    blobtable_init(&names->known);
    if (cache_dir == NULL || !names->learned)
        return;
    if (cache_open(cache_dir, to, repo_id(from), &names->cache, &why) < 0)
        log_warning("%s: each copy will read all blobs", why.message);
    load(names);
}

void copynames_save(CopyNames *names)
{
    size_t n = names->known.n < NAMES_MAX ? names->known.n : NAMES_MAX;
    if (names->cache == NULL || n <= names->n_kept)
        return;
    _cleanup_(buf_done) Buf file = BUF_INIT(SUM_SIZE + n * sizeof(NameRecord));
    if (buf_reserve(&file, file.max, NULL) < 0)
        return;
    NameRecord *records = (NameRecord *)(file.data + SUM_SIZE);
    for (size_t i = 0; i < n; i++) {
        records[i].kind = names->known.v[i].kind;
        memcpy(records[i].hash, names->known.v[i].hash, SHA256_SIZE);
        memcpy(records[i].renamed, names->renamed[i], SHA256_SIZE);
    }
    char sum[SHA256_HEX_SIZE];
    sha256_hex(records, n * sizeof *records, sum);
    memcpy(file.data, sum, SUM_SIZE);
    cache_put_file(names->cache, NAMES_FILE, file.data, file.max);
    names->n_kept = n;
}

void copynames_done(CopyNames *names)
{
    cache_close(names->cache);
    blobtable_done(&names->known);
    free(names->renamed);
}

int copynames_find(const CopyNames *names, const BlobRef *ref, BlobRef *ret, Error *err)
{
    int rc = blob_renamed(names->from, names->to, ref, ret, err);
    size_t position = rc == 1 ? blobtable_find(&names->known, ref) : SIZE_MAX;
    if (position == SIZE_MAX)
        return rc;
    *ret = *ref;
    hex_of(names->renamed[position], ret->hash);
    return 0;
}

void copynames_learn(CopyNames *names, const BlobRef *ref, const BlobRef *renamed)
{
    uint8_t bytes[SHA256_SIZE];
    if (!names->learned)
        return;
    hex_bytes(renamed->hash, bytes, sizeof bytes);
    learn(names, ref, bytes);
}
