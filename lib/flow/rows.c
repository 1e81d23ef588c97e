#include "rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "copystmt.h"
#include "kura/mem.h"
#include "kura/pool.h"
#include "kura/words.h"
#include "rows_plan.h"
#include "segment.h"

enum { STATEMENT_MAX = 1 << 20 };

typedef struct RowsRun {
    Freeze *freeze;
    const BackupOptions *options;
    Repo *repo;
    Uploader *uploader;
    ManifestDatabase *database;
    Progress *progress;
    RowsPlan plan;
    atomic_size_t next;
    atomic_bool large_objects_taken;
    bool has_large_objects;
} RowsRun;

int rows_list(const Freeze *freeze, ManifestDatabase *database, Error *err)
{
    const Toc *toc = freeze->toc;
    database->tables = xcalloc(toc->n_entries, sizeof *database->tables);
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (!toc_entry_has_rows(entry))
            continue;
        const CatalogTable *known = catalog_tables_find(&freeze->tables, (uint32_t)strtoul(entry->oid, NULL, 10));
        if (known == NULL || strcmp(known->schema, entry->namespace) != 0 || strcmp(known->name, entry->tag) != 0)
            return error_set(err, ERR_FAILED,
                             "pg_dump lists table \"%s\".\"%s\" (OID %s), the snapshot's catalogue does not",
                             entry->namespace, entry->tag, entry->oid);
        database->tables[database->n_tables++] = (ManifestTable){
            .schema = xstrdup(known->schema),
            .name = xstrdup(known->name),
            .oid = known->oid,
            .dump_id = entry->dump_id,
            .root_schema = xstrdup_null(known->root_schema),
            .root_name = xstrdup_null(known->root_name),
            .condition = xstrdup_null(known->condition),
        };
    }
    return 0;
}

/* Where copied rows go. */
typedef struct RowsSink {
    SegmentWriter *writer;
    Progress *progress;
    uint64_t pending_bytes, pending_rows; /* not yet told to progress */
} RowsSink;

static void tell_progress(RowsSink *sink)
{
    progress_add(sink->progress, sink->pending_bytes, sink->pending_rows);
    sink->pending_bytes = sink->pending_rows = 0;
}

static int on_row(void *ctx, const char *data, size_t len, Error *err)
{
    enum { PROGRESS_STEP = 256 * 1024 };
    RowsSink *sink = ctx;
    sink->pending_bytes += len;
    sink->pending_rows++;
    if (sink->pending_bytes >= PROGRESS_STEP)
        tell_progress(sink);
    return segment_writer_row(sink->writer, data, len, err);
}

static char *task_statement(const RowsRun *run, const RowsTask *task, Error *err)
{
    CopyStmt stmt;
    if (copystmt_parse(task->entry, &stmt, err) < 0)
        return NULL;
    _cleanup_free_ char *range = NULL;
    const char *condition = run->database->tables[task->table].condition;
    if (task->ranged) {
        range = task->to_block == 0 ? xasprintf("WHERE ctid >= '(%" PRIu64 ",0)'", task->from_block)
                                    : xasprintf("WHERE ctid >= '(%" PRIu64 ",0)' AND ctid < '(%" PRIu64 ",0)'",
                                                task->from_block, task->to_block);
        condition = range;
    }
    char *sql = copystmt_out(&stmt, task->entry, condition);
    copystmt_done(&stmt);
    return sql;
}

static int copy_task(RowsRun *run, PgConn *conn, SegmentWriter *writer, RowsTask *task, bool bundled, Error *err)
{
    _cleanup_free_ char *sql = task_statement(run, task, err);
    if (sql == NULL)
        return -1;
    _cleanup_free_ char *name = xasprintf("table %s.%s", task->entry->namespace, task->entry->tag);
    progress_item(run->progress, name);
    RowsSink sink = {.writer = writer, .progress = run->progress};
    uint64_t rows;
    if (pg_copy_out(conn, sql, on_row, &sink, &rows, err) < 0 ||
        (bundled ? segment_writer_end_bundled : segment_writer_end)(writer, &task->digest, &task->segments,
                                                                    &task->n_segments, err) < 0)
        return error_wrap(err, "copying %s", name);
    tell_progress(&sink);
    if (rows != task->digest.rows)
        return error_set(err, ERR_FAILED, "%s: the server counted %" PRIu64 " rows, %" PRIu64 " arrived", name, rows,
                         task->digest.rows);
    return 0;
}

/* Without NOWAIT a worker would queue behind a waiting ACCESS EXCLUSIVE that waits for the leader: a deadlock that the
 * server cannot see. The savepoint stays: rolling back to it releases the locks, which the leader holds anyway, so that
 * they are in the server's lock table no longer than needed. */
static int lock_tables(PgConn *conn, const RowsTask *tasks, size_t n, bool *ret_locked, Error *err)
{
    _cleanup_(buf_done) Buf sql = BUF_INIT(STATEMENT_MAX);
    buf_append_str(&sql, "SAVEPOINT kura; LOCK TABLE ", NULL);
    for (size_t i = 0; i < n; i++) {
        _cleanup_free_ char *table = copystmt_table(tasks[i].entry);
        buf_printf(&sql, NULL, "%sONLY %s", i ? ", " : "", table);
    }
    buf_append_str(&sql, " IN ACCESS SHARE MODE NOWAIT", NULL);
    *ret_locked = pg_exec(conn, buf_str(&sql), err) == 0;
    if (*ret_locked)
        return 0;
    if (strcmp(err->sqlstate, "55P03") != 0)
        return error_wrap(err, n == 1 ? N_("locking table %s") : N_("locking table %s and others"), tasks->entry->tag);
    error_clear(err);
    return 0;
}

