#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/report.h"

void report_add_backup(RepositoryReport *report, const Manifest *manifest)
{
    BackupTotals totals = backup_totals(manifest);
    report->backups = xreallocarray(report->backups, report->n_backups + 1, sizeof *report->backups);
    report->backups[report->n_backups++] = (BackupBrief){.id = xstrdup(manifest->id),
                                                         .app = xstrdup(manifest->app),
                                                         .started = clock_parse_utc(manifest->started),
                                                         .finished = clock_parse_utc(manifest->finished),
                                                         .rows = totals.rows,
                                                         .row_bytes = totals.row_bytes,
                                                         .files = totals.files,
                                                         .file_bytes = totals.file_bytes,
                                                         .stored_new = manifest->stored_new,
                                                         .warnings = manifest->warnings.n};
}

void report_add_rehearsal(RepositoryReport *report, const Rehearsal *rehearsal)
{
    RehearsalBrief brief = {.id = xstrdup(rehearsal->id),
                            .backup = xstrdup(rehearsal->backup),
                            .app = xstrdup(rehearsal->app),
                            .started = clock_parse_utc(rehearsal->started),
                            .verdict = rehearsal->verdict,
                            .seconds = rehearsal->seconds,
                            .restore_seconds = rehearsal->restore_seconds};
    for (size_t i = 0; i < rehearsal->n_findings; i++)
        brief.findings += rehearsal->findings[i].severity >= FINDING_WARNING;
    report->rehearsals = xreallocarray(report->rehearsals, report->n_rehearsals + 1, sizeof brief);
    report->rehearsals[report->n_rehearsals++] = brief;
}

void report_done(RepositoryReport *report)
{
    for (size_t i = 0; i < report->n_backups; i++) {
        free(report->backups[i].id);
        free(report->backups[i].app);
    }
    for (size_t i = 0; i < report->n_rehearsals; i++) {
        free(report->rehearsals[i].id);
        free(report->rehearsals[i].backup);
        free(report->rehearsals[i].app);
    }
    free(report->backups);
    free(report->rehearsals);
    *report = (RepositoryReport){0};
}

const RehearsalBrief *report_last_rehearsal(const RepositoryReport *report, const char *backup)
{
    for (size_t i = report->n_rehearsals; i-- > 0;)
        if (strcmp(report->rehearsals[i].backup, backup) == 0)
            return &report->rehearsals[i];
    return NULL;
}
