#include "rows_plan.h"

#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "kura/mem.h"
#include "segment.h"

/* With --split-tables a table is cut into ranges of about this many blocks (128 MiB of heap). Before 14 a range would
 * read all of it. */
enum { SPLIT_BLOCKS = 16 * 1024, SPLIT_SERVER = 140000 };
/* What a table costs however few rows it has, in bytes that would take as long. */
enum { TABLE_BYTES = 16 * 1024 };

static void add_task(RowsPlan *plan, RowsTask task)
{
    xgrow(&plan->tasks, &plan->cap_tasks, plan->n_tasks);
    plan->tasks[plan->n_tasks++] = task;
}

static void add_job(RowsPlan *plan, uint64_t weight)
{
    xgrow(&plan->jobs, &plan->cap_jobs, plan->n_jobs);
    plan->jobs[plan->n_jobs++] = (RowsJob){.first = plan->n_tasks, .weight = weight};
}

static void plan_alone(RowsPlan *plan, const Freeze *freeze, const BackupOptions *options, RowsTask task,
                       const CatalogTable *known)
{
    bool split = options->split_tables && known->condition == NULL && known->access_method &&
                 strcmp(known->access_method, "heap") == 0 && known->blocks >= 2 * SPLIT_BLOCKS &&
                 pg_server_version(freeze->leader) >= SPLIT_SERVER;
    uint64_t parts = split ? known->blocks / SPLIT_BLOCKS : 1;
    for (uint64_t i = 0; i < parts; i++) {
        task.ranged = split;
        task.from_block = i * SPLIT_BLOCKS;
        task.to_block = i + 1 == parts ? 0 : (i + 1) * SPLIT_BLOCKS;
        add_job(plan, known->bytes / parts);
        plan->jobs[plan->n_jobs - 1].n = 1;
        add_task(plan, task);
    }
}

/* Largest first; equal ones, and so the ranges of a table, stay in order. */
static int by_weight(const void *a, const void *b)
{
    const RowsJob *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static const CatalogTable *known_of(const Freeze *freeze, const ManifestTable *table)
{
    return catalog_tables_find(&freeze->tables, table->oid);
}

static bool is_small(const CatalogTable *known)
{
    return known->bytes <= BUNDLED_MAX;
}

static RowsTask task_of(const Freeze *freeze, const ManifestDatabase *database, size_t table)
{
    return (RowsTask){.table = table, .entry = toc_find(freeze->toc, database->tables[table].dump_id)};
}

/* A job for the small tables of each run. */
static void plan_small(RowsPlan *plan, const Freeze *freeze, const ManifestDatabase *database)
{
    _cleanup_free_ BundlePlace *places = bundle_places(database->tables, database->n_tables);
    size_t run = SIZE_MAX;
    for (size_t i = 0; i < database->n_tables; i++) {
        const CatalogTable *known = known_of(freeze, &database->tables[places[i].table]);
        if (!is_small(known))
            continue;
        if (places[i].run != run)
            add_job(plan, 0);
        run = places[i].run;
        RowsJob *job = &plan->jobs[plan->n_jobs - 1];
        job->weight += known->bytes + TABLE_BYTES;
        job->n++;
        add_task(plan, task_of(freeze, database, places[i].table));
    }
}

void rows_plan(const Freeze *freeze, const ManifestDatabase *database, const BackupOptions *options, RowsPlan *ret)
{
    RowsPlan plan = {0};
    plan_small(&plan, freeze, database);
    for (size_t i = 0; i < database->n_tables; i++) {
        const CatalogTable *known = known_of(freeze, &database->tables[i]);
        plan.bytes += known->bytes;
        if (!is_small(known))
            plan_alone(&plan, freeze, options, task_of(freeze, database, i), known);
    }
    qsort(plan.jobs, plan.n_jobs, sizeof *plan.jobs, by_weight);
    *ret = plan;
}

void rows_plan_done(RowsPlan *plan)
{
    for (size_t i = 0; i < plan->n_tasks; i++)
        free(plan->tasks[i].segments);
    free(plan->tasks);
    free(plan->jobs);
}
