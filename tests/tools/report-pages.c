/* report-pages DIR: writes pages of rehearsals and repositories of every kind into DIR, for a look with a browser. */
#include <stdio.h>
#include <string.h>

#include "../unit/report/fixture.h"

enum { EARLIER = 12 };

static int save(const char *dir, const char *name, const Buf *page)
{
    _cleanup_free_ char *path = xasprintf("%s/%s.html", dir, name);
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(page->data, 1, page->len, file) != page->len || fclose(file) != 0) {
        perror(path);
        return -1;
    }
    return 0;
}

static int save_rehearsal(const char *dir, const char *name, Rehearsal *made, size_t n_earlier)
{
    Error err = ERROR_INIT;
    const Rehearsal *earlier[EARLIER] = {0};
    _cleanup_(buf_done) Buf page = BUF_INIT(REPORT_MAX);
    for (size_t i = 0; i < n_earlier; i++)
        earlier[i] = i == 7 ? with_findings((int)i) : ordinary((int)i);
    int rc = report_rehearsal_html(made, earlier, n_earlier, &page, &err);
    if (rc < 0)
        fprintf(stderr, "%s: %s\n", name, err.message);
    else
        rc = save(dir, name, &page);
    for (size_t i = 0; i < n_earlier; i++)
        rehearsal_free((Rehearsal *)earlier[i]);
    rehearsal_free(made);
    return rc;
}

static int save_repository(const char *dir, const char *name, RepositoryReport *report)
{
    Error err = ERROR_INIT;
    _cleanup_(buf_done) Buf page = BUF_INIT(REPORT_MAX);
    int rc = report_repository_html(report, &page, &err);
    if (rc < 0)
        fprintf(stderr, "%s: %s\n", name, err.message);
    else
        rc = save(dir, name, &page);
    report_done(report);
    return rc;
}

static int save_repositories(const char *dir)
{
    RepositoryReport sample, neglected, empty = {.repository = "/srv/kura", .now = FIXTURE_NOW};
    sample_repository(&sample);
    neglected_repository(&neglected);
    int rc = save_repository(dir, "repository", &sample);
    if (save_repository(dir, "repository-neglected", &neglected) < 0 ||
        save_repository(dir, "repository-empty", &empty) < 0)
        rc = -1;
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: report-pages DIR\n");
        return 2;
    }
    const struct {
        const char *name;
        Rehearsal *made;
        size_t earlier;
    } pages[] = {{"passed", ordinary(EARLIER), EARLIER},
                 {"first", ordinary(0), 0},
                 {"second", ordinary(1), 1},
                 {"findings", with_findings(EARLIER), EARLIER},
                 {"failed", with_failures(EARLIER), EARLIER},
                 {"early", ended_early(EARLIER), EARLIER},
                 {"migrated", migrated(EARLIER), EARLIER},
                 {"migration-failed", migration_failed(EARLIER), EARLIER},
                 {"bare", bare(), 0},
                 {"hostile", hostile(), EARLIER},
                 {"huge", huge(), EARLIER}};
    int rc = 0;
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        if (save_rehearsal(argv[1], pages[i].name, pages[i].made, pages[i].earlier) < 0)
            rc = 1;
    return save_repositories(argv[1]) < 0 ? 1 : rc;
}
