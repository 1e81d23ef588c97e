#include "kura/fileset.h"
#include "walk.h"

static int count(Walker *walker, FilesetSurvey *ret, Error *err)
{
    WalkEntry found;
    int rc;
    while ((rc = walker_next(walker, &found, err)) > 0) {
        if (!S_ISREG(found.st.st_mode))
            continue;
        ret->files++;
        ret->bytes += (uint64_t)found.st.st_size;
    }
    LeftOut left_out = walker_left_out(walker);
    ret->left_out_files = left_out.files;
    ret->left_out_bytes = left_out.bytes;
    return rc;
}

int fileset_survey(const FilesetSpec *spec, size_t jobs, FilesetSurvey *ret, Error *err)
{
    Walker *walker;
    FilesetSurvey survey = {0};
    Findings unread = FINDINGS_INIT;
    Notices notices = NOTICES_INIT(&unread);
    int rc = walker_new(spec, jobs, &notices, &walker, err);
    if (rc == 0) {
        rc = count(walker, &survey, err);
        walker_free(walker);
        notices_finish(&notices);
    }
    findings_done(&unread);
    if (rc == 0)
        *ret = survey;
    return rc;
}
