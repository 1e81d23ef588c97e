/* Loading a backup's rows and what is built on them. One pool of workers does all of it, so that no core waits for
 * another: parts of tables, indexes of big tables that are complete, the rest of post-data once everything is loaded,
 * and, whenever there is nothing else to do, reading back what was loaded. Reading a table holds nothing but its ACCESS
 * SHARE lock, so it cannot deadlock with what is built. A table in one part is truncated and copied in one transaction
 * with FREEZE, which spares the later freezing vacuum; parts of one table that load at the same time cannot have that.
 */
#include "load.h"

#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "flow_priv.h"
#include "kura/cond.h"
#include "kura/mem.h"

static bool pick_part(Load *load, LoadTask *ret)
{
    for (; load->first_open < load->n_tables; load->first_open++) {
        LoadTable *table = &load->tables[load->first_open];
        if (table->next_part < table->n_parts) {
            *ret = (LoadTask){.kind = LOAD_PART, .table = table, .part = table->next_part++};
            return true;
        }
    }
    return false;
}

static bool same_blob(const LoadTable *a, const LoadTable *b)
{
    const BlobRef *x = &a->source->segments[0].blob, *y = &b->source->segments[0].blob;
    return strcmp(x->hash, y->hash) == 0 && x->size == y->size; /* places were checked against the size */
}

static bool pick_bundle(Load *load, LoadTask *ret)
{
    size_t first = load->next_bundled;
    if (first == load->n_bundled)
        return false;
    while (load->next_bundled < load->n_bundled && load->next_bundled - first < BUNDLE_MOST &&
           same_blob(load->bundled[first], load->bundled[load->next_bundled]))
        load->next_bundled++;
    *ret = (LoadTask){.kind = LOAD_BUNDLE, .bundle = load->bundled + first, .n_bundle = load->next_bundled - first};
    return true;
}

static bool pick_index(Load *load, LoadTask *ret)
{
    for (size_t i = 0; i < load->n_big; i++) {
        LoadTable *table = &load->tables[i];
        if (table->parts_left > 0 || table->exclusive || table->next_index == table->n_indexes)
            continue;
        const TocEntry *entry = table->indexes[table->next_index];
        bool exclusive = toc_entry_is(entry, "CONSTRAINT"); /* ALTER TABLE lets nobody else near the table */
        if (exclusive && table->shared > 0)
            continue;
        table->next_index++;
        table->exclusive = exclusive;
        table->shared += !exclusive;
        *ret = (LoadTask){.kind = LOAD_INDEX, .table = table, .entry = entry};
        return true;
    }
    return false;
}

static bool indexes_left(const Load *load)
{
    for (size_t i = 0; i < load->n_big; i++)
        if (load->tables[i].next_index < load->tables[i].n_indexes)
            return true;
    return false;
}

static bool pick_finish(Load *load, LoadTask *ret)
{
    if (load->finishing || load->building > 0 || load->parts_left > 0 || indexes_left(load))
        return false;
    load->finishing = true;
    *ret = (LoadTask){.kind = LOAD_FINISH};
    return true;
}

/* Reading back is kept for the end, where little else can run at the same time, unless a core would idle. */
static bool pick_verify(Load *load, LoadTask *ret)
{
    if (!load->finishing && load->running >= flow_jobs(0))
        return false;
    while (load->first_unread < load->n_tables && load->tables[load->first_unread].verifying)
        load->first_unread++;
    for (size_t i = load->first_unread; load->restore->options->verify && i < load->n_tables; i++) {
        LoadTable *table = &load->tables[i];
        bool complete = table->stmt.via_root ? load->parts_left == 0 : table->parts_left == 0;
        if (!complete || table->exclusive || table->verifying)
            continue;
        table->verifying = true;
        table->shared++;
        *ret = (LoadTask){.kind = LOAD_VERIFY, .table = table};
        return true;
    }
    return false;
}

/* The next thing to do, with the mutex held. Rows first: indexes wait for them; reading back fills what is left. */
static bool pick(Load *load, LoadTask *ret)
{
    if (load->large_objects_left) {
        load->large_objects_left = false;
        *ret = (LoadTask){.kind = LOAD_LARGE_OBJECTS};
    } else if (!pick_part(load, ret) && !pick_bundle(load, ret) && !pick_index(load, ret) && !pick_finish(load, ret) &&
               !pick_verify(load, ret)) {
        return false;
    }
    load->running++;
    load->building += ret->kind != LOAD_VERIFY;
    return true;
}

