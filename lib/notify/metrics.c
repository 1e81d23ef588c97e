#include "kura/metrics.h"

#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/rehearsal.h"
#include "kura/text.h"

/* ---- labels ---- */

/* The format wants UTF-8, and three characters escaped; what is not UTF-8 is written as \xHH for people. */
static void add_label(Buf *out, const char *text)
{
    while (*text) {
        uint32_t code;
        size_t len = utf8_decode(text, &code);
        if (len == 0)
            buf_printf(out, NULL, "\\\\x%02x", (unsigned char)*text);
        else if (*text == '\\' || *text == '"')
            buf_printf(out, NULL, "\\%c", *text);
        else if (*text == '\n')
            buf_append_str(out, "\\n", NULL);
        else
            buf_append(out, text, len, NULL);
        text += len ? len : 1;
    }
}

/* ---- of every kind of run ---- */

static double moment(const char *text)
{
    return text ? (double)clock_parse_utc(text) : 0;
}

static double last_run(const RunHistory *history)
{
    return moment(history->last.finished);
}

static double last_success(const RunHistory *history)
{
    return moment(history->good.finished);
}

static double duration(const RunHistory *history)
{
    return history->last.seconds;
}

static double exit_status(const RunHistory *history)
{
    return history->last.status;
}

static double warnings(const RunHistory *history)
{
    return (double)history->last.warnings;
}

static double unfinished(const RunHistory *history)
{
    return history->last.finished == NULL;
}

/* Which runs a metric can be told of. */
typedef enum Having { HAVING_LAST, HAVING_ENDED, HAVING_GOOD } Having;

typedef struct RunMetric {
    const char *name, *help;
    Having having;
    double (*value)(const RunHistory *history);
} RunMetric;

static const RunMetric run_metrics[] = {
    {"kura_last_success_timestamp_seconds", "When the newest good run ended.", HAVING_GOOD, last_success},
    {"kura_last_run_timestamp_seconds", "When the newest run that has ended did so, good or not.", HAVING_ENDED,
     last_run},
    {"kura_last_run_duration_seconds", "How long that run took.", HAVING_ENDED, duration},
    {"kura_last_run_exit_status", "The exit status of that run: 0 done, 3 done with warnings, else failed.",
     HAVING_ENDED, exit_status},
    {"kura_last_run_warnings", "How many warnings and errors that run found.", HAVING_ENDED, warnings},
    {"kura_run_unfinished", "Whether the newest run has not ended: it runs, or was killed.", HAVING_LAST, unfinished},
};

static bool has(const RunHistory *history, Having having)
{
    if (having == HAVING_GOOD)
        return history->has_good;
    return history->has_last && (having == HAVING_LAST || history->last.finished);
}

static void add_head(Buf *out, const char *name, const char *help)
{
    buf_printf(out, NULL, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void add_run_metric(Buf *out, const RunMetric *metric, RunState *const *states, size_t n)
{
    add_head(out, metric->name, metric->help);
    for (size_t i = 0; i < n; i++) {
        for (RunKind kind = 0; kind < RUN_KINDS; kind++) {
            const RunHistory *history = &states[i]->runs[kind];
            if (!has(history, metric->having))
                continue;
            buf_printf(out, NULL, "%s{app=\"", metric->name);
            add_label(out, states[i]->app);
            buf_printf(out, NULL, "\",command=\"%s\"} %.15g\n", run_kind_name(kind), metric->value(history));
        }
    }
}

/* ---- figures of one kind ---- */

typedef struct Figure {
    const char *name, *help;
    RunKind kind;
    size_t offset; /* of a uint64_t in RunRecord */
} Figure;

#define FIGURE(name, kind, member, help)                                                                               \
    {                                                                                                                  \
        name, help, kind, offsetof(RunRecord, member)                                                                  \
    }

static const Figure figures[] = {
    FIGURE("kura_backup_rows", RUN_BACKUP, rows, "Rows in the newest backup."),
    FIGURE("kura_backup_row_bytes", RUN_BACKUP, row_bytes, "Bytes of the rows in the newest backup."),
    FIGURE("kura_backup_files", RUN_BACKUP, files, "Files in the newest backup."),
    FIGURE("kura_backup_file_bytes", RUN_BACKUP, file_bytes, "Bytes of the files in the newest backup."),
    FIGURE("kura_backup_new_bytes", RUN_BACKUP, new_bytes, "Bytes that the newest backup added to the repository."),
    FIGURE("kura_backup_stored_bytes", RUN_BACKUP, backup_bytes,
           "Stored bytes of all that the newest backup refers to."),
    FIGURE("kura_repository_bytes", RUN_VERIFY, repository_bytes,
           "Stored bytes of the whole repository when it was last verified."),
    FIGURE("kura_prune_freed_bytes", RUN_PRUNE, new_bytes, "Bytes that the newest prune freed."),
};

static void add_figure(Buf *out, const Figure *figure, RunState *const *states, size_t n)
{
    add_head(out, figure->name, figure->help);
    for (size_t i = 0; i < n; i++) {
        const RunHistory *history = &states[i]->runs[figure->kind];
        if (!history->has_good)
            continue;
        buf_printf(out, NULL, "%s{app=\"", figure->name);
        add_label(out, states[i]->app);
        buf_printf(out, NULL, "\"} %ju\n",
                   (uintmax_t) * (const uint64_t *)((const char *)&history->good + figure->offset));
    }
}

static void add_verdicts(Buf *out, RunState *const *states, size_t n)
{
    add_head(out, "kura_rehearsal_verdict", "The verdict of the newest rehearsal: 1 at the one that it is.");
    for (size_t i = 0; i < n; i++) {
        const RunRecord *last = &states[i]->runs[RUN_REHEARSE].last;
        for (Verdict verdict = VERDICT_PASSED; last->verdict && verdict <= VERDICT_FAILED; verdict++) {
            buf_append_str(out, "kura_rehearsal_verdict{app=\"", NULL);
            add_label(out, states[i]->app);
            buf_printf(out, NULL, "\",verdict=\"%s\"} %d\n", verdict_name(verdict),
                       strcmp(verdict_name(verdict), last->verdict) == 0);
        }
    }
}

int metrics_format(RunState *const *states, size_t n, Buf *out, Error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(run_metrics); i++)
        add_run_metric(out, &run_metrics[i], states, n);
    for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
        add_figure(out, &figures[i], states, n);
    add_verdicts(out, states, n);
    return buf_append(out, "", 0, err);
}
