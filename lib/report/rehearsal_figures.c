/* The four figures that an administrator is asked for: how long, how much would be lost, how large, how sure. */
#include <math.h>
#include <stdio.h>

#include "kura/words.h"
#include "rehearsal_page.h"

static void compare(Html *h, const RehearsalPage *page)
{
    if (page->n_earlier == 0)
        return;
    double before = page->earlier[page->n_earlier - 1]->restore_seconds;
    double change = page->rehearsal->restore_seconds - before;
    if (before <= 0)
        return;
    if (fabs(change) < 0.05 * before || fabs(change) < 1)
        html(h, "{}", _(", as last time"));
    else
        html(h, "{}",
             html_words(h, change < 0 ? _(", %s faster than last time") : _(", %s slower than last time"),
                        html_seconds(h, fabs(change))));
}

static void time_to_restore(Html *h, const RehearsalPage *page)
{
    const Rehearsal *rehearsal = page->rehearsal;
    figure_begin(h, _("Time to restore"), html_seconds(h, rehearsal->restore_seconds));
    html(h, "{}", _("measured on this server"));
    compare(h, page);
    html(h, "{}", html_words(h, _("; the whole rehearsal took %s"), html_seconds(h, rehearsal->seconds)));
    figure_end(h);
}

static void data_at_risk(Html *h, const Rehearsal *rehearsal)
{
    figure_begin(h, _("Age of the data"), html_age(h, rehearsal->backup_age));
    html(h, "{}", _("passed since the backup when it was rehearsed: what came in between would be lost"));
    if (rehearsal->newest_row_age >= 0) {
        html(h, "{}", html_words(h, _(". Its newest row was %s old"), html_age(h, rehearsal->newest_row_age)));
        if (rehearsal->newest_row_where)
            html(h, " (<code>{}</code>)", rehearsal->newest_row_where);
    }
    figure_end(h);
}

static void size(Html *h, const Rehearsal *rehearsal)
{
    uint64_t files = 0;
    for (size_t i = 0; i < rehearsal->n_filesets; i++)
        files += rehearsal->filesets[i].bytes;
    figure_begin(h, _("Database on disk"), html_bytes(h, rehearsal->database_bytes));
    html(h, "{}", html_words(h, _("measured, %s were expected"), html_bytes(h, rehearsal->estimated_bytes)));
    if (rehearsal->n_filesets > 0)
        html(h, "{}", html_words(h, _("; files in the backup: %s"), html_bytes(h, files)));
    figure_end(h);
}

static void proofs(Html *h, const Rehearsal *rehearsal)
{
    size_t made = proofs_made(rehearsal), failed = proofs_failed(rehearsal), skipped = rehearsal->n_proofs - made;
    char value[2 * TEXT_SIZE], held[TEXT_SIZE], all[TEXT_SIZE];
    snprintf(value, sizeof value, _("%s of %s"), text_count(made - failed, held), text_count(made, all));
    figure_begin(h, _("Proofs that held"), made ? value : _("none"));
    if (made == 0)
        html(h, "{}", _("nothing could be proven"));
    else
        html(h, "{}", failed ? _("see below which did not") : _("each with its figures below"));
    if (skipped > 0)
        html(h, "{}", html_counted(h, skipped, ngettext("; %s was not made", "; %s were not made", skipped)));
    figure_end(h);
}

void rehearsal_figures(Html *h, const RehearsalPage *page)
{
    html(h, "<section aria-labelledby=figures><h2 id=figures class=unseen>{}</h2>\n<dl class=figures>\n", _("Figures"));
    time_to_restore(h, page);
    data_at_risk(h, page->rehearsal);
    size(h, page->rehearsal);
    proofs(h, page->rehearsal);
    html(h, "</dl></section>\n");
}
