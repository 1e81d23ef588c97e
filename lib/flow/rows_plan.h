/* What workers copy together: a job is a whole table, a range of a large one, or a run of small ones. */
#ifndef KURA_ROWS_PLAN_H
#define KURA_ROWS_PLAN_H

#include "freeze.h"
#include "kura/manifest.h"

/* A whole table, or a range of its heap blocks. */
typedef struct RowsTask {
    size_t table; /* index into database->tables */
    const TocEntry *entry;
    bool ranged;
    uint64_t from_block, to_block; /* to_block 0: to the end */
    RowDigest digest;
    ManifestSegment *segments;
    size_t n_segments;
    bool left_to_leader; /* its lock could not be had at once */
} RowsTask;

typedef struct RowsJob {
    size_t first, n; /* of the tasks; several: their rows go into one blob */
    uint64_t weight; /* estimated bytes: largest first */
} RowsJob;

typedef struct RowsPlan {
    RowsTask *tasks;
    size_t n_tasks, cap_tasks;
    RowsJob *jobs;
    size_t n_jobs, cap_jobs;
    uint64_t bytes; /* estimated, of all */
} RowsPlan;

void rows_plan(const Freeze *freeze, const ManifestDatabase *database, const BackupOptions *options, RowsPlan *ret);
void rows_plan_done(RowsPlan *plan);

#endif
