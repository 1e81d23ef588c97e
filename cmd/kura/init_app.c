#include "init_app.h"

#include <string.h>

#include "kura/words.h"
#include "newconfig.h"
#include "screen.h"
#include "site.h"
#include "siteplan.h"
#include "text.h"

/* ---- what comes next ---- */

static void add_next(StrVec *ret, const Session *session, const NewConfig *config, const char *command,
                     const char *behind)
{
    const char *path = options_text(session->options, OPT_CONFIG);
    _cleanup_free_ char *app = text_shell_word(config->app), *file = path ? text_shell_word(path) : NULL;
    strvec_pushf(ret, "kura %s --app %s%s%s%s", command, app, path ? " --config " : "", file ? file : "", behind);
}

static void list_next(const Session *session, const NewConfig *config, StrVec *ret)
{
    if (config->repository == NULL) {
        _cleanup_free_ char *dir = text_shell_word(session->site->dir);
        strvec_pushf(ret, "kura init --app-dir %s --repo REPO --encrypt --identity-out FILE", dir);
        return;
    }
    const char *written = options_text(session->options, OPT_IDENTITY_OUT);
    _cleanup_free_ char *file = written ? text_shell_word(written) : xstrdup("FILE");
    _cleanup_free_ char *identity = repo_is_encrypted(session->repo) ? xasprintf(" --identity %s", file) : xstrdup("");
    add_next(ret, session, config, "backup", "");
    add_next(ret, session, config, "rehearse latest", identity);
    add_next(ret, session, config, "install-timer", " --apply");
}

/* ---- output ---- */

static const char *const state_names[] = {
    [NEWCONFIG_SHOWN] = "shown",
    [NEWCONFIG_WRITTEN] = "written",
    [NEWCONFIG_TO_ADD] = "to-add",
    [NEWCONFIG_THERE] = "there",
};

static void tell_json(Session *session, const SitePlan *plan, const NewConfig *config, const StrVec *next)
{
    session_set(session, "application", json_of_siteplan(plan, options_flag(session->options, OPT_WITH_CACHE)));
    session_set(session, "configuration",
                json_pack("{s:o, s:o, s:s, s:o}", "path", json_text(config->path), "app", json_text(config->app),
                          "state", state_names[config->state], "text", json_text(buf_str(&config->text))));
    session_set(session, "next", json_texts(next));
}

static void print_config(FILE *out, const NewConfig *config)
{
    static const char *const titles[] = {
        [NEWCONFIG_SHOWN] = N_("\nfor %s\n"),
        [NEWCONFIG_WRITTEN] = N_("\nwritten into %s\n"),
        [NEWCONFIG_TO_ADD] = N_("\nto be added to %s, which is left as it is\n"),
        [NEWCONFIG_THERE] = N_("\n%s has it already\n"),
    };
    _cleanup_free_ char *lines = xstrndup(buf_str(&config->text), config->text.len - 1); /* the last ends, too */
    _cleanup_free_ char *path = text_escaped(config->path), *text = text_message(lines);
    fprintf(out, words_get(titles[config->state]), path);
    if (config->state != NEWCONFIG_THERE)
        fprintf(out, "    %s\n", text);
}

static void print_next(FILE *out, const StrVec *next)
{
    fputs(_("\nnext\n"), out);
    for (size_t i = 0; i < next->n; i++)
        fprintf(out, "  %s\n", next->v[i]);
}

static void tell_all(Session *session, const SitePlan *plan, const NewConfig *config,
                     void (*tell_repository)(Session *session))
{
    _cleanup_(strvec_done) StrVec next = {0};
    list_next(session, config, &next);
    if (session->json)
        tell_json(session, plan, config, &next);
    else
        print_siteplan(session->out, plan, options_flag(session->options, OPT_WITH_CACHE));
    if (session->repo)
        tell_repository(session);
    if (session->json)
        return;
    print_config(session->out, config);
    print_next(session->out, &next);
}

/* ---- the command ---- */

static int tell_files(Session *session, Error *err)
{
    _cleanup_(file_args_done) FileArgs files = {0};
    if (session_files(session, &files, err) < 0)
        return -1;
    if (session->repo)
        site_tell_left_out(session, &files, session->repo);
    return 0;
}

int init_app(Session *session, void (*tell)(Session *session), Error *err)
{
    SitePlan plan;
    _cleanup_(newconfig_done) NewConfig config = {0};
    if (siteplan_make(session, &plan, err) < 0)
        return -1;
    int rc = tell_files(session, err);
    if (rc == 0)
        rc = newconfig_make(session, &config, err);
    if (rc == 0) {
        newconfig_write(&config, &session->findings);
        tell_all(session, &plan, &config, tell);
    }
    siteplan_done(&plan);
    return rc;
}
