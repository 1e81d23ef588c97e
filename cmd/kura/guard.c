/* Something that may go wrong, with a backup in front of it and the way back behind it. */
#include <string.h>
#include <time.h>

#include "commands.h"
#include "inplace.h"
#include "kura/log.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "night.h"
#include "redact.h"
#include "schemaview.h"
#include "screen.h"
#include "site.h"
#include "text.h"

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

static int run_backup(Session *inner, Error *err)
{
    int rc = night_begin(inner, err);
    if (rc == 0)
        rc = command_backup(inner, err);
    night_end(inner, rc, err);
    return rc;
}

static void take_findings(Session *session, const Findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        const Finding *finding = &findings->v[i];
        findings_add(&session->findings, finding->severity, finding->code, finding->hint, "%s", finding->message);
    }
}

static int make_backup(Guard *guard, Error *err)
{
    Session *session = guard->session, inner;
    Options options;
    int rc = backup_options(guard, &options, err);
    if (rc == 0) {
        log_info("making a backup with the tag %s first", guard->tag);
        session_init(&inner, &options, session->config, session->out);
        rc = run_backup(&inner, err);
        take_findings(session, &inner.findings);
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

/* A word of a command line, quoted where it must be. To be freed. */
static char *shell_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:/@%+-";
    return text[0] && strspn(text, plain) == strlen(text) ? xstrdup(text) : text_shell(text);
}

static void add_shell_option(Buf *out, const Options *options, OptionId id)
{
    const StrVec *list = options_list(options, id);
    for (size_t i = 0; i < list->n && options->values[id].source == SOURCE_COMMAND_LINE; i++) {
        _cleanup_free_ char *text = shell_word(list->v[i]);
        buf_printf(out, NULL, " --%s %s", option_specs[id].name, text);
    }
}

/* The command line that puts the database back as it was: into the application's own database, or the one that was
 * named. To be freed. */
static char *restore_line(const Guard *guard)
{
    static const OptionId ids[] = {OPT_CONFIG, OPT_REPO, OPT_APP, OPT_PROFILE, OPT_IDENTITY};
    _cleanup_(buf_done) Buf line = BUF_INIT(64 * 1024);
    const Session *session = guard->session;
    const char *db = options_text(session->options, OPT_DB);
    buf_printf(&line, NULL, "kura restore %s --swap --only db", guard->backup);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        add_shell_option(&line, session->options, ids[i]);
    if (guard->sealed && !options_given(session->options, OPT_IDENTITY))
        buf_append_str(&line, " --identity FILE", NULL);
    if (session->site) {
        _cleanup_free_ char *dir = shell_word(session->site->dir);
        buf_printf(&line, NULL, " --app-dir %s", dir);
    }
    if (db) {
        _cleanup_free_ char *shown = redact_conninfo(db), *text = shell_word(shown);
        buf_printf(&line, NULL, " --db %s", text);
    }
    return xstrdup(buf_str(&line));
}

static void add_services(Buf *out, const char *verb, const StrVec *services)
{
    buf_printf(out, NULL, "systemctl %s", verb);
    for (size_t i = 0; i < services->n; i++) {
        _cleanup_free_ char *text = shell_word(services->v[i]);
        buf_printf(out, NULL, " %s", text);
    }
}

/* Commands, in order. What "#" begins is for the person to do. */
static void list_way_back(const Guard *guard, StrVec *ret)
{
    const AppSite *site = guard->session->site;
    _cleanup_free_ char *restore = restore_line(guard);
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
