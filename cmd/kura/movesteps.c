#include "movesteps.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "goal.h"
#include "kura/restore.h"
#include "kura/words.h"
#include "redact.h"
#include "screen.h"
#include "text.h"

enum { COMMAND_MAX = 64 * 1024 };

void move_steps_done(MoveSteps *steps)
{
    for (size_t i = 0; i < steps->n; i++)
        free(steps->v[i].command);
    free(steps->v);
    *steps = (MoveSteps){0};
}

static void add(MoveSteps *steps, bool on_new, Buf *command, const char *why)
{
    xgrow(&steps->v, &steps->cap, steps->n);
    steps->v[steps->n++] = (MoveStep){.on_new = on_new, .command = xstrdup(buf_str(command)), .why = why};
    buf_done(command);
}

static void add_option(Buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    _cleanup_free_ char *word = text_shell_word(value);
    buf_printf(out, NULL, " %s %s", name, word);
}

/* A command of kura with what names the application and the repository. The host that makes backups needs no identity.
 */
static Buf kura_command(const MoveRoute *route, bool on_new, const char *command)
{
    const Options *options = route->session->options;
    Buf out = BUF_INIT(COMMAND_MAX);
    buf_printf(&out, NULL, "kura %s", command);
    add_option(&out, "--config", options_text(options, OPT_CONFIG));
    if (options->values[OPT_REPO].source == SOURCE_COMMAND_LINE)
        add_option(&out, "--repo", options_text(options, OPT_REPO));
    add_option(&out, "--app", route->app);
    if (on_new && route->session->repo && repo_is_encrypted(route->session->repo))
        add_option(&out, "--identity",
                   options_given(options, OPT_IDENTITY) ? options_text(options, OPT_IDENTITY) : "IDENTITY");
    return out;
}

/* --db as it was given on the new host; that of the old one is another. */
static void add_db(Buf *out, const MoveRoute *route)
{
    const Options *options = route->session->options;
    if (route->from_old || !options_given(options, OPT_DB))
        return;
    _cleanup_free_ char *shown = redact_conninfo(options_text(options, OPT_DB));
    add_option(out, "--db", shown);
}

static void add_map(Buf *out, const Options *options)
{
    const StrVec *rules = options_list(options, OPT_MAP);
    for (size_t i = 0; i < rules->n; i++)
        add_option(out, "--map", rules->v[i]);
    add_option(out, "--map-file", options_text(options, OPT_MAP_FILE));
}

static void add_files(Buf *out, const MoveRoute *route, bool all)
{
    for (size_t i = 0; i < route->n_files; i++) {
        bool media = strcmp(route->files[i].name, APP_CONFIG_FILESET) != 0 &&
                     strcmp(route->files[i].name, APP_REDIS_FILESET) != 0;
        if (!media && !all)
            continue;
        _cleanup_free_ char *value = xasprintf("%s=%s", route->files[i].name, route->files[i].dir);
        add_option(out, "--files", value);
    }
}

static bool has_media(const MoveRoute *route)
{
    Buf probe = BUF_INIT(COMMAND_MAX);
    add_files(&probe, route, false);
    bool any = probe.len > 0;
    buf_done(&probe);
    return any;
}

/* Whereto, when it cannot be left to the backup: directories that have files in them must be named. */
static void add_target(Buf *out, const MoveRoute *route)
{
    bool given = !route->from_old && options_given(route->session->options, OPT_DB);
    if (!given && !has_media(route))
        return;
    add_db(out, route);
    if (!given && route->database) {
        _cleanup_free_ char *db = conninfo_of(route->database);
        add_option(out, "--db", db);
    }
    add_files(out, route, true);
}

/* Where no configuration of kura's has it. */
static void add_app_dir(Buf *out, const MoveRoute *route)
{
    const Options *options = route->session->options;
    if (options->values[OPT_APP_DIR].source == SOURCE_COMMAND_LINE)
        add_option(out, "--app-dir", options_text(options, OPT_APP_DIR));
}

static void add_backup(const MoveRoute *route, MoveSteps *ret, const char *why)
{
    Buf command = kura_command(route, false, "backup --tag move");
    add_app_dir(&command, route);
    add(ret, false, &command, why);
}

static void add_units(const MoveRoute *route, MoveSteps *ret, const char *verb, bool on_new, const char *why)
{
    Buf command = BUF_INIT(COMMAND_MAX);
    buf_printf(&command, NULL, "systemctl %s", verb);
    for (size_t i = 0; route->services && i < route->services->n; i++) {
        if (route->services->v[i][0] == '-') /* no unit, but an option of systemctl */
            continue;
        _cleanup_free_ char *unit = text_shell_word(route->services->v[i]);
        buf_printf(&command, NULL, " %s", unit);
    }
    if (route->services == NULL || route->services->n == 0)
        buf_append_str(&command, " ..", NULL);
    add(ret, on_new, &command, why);
}

