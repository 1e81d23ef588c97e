/* The page of a rehearsal: the verdict in one sentence, then what it rests on, the most urgent first. */
#include "rehearsal_page.h"

#include <stdio.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/words.h"

size_t proofs_made(const Rehearsal *rehearsal)
{
    size_t made = 0;
    for (size_t i = 0; i < rehearsal->n_proofs; i++)
        made += rehearsal->proofs[i].skipped == NULL;
    return made;
}

size_t proofs_failed(const Rehearsal *rehearsal)
{
    size_t failed = 0;
    for (size_t i = 0; i < rehearsal->n_proofs; i++)
        failed += rehearsal->proofs[i].skipped == NULL && rehearsal->proofs[i].failed > 0;
    return failed;
}

/* Whether all that was proven of the backup itself held: that the command of --run succeeds is a proof, too. */
static bool came_back(const Rehearsal *rehearsal)
{
    for (size_t i = 0; i < rehearsal->n_proofs; i++) {
        const RehearsalProof *proof = &rehearsal->proofs[i];
        if (proof->skipped == NULL && proof->failed > 0 && strcmp(proof->name, "run") != 0)
            return false;
    }
    return true;
}

size_t findings_from(const Rehearsal *rehearsal, Severity severity)
{
    size_t count = 0;
    for (size_t i = 0; i < rehearsal->n_findings; i++)
        count += rehearsal->findings[i].severity >= severity;
    return count;
}

bool run_failed(const Rehearsal *rehearsal)
{
    return rehearsal->has_run && (rehearsal->run.timed_out || rehearsal->run.status != 0);
}

/* A page never promises more than what stands further down on it. */
static Verdict shown_verdict(const Rehearsal *rehearsal)
{
    bool doubtful = proofs_failed(rehearsal) > 0 || run_failed(rehearsal) ||
                    findings_from(rehearsal, FINDING_ERROR) > 0 || rehearsal->error;
    return rehearsal->verdict == VERDICT_PASSED && doubtful ? VERDICT_FINDINGS : rehearsal->verdict;
}

static char *verdict_findings(const Rehearsal *rehearsal)
{
    size_t n = findings_from(rehearsal, FINDING_WARNING);
    if (n == 0)
        return xstrdup(_("This backup would come back, but look at what was found."));
    return n == 1 ? xstrdup(_("This backup would come back, but one thing needs a look."))
                  : xasprintf(_("This backup would come back, but %zu things need a look."), n);
}

char *report_verdict(const Rehearsal *rehearsal)
{
    if (shown_verdict(rehearsal) == VERDICT_FINDINGS)
        return verdict_findings(rehearsal);
    if (rehearsal->verdict == VERDICT_PASSED)
        return xstrdup(rehearsal->has_run ? _("This backup would come back, and the migration runs on it.")
                                          : _("This backup would come back."));
    if (rehearsal->error)
        return xstrdup(_("This backup did not come back."));
    if (came_back(rehearsal) && run_failed(rehearsal))
        return xstrdup(_("This backup would come back, but the migration fails on it."));
    return xstrdup(_("This backup did not come back as it was."));
}

static void why_failed(Html *h, const Rehearsal *rehearsal)
{
    html(h, "<p class=lead>{|}</p>\n", rehearsal->error);
    if (rehearsal->hint)
        html(h, "<p class=remedy><b>{}</b> {|}</p>\n", _("What to do"), rehearsal->hint);
}

/* "It was restored in 1 min 2 s. All 12 proofs held." */
static void what_happened(Html *h, const Rehearsal *rehearsal)
{
    size_t made = proofs_made(rehearsal), failed = proofs_failed(rehearsal);
    html(h, "<p class=lead>{} ",
         html_words(h, _("It was restored into a scratch database in %s."),
                    html_seconds(h, rehearsal->restore_seconds)));
    if (failed > 0)
        html(h, "{} ",
             html_words(h, _("%s of %s failed."), html_count(h, failed),
                        html_counted(h, made, ngettext("%s proof", "%s proofs", made))));
    else if (made > 0)
        html(h, "{} ",
             html_words(h, made == 1 ? _("%s held.") : _("All %s held."),
                        html_counted(h, made, ngettext("%s proof", "%s proofs", made))));
    if (run_failed(rehearsal) && rehearsal->run.timed_out)
        html(h, "{}", html_words(h, _("The migration was stopped after %s."), html_seconds(h, rehearsal->run.seconds)));
    else if (run_failed(rehearsal))
        html(h, "{}",
             html_words(h, _("The migration ended with status %s."), html_count(h, (uint64_t)rehearsal->run.status)));
    html(h, "</p>\n");
}

