#include "toc_foreign.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"

typedef struct Signature {
    size_t offset;
    size_t len;
    const char *bytes;
    const char *what;
    const char *hint;
} Signature;

#define SIGNATURE(offset, bytes, what, hint)                                                                           \
    {                                                                                                                  \
        offset, sizeof(bytes) - 1, bytes, what, hint                                                                   \
    }

static const char tar_hint[] = N_("Restore it with pg_restore, or dump again with pg_dump -Fc or -Fd.");
static const char script_hint[] = N_(
    "Only psql runs it: psql -X -v ON_ERROR_STOP=1 -d DATABASE -f FILE, in an empty database, which \"kura audit\" can "
    "look at afterwards. For a restore under a role map dump again with pg_dump -Fc or -Fd.");
static const char restricted_hint[] = N_(
    "Only psql runs it: psql -X -v ON_ERROR_STOP=1 -d DATABASE -f FILE, in an empty database, which \"kura audit\" can "
    "look at afterwards. It has a line with \\restrict, which psql knows from 13.22, 14.19, 15.14, 16.10, 17.6 and 18 "
    "on; an older one stops there. For a restore under a role map dump again with pg_dump -Fc or -Fd.");
static const char cluster_hint[] =
    N_("Only psql runs it: psql -X -d postgres -f FILE, in an empty cluster. For a restore under a role map dump each "
       "database again with pg_dump -Fc or -Fd.");

static const Signature signatures[] = {
    SIGNATURE(0, "\x1f\x8b", N_("a gzip-compressed file"),
              N_("Uncompress it with gunzip first, and give what comes out.")),
    SIGNATURE(0, "\x28\xb5\x2f\xfd", N_("a zstd-compressed file"),
              N_("Uncompress it with zstd -d first, and give what comes out.")),
    SIGNATURE(0, "\x04\x22\x4d\x18", N_("an lz4-compressed file"),
              N_("Uncompress it with lz4 -d first, and give what comes out.")),
    SIGNATURE(0,
              "\xfd"
              "7zXZ",
              N_("an xz-compressed file"), N_("Uncompress it with unxz first, and give what comes out.")),
    SIGNATURE(0, "BZh", N_("a bzip2-compressed file"),
              N_("Uncompress it with bunzip2 first, and give what comes out.")),
    SIGNATURE(0, "toc.dat\0", N_("a pg_dump archive in tar format"), tar_hint),
    SIGNATURE(257, "ustar", N_("a tar file"), tar_hint),
};

static bool matches(const Signature *signature, const uint8_t *data, size_t len)
{
    return len >= signature->offset + signature->len &&
           memcmp(data + signature->offset, signature->bytes, signature->len) == 0;
}

static bool contains(const void *data, size_t len, const char *text)
{
    return memmem(data, len, text, strlen(text)) != NULL;
}

static bool begins(const void *data, size_t len, const char *text)
{
    return len >= strlen(text) && memcmp(data, text, strlen(text)) == 0;
}

/* What pg_dump and pg_dumpall write as text, and what people write. */
static bool is_script(const void *data, size_t len)
{
    static const char *const beginnings[] = {"--", "SET ", "\\restrict ", "\xef\xbb\xbf--"};
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
        if (begins(data, len, beginnings[i]))
            return true;
    return false;
}

static int refuse_script(const void *data, size_t len, Error *err)
{
    bool cluster = contains(data, len, "-- PostgreSQL database cluster dump");
    bool restricted = begins(data, len, "\\restrict ") || contains(data, len, "\n\\restrict ");
    error_set(err, ERR_UNSUPPORTED, "this is %s, not a pg_dump archive in custom or directory format",
              cluster ? _("an SQL script of a whole cluster, by pg_dumpall") : _("an SQL script"));
    return error_hint(err, "%s", words_get(cluster ? cluster_hint : restricted ? restricted_hint : script_hint));
}

int toc_refuse_foreign(const void *data, size_t len, Error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
        if (!matches(&signatures[i], data, len))
            continue;
        error_set(err, ERR_UNSUPPORTED, "this is %s, not a pg_dump archive in custom or directory format",
                  words_get(signatures[i].what));
        return error_hint(err, "%s", words_get(signatures[i].hint));
    }
    if (is_script(data, len))
        return refuse_script(data, len, err);
    error_set(err, ERR_UNSUPPORTED, "this is not a pg_dump archive: it does not begin with \"PGDMP\"");
    return error_hint(err, "Give a file made with pg_dump -Fc, or a directory made with pg_dump -Fd.");
}
