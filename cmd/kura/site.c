#include "site.h"

int session_site(Session *session, AppSite **ret, Error *err)
{
    const char *dir = options_text(session->options, OPT_APP_DIR);
    const char *profile = options_text(session->options, OPT_PROFILE);
    *ret = NULL;
    if (dir == NULL && profile == NULL)
        return 0;
    if (dir == NULL) {
        error_set(err, ERR_USAGE, "profile \"%s\" is given, but no directory to read by it", profile);
        return error_hint(err, "Give --app-dir with the directory that the application is installed in.");
    }
    if (session->site == NULL && app_site_read(dir, profile, &session->site, &session->findings, err) < 0)
        return -1;
    *ret = session->site;
    return 0;
}
