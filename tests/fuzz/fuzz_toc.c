/* A table of contents of either format: what can be read is written back as it came, and from a custom archive also as
 * a directory's, which can be read again. */
#include <string.h>

#include "fuzz.h"
#include "kura/toc.h"

static Buf write_toc(const Toc *toc, TocFormat format)
{
    Buf out = BUF_INIT(SIZE_MAX / 2);
    fuzz_require(toc_write(toc, format, &out, NULL) == 0);
    return out;
}

static void try_as_directory(const Toc *toc)
{
    Toc *directory;
    size_t used;
    Buf out = write_toc(toc, TOC_DIRECTORY);
    fuzz_require(toc_read(out.data, out.len, true, NULL, &used, &directory, NULL) == 0);
    fuzz_require(used == out.len && directory->n_entries == toc->n_entries);
    toc_free(directory);
    buf_done(&out);
}

static void try_as(const uint8_t *data, size_t len, bool as_directory)
{
    Error err = ERROR_INIT;
    Toc *toc;
    size_t used;
    if (toc_read(data, len, as_directory, NULL, &used, &toc, &err) < 0) {
        fuzz_require(err.code == ERR_TRUNCATED || err.code == ERR_CORRUPT || err.code == ERR_UNSUPPORTED);
        return;
    }
    Buf out = write_toc(toc, toc->format);
    fuzz_require(used <= len && out.len == used && memcmp(out.data, data, used) == 0);
    for (size_t i = 0; i < toc->n_entries; i++)
        fuzz_require(toc_find(toc, toc->entries[i].dump_id) == &toc->entries[i]);
    if (!as_directory)
        try_as_directory(toc);
    buf_done(&out);
    toc_free(toc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    try_as(data, len, false);
    try_as(data, len, true);
    return 0;
}
