/* What moves, what the new host lacks, and what to do in which order. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "kura/words.h"
#include "move.h"
#include "moveplan.h"
#include "screen.h"
#include "site.h"
#include "text.h"

enum { SIDE_OLD, SIDE_NEW, SIDE_UNKNOWN };

/* ---- the application, here or as the newest backup tells it ---- */

/* On the new host there may be none yet. */
static int read_site(Session *session, Error *err)
{
    AppSite *site;
    Error why = ERROR_INIT;
    if (session_site(session, &site, &why) == 0)
        return 0;
    if (why.code != ERR_NOT_FOUND && why.sys_errno != ENOENT) {
        *err = why;
        return -1;
    }
    findings_add(&session->findings, FINDING_NOTE, "no-application", why.hint[0] ? why.hint : NULL, "%s", why.message);
    return 0;
}

/* No repository, or no backup in it, is no error on the old host. */
static int newest_backup(Session *session, Manifest **ret, Error *err)
{
    Error why = ERROR_INIT;
    *ret = NULL;
    if (!options_given(session->options, OPT_REPO) || session_load_backup(session, "latest", ret, &why) == 0)
        return 0;
    bool none = why.code == ERR_NOT_FOUND || why.code == ERR_NO_REPOSITORY;
    if (!none && why.code != ERR_KEY) {
        *err = why;
        return -1;
    }
    findings_add(&session->findings, FINDING_NOTE, none ? "no-backup" : "no-key", why.hint[0] ? why.hint : NULL, "%s",
                 why.message);
    return 0;
}

static int which_side(const Session *session, const Manifest *newest)
{
    char name[256] = "";
    int side = options_choice(session->options, OPT_SIDE, SIDE_UNKNOWN);
    if (side != SIDE_UNKNOWN)
        return side;
    gethostname(name, sizeof name - 1);
    return newest && strcmp(newest->host, name) != 0 ? SIDE_NEW : SIDE_OLD;
}

MoveRoute move_route(const Session *session, const Manifest *newest)
{
    const AppSite *site = session->site;
    const ManifestApplication *application = newest ? newest->application : NULL;
    const char *app = session_app(session), *dir = options_text(session->options, OPT_APP_DIR);
    return (MoveRoute){
        .session = session,
        .app = app      ? app
               : newest ? newest->app
                        : NULL,
        .dir = dir           ? dir
               : application ? application->dir
                             : NULL,
        .services = site          ? &site->services
                    : application ? &application->services
                                  : NULL,
        .afterwards = site_after_restore(session),
        .manifest = newest,
    };
}

/* ---- findings ---- */

static void print_finding(FILE *out, const Finding *finding)
{
    static const char *const severities[] = {N_("note"), N_("warning"), N_("error")};
    _cleanup_free_ char *message = text_escaped(finding->message);
    fprintf(out, "  %s %s: %s\n", words_get(severities[finding->severity]), finding->code, message);
    if (finding->hint) {
        _cleanup_free_ char *hint = text_escaped(finding->hint);
        fprintf(out, "    %s\n", hint);
    }
}

/* What is wrong comes first. */
void move_print_findings(Session *session)
{
    const Findings *findings = &session->findings;
    FILE *out = session->out;
    session->findings_told = true;
    fputs(findings_count(findings, FINDING_WARNING) ? _("look at these first\n") : _("nothing is in the way\n"), out);
    for (int severity = FINDING_ERROR; severity >= FINDING_NOTE; severity--)
        for (size_t i = 0; i < findings->n; i++)
            if (findings->v[i].severity == (Severity)severity)
                print_finding(out, &findings->v[i]);
}

/* ---- the whole ---- */

int move_plan(Session *session, Error *err)
{
    _cleanup_(manifest_free_cleanup) Manifest *newest = NULL;
    if (read_site(session, err) < 0 || newest_backup(session, &newest, err) < 0)
        return -1;
    return which_side(session, newest) == SIDE_NEW ? move_plan_new(session, newest, err)
                                                   : move_plan_old(session, newest, err);
}
