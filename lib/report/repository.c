/* The page of a repository: for each application what there is, what was rehearsed, what is missing. */
#include "kura/mem.h"
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
    banner_begin(h, trouble_tone(worst), "Repository", page->report->repository, sentence);
    if (page->n > 0) {
        const BackupBrief *last = &page->report->backups[page->report->n_backups - 1];
        html(h, "<p class=lead>It holds {} of {}. The last one is {} old.</p>\n",
             html_counted(h, page->report->n_backups, "backup", "backups"),
             html_counted(h, page->n, "application", "applications"),
             html_age(h, (double)(page->report->now - last->started)));
    }
    html(h, "<dl class=facts><div><dt>As of</dt><dd><time datetime=\"{=}\">{}</time></dd></div></dl>\n",
         html_stamp(h, page->report->now), html_minute(h, page->report->now));
    banner_end(h);
}

/* Which of several applications needs a look, and why. */
static void overview(Html *h, const RepositoryPage *page)
{
    static const char *const words[] = {[TONE_GOOD] = "Good", [TONE_LOOK] = "Look", [TONE_BAD] = "Bad"};
    if (page->n < 2)
        return;
    section_begin(h, "overview", "Applications");
    html(h, "<ul class=findings>\n");
    for (size_t i = 0; i < page->n; i++) {
        Trouble trouble = trouble_of(&page->apps[i]);
        html(h, "<li>");
        badge(h, trouble_tone(trouble), words[trouble_tone(trouble)]);
        html(h, "<div><p class=message><bdi>{}</bdi></p><p>{}</p></div></li>\n", page->apps[i].app,
             trouble_sentence(trouble));
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
    page_begin(&h, "Backups and rehearsals");
    banner(&h, &page);
    overview(&h, &page);
    for (size_t i = 0; i < page.n; i++)
        app_section(&h, &(AppPage){.report = report, .app = &apps[i], .number = i + 1});
    page_end(&h);
    report_apps_free(apps, page.n);
    return html_end(&h);
}
