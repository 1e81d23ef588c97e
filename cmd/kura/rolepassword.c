#include "rolepassword.h"

#include <string.h>
#include <sys/stat.h>

#include "kura/words.h"

/* The code may be there already, and tells how the configuration is to be read. */
static const char *code_dir(const RolePassword *password)
{
    struct stat st;
    const char *dir = options_text(password->session->options, OPT_APP_DIR);
    if (dir == NULL && password->manifest && password->manifest->application)
        dir = password->manifest->application->dir;
    return dir && stat(dir, &st) == 0 && S_ISDIR(st.st_mode) ? dir : password->config_dir;
}

static void read_restored(RolePassword *password)
{
    Session *session = password->session;
    const ManifestApplication *application = password->manifest->application;
    Findings unused = FINDINGS_INIT;
    Error why = ERROR_INIT;
    const char *profile = application ? application->profile : options_text(session->options, OPT_PROFILE);
    /* without its code the quotes of some applications would be a part of the value */
    const AppBeside beside = {.dir = password->config_dir,
                              .assume_code = application && application->version,
                              .environment = options_list(session->options, OPT_APP_ENV)};
    password->tried = true;
    if (app_site_read_beside(code_dir(password), &beside, profile, &password->site, &unused, &why) < 0)
        findings_add(&session->findings, FINDING_WARNING, "configuration-unreadable", why.hint[0] ? why.hint : NULL,
                     "%s", why.message);
    findings_done(&unused);
}

/* What was restored calls roles by their old names. */
static const char *restored_password(RolePassword *password, const char *role)
{
    if (password->config_dir == NULL)
        return NULL;
    if (!password->tried)
        read_restored(password);
    if (password->site == NULL || password->site->database.user == NULL || password->site->database.password == NULL)
        return NULL;
    const char *user = rolemap_lookup(password->map, password->site->database.user);
    return user && strcmp(user, role) == 0 ? password->site->database.password : NULL;
}

char *role_password(void *ctx, const char *role)
{
    RolePassword *password = ctx;
    const AppSite *here = password->session->site;
    if (here && here->database.user && here->database.password && strcmp(here->database.user, role) == 0)
        return xstrdup(here->database.password);
    return xstrdup_null(restored_password(password, role));
}

void role_password_done(RolePassword *password)
{
    app_site_free(password->site);
    *password = (RolePassword){0};
}
