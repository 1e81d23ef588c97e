/* The page of a repository: for each application what there is, what was rehearsed, what is missing. */
#include "kura/mem.h"
#include "kura/words.h"
#include "repository_page.h"

typedef struct RepositoryPage {
    const RepositoryReport *report;
    const ReportApp *apps;
    size_t n;
} RepositoryPage;

static void banner(Html *h, const RepositoryPage *page)
{
    Trouble worst;
    _cleanup_free_ char *sentence = trouble_verdict(page->apps, page->n, &worst);
    banner_begin(h, trouble_tone(worst), _("Repository"), page->report->repository, sentence);
    if (page->n > 0) {
        const BackupBrief *last = &page->report->backups[page->report->n_backups - 1];
        html(h, "<p class=lead>{}</p>\n",
             html_words(
                 h, _("It holds %s of %s. The last one is %s old."),
                 html_counted(h, page->report->n_backups, ngettext("%s backup", "%s backups", page->report->n_backups)),
                 html_counted(h, page->n, ngettext("%s application", "%s applications", page->n)),
                 html_age(h, (double)(page->report->now - last->started))));
    }
    html(h, "<dl class=facts><div><dt>{}</dt><dd><time datetime=\"{=}\">{}</time></dd></div></dl>\n", _("As of"),
         html_stamp(h, page->report->now), html_minute(h, page->report->now));
    banner_end(h);
}

/* Which of several applications needs a look, and why. */
static void overview(Html *h, const RepositoryPage *page)
{
    static const char *const words[] = {[TONE_GOOD] = N_("Good"), [TONE_LOOK] = N_("Look"), [TONE_BAD] = N_("Bad")};
    if (page->n < 2)
        return;
    section_begin(h, "overview", _("Applications"));
    html(h, "<ul class=findings>\n");
    for (size_t i = 0; i < page->n; i++) {
        Trouble trouble = trouble_of(&page->apps[i]);
        html(h, "<li>");
        badge(h, trouble_tone(trouble), words_get(words[trouble_tone(trouble)]));
        html(h, "<div><p class=message><bdi>{}</bdi></p><p>{}</p></div></li>\n", page->apps[i].app,
             words_get(trouble_sentence(trouble)));
    }
    html(h, "</ul>\n");
    section_end(h);
}

int report_repository_html(const RepositoryReport *report, Buf *out, Error *err)
{
    Html h = {.out = out, .err = err};
    RepositoryPage page = {.report = report};
    ReportApp *apps = report_apps(report, &page.n);
    page.apps = apps;
    page_begin(&h, _("Backups and rehearsals"));
    banner(&h, &page);
    overview(&h, &page);
    for (size_t i = 0; i < page.n; i++)
        app_section(&h, &(AppPage){.report = report, .app = &apps[i], .number = i + 1});
    page_end(&h);
    report_apps_free(apps, page.n);
    return html_end(&h);
}
