/* What moves, what the new host lacks, and what to do in which order. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "goal.h"
#include "kura/fileset.h"
#include "kura/move.h"
#include "kura/words.h"
#include "move.h"
#include "movesteps.h"
#include "screen.h"
#include "site.h"
#include "table.h"
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

static MoveRoute route_of(const Session *session, const Manifest *newest)
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
static void print_findings(Session *session)
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

/* ---- the old host ---- */

/* What moves. */
typedef struct Load {
    char *database;
    uint64_t database_bytes;
    FileArgs files;
    FilesetSurvey *surveys;
    struct RestoreFiles *places; /* on the new host */
} Load;

static void load_done(Load *load)
{
    free(load->database);
    free(load->surveys);
    for (size_t i = 0; load->places && i < load->files.n; i++)
        free((char *)load->places[i].dir);
    free(load->places);
    file_args_done(&load->files);
}

static int weigh_database(Session *session, Load *load, Error *err)
{
    const char *db;
    PgConn *conn;
    _cleanup_free_ char *bytes = NULL;
    if (session_db(session, &db, err) < 0)
        return -1;
    if (db == NULL)
        return 0;
    if (pg_connect(db, &(PgOptions){0}, &conn, err) < 0)
        return -1;
    load->database = xstrdup(pg_dbname(conn));
    int rc =
        pg_query_value(conn, "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())", 0, NULL, &bytes, err);
    load->database_bytes = rc == 0 ? strtoull(bytes, NULL, 10) : 0;
    pg_close(conn);
    return rc;
}

static int weigh_files(Session *session, Load *load, Error *err)
{
    if (session_files(session, &load->files, err) < 0)
        return -1;
    load->surveys = xcalloc(load->files.n + 1, sizeof *load->surveys);
    for (size_t i = 0; i < load->files.n; i++) {
        const FileArg *file = &load->files.v[i];
        const FilesetSpec spec = {.name = file->name,
                                  .dir = file->dir,
                                  .include = file->app ? &file->app->only : NULL,
                                  .refetchable = file->app ? &file->app->exclude : NULL};
        if (fileset_survey(&spec, (size_t)options_number(session->options, OPT_JOBS, 1), &load->surveys[i], err) < 0)
            return error_wrap(err, "fileset \"%s\"", file->name);
    }
    return 0;
}

/* What earlier runs on this host tell of how long it takes. < 0: they do not. */
typedef struct Pace {
    double first, second, restore;
} Pace;

static Pace earlier_pace(const Session *session, const char *app)
{
    Pace pace = {-1, -1, -1};
    RunState *state;
    _cleanup_free_ char *dir = session_state_dir(session);
    if (dir == NULL || runstate_load(dir, app, &state, NULL) < 0)
        return pace;
    const RunHistory *backups = &state->runs[RUN_BACKUP], *rehearsals = &state->runs[RUN_REHEARSE];
    if (backups->has_good && backups->good.new_bytes * 2 > backups->good.backup_bytes)
        pace.first = backups->good.seconds; /* most of it was new */
    else if (backups->has_good)
        pace.second = backups->good.seconds;
    if (rehearsals->has_good)
        pace.restore = rehearsals->good.seconds;
    runstate_free(state);
    return pace;
}

static json_t *json_of_seconds(double seconds)
{
    return seconds < 0 ? json_null() : json_real(seconds);
}

static json_t *json_of_load(const Load *load, const Pace *pace)
{
    json_t *files = json_array();
    for (size_t i = 0; i < load->files.n; i++)
        json_array_append_new(files,
                              json_pack("{s:o, s:o, s:I, s:I, s:I}", "name", json_text(load->files.v[i].name), "dir",
                                        json_text(load->files.v[i].dir), "files", (json_int_t)load->surveys[i].files,
                                        "bytes", (json_int_t)load->surveys[i].bytes, "left_out_bytes",
                                        (json_int_t)load->surveys[i].left_out_bytes));
    return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o}", "database", json_text(load->database), "database_bytes",
                     (json_int_t)load->database_bytes, "filesets", files, "first_pass_seconds",
                     json_of_seconds(pace->first), "second_pass_seconds", json_of_seconds(pace->second),
                     "restore_seconds", json_of_seconds(pace->restore));
}

static void add_line(Table *table, const char *name, char *text)
{
    table_row(table, name, text);
    free(text);
}

static void add_pace(Table *table, const char *name, double seconds, const char *unknown)
{
    char text[TEXT_SIZE];
    table_row(table, name, seconds < 0 ? unknown : text_seconds(seconds, text));
}

