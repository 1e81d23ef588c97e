#include "kura/standing.h"

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/text.h"
#include "kura/words.h"

/* Clocks of two hosts differ; a backup from further ahead is not believed to be that young. */
enum { CLOCK_SKEW = 600 };

void standing_done(Standing *standing)
{
    if (standing == NULL)
        return;
    free(standing->app);
    free(standing->location);
    free(standing->trouble);
    free(standing->backup);
    *standing = (Standing){0};
}

static double age(time_t moment, time_t now)
{
    return now > moment ? (double)(now - moment) : 0;
}

/* "shop", or of a further repository "shop" in "/mnt/second", both in quotes. To be freed. */
static char *name_of(const Standing *standing)
{
    return standing->further ? xasprintf(_("\"%s\" in \"%s\""), standing->app, standing->location)
                             : xasprintf("\"%s\"", standing->app);
}

static void judge_backup(const Standing *standing, double limit, time_t now, Findings *findings)
{
    char old[TEXT_SIZE], most[TEXT_SIZE];
    _cleanup_free_ char *name = name_of(standing);
    if (standing->backup == NULL)
        findings_add(findings, FINDING_ERROR, "no-backup", NULL, "there is no backup of %s", name);
    else if (standing->made > now + CLOCK_SKEW)
        findings_add(findings, FINDING_WARNING, "backup-of-the-future", "Look at the clocks of the hosts.",
                     "the newest backup of %s, %s, is of the future", name, standing->backup);
    else if (limit > 0 && age(standing->made, now) > limit)
        findings_add(findings, FINDING_ERROR, "backup-too-old",
                     "Look at the log of the last run: \"journalctl -u kura@NAME\", or cron's mail.",
                     "the newest backup of %s, %s, is %s old, and may be %s", name, standing->backup,
                     text_age(age(standing->made, now), old), text_age(limit, most));
}

static void judge_last_run(const Standing *standing, RunKind kind, Findings *findings)
{
    const RunHistory *history = &standing->runs[kind];
    const RunRecord *last = &history->last;
    const char *name = words_get(run_kind_name(kind));
    if (!history->has_last || run_record_good(kind, last))
        return;
    if (kind == RUN_VERIFY && last->finished && standing->verified >= clock_parse_utc(last->started))
        return; /* what it found is told by the repository */
    if (run_record_killed(last))
        findings_add(findings, FINDING_WARNING, "run-killed", NULL,
                     "the %s of \"%s\" that began at %s was killed, or its host went down", name, standing->app,
                     last->started);
    else if (last->finished && last->status == error_exit_status(ERR_FINDINGS))
        findings_add(findings, FINDING_ERROR, "damage-found", "\"kura verify\" tells what is damaged.",
                     "the last verify of \"%s\", at %s, found damage", standing->app, last->finished);
    else if (last->finished)
        findings_add(findings, FINDING_WARNING, "run-failed", NULL, "the last %s of \"%s\", at %s, failed: %s", name,
                     standing->app, last->finished, last->error ? last->error : _("it told no reason"));
}

static void judge_rehearsal(const Standing *standing, double limit, time_t now, Findings *findings)
{
    char old[TEXT_SIZE], most[TEXT_SIZE];
    if (standing->judged && standing->verdict == VERDICT_FAILED)
        findings_add(findings, FINDING_ERROR, "rehearsal-failed", "Run \"kura rehearse latest\" and see why.",
                     "the newest rehearsal of \"%s\", %s ago, failed", standing->app,
                     text_age(age(standing->rehearsal, now), old));
    if (limit <= 0)
        return;
    if (!standing->rehearsed)
        findings_add(findings, FINDING_WARNING, "never-rehearsed", "Run \"kura rehearse latest\".",
                     "no backup of \"%s\" was ever rehearsed", standing->app);
    else if (age(standing->rehearsal, now) > limit)
        findings_add(findings, FINDING_WARNING, "rehearsal-too-old", "Run \"kura rehearse latest\".",
                     "the newest rehearsal of \"%s\" was %s ago, and may be %s old", standing->app,
                     text_age(age(standing->rehearsal, now), old), text_age(limit, most));
}

/* The repository's own memory of verify counts; without it, that of this host. */
time_t standing_verified(const Standing *standing)
{
    const RunHistory *history = &standing->runs[RUN_VERIFY];
    time_t here = history->has_good ? clock_parse_utc(history->good.finished) : 0;
    return here > standing->verified ? here : standing->verified;
}

static void judge_age_of_verify(const Standing *standing, const char *code, bool reading, time_t moment, double limit,
                                time_t now, Findings *findings)
{
    char old[TEXT_SIZE], most[TEXT_SIZE];
    static const char *const hint =
        N_("Run \"kura verify\", with --read-data=PERCENT each night to read all data in turn.");
    if (limit > 0 && moment == 0)
        findings_add(findings, FINDING_WARNING, code, hint,
                     reading ? N_("the backups of \"%s\" were never read through")
                             : N_("the backups of \"%s\" were never verified"),
                     standing->app);
    else if (limit > 0 && age(moment, now) > limit)
        findings_add(findings, FINDING_WARNING, code, hint,
                     reading ? N_("the backups of \"%s\" were last read through %s ago, and may be %s ago")
                             : N_("the backups of \"%s\" were last verified %s ago, and may be %s ago"),
                     standing->app, text_age(age(moment, now), old), text_age(limit, most));
}

static void judge_verify(const Standing *standing, const StandingLimits *limits, time_t now, Findings *findings)
{
    if (standing->damages > 0)
        findings_add(findings, FINDING_ERROR, "damage-known", "\"kura verify\" tells what is damaged.",
                     "%zu things in backups of \"%s\" are missing or damaged", standing->damages, standing->app);
    judge_age_of_verify(standing, "verify-too-old", false, standing_verified(standing), limits->verify, now, findings);
    judge_age_of_verify(standing, "read-too-old", true, standing->read, limits->read, now, findings);
}

void standing_judge(const Standing *standing, const StandingLimits *limits, time_t now, Findings *findings)
{
    _cleanup_free_ char *name = name_of(standing);
    if (!standing->reached)
        findings_add(findings, FINDING_WARNING, "repository-unreachable", NULL,
                     "the repository of %s could not be looked at, what this host remembers is told: %s", name,
                     standing->trouble);
    judge_backup(standing, limits->backup, now, findings);
    if (standing->further)
        return;
    for (RunKind kind = 0; kind < RUN_KINDS; kind++)
        if (kind != RUN_REHEARSE || !standing->judged)
            judge_last_run(standing, kind, findings);
    judge_rehearsal(standing, limits->rehearsal, now, findings);
    judge_verify(standing, limits, now, findings);
}
