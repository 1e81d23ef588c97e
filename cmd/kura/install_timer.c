#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "kura/fdio.h"
#include "kura/log.h"
#include "kura/pg.h"
#include "kura/program.h"
#include "kura/secret.h"
#include "redisarg.h"
#include "screen.h"
#include "site.h"
#include "timerplan.h"

#define UNIT_DIR "/etc/systemd/system"
enum { CRON_MAX = 64 * 1024 };

/* ---- what the configuration wants ---- */

/* The options that a command would have for an application. */
static int options_of(const Session *session, CommandId command, const char *app, Options *ret, Error *err)
{
    *ret = options_copy(session->options);
    ret->command = &command_specs[command];
    int rc = options_given(ret, OPT_APP)
                 ? 0
                 : options_set(ret, &option_specs[OPT_APP], SOURCE_COMMAND_LINE, app, "option --app", err);
    if (rc == 0)
        rc = config_apply(session->config, ret, err);
    if (rc < 0)
        options_done(ret);
    return rc;
}

static int wants_rehearsals(const Session *session, const char *app, bool *ret, Error *err)
{
    Options options;
    if (options_of(session, CMD_REHEARSE, app, &options, err) < 0)
        return -1;
    *ret = options_given(&options, OPT_SERVER);
    options_done(&options);
    return 0;
}

/* Nothing is pruned where no rule says what to keep. */
static int wants_prune(const Session *session, const char *app, bool *ret, Error *err)
{
    Options options;
    if (options_of(session, CMD_PRUNE, app, &options, err) < 0)
        return -1;
    *ret = false;
    for (OptionId id = 0; id < OPT_COUNT; id++)
        if (strncmp(option_specs[id].name, "keep-", 5) == 0 && options_given(&options, id))
            *ret = true;
    options_done(&options);
    return 0;
}

static void add_directory(StrVec *ret, const char *path)
{
    if (strncmp(path, "dir:", 4) == 0)
        path += 4;
    if (path[0] == '/' && !strvec_contains(ret, path))
        strvec_push(ret, path);
}

