#include "hooks.h"

#include "kura/log.h"
#include "kura/mail.h"
#include "kura/program.h"
#include "notice.h"

enum { TIMEOUT_DEFAULT = 600, TIMEOUT_AFTER_STOP = 60, TIMEOUT_NOTIFY = 60 };

#define SENDMAIL_DEFAULT "/usr/sbin/sendmail -i -t"

/* The hooks of a command; NULL where it has none. */
static const StrVec *hooks_of(const Session *session, OptionId backup, OptionId restore)
{
    const Options *options = session->options;
    if (options->command->id == CMD_BACKUP)
        return options_list(options, backup);
    if (options->command->id == CMD_RESTORE && !options_flag(options, OPT_PLAN))
        return options_list(options, restore);
    return NULL;
}

int hooks_check(const Session *session, Error *err)
{
    static const OptionId programs[] = {OPT_BEFORE_BACKUP, OPT_AFTER_BACKUP,   OPT_BEFORE_RESTORE,
                                        OPT_AFTER_RESTORE, OPT_NOTIFY_COMMAND, OPT_SENDMAIL};
    const StrVec *addresses = options_list(session->options, OPT_MAIL_TO);
    for (size_t i = 0; i < addresses->n; i++)
        if (mail_check_address(addresses->v[i], err) < 0)
            return error_wrap(err, "key \"mail-to\"");
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        if (options_given(session->options, programs[i]))
            return config_check_trusted(session->config, err);
    return 0;
}

/* ---- running ---- */

typedef struct Hook {
    const Session *session;
    const char *name; /* "before-backup" */
    StrVec env;
} Hook;

static void on_line(void *ctx, const char *line)
{
    const Hook *hook = ctx;
    log_info("%s: %s", hook->name, line);
}

static void hook_init(Hook *hook, const Session *session, const char *name, const RunRecord *run)
{
    const char *app = options_text(session->options, OPT_APP);
    *hook = (Hook){.session = session, .name = name};
    strvec_pushf(&hook->env, "KURA_HOOK=%s", name);
    strvec_pushf(&hook->env, "KURA_COMMAND=%s", session->options->command->name);
    strvec_pushf(&hook->env, "KURA_APP=%s", app ? app : "");
    strvec_pushf(&hook->env, "KURA_REPOSITORY=%s", session->run.repository ? session->run.repository : "");
    if (run == NULL)
        return;
    strvec_pushf(&hook->env, "KURA_STATUS=%s", notice_word(run->status));
    strvec_pushf(&hook->env, "KURA_EXIT_STATUS=%d", run->status);
    strvec_pushf(&hook->env, "KURA_ERROR=%s", run->error ? run->error : "");
    strvec_pushf(&hook->env, "KURA_BACKUP_ID=%s", run->backup ? run->backup : "");
    strvec_pushf(&hook->env, "KURA_SECONDS=%.0f", run->seconds);
}

static int run_program(Hook *hook, const char *command_line, const char *input, double timeout, Error *err)
{
    const ProgramSpec spec = {.command_line = command_line,
                              .env = (const char *const *)hook->env.v,
                              .input = input,
                              .timeout = timeout,
                              .on_line = on_line,
                              .ctx = hook};
    log_debug("%s: running %s", hook->name, command_line);
    return program_run(&spec, err) < 0 ? error_wrap(err, "%s", hook->name) : 0;
}

static double timeout_of(const Session *session)
{
    return options_number(session->options, OPT_HOOK_TIMEOUT, TIMEOUT_DEFAULT);
}

int hooks_before(const Session *session, Error *err)
{
    const StrVec *list = hooks_of(session, OPT_BEFORE_BACKUP, OPT_BEFORE_RESTORE);
    bool backup = session->options->command->id == CMD_BACKUP;
    Hook hook;
    int rc = 0;
    hook_init(&hook, session, backup ? "before-backup" : "before-restore", NULL);
    for (size_t i = 0; list && rc == 0 && i < list->n; i++)
        rc = run_program(&hook, list->v[i], NULL, timeout_of(session), err);
    strvec_done(&hook.env);
    return rc;
}

void hooks_after(Session *session, const RunRecord *run)
{
    const StrVec *list = hooks_of(session, OPT_AFTER_BACKUP, OPT_AFTER_RESTORE);
    bool backup = session->options->command->id == CMD_BACKUP;
    double timeout = timeout_of(session);
    Hook hook;
    if (run->status > 128 && timeout > TIMEOUT_AFTER_STOP)
        timeout = TIMEOUT_AFTER_STOP; /* who asked for the stop waits */
    hook_init(&hook, session, backup ? "after-backup" : "after-restore", run);
    for (size_t i = 0; list && i < list->n; i++) {
        Error why = ERROR_INIT;
        if (run_program(&hook, list->v[i], NULL, timeout, &why) < 0)
            findings_add(&session->findings, FINDING_WARNING, "hook-failed", NULL, "%s", why.message);
    }
    strvec_done(&hook.env);
}

/* ---- notifications ---- */

static void send_mail(Hook *hook, const RunRecord *run, const char *text)
{
    const Options *options = hook->session->options;
    const StrVec *to = options_list(options, OPT_MAIL_TO);
    const char *sendmail = options_text(options, OPT_SENDMAIL);
    _cleanup_free_ char *subject = notice_subject(hook->session, run->status);
    _cleanup_(buf_done) Buf mail = BUF_INIT(PROGRAM_INPUT_MAX);
    Error why = ERROR_INIT;
    if (to->n == 0)
        return;
    hook->name = "sendmail";
    if (mail_format(to, subject, text, &mail, &why) < 0 ||
        run_program(hook, sendmail ? sendmail : SENDMAIL_DEFAULT, buf_str(&mail), TIMEOUT_NOTIFY, &why) < 0)
        log_warning("no mail was sent: %s", why.message);
}

void hooks_notify(const Session *session, const RunRecord *run)
{
    const StrVec *list = options_list(session->options, OPT_NOTIFY_COMMAND);
    _cleanup_free_ char *text = notice_text(session, run);
    Hook hook;
    hook_init(&hook, session, "notify-command", run);
    for (size_t i = 0; i < list->n; i++) {
        Error why = ERROR_INIT;
        if (run_program(&hook, list->v[i], text, TIMEOUT_NOTIFY, &why) < 0)
            log_warning("%s", why.message);
    }
    send_mail(&hook, run, text);
    strvec_done(&hook.env);
}
