/* What a rehearsal found, as it is kept. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "rehearse_priv.h"

/* ---- phases ---- */

static void add_phase(Rehearse *rehearse, const char *name, double start, double seconds)
{
    Rehearsal *result = rehearse->result;
    xgrow(&result->phases, &rehearse->cap_phases, result->n_phases);
    result->phases[result->n_phases++] =
        (RehearsalPhase){.name = xstrdup(name), .start = start - rehearse->began, .seconds = seconds};
}

void rehearse_phase(Rehearse *rehearse, const char *name)
{
    Rehearsal *result = rehearse->result;
    double now = clock_monotonic();
    RehearsalPhase *last = result->n_phases ? &result->phases[result->n_phases - 1] : NULL;
    if (last && last->seconds < 0)
        last->seconds = now - rehearse->began - last->start;
    if (name == NULL)
        return;
    add_phase(rehearse, name, now, -1);
    progress_phase(rehearse->progress, name, 0);
}

static int by_start(const void *a, const void *b)
{
    double x = ((const RehearsalPhase *)a)->start, y = ((const RehearsalPhase *)b)->start;
    return x < y ? -1 : x > y;
}

static void take_restore_phases(Rehearse *rehearse)
{
    const RestoreReport *report = &rehearse->report;
    for (size_t i = 0; i < report->n_phases; i++) {
        add_phase(rehearse, report->phases[i].name, report->phases[i].start, report->phases[i].seconds);
        rehearse->result->restore_seconds += report->phases[i].seconds;
    }
    qsort(rehearse->result->phases, rehearse->result->n_phases, sizeof *rehearse->result->phases, by_start);
}

/* ---- findings ---- */

/* What the roles of a rehearsal cannot be is no fault of the backup's. */
bool rehearse_expects(const Finding *finding)
{
    static const char *const codes[] = {"probe-no-login", "membership-borrowed", "role-mentioned", "role-membership",
                                        "probe-superuser"};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (strcmp(finding->code, codes[i]) == 0)
            return true;
    return false;
}

/* What a person is to drop must be called by its name. */
static bool names_what_stays(const Finding *finding)
{
    static const char *const codes[] = {"rehearsal-kept", "scratch-left", "role-left", "membership-left"};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (strcmp(finding->code, codes[i]) == 0)
            return true;
    return false;
}

void rehearse_take_findings(Rehearse *rehearse, Findings *also)
{
    Rehearsal *result = rehearse->result;
    result->findings = xcalloc(rehearse->findings.n + 1, sizeof *result->findings);
    for (size_t i = 0; i < rehearse->findings.n; i++) {
        const Finding *from = &rehearse->findings.v[i];
        if (rehearse_expects(from))
            continue;
        Finding *to = &result->findings[result->n_findings++];
        *to = (Finding){.severity = from->severity, .code = xstrdup(from->code)};
        bool by_name = names_what_stays(from);
        to->message = by_name ? xstrdup(from->message) : rehearse_old_names(rehearse, from->message);
        if (from->hint)
            to->hint = by_name ? xstrdup(from->hint) : rehearse_old_names(rehearse, from->hint);
        findings_add(also, to->severity, to->code, to->hint, "%s", to->message);
    }
}

/* A flaw that the source has too: the backup came back as it was. */
static bool is_flaw_of_source(const Finding *finding)
{
    return strncmp(finding->code, "probe-", 6) == 0 || strcmp(finding->code, "security-definer") == 0;
}

bool rehearse_has_failed(const Rehearse *rehearse)
{
    for (size_t i = 0; i < rehearse->findings.n; i++)
        if (rehearse->findings.v[i].severity == FINDING_ERROR && !is_flaw_of_source(&rehearse->findings.v[i]))
            return true;
    return false;
}

static bool has_findings(const Rehearse *rehearse)
{
    for (size_t i = 0; i < rehearse->findings.n; i++)
        if (rehearse->findings.v[i].severity >= FINDING_WARNING && !rehearse_expects(&rehearse->findings.v[i]))
            return true;
    return false;
}

static Verdict judge(const Rehearse *rehearse)
{
    const Rehearsal *result = rehearse->result;
    if (result->error || !rehearse->settled || rehearse_has_failed(rehearse))
        return VERDICT_FAILED;
    return has_findings(rehearse) ? VERDICT_FINDINGS : VERDICT_PASSED;
}

static int largest_first(const void *a, const void *b)
{
    uint64_t x = ((const RehearsalTable *)a)->bytes, y = ((const RehearsalTable *)b)->bytes;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void take_tables(Rehearse *rehearse)
{
    const ManifestDatabase *database = &rehearse->manifest->database;
    Rehearsal *result = rehearse->result;
    result->tables = xcalloc(database->n_tables + 1, sizeof *result->tables);
    for (size_t i = 0; i < database->n_tables; i++) {
        const ManifestTable *table = &database->tables[i];
        result->tables[result->n_tables++] = (RehearsalTable){.schema = xstrdup(table->schema),
                                                              .name = xstrdup(table->name),
                                                              .rows = table->digest.rows,
                                                              .bytes = table->digest.bytes};
    }
    qsort(result->tables, result->n_tables, sizeof *result->tables, largest_first);
}

static char *now_text(void)
{
    char text[32];
    clock_format_utc(time(NULL), text, sizeof text);
    return xstrdup(text);
}

void rehearse_describe(Rehearse *rehearse)
{
    const Manifest *manifest = rehearse->manifest;
    Rehearsal *result = rehearse->result;
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    result->id = rehearsal_new_id(rehearse->repo, manifest->app);
    result->backup = xstrdup(manifest->id);
    result->app = xstrdup(manifest->app);
    result->host = xstrdup(host);
    result->kura_version = xstrdup(KURA_VERSION);
    result->started = now_text();
    result->backup_started = xstrdup(manifest->started);
    result->backup_finished = xstrdup(manifest->finished);
    result->source_version_num = manifest->database.facts.server_version_num;
    result->backup_age = difftime(time(NULL), clock_parse_utc(manifest->started));
    result->newest_row_age = -1;
    take_tables(rehearse);
}

void rehearse_settle(Rehearse *rehearse, int rc, const Error *why)
{
    Rehearsal *result = rehearse->result;
    rehearse_phase(rehearse, NULL);
    take_restore_phases(rehearse);
    if (rc < 0) {
        result->error = rehearse_old_names(rehearse, why->message);
        result->hint = why->hint[0] ? rehearse_old_names(rehearse, why->hint) : NULL;
    }
    result->verdict = judge(rehearse);
    result->finished = now_text();
    result->seconds = clock_monotonic() - rehearse->began;
}