static void print_load(FILE *out, const Load *load, const Pace *pace)
{
    char bytes[TEXT_SIZE], files[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    if (load->database)
        add_line(table, _("database"), xasprintf("%s, %s", load->database, text_bytes(load->database_bytes, bytes)));
    for (size_t i = 0; i < load->files.n; i++)
        add_line(table, _("files"),
                 xasprintf(ngettext("%s: %s file, %s in %s", "%s: %s files, %s in %s", load->surveys[i].files),
                           load->files.v[i].name, text_count(load->surveys[i].files, files),
                           text_bytes(load->surveys[i].bytes, bytes), load->files.v[i].dir));
    add_pace(table, _("first pass"), pace->first, _("not measured yet; the application runs meanwhile"));
    add_pace(table, _("second pass"), pace->second, _("not measured yet: make two backups"));
    add_pace(table, _("restore"), pace->restore, _("not measured yet: rehearse"));
    if (pace->second >= 0 && pace->restore >= 0)
        add_pace(table, _("downtime"), pace->second + pace->restore, "");
    fputs(_("what moves\n"), out);
    table_print(table, out, 2);
}

/* Only the new host knows better where files go; the configuration goes beside. */
static void places_of(Load *load, MoveRoute *route)
{
    load->places = xcalloc(load->files.n + 1, sizeof *load->places);
    for (size_t i = 0; i < load->files.n; i++) {
        const FileArg *file = &load->files.v[i];
        bool beside = file->app && file->app->secret;
        load->places[i] =
            (struct RestoreFiles){.name = file->name, .dir = xasprintf("%s%s", file->dir, beside ? BESIDE : "")};
    }
    route->files = load->places;
    route->n_files = load->files.n;
}

static int plan_old(Session *session, const Manifest *newest, Error *err)
{
    _cleanup_(load_done) Load load = {0};
    _cleanup_(move_steps_done) MoveSteps steps = {0};
    MoveRoute route = route_of(session, newest);
    if (weigh_database(session, &load, err) < 0 || weigh_files(session, &load, err) < 0)
        return -1;
    if (load.database == NULL && load.files.n == 0) {
        error_set(err, ERR_USAGE, "no application is named whose data could move");
        return error_hint(err, "Give --app-dir, or --app with a section that has it; on the new host say --as new.");
    }
    Pace pace = earlier_pace(session, route.app);
    places_of(&load, &route);
    route.from_old = true;
    route.database = load.database;
    move_steps(&route, &steps);
    if (session->json) {
        session_set(session, "move",
                    json_pack("{s:s, s:o, s:o}", "host", "old", "load", json_of_load(&load, &pace), "steps",
                              json_of_move_steps(&steps)));
        return 0;
    }
    print_load(session->out, &load, &pace);
    print_findings(session);
    print_move_steps(session->out, &steps);
    fputs(_("kura move plan on the new host tells what that one lacks\n"), session->out);
    return 0;
}

/* ---- the new host ---- */

/* A server that cannot be reached is a finding like others. */
static int ask_server(Session *session, const Manifest *manifest, const RestoreGoal *goal, RoleMap *map,
                      RestoreReport *ret, Error *err)
{
    const Options *options = session->options;
    Error why = ERROR_INIT;
    const RestoreOptions restore = {
        .db = options_text(options, OPT_DB),
        .pg_bindir = options_text(options, OPT_PG_BINDIR),
        .map = map,
        .create_roles = true,
        .site = session->site,
        .files = goal->files,
        .n_files = goal->n_files,
        .n_files_first = goal->n_first,
    };
    if (restore_plan(session->repo, manifest, &restore, ret, &session->findings, &why) == 0)
        return 0;
    if (why.code == ERR_INTERRUPTED) {
        *err = why;
        return -1;
    }
    findings_add(&session->findings, FINDING_ERROR, "server", why.hint[0] ? why.hint : NULL, "%s", why.message);
    return 0;
}

/* The roles that are there, of those that the backup needs. */
static int known_roles(PgConn *conn, StrVec *ret, Error *err)
{
    PGresult *result;
    if (pg_query(conn, "SELECT rolname FROM pg_catalog.pg_roles", 0, NULL, &result, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(result); i++)
        strvec_push(ret, pg_cell(result, i, 0));
    PQclear(result);
    return 0;
}

typedef struct Compared {
    RestoreReport report;
    MoveHost host;
    StrVec roles;
    char *server_version;
} Compared;

static void compared_done(Compared *compared)
{
    restore_report_done(&compared->report);
    pg_close(compared->host.conn);
    move_host_done(&compared->host);
    strvec_done(&compared->roles);
    free(compared->server_version);
}

static int compare(Session *session, const Manifest *manifest, const RestoreGoal *goal, RoleMap *map, Compared *ret,
                   Error *err)
{
    const char *db = options_text(session->options, OPT_DB);
    *ret = (Compared){.host = {.site = session->site, .files = goal->files, .n_files = goal->n_files}};
    if (db && manifest->has_database) {
        if (ask_server(session, manifest, goal, map, &ret->report, err) < 0)
            return -1;
        Error why = ERROR_INIT; /* told already */
        if (pg_connect(db, &(PgOptions){.dbname = "postgres"}, &ret->host.conn, &why) < 0)
            ret->host.conn = NULL;
    }
    ret->host.has_server = ret->host.conn != NULL;
    if (ret->host.conn &&
        (known_roles(ret->host.conn, &ret->roles, err) < 0 ||
         pg_query_value(ret->host.conn, "SHOW server_version", 0, NULL, &ret->server_version, err) < 0))
        return -1;
    move_compare(manifest, &ret->host, &session->findings);
    return 0;
}

static const char *role_state(const Compared *compared, const RoleUse *use)
{
    return strvec_contains(&compared->roles, use->new_name) ? N_("is there") : N_("will be created (--create-roles)");
}

static bool is_shown(const RoleUse *use)
{
    return use->new_name && use->named && !rolemap_is_fixed(use->new_name);
}

static json_t *json_of_compared(const Manifest *manifest, const Compared *compared)
{
    json_t *roles = json_array(), *rooms = json_array();
    for (size_t i = 0; i < compared->report.roles.n; i++) {
        const RoleUse *use = &compared->report.roles.v[i];
        if (is_shown(use))
            json_array_append_new(roles, json_pack("{s:o, s:o, s:b}", "name", json_text(use->name), "new_name",
                                                   json_text(use->new_name), "exists",
                                                   strvec_contains(&compared->roles, use->new_name)));
    }
    for (size_t i = 0; i < compared->host.n_rooms; i++) {
        const MoveRoom *room = &compared->host.rooms[i];
        json_array_append_new(rooms, json_pack("{s:o, s:o, s:I, s:o}", "what", json_text(room->what), "path",
                                               json_text(room->path), "needed", (json_int_t)room->needed, "left",
                                               room->known ? json_integer((json_int_t)room->left) : json_null()));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "backup", json_text(manifest->id), "from_host",
                     json_text(manifest->host), "from_server", json_text(manifest->database.facts.server_version),
                     "server", json_text(compared->server_version), "os", json_text(compared->host.facts.os), "roles",
                     roles, "room", rooms);
}

static void print_compared(FILE *out, const Manifest *manifest, const Compared *compared)
{
    char needed[TEXT_SIZE], left[TEXT_SIZE];
    const HostFacts *old = manifest->system, *here = &compared->host.facts;
    _cleanup_free_ char *titles = xasprintf("|%s|%s", _("old host"), _("this host"));
    _cleanup_(table_free_cleanup) Table *table = table_new(titles);
    table_row(table, _("system"), old ? old->os : NULL, here->os);
    table_row(table, "PostgreSQL", manifest->database.facts.server_version, compared->server_version);
    if (manifest->application)
        table_row(table, manifest->application->title, manifest->application->version,
                  compared->host.site ? compared->host.site->version : NULL);
    table_row(table, _("libc"), old ? old->libc : NULL, here->libc);
    table_row(table, _("time zone"), old ? old->timezone : NULL, here->timezone);
    fprintf(out, _("backup %s of %s\n"), manifest->id, manifest->host);
    table_print(table, out, 2);
    for (size_t i = 0; i < compared->report.roles.n; i++) {
        const RoleUse *use = &compared->report.roles.v[i];
        _cleanup_free_ char *name = is_shown(use) ? text_escaped(use->new_name) : NULL;
        if (name)
            fprintf(out, _("  role %s %s\n"), name, words_get(role_state(compared, use)));
    }
    for (size_t i = 0; i < compared->host.n_rooms; i++) {
        const MoveRoom *room = &compared->host.rooms[i];
        _cleanup_free_ char *path = text_escaped(room->path ? room->path : "");
        fprintf(out, _("  %s takes %s of %s%s%s\n"), room->what, text_bytes(room->needed, needed),
                room->known ? text_bytes(room->left, left) : _("unknown room"), room->path ? " : " : "", path);
    }
}

static int plan_new(Session *session, const Manifest *newest, Error *err)
{
    _cleanup_(rolemap_free_cleanup) RoleMap *map = NULL;
    _cleanup_(restore_goal_done) RestoreGoal goal = {0};
    _cleanup_(compared_done) Compared compared = {0};
    _cleanup_(move_steps_done) MoveSteps steps = {0};
    if (newest == NULL) {
        error_set(err, ERR_USAGE, "there is no backup to compare this host with");
        return error_hint(err,
                          "Make one on the old host, and give its repository here (and --identity, if encrypted).");
    }
    restore_goal_infer(newest, &goal, &session->findings);
    if (session_rolemap(session, &map, err) < 0 || compare(session, newest, &goal, map, &compared, err) < 0)
        return -1;
    MoveRoute route = route_of(session, newest);
    route.files = goal.files;
    route.n_files = goal.n_files;
    route.database = newest->has_database ? newest->database.facts.name : NULL;
    move_steps(&route, &steps);
    if (session->json) {
        session_set(session, "move",
                    json_pack("{s:s, s:o, s:o}", "host", "new", "compared", json_of_compared(newest, &compared),
                              "steps", json_of_move_steps(&steps)));
        return 0;
    }
    print_findings(session);
    print_compared(session->out, newest, &compared);
    print_move_steps(session->out, &steps);
    return 0;
}

int move_plan(Session *session, Error *err)
{
    _cleanup_(manifest_free_cleanup) Manifest *newest = NULL;
    if (read_site(session, err) < 0 || newest_backup(session, &newest, err) < 0)
        return -1;
    return which_side(session, newest) == SIDE_NEW ? plan_new(session, newest, err) : plan_old(session, newest, err);
}
