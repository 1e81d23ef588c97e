#include "rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "copystmt.h"
#include "kura/mem.h"
#include "kura/pool.h"
#include "segment.h"

/* With --split-tables a table is cut into ranges of about this many blocks (128 MiB of heap). Before 14 a range would
 * read all of it. */
enum { SPLIT_BLOCKS = 16 * 1024, SPLIT_SERVER = 140000 };

/* A whole table, or a range of its heap blocks. */
typedef struct RowsTask {
    size_t table; /* index into database->tables */
    const TocEntry *entry;
    uint64_t weight; /* estimated bytes: largest first */
    bool ranged;
    uint64_t from_block, to_block; /* to_block 0: to the end */
    RowDigest digest;
    ManifestSegment *segments;
    size_t n_segments;
    bool left_to_leader; /* its lock could not be had at once */
} RowsTask;

typedef struct RowsRun {
    Freeze *freeze;
    const BackupOptions *options;
    Repo *repo;
    Uploader *uploader;
    ManifestDatabase *database;
    Progress *progress;
    RowsTask *tasks;
    size_t n_tasks, cap_tasks;
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

static void add_task(RowsRun *run, RowsTask task)
{
    xgrow(&run->tasks, &run->cap_tasks, run->n_tasks);
    run->tasks[run->n_tasks++] = task;
}

static void plan_table(RowsRun *run, size_t index, const CatalogTable *known)
{
    const TocEntry *entry = toc_find(run->freeze->toc, run->database->tables[index].dump_id);
    bool split = run->options->split_tables && known->condition == NULL && known->access_method &&
                 strcmp(known->access_method, "heap") == 0 && known->blocks >= 2 * SPLIT_BLOCKS &&
                 pg_server_version(run->freeze->leader) >= SPLIT_SERVER;
    uint64_t parts = split ? known->blocks / SPLIT_BLOCKS : 1;
    for (uint64_t i = 0; i < parts; i++)
        add_task(run, (RowsTask){.table = index,
                                 .entry = entry,
                                 .weight = known->bytes / parts,
                                 .ranged = split,
                                 .from_block = i * SPLIT_BLOCKS,
                                 .to_block = i + 1 == parts ? 0 : (i + 1) * SPLIT_BLOCKS});
}

/* Largest first; equal ones, and so the ranges of a table, stay in order. */
static int by_weight(const void *a, const void *b)
{
    const RowsTask *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return x->from_block < y->from_block ? -1 : x->from_block > y->from_block;
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

static int copy_task(RowsRun *run, PgConn *conn, SegmentWriter *writer, RowsTask *task, Error *err)
{
    _cleanup_free_ char *sql = task_statement(run, task, err);
    if (sql == NULL)
        return -1;
    _cleanup_free_ char *name = xasprintf("table %s.%s", task->entry->namespace, task->entry->tag);
    progress_item(run->progress, name);
    RowsSink sink = {.writer = writer, .progress = run->progress};
    uint64_t rows;
    if (pg_copy_out(conn, sql, on_row, &sink, &rows, err) < 0 ||
        segment_writer_end(writer, &task->digest, &task->segments, &task->n_segments, err) < 0)
        return error_wrap(err, "copying %s", name);
    tell_progress(&sink);
    if (rows != task->digest.rows)
        return error_set(err, ERR_FAILED, "%s: the server counted %" PRIu64 " rows, %" PRIu64 " arrived", name, rows,
                         task->digest.rows);
    return 0;
}

/* Without NOWAIT a worker would queue behind a waiting ACCESS EXCLUSIVE that waits for the leader: a deadlock that the
 * server cannot see. The leader holds the lock already, so it copies such a table itself, later. */
static int lock_table(PgConn *conn, const TocEntry *entry, bool *ret_locked, Error *err)
{
    _cleanup_free_ char *table = copystmt_table(entry);
    *ret_locked = true;
    if (pg_execf(conn, err, "SAVEPOINT kura; LOCK TABLE %s IN ACCESS SHARE MODE NOWAIT; RELEASE SAVEPOINT kura",
                 table) == 0)
        return 0;
    if (strcmp(err->sqlstate, "55P03") != 0)
        return error_wrap(err, "locking table %s", table);
    *ret_locked = false;
    error_clear(err);
    return pg_exec(conn, "ROLLBACK TO SAVEPOINT kura; RELEASE SAVEPOINT kura", err);
}

static int copy_tasks(RowsRun *run, Pool *pool, PgConn *conn, SegmentWriter *writer, Error *err)
{
    if (run->has_large_objects && !atomic_exchange(&run->large_objects_taken, true) &&
        largeobjects_copy(conn, run->repo, run->uploader, run->database, run->progress, err) < 0)
        return -1;
    size_t i;
    while ((i = run->next++) < run->n_tasks) {
        RowsTask *task = &run->tasks[i];
        bool locked;
        if (pool_check(pool, err) < 0 || lock_table(conn, task->entry, &locked, err) < 0)
            return -1;
        task->left_to_leader = !locked;
        if (locked && copy_task(run, conn, writer, task, err) < 0)
            return -1;
    }
    return 0;
}

static int worker(void *ctx, Pool *pool, size_t number, Error *err)
{
    RowsRun *run = ctx;
    PgConn *conn;
    if (freeze_join(run->freeze, run->options, &pool->failed, &conn, err) < 0)
        return -1;
    SegmentWriter *writer = segment_writer_new(run->repo, run->uploader);
    int rc = copy_tasks(run, pool, conn, writer, err);
    segment_writer_free(writer);
    pg_close(conn);
    return rc;
}

static int copy_by_leader(RowsRun *run, Error *err)
{
    SegmentWriter *writer = segment_writer_new(run->repo, run->uploader);
    int rc = 0;
    for (size_t i = 0; i < run->n_tasks && rc == 0; i++)
        if (run->tasks[i].left_to_leader)
            rc = copy_task(run, run->freeze->leader, writer, &run->tasks[i], err);
    segment_writer_free(writer);
    return rc;
}

/* Moves what the tasks found into their tables; by_place order keeps a table's ranges in the order of its blocks. */
static int by_place(const void *a, const void *b)
{
    const RowsTask *x = a, *y = b;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return x->from_block < y->from_block ? -1 : x->from_block > y->from_block;
}

static void collect(RowsRun *run)
{
    qsort(run->tasks, run->n_tasks, sizeof *run->tasks, by_place);
    for (size_t i = 0; i < run->n_tasks; i++) {
        RowsTask *task = &run->tasks[i];
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
    uint64_t total = 0;
    for (size_t i = 0; i < database->n_tables; i++) {
        const CatalogTable *known = catalog_tables_find(&freeze->tables, database->tables[i].oid);
        total += known->bytes;
        plan_table(&run, i, known);
    }
    qsort(run.tasks, run.n_tasks, sizeof *run.tasks, by_weight);
    progress_phase(progress, "rows", total);
    size_t workers = run.n_tasks + run.has_large_objects;
    int rc = pool_run(workers < jobs ? workers : jobs, worker, &run, err);
    if (rc == 0)
        rc = copy_by_leader(&run, err);
    if (rc == 0)
        collect(&run);
    for (size_t i = 0; i < run.n_tasks; i++)
        free(run.tasks[i].segments);
    free(run.tasks);
    return rc;
}
