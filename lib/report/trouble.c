/* What is wrong in a repository, in few words. */
#include "kura/mem.h"
#include "kura/words.h"
#include "repository_page.h"

const RehearsalBrief *last_rehearsal(const ReportApp *app)
{
    return app->n_rehearsals ? app->rehearsals[app->n_rehearsals - 1] : NULL;
}

Trouble trouble_of(const ReportApp *app)
{
    const RehearsalBrief *last = last_rehearsal(app);
    if (app->overdue)
        return OVERDUE;
    if (last && last->verdict == VERDICT_FAILED)
        return REHEARSAL_FAILED;
    if (last == NULL)
        return NEVER_PROVEN;
    if (last->verdict == VERDICT_FINDINGS)
        return FINDINGS;
    return app->missed_lately ? DAYS_MISSING : NO_TROUBLE;
}

Tone trouble_tone(Trouble trouble)
{
    return trouble == NO_TROUBLE ? TONE_GOOD : trouble >= REHEARSAL_FAILED ? TONE_BAD : TONE_LOOK;
}

static const char *const sentences[] = {
    [NO_TROUBLE] = N_("Backups are made, and the last rehearsal passed."),
    [DAYS_MISSING] = N_("Backups are made and rehearsed, but some days of the last month have none."),
    [FINDINGS] = N_("Backups are made, but the last rehearsal found things that need a look."),
    [NEVER_PROVEN] = N_("Backups are made, but none of them was ever rehearsed."),
    [REHEARSAL_FAILED] = N_("The last rehearsal failed."),
    [OVERDUE] = N_("The next backup is overdue."),
};

const char *trouble_sentence(Trouble trouble)
{
    return sentences[trouble];
}

char *trouble_verdict(const ReportApp *apps, size_t n, Trouble *ret_worst)
{
    size_t with = 0;
    const char *app = NULL;
    Trouble worst = n > 0 ? NO_TROUBLE : OVERDUE;
    for (size_t i = 0; i < n; i++) {
        Trouble trouble = trouble_of(&apps[i]);
        with += trouble != NO_TROUBLE;
        if (trouble > worst) {
            worst = trouble;
            app = apps[i].app;
        }
    }
    *ret_worst = worst;
    if (n == 0)
        return xstrdup(_("There is no backup in this repository."));
    if (n == 1)
        return xstrdup(words_get(sentences[worst]));
    if (with == 0)
        return xasprintf(_("Backups of all %zu applications are made, and their last rehearsals passed."), n);
    return with == 1 ? xasprintf(_("One of %zu applications needs a look: %s."), n, app)
                     : xasprintf(_("%zu of %zu applications need a look, first of all %s."), with, n, app);
}

char *report_repository_verdict(const RepositoryReport *report)
{
    size_t n;
    Trouble worst;
    ReportApp *apps = report_apps(report, &n);
    char *sentence = trouble_verdict(apps, n, &worst);
    report_apps_free(apps, n);
    return sentence;
}
