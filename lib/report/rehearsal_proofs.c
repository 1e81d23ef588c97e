/* What was found, what was done when, what was proven. */
#include <math.h>

#include "chart.h"
#include "kura/words.h"
#include "rehearsal_page.h"

enum { FINDINGS_SHOWN = 20, FINDINGS_MAX = 500 };

static const struct {
    Tone tone;
    const char *word;
} severities[] = {
    [FINDING_NOTE] = {TONE_QUIET, N_("Note")},
    [FINDING_WARNING] = {TONE_LOOK, N_("Warning")},
    [FINDING_ERROR] = {TONE_BAD, N_("Error")},
};

static void finding(Html *h, const Finding *found)
{
    html(h, "<li>");
    badge(h, severities[found->severity].tone, words_get(severities[found->severity].word));
    html(h, "<div><p class=message>{|}</p>", found->message);
    if (found->hint)
        html(h, "<p class=remedy><b>{}</b> {|}</p>", _("What to do"), found->hint);
    html(h, "<p class=code><code>{}</code></p></div></li>\n", found->code);
}

/* Findings number from to until, of all, the gravest first. */
static void findings_between(Html *h, const Rehearsal *rehearsal, size_t from, size_t until)
{
    size_t at = 0;
    html(h, "<ul class=findings>\n");
    for (int severity = FINDING_ERROR; severity >= FINDING_NOTE; severity--) {
        for (size_t i = 0; i < rehearsal->n_findings; i++) {
            if ((int)rehearsal->findings[i].severity != severity)
                continue;
            if (at >= from && at < until)
                finding(h, &rehearsal->findings[i]);
            at++;
        }
    }
    html(h, "</ul>\n");
}

void rehearsal_findings(Html *h, const RehearsalPage *page)
{
    const Rehearsal *rehearsal = page->rehearsal;
    size_t n = rehearsal->n_findings, max = n < FINDINGS_MAX ? n : FINDINGS_MAX;
    if (n == 0)
        return;
    section_begin(h, "findings", findings_from(rehearsal, FINDING_WARNING) ? _("What needs a look") : _("Notes"));
    findings_between(h, rehearsal, 0, FINDINGS_SHOWN);
    if (n > FINDINGS_SHOWN) {
        html(h, "<details><summary>{}</summary>", html_words(h, _("%s more"), html_count(h, max - FINDINGS_SHOWN)));
        findings_between(h, rehearsal, FINDINGS_SHOWN, max);
        if (n > max)
            html(h, "<p class=aside>{}</p>", html_words(h, _("And %s that are not shown."), html_count(h, n - max)));
        html(h, "</details>\n");
    }
    section_end(h);
}

/* ---- timeline ---- */

void rehearsal_timeline(Html *h, const RehearsalPage *page)
{
    const Rehearsal *rehearsal = page->rehearsal;
    double whole = rehearsal->seconds;
    if (rehearsal->n_phases == 0)
        return;
    for (size_t i = 0; i < rehearsal->n_phases; i++)
        whole = fmax(whole, rehearsal->phases[i].start + rehearsal->phases[i].seconds);
    section_begin(h, "timeline", _("What took how long"));
    table_begin(h, "timeline-table", "timeline", _("Phases of the rehearsal, in order"));
    html(h,
         "<thead><tr><th scope=col>{}</th><td class=wide-cell></td><th scope=col class=n>{}</th><th scope=col "
         "class=n>{}</th></tr></thead><tbody>\n",
         _("Phase"), _("Took"), _("Began after"));
    for (size_t i = 0; i < rehearsal->n_phases; i++) {
        const RehearsalPhase *phase = &rehearsal->phases[i];
        html(h, "<tr><th scope=row><bdi>{}</bdi></th><td class=wide-cell>", words_get(phase->name));
        chart_stretch(h, whole > 0 ? phase->start / whole : 0, whole > 0 ? phase->seconds / whole : 0);
        html(h, "</td><td class=n>{}</td><td class=n>{}</td></tr>\n", html_seconds(h, phase->seconds),
             html_seconds(h, phase->start));
    }
    html(h,
         "</tbody><tfoot><tr><th scope=row>{}</th><td class=wide-cell></td><td></td><td class=n>{}</td></tr></tfoot>",
         _("Whole rehearsal"), html_seconds(h, rehearsal->seconds));
    table_end(h);
    section_end(h);
}

/* ---- proofs ---- */

static void proof_row(Html *h, const RehearsalProof *proof)
{
    html(h, "<tr><td>");
    if (proof->skipped)
        badge(h, TONE_QUIET, _("Not made"));
    else if (proof->failed > 0)
        badge(h, TONE_BAD, _("Failed"));
    else
        badge(h, TONE_GOOD, _("Held"));
    html(h, "</td><th scope=row>{}", words_get(proof->title));
    if (proof->skipped)
        html(h, " <span class=why>{|}</span></th><td class=n>\u2013</td></tr>\n", proof->skipped);
    else
        html(h, "</th><td class=n>{} <span class=unit>{}</span>", html_count(h, proof->checked),
             words_get(proof->unit));
    if (proof->skipped)
        return;
    if (proof->failed > 0)
        html(h, " <span class=failed>{}</span>", html_words(h, _("%s wrong"), html_count(h, proof->failed)));
    html(h, "</td></tr>\n");
}

void rehearsal_proofs(Html *h, const RehearsalPage *page)
{
    const Rehearsal *rehearsal = page->rehearsal;
    if (rehearsal->n_proofs == 0)
        return;
    section_begin(h, "proofs", _("What was proven"));
    table_begin(h, "proofs-table", "proofs", _("Each proof with what it looked at"));
    html(h, "<thead><tr><th scope=col>{}</th><th scope=col>{}</th><th scope=col class=n>{}</th></tr></thead><tbody>\n",
         _("Result"), _("Proof"), _("Checked"));
    for (size_t i = 0; i < rehearsal->n_proofs; i++)
        proof_row(h, &rehearsal->proofs[i]);
    html(h, "</tbody>");
    table_end(h);
    section_end(h);
}
