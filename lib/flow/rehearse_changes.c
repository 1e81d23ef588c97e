/* What a migration made of schema and rows. */
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/schemastate.h"
#include "kura/sqllex.h"
#include "kura/stop.h"
#include "load.h"
#include "rehearse_run.h"

enum { CHANGES_MAX = 5000, DEFINITION_MAX = 4000 };

/* ---- the schema ---- */

/* The end of a long definition tells little, and would be kept in every report. */
static char *shorten(const Rehearse *rehearse, const char *text)
{
    _cleanup_free_ char *old = rehearse_old_names(rehearse, text);
    if (strlen(old) <= DEFINITION_MAX)
        return steal(old);
    size_t len = DEFINITION_MAX;
    while (len > 0 && ((unsigned char)old[len] & 0xc0) == 0x80)
        len--;
    return xasprintf("%.*s..", (int)len, old);
}

static void add_change(Rehearse *rehearse, size_t *cap, SchemaChangeKind kind, const PGresult *before, int i,
                       const PGresult *after, int j)
{
    RehearsalRun *run = &rehearse->result->run;
    const PGresult *some = before ? before : after;
    int row = before ? i : j;
    if (run->n_changes == CHANGES_MAX) {
        findings_add(&rehearse->findings, FINDING_NOTE, "changes-many", NULL,
                     "the command changed more than %d things; the others are not listed", CHANGES_MAX);
        run->n_changes++;
    }
    if (run->n_changes > CHANGES_MAX)
        return;
    xgrow(&run->changes, cap, run->n_changes);
    run->changes[run->n_changes++] =
        (RehearsalSchemaChange){.kind = kind,
                                .what = xstrdup(pg_cell(some, row, STATE_WHAT)),
                                .name = xstrdup(pg_cell(some, row, STATE_NAME)),
                                .before = before ? shorten(rehearse, pg_cell(before, i, STATE_DEFINITION)) : NULL,
                                .after = after ? shorten(rehearse, pg_cell(after, j, STATE_DEFINITION)) : NULL};
}

static int compare_rows_of_state(const PGresult *a, int i, const PGresult *b, int j)
{
    int order = strcmp(pg_cell(a, i, STATE_WHAT), pg_cell(b, j, STATE_WHAT));
    return order ? order : strcmp(pg_cell(a, i, STATE_NAME), pg_cell(b, j, STATE_NAME));
}

void rehearse_compare_states(Rehearse *rehearse, const PGresult *before, const PGresult *after)
{
    RehearsalRun *run = &rehearse->result->run;
    int n = PQntuples(before), m = PQntuples(after);
    size_t cap = 0;
    for (int i = 0, j = 0; i < n || j < m;) {
        int order = i == n ? 1 : j == m ? -1 : compare_rows_of_state(before, i, after, j);
        if (order < 0)
            add_change(rehearse, &cap, SCHEMA_REMOVED, before, i, NULL, 0);
        else if (order > 0)
            add_change(rehearse, &cap, SCHEMA_ADDED, NULL, 0, after, j);
        else if (strcmp(pg_cell(before, i, STATE_DEFINITION), pg_cell(after, j, STATE_DEFINITION)) != 0)
            add_change(rehearse, &cap, SCHEMA_CHANGED, before, i, after, j);
        i += order <= 0;
        j += order >= 0;
    }
    if (run->n_changes > CHANGES_MAX)
        run->n_changes = CHANGES_MAX;
}

/* ---- the rows ---- */

/* A table, or all partitions of one: rows may move between these. */
typedef struct Group {
    const char *schema, *name;
    RowDigest before, after;
    bool reshaped; /* cannot be read as before: a column is gone, or all of it */
} Group;

static int by_name(const void *a, const void *b)
{
    const Group *x = a, *y = b;
    int order = strcmp(x->schema, y->schema);
    return order ? order : strcmp(x->name, y->name);
}

