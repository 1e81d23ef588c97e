/* The schema of the restored database, read by pg_dump, against what the backup asks for, definition by definition.
 * Owners and grants are compared by the restore itself. */
#include <stdlib.h>
#include <string.h>

#include "defncmp.h"
#include "entryid.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "rehearse_priv.h"

typedef struct Side {
    const TocEntry **v; /* sorted */
    size_t n;
} Side;

typedef struct Schema {
    Rehearse *rehearse;
    Restore *restore;
    Side want, have;
    bool same;  /* majors; else the same thing may be worded in another way, and small things come and go */
    bool whole; /* nothing was kept from pg_dump's eyes */
    size_t told;
    StrVec reworded; /* by another major */
} Schema;

static bool is_one_of(const TocEntry *entry, const char *const *descs)
{
    for (; *descs; descs++)
        if (toc_entry_is(entry, *descs))
            return true;
    return false;
}

/* The rest is compared elsewhere (owners, grants, rows), or differs by nature: large objects are grouped by the numbers
 * of their owners, an extension brings the comment of its version. */
static bool is_compared(const TocEntry *entry)
{
    static const char *const elsewhere[] = {
        "ACL",  "DEFAULT ACL", "ENCODING",      "STDSTRINGS",    "SEARCHPATH",      "TABLE DATA",
        "BLOB", "BLOBS",       "BLOB METADATA", "BLOB COMMENTS", "STATISTICS DATA", NULL};
    bool of_extension = toc_entry_is(entry, "COMMENT") && entry->tag && strncmp(entry->tag, "EXTENSION ", 10) == 0;
    bool of_large_object = entry->tag && strncmp(entry->tag, "LARGE OBJECT", 12) == 0;
    return entry->desc && !is_one_of(entry, elsewhere) && !entryid_is_about_database(entry) && !of_extension &&
           !of_large_object;
}

/* Their options hold passwords. */
static bool is_secret(const TocEntry *entry)
{
    static const char *const secret[] = {"USER MAPPING", "SUBSCRIPTION", "SERVER", "FOREIGN DATA WRAPPER", NULL};
    return is_one_of(entry, secret);
}

static int compare(const TocEntry *a, const TocEntry *b)
{
    int order = entryid_compare(a, b);
    return order ? order : entryid_compare_text(a->defn, b->defn);
}

static int by_entry(const void *a, const void *b)
{
    return compare(*(const TocEntry *const *)a, *(const TocEntry *const *)b);
}

static Side side_of(const Toc *toc)
{
    Side side = {.v = xcalloc(toc->n_entries + 1, sizeof *side.v)};
    for (size_t i = 0; i < toc->n_entries; i++)
        if (is_compared(&toc->entries[i]))
            side.v[side.n++] = &toc->entries[i];
    qsort(side.v, side.n, sizeof *side.v, by_entry);
    return side;
}

static void tell(Schema *schema, Severity severity, const char *code, const char *hint, const TocEntry *entry,
                 const char *format)
{
    if (schema->told++ >= REHEARSE_FINDINGS_MAX)
        return;
    _cleanup_free_ char *name = entryid_name(entry);
    findings_add(&schema->rehearse->findings, severity, code, hint, format, name);
}

static void tell_lack(Schema *schema, const TocEntry *entry)
{
    static const char *const small[] = {"COMMENT", "SCHEMA", "SECURITY LABEL", NULL};
    if (!schema->whole || trouble_lacks(schema->restore, entry) || (!schema->same && is_one_of(entry, small)))
        return;
    schema->rehearse->entries_wrong++;
    tell(schema, FINDING_ERROR, "schema-missing", NULL, entry, N_("%s is not in the restored database"));
}

static void tell_surplus(Schema *schema, const TocEntry *entry)
{
    if (!schema->same)
        return;
    schema->rehearse->entries_wrong++;
    tell(schema, FINDING_ERROR, "schema-extra", NULL, entry,
         N_("%s is in the restored database and not in the backup"));
}