static void kept(Html *h, const Rehearsal *rehearsal)
{
    if (rehearsal->kept)
        html(h, "<p class=remedy><b>{}</b> {} <code>{}</code> {}</p>\n", _("Kept"), _("The scratch database"),
             rehearsal->kept, _("is still there for a look."));
}

/* "15.18"; "?" when it is not known. */
static const char *version(Html *h, int num)
{
    char text[TEXT_SIZE];
    snprintf(text, sizeof text, num > 0 ? "%d.%d" : "?", num / 10000, num % 10000);
    return html_copy(h, text);
}

static void facts(Html *h, const Rehearsal *rehearsal)
{
    html(h, "<dl class=facts><div><dt>{}</dt><dd>", _("Rehearsed"));
    html_time(h, rehearsal->started);
    html(h, "</dd></div><div><dt>{}</dt><dd>", _("Backup"));
    html_time(h, rehearsal->backup_started);
    html(h, " <code>{}</code></dd></div><div><dt>{}</dt><dd><bdi>{}</bdi>{}", rehearsal->backup, _("On"),
         rehearsal->host, html_words(h, _(", PostgreSQL %s"), version(h, rehearsal->server_version_num)));
    if (rehearsal->source_version_num / 10000 != rehearsal->server_version_num / 10000)
        html(h, "{}", html_words(h, _(", backed up from %s"), version(h, rehearsal->source_version_num)));
    html(h, "</dd></div></dl>\n");
}

static void banner(Html *h, const Rehearsal *rehearsal)
{
    _cleanup_free_ char *verdict = report_verdict(rehearsal);
    banner_begin(h, tone_of(shown_verdict(rehearsal)), _("Rehearsal"), rehearsal->app, verdict);
    if (rehearsal->error)
        why_failed(h, rehearsal);
    else
        what_happened(h, rehearsal);
    kept(h, rehearsal);
    facts(h, rehearsal);
    banner_end(h);
}

static void title(Html *h, const Rehearsal *rehearsal)
{
    static const char *const words[] = {N_("Passed"), N_("Findings"), N_("Failed")};
    _cleanup_free_ char *app = text_escaped(rehearsal->app);
    _cleanup_free_ char *text = xasprintf(_("%s: rehearsal of %s, %s"), words_get(words[shown_verdict(rehearsal)]), app,
                                          html_day(h, clock_parse_utc(rehearsal->started)));
    page_begin(h, text);
}

int report_rehearsal_html(const Rehearsal *rehearsal, const Rehearsal *const *earlier, size_t n, Buf *out, Error *err)
{
    Html h = {.out = out, .err = err};
    size_t skip = n > REPORT_EARLIER_MAX ? n - REPORT_EARLIER_MAX : 0;
    RehearsalPage page = {.rehearsal = rehearsal, .earlier = n ? earlier + skip : NULL, .n_earlier = n - skip};
    title(&h, rehearsal);
    banner(&h, rehearsal);
    rehearsal_figures(&h, &page);
    bool urgent = findings_from(rehearsal, FINDING_WARNING) > 0;
    if (urgent)
        rehearsal_findings(&h, &page);
    rehearsal_run(&h, &page);
    rehearsal_timeline(&h, &page);
    rehearsal_proofs(&h, &page);
    if (!urgent)
        rehearsal_findings(&h, &page);
    rehearsal_sizes(&h, &page);
    rehearsal_history(&h, &page);
    page_end(&h);
    return html_end(&h);
}
