/* Rows that name files, against the index of the fileset, in both directions. Both sides go into temporary tables of
 * the scratch database: however many they are, the server sorts them. Paths are bytes there, for a file's name may be
 * no text of the database's encoding. */
#include <string.h>

#include "kura/fileset.h"
#include "kura/mem.h"
#include "kura/proofs.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "rehearse_priv.h"

enum { TIMEOUT_SECONDS = 600, EXAMPLES = 5 };

typedef struct References {
    Rehearse *rehearse;
    Restore *restore;
    PgConn *tables; /* has the temporary tables */
    const ManifestFileset *fileset;
    uint64_t rows, missing, orphans;
} References;

/* Appends a path as COPY text of a bytea. */
static void append_path(Buf *line, const char *path, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    buf_append_str(line, "\\\\x", NULL);
    for (size_t i = 0; i < len; i++) {
        const char hex[2] = {digits[(unsigned char)path[i] >> 4], digits[(unsigned char)path[i] & 15]};
        buf_append(line, hex, 2, NULL);
    }
    buf_append(line, "\n", 1, NULL);
}

static int put_path(PgConn *conn, const char *path, size_t len, Error *err)
{
    Buf line = BUF_INIT(SIZE_MAX);
    append_path(&line, path, len);
    int rc = pg_copy_in_write(conn, line.data, line.len, err);
    buf_done(&line);
    return rc;
}

/* ---- the side of the files ---- */

static int put_files(References *references, Error *err)
{
    IndexReader *index = index_reader_new(references->rehearse->repo, references->fileset);
    const IndexEntry *entry;
    int got;
    while ((got = index_reader_next(index, &entry, err)) > 0)
        if ((entry->type == 'f' || entry->type == 'h' || entry->type == 'l') &&
            (got = put_path(references->tables, entry->path, strlen(entry->path), err)) < 0)
            break;
    index_reader_free(index);
    return got;
}

/* ---- the side of the rows ---- */

/* Undoes the escapes of COPY text in place; gives the length. */
static size_t unescape(char *text, size_t len)
{
    static const char escapes[] = "b\bf\fn\nr\rt\tv\v";
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '\\' && i + 1 < len) {
            c = text[++i];
            for (const char *e = escapes; *e; e += 2)
                if (*e == c) {
                    c = e[1];
                    break;
                }
        }
        text[n++] = c;
    }
    return n;
}

static int on_reference(void *ctx, const char *row, size_t len, Error *err)
{
    References *references = ctx;
    if (len > 0 && row[len - 1] == '\n')
        len--;
    if (memchr(row, '\t', len))
        return error_set(err, ERR_USAGE, "it gives more than one column");
    if (len == 0 || (len == 2 && memcmp(row, "\\N", 2) == 0))
        return 0;
    references->rows++;
    _cleanup_free_ char *path = xstrndup(row, len);
    return put_path(references->tables, path, unescape(path, len), err);
}

/* As the application, who has to be able to read that. */
static int run_query(References *references, const char *query, Error *err)
{
    PgConn *conn;
    uint64_t rows;
    const char *role = references->rehearse->report.app_role;
    if (target_connect(references->restore, NULL, &conn, err) < 0)
        return -1;
    _cleanup_free_ char *quoted = sql_quote_ident(role ? role : pg_user(conn));
    _cleanup_free_ char *copy = xasprintf("COPY (%s\n) TO STDOUT", query);
    int rc = pg_execf(conn, err,
                      "BEGIN READ ONLY; SET LOCAL ROLE %s; SET LOCAL row_security = on; SET LOCAL search_path = public;"
                      " SET LOCAL statement_timeout = '%ds'",
                      quoted, TIMEOUT_SECONDS);
    if (rc == 0)
        rc = pg_copy_out(conn, copy, on_reference, references, &rows, err);
    pg_close(conn);
    return rc;
}

static int run_queries(References *references, Error *err)
{
    const RehearseOptions *options = references->rehearse->options;
    for (size_t i = 0; i < options->n_references; i++)
        if (strcmp(options->references[i].fileset, references->fileset->name) == 0 &&
            run_query(references, options->references[i].query, err) < 0)
            return error_wrap(err, "the media query for fileset \"%s\"", references->fileset->name);
    return 0;
}

/* ---- both ---- */

static int fill(References *references, const char *table, int (*put)(References *references, Error *err), Error *err)
{
    _cleanup_free_ char *copy = xasprintf("COPY pg_temp.%s FROM STDIN", table);
    Error ended = ERROR_INIT;
    uint64_t rows;
    if (pg_execf(references->tables, err, "CREATE TEMPORARY TABLE %s (path bytea NOT NULL)", table) < 0 ||
        pg_copy_in_begin(references->tables, copy, err) < 0)
        return -1;
    if (put(references, err) < 0) {
        pg_copy_in_end(references->tables, "kura could not read on", NULL, &ended);
        return -1;
    }
    return pg_copy_in_end(references->tables, NULL, &rows, err);
}