/* Reads the columns that the backup has; where they are not there any more the rows are only counted. */
static int read_table(Restore *restore, PgConn *conn, const ManifestTable *table, Group *ret, Error *err)
{
    const TocEntry *entry = toc_find(restore->toc, table->dump_id);
    Error refused = ERROR_INIT;
    _cleanup_free_ char *schema = sql_quote_ident(table->schema), *name = sql_quote_ident(table->name), *count = NULL;
    if (load_read_back(restore, conn, table, entry, &ret->after, &refused) == 0)
        return 0;
    if (refused.code != ERR_SERVER || stop_signal() != 0) {
        *err = refused;
        return -1;
    }
    ret->reshaped = true;
    ret->after = (RowDigest){0};
    _cleanup_free_ char *sql = xasprintf("SELECT count(*) FROM ONLY %s.%s", schema, name);
    if (pg_query_value(conn, sql, 0, NULL, &count, &refused) == 0)
        ret->after.rows = strtoull(count, NULL, 10);
    else if (refused.code != ERR_SERVER) {
        *err = refused;
        return -1;
    }
    return 0;
}

static void add_rows(RehearsalRun *run, size_t *cap, const char *table, uint64_t before, uint64_t after)
{
    xgrow(&run->rows, cap, run->n_rows);
    run->rows[run->n_rows++] = (RehearsalRows){.table = xstrdup(table), .before = before, .after = after};
}

static void merge(Group *groups, size_t *n)
{
    size_t kept = 0;
    qsort(groups, *n, sizeof *groups, by_name);
    for (size_t i = 0; i < *n; i++) {
        if (kept > 0 && by_name(&groups[kept - 1], &groups[i]) == 0) {
            rowdigest_merge(&groups[kept - 1].before, &groups[i].before);
            rowdigest_merge(&groups[kept - 1].after, &groups[i].after);
            groups[kept - 1].reshaped |= groups[i].reshaped;
        } else {
            groups[kept++] = groups[i];
        }
    }
    *n = kept;
}

static void tell_groups(RehearsalRun *run, size_t *cap, const Group *groups, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const Group *group = &groups[i];
        if (!group->reshaped && rowdigest_equal(&group->before, &group->after))
            continue;
        _cleanup_free_ char *schema = sql_quote_ident(group->schema), *name = sql_quote_ident(group->name);
        _cleanup_free_ char *table = xasprintf("%s.%s", schema, name);
        add_rows(run, cap, table, group->before.rows, group->after.rows);
    }
}

/* Tables that were not there before. */
static int count_new(Rehearse *rehearse, PgConn *conn, size_t *cap, Error *err)
{
    RehearsalRun *run = &rehearse->result->run;
    for (size_t i = 0; i < run->n_changes; i++) {
        const RehearsalSchemaChange *change = &run->changes[i];
        _cleanup_free_ char *count = NULL;
        if (change->kind != SCHEMA_ADDED || strcmp(change->what, "table") != 0)
            continue;
        _cleanup_free_ char *sql = xasprintf("SELECT count(*) FROM %s", change->name);
        Error refused = ERROR_INIT;
        if (pg_query_value(conn, sql, 0, NULL, &count, &refused) == 0)
            add_rows(run, cap, change->name, 0, strtoull(count, NULL, 10));
        else if (refused.code != ERR_SERVER)
            return error_set(err, refused.code, "%s", refused.message);
    }
    return 0;
}

static int by_table(const void *a, const void *b)
{
    return strcmp(((const RehearsalRows *)a)->table, ((const RehearsalRows *)b)->table);
}

int rehearse_compare_rows(Rehearse *rehearse, Restore *restore, Error *err)
{
    const ManifestDatabase *database = &rehearse->manifest->database;
    RehearsalRun *run = &rehearse->result->run;
    Group *groups = xcalloc(database->n_tables + 1, sizeof *groups);
    size_t n = 0, cap = 0;
    PgConn *conn;
    if ((restore->aid.superuser ? target_connect_helped(restore, &conn, err)
                                : target_connect(restore, NULL, &conn, err)) < 0) {
        free(groups);
        return -1;
    }
    int rc = 0;
    for (size_t i = 0; i < database->n_tables && rc == 0; i++) {
        const ManifestTable *table = &database->tables[i];
        groups[n] = (Group){.schema = table->root_name ? table->root_schema : table->schema,
                            .name = table->root_name ? table->root_name : table->name,
                            .before = table->digest};
        rc = read_table(restore, conn, table, &groups[n++], err);
    }
    if (rc == 0) {
        merge(groups, &n);
        tell_groups(run, &cap, groups, n);
        rc = count_new(rehearse, conn, &cap, err);
    }
    if (run->n_rows > 0)
        qsort(run->rows, run->n_rows, sizeof *run->rows, by_table);
    pg_close(conn);
    free(groups);
    return rc;
}
