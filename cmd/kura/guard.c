/* Something that may go wrong, with a backup in front of it and the way back behind it. */
#include <string.h>
#include <time.h>

#include "child.h"
#include "commands.h"
#include "inplace.h"
#include "kura/log.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "night.h"
#include "schemaview.h"
#include "screen.h"
#include "site.h"
#include "text.h"
#include "wayback.h"

enum { CANNOT_RUN = 127 }; /* as shells have it */

typedef struct Guard {
    Session *session;
    const Options *given; /* without the configuration */
    char *tag;
    char *backup; /* id */
    bool sealed;  /* it is in an encrypted repository */
    int status;   /* of the command */
    bool asked;
    SchemaAnswer answer;
} Guard;

/* ---- the backup ---- */

/* What a backup would be told, and the tag. */
static int backup_options(const Guard *guard, Options *ret, Error *err)
{
    const Session *session = guard->session;
    *ret = options_copy(guard->given);
    ret->command = &command_specs[CMD_BACKUP];
    strvec_done(&ret->args);
    if (config_apply(session->config, ret, err) < 0)
        return -1;
    strvec_push(&ret->values[OPT_TAG].list, guard->tag);
    ret->values[OPT_TAG].source = SOURCE_COMMAND_LINE;
    return 0;
}

static int make_backup(Guard *guard, Error *err)
{
    Session *session = guard->session, inner;
    Options options;
    int rc = backup_options(guard, &options, err);
    if (rc == 0) {
        log_info("making a backup with the tag %s first", guard->tag);
        session_init(&inner, &options, session->config, session->out);
        rc = child_night(session, &inner, err);
        guard->backup = xstrdup_null(inner.run.backup);
        guard->sealed = inner.repo && repo_is_encrypted(inner.repo);
        if (rc == 0 && session->json)
            session_set(session, "backup", json_incref(json_object_get(inner.document, "backup")));
        session_done(&inner);
    }
    options_done(&options);
    if (rc < 0)
        return error_wrap(err, "the command was not run, because there is no backup");
    return 0;
}

/* ---- the command ---- */

static void run_command(Guard *guard)
{
    Session *session = guard->session;
    char *const *argv = session->options->args.v;
    Error why = ERROR_INIT;
    fflush(session->out);
    const InPlace how = {.argv = argv, .umask = session->umask, .stdout_to_stderr = session->json};
    if (inplace_run(&how, &guard->status, &why) < 0) {
        guard->status = CANNOT_RUN;
        findings_add(&session->findings, FINDING_ERROR, "command", NULL, "%s", why.message);
    } else if (guard->status != 0)
        findings_add(&session->findings, FINDING_ERROR, "command", NULL, "\"%s\" ended with status %d", argv[0],
                     guard->status);
}

/* ---- afterwards ---- */

/* The command has left something new: what is known of the application is read again. */
static void check_schema(Guard *guard)
{
    Error why = ERROR_INIT;
    Session *session = guard->session;
    session_site_done(session);
    guard->asked = schema_ask(session, &guard->answer, &why) == 0;
    if (!guard->asked)
        findings_add(&session->findings, FINDING_WARNING, "schema-unknown", why.hint[0] ? why.hint : NULL,
                     "whether code and database fit is not known: %s", why.message);
}

static void add_services(Buf *out, const char *verb, const StrVec *services)
{
    buf_printf(out, NULL, "systemctl %s", verb);
    for (size_t i = 0; i < services->n; i++) {
        _cleanup_free_ char *text = text_shell_word(services->v[i]);
        buf_printf(out, NULL, " %s", text);
    }
}

/* Commands, in order. What "#" begins is for the person to do. */
static void list_way_back(const Guard *guard, StrVec *ret)
{
    const AppSite *site = guard->session->site;
    _cleanup_free_ char *restore = wayback_line(guard->session, guard->backup, guard->sealed);
    _cleanup_(buf_done) Buf stop = BUF_INIT(64 * 1024), start = BUF_INIT(64 * 1024);
    bool services = site && site->services.n > 0;
    if (services) {
        add_services(&stop, "stop", &site->services);
        add_services(&start, "start", &site->services);
        strvec_push(ret, buf_str(&stop));
    }
    strvec_push(ret, _("# install the code of before again"));
    strvec_push(ret, restore);
    if (services)
        strvec_push(ret, buf_str(&start));
}

static void tell(Guard *guard)
{
    Session *session = guard->session;
    _cleanup_(strvec_done) StrVec way = {0};
    list_way_back(guard, &way);
    if (session->json) {
        session_set(session, "tag", json_text(guard->tag));
        session_set(session, "status", json_integer(guard->status));
        session_set(session, "schema", guard->asked ? json_of_schema(&guard->answer) : json_null());
        session_set(session, "way_back", json_texts(&way));
        return;
    }
    if (guard->asked)
        print_schema(session->out, &guard->answer);
    fprintf(session->out, _("The backup of before is %s. The way back, if it is needed:\n"), guard->backup);
    for (size_t i = 0; i < way.n; i++) {
        _cleanup_free_ char *line = text_escaped(way.v[i]);
        fprintf(session->out, "  %s\n", line);
    }
    _cleanup_free_ char *undo = wayback_undo(session), *shown = text_escaped(undo);
    fprintf(session->out, _("That restore is taken back by: %s\n"), shown);
}

/* The command's own status goes before what is found behind it. Warnings of the backup were told; there is one. */
static int status_of(const Guard *guard)
{
    if (guard->status != 0)
        return guard->status;
    if (!guard->asked)
        return error_exit_status(ERR_FINDINGS);
    return schema_exit_status(&guard->answer, options_flag(guard->session->options, OPT_POST_OK));
}

static char *tag_of_now(void)
{
    char moment[32];
    time_t now = time(NULL);
    struct tm tm;
    strftime(moment, sizeof moment, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    return xasprintf("before-%s", moment);
}

int command_guard(Session *session, Error *err)
{
    Options own = options_copy(session->options);
    Guard guard = {.session = session, .given = session->options, .tag = tag_of_now()};
    session->options = &own;
    int rc = config_apply(session->config, &own, err);
    if (rc == 0)
        rc = make_backup(&guard, err);
    if (rc == 0)
        rc = stop_check(err);
    if (rc == 0) {
        run_command(&guard);
        check_schema(&guard);
        tell(&guard);
        session->status = status_of(&guard);
    }
    session->options = guard.given;
    options_done(&own);
    schema_answer_done(&guard.answer);
    free(guard.tag);
    free(guard.backup);
    return rc;
}