static int add_further_repositories(const Config *config, const Options *options, StrVec *ret, Error *err)
{
    const StrVec *names = options_list(options, OPT_REPO);
    for (size_t i = 1; i < names->n; i++) {
        Options other;
        int rc = config_other_repository(config, options, names->v[i], &other, err);
        if (rc == 0)
            add_directory(ret, options_text(&other, OPT_REPO));
        options_done(&other);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* Repositories in directories, and the places of state, cache and metrics when they are not the usual ones. */
static int find_writable(const Session *session, const char *app, StrVec *ret, Error *err)
{
    Options options;
    if (options_of(session, CMD_BACKUP, app, &options, err) < 0)
        return -1;
    const char *repo = options_text(&options, OPT_REPO), *metrics = options_text(&options, OPT_METRICS_FILE);
    const char *others[] = {options_text(&options, OPT_STATE_DIR), options_text(&options, OPT_CACHE_DIR)};
    if (repo)
        add_directory(ret, repo);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (others[i])
            add_directory(ret, others[i]);
    if (metrics) {
        _cleanup_free_ char *copy = xstrdup(metrics);
        add_directory(ret, dirname(copy));
    }
    int rc = add_further_repositories(session->config, &options, ret, err);
    options_done(&options);
    return rc;
}

static void add_group(StrVec *ret, const char *socket)
{
    struct stat st;
    if (stat(socket, &st) < 0 || (st.st_mode & S_IWOTH) != 0 || (st.st_mode & S_IWGRP) == 0)
        return;
    const struct group *group = getgrgid(st.st_gid);
    if (group && st.st_gid != 0 && !strvec_contains(ret, group->gr_name))
        strvec_push(ret, group->gr_name);
}

/* Of the sockets of Redis: the units' root may read everything, but a socket must be written to. Where it cannot be
 * told the backup will say what is wrong. */
static int find_groups(const Session *session, const char *app, StrVec *ret, Error *err)
{
    Options options;
    Session inner;
    RedisArg redis;
    Error unused = ERROR_INIT;
    if (options_of(session, CMD_BACKUP, app, &options, err) < 0)
        return -1;
    session_init(&inner, &options, session->config, session->out);
    if (redis_arg_read(&inner, &redis, &unused) == 0) {
        for (size_t i = 0; i < redis.n; i++)
            if (redis.servers[i].host && redis.servers[i].host[0] == '/')
                add_group(ret, redis.servers[i].host);
        redis_arg_done(&redis);
    }
    session_done(&inner);
    options_done(&options);
    return 0;
}

/* On a socket and without a password it is the caller's system user that counts. What cannot be told now is no reason
 * to fail: the service will say it. */
static int wants_become(const Session *session, const char *app, bool *ret, Error *err)
{
    Options options;
    Session inner;
    Error why = ERROR_INIT;
    const char *db = NULL;
    if (options_of(session, CMD_BACKUP, app, &options, err) < 0)
        return -1;
    session_init(&inner, &options, session->config, session->out);
    if (session_db(&inner, &db, &why) < 0)
        log_debug("%s", why.message);
    _cleanup_free_ char *host = db ? pg_conninfo_get(db, "host") : NULL;
    char *password = db ? pg_conninfo_get(db, "password") : NULL;
    *ret = db && (host == NULL || host[0] == '/' || host[0] == '@') && password == NULL;
    if (password)
        secret_wipe(password, strlen(password));
    free(password);
    session_done(&inner);
    options_done(&options);
    return 0;
}

static int wants_of(const Session *session, const char *app, const char *config, TimerWants *ret, Error *err)
{
    *ret = (TimerWants){.app = app, .calendar = options_text(session->options, OPT_CALENDAR), .config = config};
    if (wants_rehearsals(session, app, &ret->rehearse, err) < 0 || wants_prune(session, app, &ret->prune, err) < 0 ||
        wants_become(session, app, &ret->become, err) < 0)
        return -1;
    return find_writable(session, app, &ret->writable, err) < 0 ? -1 : find_groups(session, app, &ret->groups, err);
}

/* The configuration file when it is not the usual one. To be freed. */
static char *named_config(const Session *session)
{
    const char *path = options_text(session->options, OPT_CONFIG);
    return path ? realpath(path, NULL) : NULL;
}

/* ---- doing it ---- */

static int make_directory_of(const char *path, Error *err)
{
    _cleanup_free_ char *copy = xstrdup(path);
    const char *dir = dirname(copy);
    if (mkdir(dir, 0755) < 0 && errno != EEXIST)
        return error_errno(err, errno, "cannot make the directory \"%s\"", dir);
    return chmod(dir, 0755) < 0 ? error_errno(err, errno, "cannot set the mode of \"%s\"", dir) : 0;
}

static int write_files(const TimerPlan *plan, Error *err)
{
    for (size_t i = 0; i < plan->paths.n; i++) {
        const char *text = plan->texts.v[i];
        if (make_directory_of(plan->paths.v[i], err) < 0 ||
            file_put(plan->paths.v[i], text, strlen(text), 0644, err) < 0)
            return -1;
    }
    return 0;
}

static void on_line(void *ctx, const char *line)
{
    log_info("systemctl: %s", line);
}

static int run_commands(const StrVec *commands, Error *err)
{
    for (size_t i = 0; i < commands->n; i++) {
        const ProgramSpec spec = {.command_line = commands->v[i], .timeout = 60, .on_line = on_line};
        if (program_run(&spec, err) < 0)
            return error_wrap(err, "\"%s\"", commands->v[i]);
    }
    return 0;
}

/* ---- telling it ---- */

static void print_plan(FILE *out, const TimerPlan *plan, const StrVec *commands)
{
    for (size_t i = 0; i < plan->paths.n; i++) {
        fprintf(out, "%s\n", plan->paths.v[i]);
        for (const char *line = plan->texts.v[i]; *line; line += strcspn(line, "\n") + 1)
            fprintf(out, "    %.*s\n", (int)strcspn(line, "\n"), line);
    }
    for (size_t i = 0; i < commands->n; i++)
        fprintf(out, "%s\n", commands->v[i]);
}

static void tell(Session *session, const TimerPlan *plan, const StrVec *commands, bool applied)
{
    json_t *files = json_object();
    for (size_t i = 0; i < plan->paths.n; i++)
        json_object_set_new(files, plan->paths.v[i], json_text(plan->texts.v[i]));
    session_set(session, "files", files);
    session_set(session, "timers", json_texts(&plan->units));
    session_set(session, "commands", json_texts(commands));
    session_set(session, "applied", json_boolean(applied));
    if (!session->json)
        print_plan(session->out, plan, commands);
    if (!applied)
        log_info("nothing is changed; --apply does it");
}

/* ---- the command ---- */

static bool runs_systemd(void)
{
    struct stat st;
    return stat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

static void list_commands(const TimerPlan *plan, StrVec *ret)
{
    _cleanup_(buf_done) Buf enable = BUF_INIT(1024 * 1024);
    buf_append_str(&enable, "systemctl enable --now", NULL);
    for (size_t i = 0; i < plan->units.n; i++)
        buf_printf(&enable, NULL, " %s", plan->units.v[i]);
    strvec_push(ret, "systemctl daemon-reload");
    strvec_push(ret, buf_str(&enable));
}

static int make_plan(const Session *session, const StrVec *apps, const char *unit_dir, TimerPlan *plan, Error *err)
{
    int rc = 0;
    _cleanup_free_ char *config = named_config(session);
    for (size_t i = 0; rc == 0 && i < apps->n; i++) {
        TimerWants wants;
        rc = wants_of(session, apps->v[i], config, &wants, err);
        if (rc == 0)
            rc = timerplan_add(plan, &wants, unit_dir, err);
        timerwants_done(&wants);
    }
    return rc;
}

static int install_units(Session *session, const StrVec *apps, Error *err)
{
    const char *given = options_text(session->options, OPT_UNIT_DIR);
    bool apply = options_flag(session->options, OPT_APPLY);
    _cleanup_(timerplan_done) TimerPlan plan = {0};
    _cleanup_(strvec_done) StrVec commands = {0};
    if (make_plan(session, apps, given ? given : UNIT_DIR, &plan, err) < 0)
        return -1;
    if (given == NULL)
        list_commands(&plan, &commands);
    if (apply && (write_files(&plan, err) < 0 || run_commands(&commands, err) < 0))
        return -1;
    tell(session, &plan, &commands, apply);
    return 0;
}

static int show_cron(Session *session, const StrVec *apps, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(CRON_MAX);
    if (options_flag(session->options, OPT_APPLY) || options_given(session->options, OPT_CALENDAR)) {
        error_set(err, ERR_UNSUPPORTED, "this host does not run systemd");
        return error_hint(err, "Without --apply and --calendar you see lines for a file in /etc/cron.d.");
    }
    for (size_t i = 0; i < apps->n; i++) {
        TimerWants wants;
        int rc = wants_of(session, apps->v[i], NULL, &wants, err);
        timerwants_done(&wants);
        if (rc < 0 || timerplan_cron(&wants, &text, err) < 0)
            return -1;
    }
    session_set(session, "cron", json_text(buf_str(&text)));
    if (!session->json)
        fputs(buf_str(&text), session->out);
    log_info("this host does not run systemd: these lines are for a file in /etc/cron.d, such as /etc/cron.d/kura");
    return 0;
}

int command_install_timer(Session *session, Error *err)
{
    const char *app = options_text(session->options, OPT_APP);
    _cleanup_(strvec_done) StrVec apps = {0};
    if (app)
        strvec_push(&apps, app);
    else
        config_list(session->config, IN_APP, &apps);
    if (apps.n == 0) {
        error_set(err, ERR_USAGE, "no application is configured");
        return error_hint(err, "Write an [app NAME] section into %s; \"kura init --app-dir\" prints one.",
                          CONFIG_DEFAULT_PATH);
    }
    if (runs_systemd() || options_given(session->options, OPT_UNIT_DIR))
        return install_units(session, &apps, err);
    return show_cron(session, &apps, err);
}