/* A piece of a definition, from a little before where it differs. */
static char *piece(const char *defn, size_t at)
{
    enum { BEFORE = 20, LENGTH = 120 };
    size_t from = at > BEFORE ? at - BEFORE : 0;
    while (from > 0 && ((unsigned char)defn[from] & 0xc0) == 0x80)
        from--;
    size_t len = strnlen(defn + from, LENGTH);
    while (defn[from + len] && ((unsigned char)defn[from + len] & 0xc0) == 0x80)
        len++;
    return xasprintf("%s%.*s%s", from ? ".." : "", (int)len, defn + from, defn[from + len] ? ".." : "");
}

static void tell_difference(Schema *schema, const TocEntry *want, const TocEntry *have, size_t at, size_t there)
{
    if (!schema->same) {
        _cleanup_free_ char *name = entryid_name(want);
        strvec_push(&schema->reworded, name);
        return;
    }
    schema->rehearse->entries_wrong++;
    _cleanup_free_ char *expected = piece(want->defn ? want->defn : "", at);
    _cleanup_free_ char *found = piece(have->defn ? have->defn : "", there);
    _cleanup_free_ char *hint = xasprintf(_("The backup has \"%s\", the restored database \"%s\"."), expected, found);
    tell(schema, FINDING_ERROR, "schema-differs", is_secret(want) ? NULL : hint, want,
         N_("%s is defined in another way than in the backup"));
}

/* Another major writes the same in other words: that proves nothing, and is no fault. */
static void tell_reworded(const Schema *schema)
{
    enum { NAMES = 5 };
    Buf names = BUF_INIT(SIZE_MAX);
    size_t n = schema->reworded.n;
    for (size_t i = 0; i < n && i < NAMES; i++)
        buf_printf(&names, NULL, "%s%s", i ? ", " : "", schema->reworded.v[i]);
    if (n > 0)
        findings_add(
            &schema->rehearse->findings, FINDING_NOTE, "schema-reworded", NULL,
            ngettext("%zu definition is worded in another way by this server, so it was not compared: %s%s",
                     "%zu definitions are worded in another way by this server, so they were not compared: %s%s", n),
            n, buf_str(&names), n > NAMES ? ", .." : "");
    buf_done(&names);
}

static void compare_definitions(Schema *schema, const TocEntry *want, const TocEntry *have)
{
    size_t at, there;
    bool policy = toc_entry_is(want, "POLICY"); /* its roles come in the order of their creation */
    DefnOrder order = defn_compare(want->defn, have->defn, policy, &at, &there);
    schema->rehearse->entries_compared += order != DEFN_DIFFERS || schema->same;
    if (order == DEFN_DIFFERS)
        tell_difference(schema, want, have, at, there);
}

static void compare_sides(Schema *schema)
{
    const Side *want = &schema->want, *have = &schema->have;
    for (size_t i = 0, j = 0; i < want->n || j < have->n;) {
        int order = i == want->n ? 1 : j == have->n ? -1 : entryid_compare(want->v[i], have->v[j]);
        if (order < 0)
            tell_lack(schema, want->v[i++]);
        else if (order > 0)
            tell_surplus(schema, have->v[j++]);
        else
            compare_definitions(schema, want->v[i++], have->v[j++]);
    }
    if (schema->told > REHEARSE_FINDINGS_MAX)
        findings_add(&schema->rehearse->findings, FINDING_ERROR, "schema-differs", NULL, "and %zu more definitions",
                     schema->told - REHEARSE_FINDINGS_MAX);
}

int rehearse_compare_schema(void *ctx, Restore *restore, const Toc *actual, bool same, bool whole, Error *err)
{
    Schema schema = {.rehearse = ctx,
                     .restore = restore,
                     .want = side_of(restore->toc),
                     .have = side_of(actual),
                     .same = same,
                     .whole = whole};
    compare_sides(&schema);
    tell_reworded(&schema);
    strvec_done(&schema.reworded);
    free(schema.want.v);
    free(schema.have.v);
    return 0;
}
