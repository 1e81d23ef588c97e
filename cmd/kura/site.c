#include "site.h"

#include <string.h>

#include "kura/secret.h"

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
    const AppBeside how = {.environment = options_list(session->options, OPT_APP_ENV)};
    if (session->site == NULL && app_site_read_beside(dir, &how, profile, &session->site, &session->findings, err) < 0)
        return -1;
    *ret = session->site;
    return 0;
}

void session_site_done(Session *session)
{
    if (session->site_db)
        secret_wipe(session->site_db, strlen(session->site_db));
    free(steal(session->site_db));
    app_site_free(steal(session->site));
}

int session_db(Session *session, const char **ret, Error *err)
{
    AppSite *site;
    *ret = NULL;
    if (session_site(session, &site, err) < 0)
        return -1;
    if (options_given(session->options, OPT_DB)) {
        *ret = options_text(session->options, OPT_DB);
        return 0;
    }
    if (site == NULL || site->database.database == NULL)
        return 0;
    if (session->site_db == NULL)
        session->site_db = app_conninfo(&site->database, true);
    *ret = session->site_db;
    return 0;
}

const char *session_app(const Session *session)
{
    const char *app = options_text(session->options, OPT_APP);
    return app || session->site == NULL ? app : session->site->name;
}