static void add_restores(const MoveRoute *route, MoveSteps *ret)
{
    const Options *options = route->session->options;
    Buf plan = kura_command(route, true, "restore latest"), whole = kura_command(route, true, "restore latest");
    Buf *const both[] = {&plan, &whole};
    for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
        add_target(both[i], route);
        add_map(both[i], options);
        if (route->database)
            buf_append_str(both[i], " --create-roles", NULL);
        add_option(both[i], "--pg-bindir", options_text(options, OPT_PG_BINDIR));
    }
    buf_append_str(&plan, " --plan", NULL);
    if (has_media(route)) {
        buf_append_str(&whole, " --quick-check", NULL);
        Buf media = kura_command(route, true, "restore latest --only files");
        add_files(&media, route, false);
        add(ret, true, &media, N_("the files, while the old host still serves; the second time little is left to do"));
    }
    add(ret, true, &plan, N_("what the restore would do, and what is in its way"));
    add_units(route, ret, "stop", false, N_("the downtime begins: nothing changes on the old host any more"));
    add_backup(route, ret, N_("only what changed since the first one is stored"));
    add(ret, true, &whole, N_("the database, and what changed of the files"));
}

static void add_config(const MoveRoute *route, MoveSteps *ret)
{
    const Options *options = route->session->options;
    if (route->dir == NULL)
        return;
    for (int apply = 0; apply < 2; apply++) {
        Buf command = BUF_INIT(COMMAND_MAX);
        buf_append_str(&command, "kura move config", NULL);
        add_option(&command, "--app-dir", route->dir);
        for (size_t i = 0; i < options_list(options, OPT_APP_ENV)->n; i++)
            add_option(&command, "--app-env", options_list(options, OPT_APP_ENV)->v[i]);
        add_db(&command, route);
        add_map(&command, options);
        if (apply)
            buf_append_str(&command, " --apply", NULL);
        add(ret, true, &command,
            apply ? N_("puts the configuration in its place") : N_("what must change in the configuration"));
    }
}

/* What the new host cannot know by itself. */
static void add_outfit(const MoveRoute *route, MoveSteps *ret)
{
    char host[256] = "";
    const char *path = route->session->config->path;
    if (!route->from_old || path == NULL)
        return;
    gethostname(host, sizeof host - 1);
    Buf command = BUF_INIT(COMMAND_MAX);
    _cleanup_free_ char *from = xasprintf("%s:%s", host, path);
    _cleanup_free_ char *from_word = text_shell_word(from), *to = text_shell_word(path);
    buf_printf(&command, NULL, "scp %s %s", from_word, to);
    add(ret, true, &command,
        N_("where the repository is; kura, the application's code and the identity must be there, too"));
}

void move_steps(const MoveRoute *route, MoveSteps *ret)
{
    *ret = (MoveSteps){0};
    add_outfit(route, ret);
    add_backup(route, ret, N_("the first pass, while the application runs"));
    add_restores(route, ret);
    add_config(route, ret);
    for (size_t i = 0; route->afterwards && i < route->afterwards->n; i++) {
        if (strncmp(route->afterwards->v[i], "systemctl start", strlen("systemctl start")) == 0)
            continue;
        Buf command = BUF_INIT(COMMAND_MAX);
        buf_append_str(&command, route->afterwards->v[i], NULL);
        add(ret, true, &command, N_("as the application wants it after a restore"));
    }
    add_units(route, ret, "start", true, N_("the downtime ends; kura starts no services"));
    Buf doctor = kura_command(route, false, "doctor");
    add_app_dir(&doctor, route);
    add(ret, true, &doctor, N_("is all well, and will the next backup be made"));
}

json_t *json_of_move_steps(const MoveSteps *steps)
{
    json_t *list = json_array();
    for (size_t i = 0; i < steps->n; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:s}", "host", steps->v[i].on_new ? "new" : "old", "command",
                                              json_text(steps->v[i].command), "why", steps->v[i].why));
    return list;
}

void print_move_steps(FILE *out, const MoveSteps *steps)
{
    fputs(_("the way, in this order\n"), out);
    for (size_t i = 0; i < steps->n; i++) {
        _cleanup_free_ char *command = text_escaped(steps->v[i].command);
        fprintf(out, steps->v[i].on_new ? _("  %zu. on the new host: %s\n") : _("  %zu. on the old host: %s\n"), i + 1,
                words_get(steps->v[i].why));
        fprintf(out, "     %s\n", command);
    }
}
