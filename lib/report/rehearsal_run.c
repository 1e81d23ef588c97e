/* What the release's migration did to the restored database. */
#include "kura/words.h"
#include "rehearsal_page.h"

static void result(Html *h, const RehearsalRun *run)
{
    html(h, "<p class=result>");
    if (run->timed_out)
        badge(h, TONE_BAD, _("Stopped at its deadline"));
    else if (run->status > 128)
        badge(h, TONE_BAD, _("Ended by a signal"));
    else
        badge(h, run->status ? TONE_BAD : TONE_GOOD, run->status ? _("Failed") : _("Succeeded"));
    html(h,
         " <span>{}</span></p>\n<pre class=command tabindex=0 role=region "
         "aria-label=\"{=}\"><code>{|}</code></pre>\n",
         html_words(h, _("after %s, with status %s"), html_seconds(h, run->seconds),
                    html_count(h, (uint64_t)run->status)),
         _("The command"), run->command);
}

static void change_head(Html *h, const void *ctx)
{
    (void)ctx;
    html(h, "<th scope=col>{}</th><th scope=col>{}</th><th scope=col>{}</th><th scope=col>{}</th>", _("Change"),
         _("What"), _("Before"), _("After"));
}

static void definition(Html *h, const char *text)
{
    if (text)
        html(h, "<td class=definition><code>{|}</code></td>", text);
    else
        html(h, "<td>\u2013</td>");
}

static void change_row(Html *h, const void *ctx, size_t i)
{
    static const struct {
        const char *class, *sign, *word;
    } kinds[] = {{"added", "+", N_("added")}, {"removed", "\u2212", N_("removed")}, {"changed", "~", N_("changed")}};
    const RehearsalSchemaChange *change = &((const RehearsalRun *)ctx)->changes[i];
    html(h,
         "<td><span class=\"change {=}\"><i aria-hidden=true>{}</i> {}</span></td><th scope=row>{} <bdi>{}</bdi></th>",
         kinds[change->kind].class, kinds[change->kind].sign, words_get(kinds[change->kind].word),
         words_get(change->what), change->name);
    definition(h, change->before);
    definition(h, change->after);
}

static void lock_head(Html *h, const void *ctx)
{
    (void)ctx;
    html(h, "<th scope=col>{}</th><th scope=col>{}</th><th scope=col class=n>{}</th>", _("Table"), _("Lock"),
         _("Held for"));
}

static void lock_row(Html *h, const void *ctx, size_t i)
{
    const RehearsalLock *lock = &((const RehearsalRun *)ctx)->locks[i];
    html(h, "<th scope=row><bdi>{}</bdi></th><td>{}</td><td class=n>{}</td>", lock->table, lock->mode,
         html_seconds(h, lock->seconds));
}

static void rows_head(Html *h, const void *ctx)
{
    (void)ctx;
    html(h, "<th scope=col>{}</th><th scope=col class=n>{}</th><th scope=col class=n>{}</th>", _("Table"),
         _("Rows before"), _("Rows after"));
}

static void rows_row(Html *h, const void *ctx, size_t i)
{
    const RehearsalRows *rows = &((const RehearsalRun *)ctx)->rows[i];
    html(h, "<th scope=row><bdi>{}</bdi></th><td class=n>{}</td><td class=n>{}</td>", rows->table,
         html_count(h, rows->before), html_count(h, rows->after));
}

static void output(Html *h, const RehearsalRun *run)
{
    html(h, "<h3 id=output>{}</h3>\n", _("What it printed"));
    if (run->output[0] == 0) {
        html(h, "<p class=aside>{}</p>\n", _("Nothing."));
        return;
    }
    if (run->truncated)
        html(h, "<p class=aside>{}</p>\n", _("Only the end of it is kept."));
    html(h, "<pre class=output tabindex=0 role=region aria-labelledby=output><code>{|}</code></pre>\n", run->output);
}

static void part(Html *h, const char *heading, const char *nothing, const ListTable *table)
{
    html(h, "<h3>{}</h3>\n", heading);
    if (table->n > 0)
        list_table(h, table);
    else
        html(h, "<p class=aside>{}</p>\n", nothing);
}

void rehearsal_run(Html *h, const RehearsalPage *page)
{
    const RehearsalRun *run = &page->rehearsal->run;
    if (!page->rehearsal->has_run)
        return;
    section_begin(h, "migration", _("The migration"));
    result(h, run);
    part(h, _("Schema"), _("It changed no schema."),
         &(ListTable){"changes-table", _("What is different afterwards"), _("changes"), run->n_changes, change_head,
                      change_row, NULL, run});
    part(h, _("Rows"), _("It changed no rows."),
         &(ListTable){"rows-table", _("Tables whose rows are different afterwards"), _("tables"), run->n_rows,
                      rows_head, rows_row, NULL, run});
    part(h, _("Locks"), _("It held none for long enough to be seen."),
         &(ListTable){"locks-table", _("The longest that one transaction held each"), _("locks"), run->n_locks,
                      lock_head, lock_row, NULL, run});
    output(h, run);
    section_end(h);
}