/* Counts what is in one table and not in the other, and takes some of it. */
static int subtract(References *references, const char *from, const char *other, uint64_t *ret, StrVec *examples,
                    Error *err)
{
    PGresult *rows;
    _cleanup_free_ char *sql =
        xasprintf("WITH lacking AS MATERIALIZED (SELECT path FROM pg_temp.%s EXCEPT SELECT path FROM pg_temp.%s)"
                  " SELECT (SELECT count(*) FROM lacking), pg_catalog.encode(path, 'escape') FROM (SELECT) AS once"
                  " LEFT JOIN (SELECT path FROM lacking ORDER BY path LIMIT %d) AS l ON true",
                  from, other, EXAMPLES);
    if (pg_query(references->tables, sql, 0, NULL, &rows, err) < 0)
        return -1;
    *ret = pg_cell_u64(rows, 0, 0);
    for (int i = 0; i < PQntuples(rows); i++)
        if (!PQgetisnull(rows, i, 1))
            strvec_push(examples, pg_cell(rows, i, 1));
    PQclear(rows);
    return 0;
}

static char *list(const StrVec *examples)
{
    Buf text = BUF_INIT(SIZE_MAX);
    for (size_t i = 0; i < examples->n; i++)
        buf_printf(&text, NULL, "%s\"%s\"", i ? ", " : "", examples->v[i]);
    char *ret = xstrdup(buf_str(&text));
    buf_done(&text);
    return ret;
}

static int compare(References *references, Error *err)
{
    Findings *findings = &references->rehearse->findings;
    _cleanup_(strvec_done) StrVec missing = {0};
    _cleanup_(strvec_done) StrVec orphans = {0};
    if (subtract(references, "kura_references", "kura_files", &references->missing, &missing, err) < 0 ||
        subtract(references, "kura_files", "kura_references", &references->orphans, &orphans, err) < 0)
        return -1;
    _cleanup_free_ char *some = list(&missing), *others = list(&orphans);
    const char *name = references->fileset->name;
    if (references->missing > 0)
        findings_add(findings, FINDING_WARNING, "media-missing",
                     "They were gone when the backup was made, or are stored elsewhere.",
                     ngettext("%ju file that rows refer to is not in fileset \"%s\", such as %s",
                              "%ju files that rows refer to are not in fileset \"%s\", such as %s",
                              references->missing),
                     (uintmax_t)references->missing, name, some);
    if (references->orphans > 0)
        findings_add(findings, FINDING_NOTE, "media-unreferenced", NULL,
                     ngettext("%ju file of fileset \"%s\" no row refers to, such as %s",
                              "%ju files of fileset \"%s\" no row refers to, such as %s", references->orphans),
                     (uintmax_t)references->orphans, name, others);
    return 0;
}

static int prove_fileset(References *references, Error *err)
{
    if (target_connect(references->restore, NULL, &references->tables, err) < 0)
        return -1;
    int rc = fill(references, "kura_files", put_files, err);
    if (rc == 0)
        rc = fill(references, "kura_references", run_queries, err);
    if (rc == 0)
        rc = compare(references, err);
    pg_close(references->tables);
    return rc;
}

static bool has_query(const RehearseOptions *options, const char *fileset)
{
    for (size_t i = 0; i < options->n_references; i++)
        if (strcmp(options->references[i].fileset, fileset) == 0)
            return true;
    return false;
}

static bool has_fileset(const Manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->n_filesets; i++)
        if (strcmp(manifest->filesets[i].name, name) == 0)
            return true;
    return false;
}

/* A query that does not work is told, and keeps nobody from the rest. */
static int prove_one(Rehearse *rehearse, Restore *restore, const ManifestFileset *fileset, ProofCount *total,
                     Error *err)
{
    References references = {.rehearse = rehearse, .restore = restore, .fileset = fileset};
    Error why = ERROR_INIT;
    if (prove_fileset(&references, &why) < 0) {
        if (why.code != ERR_SERVER && why.code != ERR_USAGE) {
            *err = why;
            return -1;
        }
        findings_add(&rehearse->findings, FINDING_WARNING, "media-query", why.hint[0] ? why.hint : NULL, "%s",
                     why.message);
        references.missing++;
    }
    total->checked += references.rows;
    total->failed += references.missing;
    return 0;
}

int rehearse_prove_references(Rehearse *rehearse, Restore *restore, Error *err)
{
    static const char name[] = "media-references", title[] = N_("every file that a row refers to is there"),
                      unit[] = N_("references");
    const RehearseOptions *options = rehearse->options;
    const Manifest *manifest = rehearse->manifest;
    ProofCount total = {0};
    for (size_t i = 0; i < options->n_references; i++)
        if (!has_fileset(manifest, options->references[i].fileset))
            findings_add(&rehearse->findings, FINDING_WARNING, "media-query",
                         "kura show lists the filesets of a backup.",
                         "there is a media query for fileset \"%s\", which the backup does not have",
                         options->references[i].fileset);
    if (options->n_references == 0 && manifest->n_filesets > 0)
        rehearse_skipped(rehearse, name, title, unit, "no --media-query tells which files rows refer to");
    if (options->n_references == 0)
        return 0;
    rehearse_phase(rehearse, "media references");
    for (size_t i = 0; i < manifest->n_filesets; i++)
        if (has_query(options, manifest->filesets[i].name) &&
            prove_one(rehearse, restore, &manifest->filesets[i], &total, err) < 0)
            return -1;
    rehearse_proof(rehearse, name, title, unit, total.checked, total.failed);
    return 0;
}
