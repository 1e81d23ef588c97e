#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"

const int fixture_majors[N_MAJORS] = {13, 15, 17, 18};

Buf fixture_load(int major, const char *name)
{
    _cleanup_free_ char *path = xasprintf("%s/archives/pg%d.%s", FIXTURES, major, name);
    Buf buf = BUF_INIT(16 * 1024 * 1024);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    char piece[65536];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        assert_int_equal(buf_append(&buf, piece, n, NULL), 0);
    fclose(file);
    assert_true(buf.len > 0);
    return buf;
}

Toc *fixture_toc(int major, const char *name)
{
    Error err = ERROR_INIT;
    Toc *toc = NULL;
    Buf buf = fixture_load(major, name);
    if (toc_read(buf.data, buf.len, strstr(name, "toc.dat") != NULL, NULL, NULL, &toc, &err) < 0)
        fail_msg("pg%d.%s: %s", major, name, err.message);
    buf_done(&buf);
    return toc;
}

Buf written(const Toc *toc)
{
    Error err = ERROR_INIT;
    Buf out = BUF_INIT(64 * 1024 * 1024);
    if (toc_write(toc, toc->format, &out, &err) < 0)
        fail_msg("%s", err.message);
    return out;
}

void keep_one_of_each_type(Toc *toc)
{
    size_t kept = 0;
    for (size_t i = 0; i < toc->n_entries; i++) {
        size_t before = 0;
        while (before < kept && strcmp(toc->entries[before].desc, toc->entries[i].desc) != 0)
            before++;
        if (before == kept)
            toc->entries[kept++] = toc->entries[i];
    }
    toc->n_entries = kept;
}

TocEntry *entry_of(const Toc *toc, const char *desc, const char *tag)
{
    for (size_t i = 0; i < toc->n_entries; i++)
        if (strcmp(toc->entries[i].desc, desc) == 0 && (tag == NULL || strcmp(toc->entries[i].tag, tag) == 0))
            return &toc->entries[i];
    fail_msg("no entry %s %s", desc, tag ? tag : "");
    return NULL;
}
