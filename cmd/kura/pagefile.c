#include "pagefile.h"

#include "file.h"
#include "kura/mem.h"

static int save(const char *path, const Buf *page, Error *err)
{
    return file_replace(path, page, err) < 0 ? error_wrap(err, "writing the page \"%s\"", path) : 0;
}

int pagefile_rehearsal(const Rehearsal *rehearsal, const Rehearsal *const *earlier, size_t n, const char *path,
                       Error *err)
{
    _cleanup_(buf_done) Buf page = BUF_INIT(REPORT_MAX);
    return report_rehearsal_html(rehearsal, earlier, n, &page, err) < 0 ? -1 : save(path, &page, err);
}

int pagefile_repository(const RepositoryReport *report, const char *path, Error *err)
{
    _cleanup_(buf_done) Buf page = BUF_INIT(REPORT_MAX);
    return report_repository_html(report, &page, err) < 0 ? -1 : save(path, &page, err);
}
