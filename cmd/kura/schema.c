#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "kura/fdio.h"
#include "kura/log.h"
#include "kura/words.h"
#include "schemaview.h"
#include "screen.h"
#include "site.h"
#include "text.h"

#define UNIT_DIR "/etc/systemd/system"
enum { DROPIN_MAX = 64 * 1024 };

/* ---- check ---- */

static int schema_check(Session *session, Error *err)
{
    SchemaAnswer answer;
    if (schema_ask(session, &answer, err) < 0)
        return -1;
    if (session->json)
        session_set(session, "schema", json_of_schema(&answer));
    else
        print_schema(session->out, &answer);
    int status = schema_exit_status(&answer, options_flag(session->options, OPT_POST_OK));
    if (status != 0)
        session->status = status;
    schema_answer_done(&answer);
    return 0;
}

/* ---- hook ---- */

/* A word as systemd.service(5) reads it in a command line: neither a specifier nor a variable. */
static void add_word(Buf *out, const char *text)
{
    buf_append_str(out, " \"", NULL);
    for (; *text; text++) {
        const char *before = strchr("\"\\", *text) ? "\\" : *text == '%' ? "%" : *text == '$' ? "$" : "";
        buf_printf(out, NULL, "%s%c", before, *text);
    }
    buf_append_str(out, "\"", NULL);
}

static int add_option(const Options *options, OptionId id, Buf *out, Error *err)
{
    const char *given = options_text(options, id);
    if (given == NULL || options->values[id].source != SOURCE_COMMAND_LINE)
        return 0;
    bool is_path = id == OPT_CONFIG || id == OPT_APP_DIR; /* the unit runs elsewhere */
    _cleanup_free_ char *text = is_path ? realpath(given, NULL) : xstrdup(given);
    if (text == NULL)
        return error_errno(err, errno, "cannot find \"%s\"", given);
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127)
            return error_set(err, ERR_USAGE, "the value of --%s holds a control character", option_specs[id].name);
    buf_printf(out, NULL, " --%s", option_specs[id].name);
    add_word(out, text);
    return 0;
}

/* As root, who may read what the application's configuration says, whoever the unit runs as. */
static int write_dropin(const Options *options, Buf *out, Error *err)
{
    static const OptionId ids[] = {OPT_CONFIG, OPT_APP, OPT_APP_DIR, OPT_PROFILE};
    char program[4096] = "";
    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
        return error_errno(err, errno, "cannot tell where kura is");
    buf_append_str(out, _("# The code shall not start on a database that it does not fit; kura(1), \"schema\".\n"),
                   NULL);
    buf_append_str(out, "[Service]\nExecStartPre=+", NULL);
    buf_append_str(out, program, NULL);
    buf_append_str(out, " schema check --post-ok", NULL);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        if (add_option(options, ids[i], out, err) < 0)
            return -1;
    return buf_append_str(out, "\n", err);
}

static int check_unit(const char *unit, Error *err)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@:";
    if (unit[0] && unit[0] != '-' && unit[0] != '.' && strspn(unit, plain) == strlen(unit) && strlen(unit) < 200)
        return 0;
    return error_set(err, ERR_USAGE, "\"%s\" is no name of a systemd unit", unit);
}

/* Below UNIT_DIR, as systemd looks for it. To be freed. */
static char *dropin_path(const char *unit_dir, const char *unit)
{
    static const char suffix[] = ".service";
    size_t len = strlen(unit), end = strlen(suffix);
    bool full = len > end && strcmp(unit + len - end, suffix) == 0;
    return xasprintf("%s/%s%s.d/kura-schema.conf", unit_dir, unit, full ? "" : suffix);
}

static int install(const char *path, const Buf *text, Error *err)
{
    _cleanup_free_ char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));
    if (mkdir(dir, 0755) < 0 && errno != EEXIST)
        return error_errno(err, errno, "cannot make the directory \"%s\"", dir);
    if (chmod(dir, 0755) < 0)
        return error_errno(err, errno, "cannot set the mode of \"%s\"", dir);
    return file_put(path, text->data, text->len, 0644, err);
}

/* A check that can only fail would keep the service from starting for ever. */
static int check_code(Session *session, Error *err)
{
    AppSite *site;
    SchemaHistory code;
    if (session_site(session, &site, err) < 0)
        return -1;
    if (schema_site_read(site, &code, err) < 0)
        return error_wrap(err, "the service would never start");
    schema_history_done(&code);
    return 0;
}

static int schema_hook(Session *session, const char *unit, Error *err)
{
    const Options *options = session->options;
    const char *given = options_text(options, OPT_UNIT_DIR);
    bool apply = options_flag(options, OPT_APPLY);
    _cleanup_(buf_done) Buf text = BUF_INIT(DROPIN_MAX);
    if (!options_given(options, OPT_APP_DIR)) {
        error_set(err, ERR_USAGE, "no application is named");
        return error_hint(err, "Give --app-dir, or --app with a section that has app-dir.");
    }
    if (check_unit(unit, err) < 0 || check_code(session, err) < 0 || write_dropin(options, &text, err) < 0)
        return -1;
    _cleanup_free_ char *path = dropin_path(given ? given : UNIT_DIR, unit);
    if (apply && install(path, &text, err) < 0)
        return -1;
    session_set(session, "path", json_text(path));
    session_set(session, "text", json_text(buf_str(&text)));
    session_set(session, "applied", json_boolean(apply));
    if (!session->json)
        fprintf(session->out, "%s\n%s", path, buf_str(&text));
    if (apply)
        log_info("it counts from the next \"systemctl daemon-reload\" on");
    else
        log_info("nothing is changed; --apply does it");
    return 0;
}

int command_schema(Session *session, Error *err)
{
    const StrVec *args = &session->options->args;
    if (args->n == 1 && strcmp(args->v[0], "check") == 0)
        return schema_check(session, err);
    if (args->n == 3 && strcmp(args->v[0], "hook") == 0 && strcmp(args->v[1], "systemd") == 0)
        return schema_hook(session, args->v[2], err);
    error_set(err, ERR_USAGE, "the arguments of schema are wrong");
    return error_hint(err, "Write \"kura schema check\" or \"kura schema hook systemd UNIT\".");
}
