#include "pagefile.h"

#include "file.h"
#include "kura/mem.h"
#include "kura/report.h"

int pagefile_rehearsal(Repo *repo, const Rehearsal *rehearsal, const char *path, Error *err)
{
    size_t n = 0;
    Rehearsal **earlier = NULL;
    _cleanup_(buf_done) Buf page = BUF_INIT(REPORT_MAX);
    if (rehearsal_earlier(repo, rehearsal, REPORT_EARLIER_MAX, &earlier, &n, err) < 0)
        return error_wrap(err, "writing the page \"%s\"", path);
    int rc = report_rehearsal_html(rehearsal, (const Rehearsal *const *)earlier, n, &page, err);
    if (rc == 0)
        rc = file_replace(path, &page, err);
    rehearsals_free(earlier, n);
    return rc < 0 ? error_wrap(err, "writing the page \"%s\"", path) : 0;
}
