#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "load.h"
#include "pauses.h"

typedef struct Reading {
    RowDigest *digest;
    Pauses pauses;
} Reading;

static int on_row(void *ctx, const char *row, size_t len, Error *err)
{
    Reading *reading = ctx;
    rowdigest_add(reading->digest, row, len);
    pauses_take(&reading->pauses);
    return 0;
}

int load_read_back(Restore *restore, PgConn *conn, const ManifestTable *source, const TocEntry *entry, RowDigest *ret,
                   Error *err)
{
    CopyStmt stmt;
    if (copystmt_parse(entry, &stmt, err) < 0)
        return -1;
    _cleanup_free_ char *sql = copystmt_out(&stmt, entry, source->condition);
    copystmt_done(&stmt);
    *ret = (RowDigest){0};
    Reading reading = {.digest = ret, .pauses = {.wanted = restore->options->low_cost}};
    uint64_t rows;
    if (pg_exec(conn, "SET TimeZone = 'UTC'", err) < 0 || pg_copy_out(conn, sql, on_row, &reading, &rows, err) < 0 ||
        pg_exec(conn, "RESET TimeZone", err) < 0)
        return error_wrap(err, "reading back table \"%s\".\"%s\"", source->schema, source->name);
    return 0;
}

/* A table by itself, or the partitions of one root together: rows of a hash partition may move to another leaf, because
 * hashes of enum values depend on OIDs. */
typedef struct Group {
    const char *schema, *name;
    RowDigest expected, found;
    size_t tables;
} Group;

static int by_name(const void *a, const void *b)
{
    const Group *x = a, *y = b;
    int order = strcmp(x->schema, y->schema);
    return order ? order : strcmp(x->name, y->name);
}

/* Whether a column has a type whose text may change on the way; *ret is the reason, static, or NULL. */
static int may_differ(Restore *restore, const Group *group, const char **ret, Error *err)
{
    static const struct {
        const char *word, *reason;
    } reasons[] = {
        {"roles", N_("its columns name roles, whose text changes under a role map")},
        {"objects", N_("its columns name objects, and one that is missing is written as a number")},
        {"char", N_("from PostgreSQL 15 on the type \"char\" writes bytes beyond ASCII in another way")},
        {"extension", N_("its columns have types of extensions, which another version may write in another way")},
    };
    int from = toc_version_major(restore->toc->server_version), to = restore->target.server_version_num / 10000;
    const char *params[] = {group->schema, group->name, from == to ? "f" : "t", from < 15 && to >= 15 ? "t" : "f"};
    PgConn *conn;
    PGresult *result;
    *ret = NULL;
    if (target_connect(restore, NULL, &conn, err) < 0)
        return -1;
    int rc = catalog_text_may_differ(conn, params, &result, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(reasons) && PQntuples(result) > 0; i++)
        if (strcmp(pg_cell(result, 0, 0), reasons[i].word) == 0)
            *ret = reasons[i].reason;
    if (rc == 0)
        PQclear(result);
    pg_close(conn);
    return rc;
}

static int compare_group(Restore *restore, const Group *group, size_t *bad, Error *err)
{
    if (rowdigest_equal(&group->expected, &group->found)) {
        restore->report->tables_verified += group->tables;
        return 0;
    }
    const char *reason = NULL;
    if (group->expected.rows == group->found.rows && may_differ(restore, group, &reason, err) < 0)
        return -1;
    char want[33], have[33];
    rowdigest_format(&group->expected, want);
    rowdigest_format(&group->found, have);
    *bad += reason == NULL;
    findings_add(restore->findings, reason ? FINDING_NOTE : FINDING_ERROR,
                 reason ? "digest-not-compared" : "digest-differs", NULL,
                 "table \"%s\".\"%s\": %" PRIu64 " rows, digest %s; the backup has %" PRIu64 " rows, digest %s%s%s%s",
                 group->schema, group->name, group->found.rows, have, group->expected.rows, want, reason ? " (" : "",
                 reason ? words_get(reason) : "", reason ? ")" : "");
    return 0;
}

int load_compare(Load *load, Error *err)
{
    Group *groups = xcalloc(load->n_tables, sizeof *groups);
    for (size_t i = 0; i < load->n_tables; i++) {
        const ManifestTable *table = load->tables[i].source;
        groups[i] = (Group){.schema = table->root_name ? table->root_schema : table->schema,
                            .name = table->root_name ? table->root_name : table->name,
                            .expected = table->digest,
                            .found = load->tables[i].found,
                            .tables = 1};
    }
    qsort(groups, load->n_tables, sizeof *groups, by_name);
    size_t bad = 0, n = 0;
    for (size_t i = 0; i < load->n_tables; i++) {
        if (n > 0 && by_name(&groups[n - 1], &groups[i]) == 0) {
            rowdigest_merge(&groups[n - 1].expected, &groups[i].expected);
            rowdigest_merge(&groups[n - 1].found, &groups[i].found);
            groups[n - 1].tables++;
        } else {
            groups[n++] = groups[i];
        }
    }
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = compare_group(load->restore, &groups[i], &bad, err);
    free(groups);
    if (rc == 0 && bad > 0 && load->restore->options->trial == NULL) {
        load->restore->differs = true;
        rc = error_set(err, ERR_FAILED,
                       ngettext("%zu table does not hold the rows of the backup",
                                "%zu tables do not hold the rows of the backup", bad),
                       bad);
    }
    return rc;
}
