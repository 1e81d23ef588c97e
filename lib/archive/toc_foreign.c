#include "toc_foreign.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kura/mem.h"

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

static const char tar_hint[] = "Restore it with pg_restore, or dump again with pg_dump -Fc or -Fd.";
static const char sql_hint[] = "A plain dump carries no table of contents: restore it with psql, or dump again with "
                               "pg_dump -Fc or -Fd.";

static const Signature signatures[] = {
    SIGNATURE(0, "\x1f\x8b", "a gzip-compressed file", "Uncompress it with gunzip first, and give what comes out."),
    SIGNATURE(0, "\x28\xb5\x2f\xfd", "a zstd-compressed file",
              "Uncompress it with zstd -d first, and give what comes out."),
    SIGNATURE(0, "\x04\x22\x4d\x18", "an lz4-compressed file",
              "Uncompress it with lz4 -d first, and give what comes out."),
    SIGNATURE(0,
              "\xfd"
              "7zXZ",
              "an xz-compressed file", "Uncompress it with unxz first, and give what comes out."),
    SIGNATURE(0, "BZh", "a bzip2-compressed file", "Uncompress it with bunzip2 first, and give what comes out."),
    SIGNATURE(0, "toc.dat\0", "a pg_dump archive in tar format", tar_hint),
    SIGNATURE(257, "ustar", "a tar file", tar_hint),
    SIGNATURE(0, "--", "an SQL script", sql_hint),
    SIGNATURE(0, "SET ", "an SQL script", sql_hint),
    SIGNATURE(0, "\\restrict ", "an SQL script", sql_hint),
    SIGNATURE(0, "\xef\xbb\xbf--", "an SQL script", sql_hint),
};

static bool matches(const Signature *signature, const uint8_t *data, size_t len)
{
    return len >= signature->offset + signature->len &&
           memcmp(data + signature->offset, signature->bytes, signature->len) == 0;
}

int toc_refuse_foreign(const void *data, size_t len, Error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
        if (!matches(&signatures[i], data, len))
            continue;
        error_set(err, ERR_UNSUPPORTED, "this is %s, not a pg_dump archive in custom or directory format",
                  signatures[i].what);
        return error_hint(err, "%s", signatures[i].hint);
    }
    error_set(err, ERR_UNSUPPORTED, "this is not a pg_dump archive: it does not begin with \"PGDMP\"");
    return error_hint(err, "Give a file made with pg_dump -Fc, or a directory made with pg_dump -Fd.");
}
