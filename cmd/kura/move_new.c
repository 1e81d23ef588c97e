/* The new host's side of a move: what it lacks, compared with the host of the newest backup. */
#include <string.h>

#include "goal.h"
#include "kura/move.h"
#include "kura/words.h"
#include "moveplan.h"
#include "screen.h"
#include "site.h"
#include "table.h"
#include "text.h"

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
    _cleanup_free_ char *from = text_escaped(manifest->host);
    fprintf(out, _("backup %s of %s\n"), manifest->id, from);
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

int move_plan_new(Session *session, const Manifest *newest, Error *err)
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
    MoveRoute route = move_route(session, newest);
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
    move_print_findings(session);
    print_compared(session->out, newest, &compared);
    print_move_steps(session->out, &steps);
    return 0;
}
