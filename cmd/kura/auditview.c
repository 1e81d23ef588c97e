#include "auditview.h"

#include <string.h>

#include "kura/export.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "redact.h"
#include "screen.h"
#include "site.h"
#include "table.h"
#include "text.h"

enum { OBJECTS_SHOWN = 5 };

/* ---- arguments ---- */

static int load_source(Session *session, const char *name, AuditArgs *ret, Error *err)
{
    if (is_archive(name))
        return archive_open_toc(name, &ret->toc, NULL, err);
    if (session_load_backup(session, name, &ret->manifest, err) < 0)
        return -1;
    if (!ret->manifest->has_database)
        return error_set(err, ERR_USAGE, "backup %s has no database", ret->manifest->id);
    ret->options.facts = &ret->manifest->database.facts;
    return flow_load_toc(session->repo, &ret->manifest->database, &ret->toc, err);
}

/* As a shell takes it; only of what is no secret. */
static void add_argument(Buf *out, const char *option, const char *value)
{
    if (value == NULL)
        return;
    _cleanup_free_ char *quoted = text_shell(value);
    buf_printf(out, NULL, " %s %s", option, quoted);
}

/* One with a password is left to the reader. */
static void add_conninfo(Buf *out, const char *option, const char *conninfo)
{
    if (conninfo && conninfo_has_secret(conninfo))
        buf_printf(out, NULL, " %s ..", option);
    else
        add_argument(out, option, conninfo);
}

char *repair_command(const char *db)
{
    enum { COMMAND_MAX = 1 << 20 };
    Buf out = BUF_INIT(COMMAND_MAX);
    buf_append_str(&out, "kura repair", NULL);
    add_conninfo(&out, "--db", db);
    return (char *)out.data;
}

static char *cure_command(const Options *options, const char *db, const char *app_role)
{
    enum { CURE_MAX = 1 << 20 };
    Buf out = BUF_INIT(CURE_MAX);
    const StrVec *rules = options_list(options, OPT_MAP);
    _cleanup_free_ char *command = repair_command(db);
    buf_append_str(&out, command, NULL);
    if (options_given(options, OPT_FROM_BACKUP)) {
        add_argument(&out, "--config", options_text(options, OPT_CONFIG));
        add_argument(&out, "--repo", options_text(options, OPT_REPO));
        add_argument(&out, "--app", options_text(options, OPT_APP));
    }
    add_argument(&out, "--backup", options_text(options, OPT_FROM_BACKUP));
    add_conninfo(&out, "--like", options_text(options, OPT_LIKE));
    add_argument(&out, "--app-role", app_role);
    for (size_t i = 0; i < rules->n; i++)
        add_argument(&out, "--map", rules->v[i]);
    add_argument(&out, "--map-file", options_text(options, OPT_MAP_FILE));
    buf_append_str(&out, " --apply", NULL);
    return (char *)out.data;
}

static int check_use(const Options *options, const char *db, const char *app_role, const RoleMap *map, Error *err)
{
    bool backup = options_given(options, OPT_FROM_BACKUP), like = options_given(options, OPT_LIKE);
    if (db == NULL) {
        error_set(err, ERR_USAGE, "no database is named");
        return error_hint(err, "Give --db with a connection string.");
    }
    if (backup && like)
        return error_set(err, ERR_USAGE, "--backup and --like do not go together");
    if (app_role && !backup && !like && !rolemap_is_empty(map))
        return error_set(err, ERR_USAGE, "--app-role and a map each say what is right: give one of them");
    if (backup || like || app_role || !rolemap_is_empty(map))
        return 0;
    error_set(err, ERR_USAGE, "nothing says what is right");
    return error_hint(
        err, "Give --app-role with the role that should own all: the application's configuration names it (user "
             "in Misskey's .config/default.yml, DB_USER in Mastodon's .env.production). Or give --backup with "
             "the dump that was restored, --like or --map.");
}

/* Of an application whose configuration names its role all should belong to that one, unless something else is named.
 */
static const char *app_role_of(const Session *session, const RoleMap *map)
{
    const Options *options = session->options;
    const char *given = options_text(options, OPT_APP_ROLE);
    bool other = options_given(options, OPT_FROM_BACKUP) || options_given(options, OPT_LIKE) || !rolemap_is_empty(map);
    return given || other || session->site == NULL ? given : session->site->database.user;
}