static bool all_done(const Load *load)
{
    return load->finishing && load->running == 0;
}

static void finished(Load *load, const LoadTask *task)
{
    LoadTable *table = task->table;
    if (task->kind == LOAD_PART) {
        table->parts_left--;
        load->parts_left--;
    } else if (task->kind == LOAD_BUNDLE) {
        for (size_t i = 0; i < task->n_bundle; i++)
            task->bundle[i]->parts_left--;
        load->parts_left -= task->n_bundle;
    } else if (task->kind == LOAD_VERIFY)
        table->shared--;
    else if (task->kind == LOAD_INDEX) {
        Restore *restore = load->restore;
        if (table->exclusive)
            table->exclusive = false;
        else
            table->shared--;
        xgrow(&restore->built, &restore->cap_built, restore->n_built);
        restore->built[restore->n_built++] = task->entry->dump_id;
    }
    load->building -= task->kind != LOAD_VERIFY;
    load->running--;
}

/* What another role filled, only that role may be able to read. */
static int verify(Load *load, PgConn *conn, LoadTable *table, Error *err)
{
    Restore *restore = load->restore;
    PgConn *own = NULL;
    if (entry_doer(restore, table->entry) == DOER_ADMIN && target_connect_helped(restore, &own, err) < 0)
        return -1;
    int rc = load_read_back(restore, own ? own : conn, table->source, table->entry, &table->found, err);
    pg_close(own);
    return rc;
}

static int do_task(Load *load, PgConn *conn, LoadTask *task, Error *err)
{
    switch (task->kind) {
    case LOAD_PART:
        return load_part(load, conn, task->table, &task->table->parts[task->part], err);
    case LOAD_BUNDLE:
        return load_bundle(load, conn, task->bundle, task->n_bundle, err);
    case LOAD_INDEX:
        return pgrestore_run(
            load->restore,
            &(PgRestoreRun){.section = "post-data", .only = &task->entry->dump_id, .n_only = 1, .busy = load->jobs > 1},
            err);
    case LOAD_FINISH:
        return restore_finish(load->restore, err);
    case LOAD_VERIFY:
        return verify(load, conn, task->table, err);
    case LOAD_LARGE_OBJECTS:
        return load_large_objects(load->restore, conn, err);
    }
    return 0;
}

static int worker(void *ctx, Pool *pool, size_t number, Error *err)
{
    enum { TICK_MS = 100 };
    Load *load = ctx;
    PgConn *conn;
    if (target_connect(load->restore, &pool->failed, &conn, err) < 0)
        return -1;
    int rc = 0;
    pthread_mutex_lock(&load->mutex);
    while (rc == 0 && (rc = pool_check(pool, err)) == 0) {
        LoadTask task;
        if (pick(load, &task)) {
            pthread_mutex_unlock(&load->mutex);
            rc = do_task(load, conn, &task, err);
            pthread_mutex_lock(&load->mutex);
            finished(load, &task);
            pthread_cond_broadcast(&load->changed);
        } else if (all_done(load)) {
            break;
        } else {
            cond_wait_for(&load->changed, &load->mutex, TICK_MS);
        }
    }
    pthread_mutex_unlock(&load->mutex);
    pg_close(conn);
    return rc;
}

static bool keeps_data_entry(const void *ctx, const TocEntry *entry)
{
    return !toc_entry_is(entry, "TABLE DATA") && !toc_entry_is(entry, "BLOBS");
}

int load_backup(Restore *restore, Error *err)
{
    size_t n;
    int *ids = toc_ids(restore->toc, keeps_data_entry, NULL, &n);
    int rc = pgrestore_run(restore, &(PgRestoreRun){.section = "data", .only = ids, .n_only = n}, err);
    free(ids);
    if (rc < 0 || load_config_tables(restore, err) < 0)
        return -1;
    Load load = {
        .restore = restore, .jobs = flow_load_jobs(restore->options->jobs), .mutex = PTHREAD_MUTEX_INITIALIZER};
    cond_init(&load.changed);
    rc = load_plan(&load, err);
    if (rc == 0)
        rc = pool_run(load.jobs, worker, &load, err);
    if (rc == 0 && restore->options->verify)
        rc = load_compare(&load, err);
    load_plan_done(&load);
    return rc;
}
