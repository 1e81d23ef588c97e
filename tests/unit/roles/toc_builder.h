/* Archives made by hand: just enough of one for the role map to work on. */
#ifndef KURA_TESTS_TOC_BUILDER_H
#define KURA_TESTS_TOC_BUILDER_H

#include <stdlib.h>
#include <string.h>

#include "kura/toc.h"

/* NULL stays NULL; desc and tag have defaults. */
typedef struct EntrySpec {
    const char *desc, *tag, *namespace, *owner, *defn, *drop_stmt, *dep;
} EntrySpec;

static inline void put_int(Buf *out, int value)
{
    unsigned magnitude = (unsigned)(value < 0 ? -value : value);
    uint8_t bytes[5] = {value < 0, (uint8_t)magnitude, (uint8_t)(magnitude >> 8), (uint8_t)(magnitude >> 16),
                        (uint8_t)(magnitude >> 24)};
    buf_append(out, bytes, sizeof bytes, NULL);
}

static inline void put_text(Buf *out, const char *text)
{
    put_int(out, text ? (int)strlen(text) : -1);
    if (text)
        buf_append_str(out, text, NULL);
}

static inline void put_entry(Buf *out, int id, const EntrySpec *spec)
{
    static const uint8_t no_offset[9] = {3};
    put_int(out, id);
    put_int(out, 0);
    put_text(out, "0");
    put_text(out, "0");
    put_text(out, spec->tag ? spec->tag : "tag");
    put_text(out, spec->desc ? spec->desc : "ACL");
    put_int(out, SECTION_NONE);
    put_text(out, spec->defn);
    put_text(out, spec->drop_stmt);
    put_text(out, NULL);
    put_text(out, spec->namespace);
    put_text(out, NULL);
    put_text(out, NULL);
    put_text(out, spec->owner);
    put_text(out, "false");
    if (spec->dep)
        put_text(out, spec->dep);
    put_text(out, NULL);
    buf_append(out, no_offset, sizeof no_offset, NULL);
}

/* A custom archive's TOC, version 1.14; entry i has the dump id i + 1. NULL when the reader refuses it. */
static inline Toc *build_toc(const EntrySpec *entries, size_t n)
{
    static const uint8_t head[] = {'P', 'G', 'D', 'M', 'P', 1, 14, 0, 4, 8, 1};
    Buf bytes = BUF_INIT(SIZE_MAX / 2);
    Toc *toc = NULL;
    buf_append(&bytes, head, sizeof head, NULL);
    put_int(&bytes, 0);
    for (int i = 0; i < 7; i++)
        put_int(&bytes, 1);
    put_text(&bytes, "app");
    put_text(&bytes, "15.18");
    put_text(&bytes, "15.18");
    put_int(&bytes, (int)n);
    for (size_t i = 0; i < n; i++)
        put_entry(&bytes, (int)i + 1, &entries[i]);
    if (toc_read(bytes.data, bytes.len, false, &toc_default_limits, NULL, &toc, NULL) < 0)
        toc = NULL;
    buf_done(&bytes);
    return toc;
}

#endif