int audit_args(Session *session, AuditArgs *ret, Error *err)
{
    const Options *options = session->options;
    const char *db;
    *ret = (AuditArgs){0};
    if (session_rolemap(session, &ret->map, err) < 0 || session_db(session, &db, err) < 0)
        return -1;
    const char *app_role = app_role_of(session, ret->map);
    if (check_use(options, db, app_role, ret->map, err) < 0)
        return -1;
    const char *backup = options_text(options, OPT_FROM_BACKUP);
    if (backup && load_source(session, backup, ret, err) < 0)
        return -1;
    _cleanup_free_ char *bare = db == session->site_db ? app_conninfo(&session->site->database, false) : NULL;
    ret->cure = cure_command(options, bare ? bare : db, app_role);
    ret->options.db = db;
    ret->options.toc = ret->toc;
    ret->options.like = options_text(options, OPT_LIKE);
    ret->options.map = ret->map;
    ret->options.app_role = app_role;
    ret->options.backup_role = options_text(options, OPT_ROLE);
    ret->options.cure_command = ret->cure;
    return 0;
}

void audit_args_done(AuditArgs *args)
{
    toc_free(args->toc);
    manifest_free(args->manifest);
    rolemap_free(args->map);
    free(args->cure);
    *args = (AuditArgs){0};
}

/* ---- views ---- */

static const char *const severities[] = {N_("note"), N_("warning"), N_("error")};

json_t *json_of_own_findings(const OwnFindings *findings)
{
    json_t *array = json_array();
    for (size_t i = 0; i < findings->n; i++) {
        const OwnFinding *finding = &findings->v[i];
        json_array_append_new(array,
                              json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "severity", severities[finding->severity],
                                        "code", finding->code, "message", json_text(finding->message), "consequence",
                                        json_text(finding->consequence), "cure", json_text(finding->cure), "objects",
                                        json_texts(&finding->objects)));
    }
    return array;
}

json_t *json_of_audit(const AuditReport *report)
{
    return json_pack("{s:o, s:o, s:I, s:I, s:o, s:o}", "database", json_text(report->database), "app_role",
                     json_text(report->app_role), "objects", (json_int_t)report->objects, "grants",
                     (json_int_t)report->grants, "problems", json_of_own_findings(&report->findings), "missing",
                     json_texts(&report->missing));
}

static void print_line(FILE *out, const char *title, const char *text)
{
    if (text == NULL)
        return;
    _cleanup_free_ char *escaped = text_escaped(text);
    fprintf(out, "    %s: %s\n", title, escaped);
}

static void print_objects(FILE *out, const StrVec *objects)
{
    for (size_t i = 0; i < objects->n && i < OBJECTS_SHOWN; i++) {
        _cleanup_free_ char *name = text_escaped(objects->v[i]);
        fprintf(out, "      %s\n", name);
    }
    if (objects->n > OBJECTS_SHOWN)
        fprintf(out, _("      and %zu more\n"), objects->n - OBJECTS_SHOWN);
}

/* The worst first. */
void print_own_findings(FILE *out, const OwnFindings *findings)
{
    for (int severity = OWN_ERROR; severity >= OWN_NOTE; severity--) {
        for (size_t i = 0; i < findings->n; i++) {
            const OwnFinding *finding = &findings->v[i];
            if ((int)finding->severity != severity)
                continue;
            _cleanup_free_ char *message = text_escaped(finding->message);
            fprintf(out, "  %s: %s (%s)\n", words_get(severities[severity]), message, finding->code);
            print_line(out, _("means"), finding->consequence);
            print_line(out, _("cure"), finding->cure);
            print_objects(out, &finding->objects);
        }
    }
}

void print_audit(FILE *out, const AuditReport *report)
{
    char objects[TEXT_SIZE], grants[TEXT_SIZE];
    _cleanup_free_ char *where = text_escaped(report->where);
    fprintf(out, _("%s: %s objects, %s grants\n"), where, text_count(report->objects, objects),
            text_count(report->grants, grants));
    if (report->missing.n > 0) {
        fprintf(out, _("  not here: %zu objects of the backup or the other database\n"), report->missing.n);
        print_objects(out, &report->missing);
    }
    print_own_findings(out, &report->findings);
    if (own_findings_count(&report->findings, OWN_WARNING) == 0)
        fputs(_("  owners and grants are as they should be\n"), out);
}

void audit_sum_up(Session *session, const OwnFindings *findings, const char *hint)
{
    size_t n = own_findings_count(findings, OWN_WARNING);
    if (n > 0)
        findings_add(&session->findings, FINDING_WARNING, "ownership", hint,
                     ngettext("%zu problem with owners and grants", "%zu problems with owners and grants", n), n);
}
