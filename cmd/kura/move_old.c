/* The old host's side of a move: what it weighs, and how long it takes. */
#include <string.h>

#include "goal.h"
#include "kura/fileset.h"
#include "kura/move.h"
#include "kura/words.h"
#include "moveplan.h"
#include "screen.h"
#include "site.h"
#include "table.h"
#include "text.h"

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
        add_line(table, _("database"), xasprintf(_("%s, %s"), load->database, text_bytes(load->database_bytes, bytes)));
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

int move_plan_old(Session *session, const Manifest *newest, Error *err)
{
    _cleanup_(load_done) Load load = {0};
    _cleanup_(move_steps_done) MoveSteps steps = {0};
    MoveRoute route = move_route(session, newest);
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
    move_print_findings(session);
    print_move_steps(session->out, &steps);
    fputs(_("kura move plan on the new host tells what that one lacks\n"), session->out);
    return 0;
}