/* A table that somebody waits to change is left to the leader, who holds its lock already. */
static int copy_tasks(RowsRun *run, PgConn *conn, SegmentWriter *writer, RowsTask *tasks, size_t n, bool bundled,
                      Error *err)
{
    bool locked;
    if (lock_tables(conn, tasks, n, &locked, err) < 0)
        return -1;
    for (size_t i = 0; locked && i < n; i++)
        if (copy_task(run, conn, writer, &tasks[i], bundled, err) < 0)
            return -1;
    if (pg_exec(conn, "ROLLBACK TO SAVEPOINT kura; RELEASE SAVEPOINT kura", err) < 0)
        return -1;
    if (!locked && n == 1)
        tasks->left_to_leader = true;
    for (size_t i = 0; !locked && n > 1 && i < n; i++)
        if (copy_tasks(run, conn, writer, &tasks[i], 1, bundled, err) < 0)
            return -1;
    return 0;
}

/* Tells the segments that went into a bundle which blob that is. */
static int end_bundle(SegmentWriter *writer, RowsTask *tasks, size_t n, Error *err)
{
    BlobRef blob;
    bool any;
    if (segment_writer_seal_bundle(writer, &blob, &any, err) < 0)
        return -1;
    for (size_t i = 0; any && i < n; i++)
        for (size_t j = 0; j < tasks[i].n_segments; j++)
            if (tasks[i].segments[j].length > 0)
                tasks[i].segments[j].blob = blob;
    return 0;
}

static int copy_job(RowsRun *run, PgConn *conn, SegmentWriter *writer, const RowsJob *job, Error *err)
{
    RowsTask *tasks = run->plan.tasks + job->first;
    if (copy_tasks(run, conn, writer, tasks, job->n, job->n > 1, err) < 0)
        return -1;
    return end_bundle(writer, tasks, job->n, err);
}

static int copy_jobs(RowsRun *run, Pool *pool, PgConn *conn, SegmentWriter *writer, Error *err)
{
    if (run->has_large_objects && !atomic_exchange(&run->large_objects_taken, true) &&
        largeobjects_copy(conn, run->repo, run->uploader, run->database, run->progress, err) < 0)
        return -1;
    size_t i;
    while ((i = run->next++) < run->plan.n_jobs)
        if (pool_check(pool, err) < 0 || copy_job(run, conn, writer, &run->plan.jobs[i], err) < 0)
            return -1;
    return 0;
}

static int worker(void *ctx, Pool *pool, size_t number, Error *err)
{
    RowsRun *run = ctx;
    PgConn *conn;
    if (freeze_join(run->freeze, run->options, &pool->failed, &conn, err) < 0)
        return -1;
    SegmentWriter *writer = segment_writer_new(run->repo, run->uploader);
    int rc = copy_jobs(run, pool, conn, writer, err);
    segment_writer_free(writer);
    pg_close(conn);
    return rc;
}

static int copy_by_leader(RowsRun *run, Error *err)
{
    SegmentWriter *writer = segment_writer_new(run->repo, run->uploader);
    int rc = 0;
    for (size_t i = 0; i < run->plan.n_tasks && rc == 0; i++)
        if (run->plan.tasks[i].left_to_leader)
            rc = copy_task(run, run->freeze->leader, writer, &run->plan.tasks[i], false, err);
    segment_writer_free(writer);
    return rc;
}

/* Moves what the tasks found into their tables; the ranges of a table come in the order of its blocks. */
static void collect(RowsRun *run)
{
    for (size_t i = 0; i < run->plan.n_tasks; i++) {
        RowsTask *task = &run->plan.tasks[i];
        ManifestTable *table = &run->database->tables[task->table];
        rowdigest_merge(&table->digest, &task->digest);
        table->segments = xreallocarray(table->segments, table->n_segments + task->n_segments, sizeof *table->segments);
        if (task->n_segments)
            memcpy(table->segments + table->n_segments, task->segments, task->n_segments * sizeof *table->segments);
        table->n_segments += task->n_segments;
    }
}

int rows_copy(Freeze *freeze, const BackupOptions *options, size_t jobs, Repo *repo, Uploader *uploader,
              ManifestDatabase *database, Progress *progress, Error *err)
{
    RowsRun run = {.freeze = freeze,
                   .options = options,
                   .repo = repo,
                   .uploader = uploader,
                   .database = database,
                   .progress = progress,
                   .has_large_objects = toc_find_first(freeze->toc, "BLOBS", "") != NULL};
    rows_plan(freeze, database, options, &run.plan);
    progress_phase(progress, "rows", run.plan.bytes);
    size_t workers = run.plan.n_jobs + run.has_large_objects;
    int rc = pool_run(workers < jobs ? workers : jobs, worker, &run, err);
    if (rc == 0)
        rc = copy_by_leader(&run, err);
    if (rc == 0)
        collect(&run);
    rows_plan_done(&run.plan);
    return rc;
}
