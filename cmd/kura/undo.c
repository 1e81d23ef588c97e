#include "commands.h"
#include "kura/kept.h"
#include "kura/mem.h"
#include "site.h"
#include "view_kept.h"

int command_undo(Session *session, Error *err)
{
    const Options *options = session->options;
    const char *db;
    if (session_db(session, &db, err) < 0)
        return -1;
    UndoOptions undo = {
        .db = db,
        .kept = options->args.n > 0 ? options->args.v[0] : NULL,
        .plan = options_flag(options, OPT_PLAN),
    };
    _cleanup_(undo_report_done) UndoReport report = {0};
    if (undo.db == NULL) {
        error_set(err, ERR_USAGE, "undo needs --db or --app-dir");
        return error_hint(err, "Give the database that restore --swap has replaced. What a repair did is taken back by "
                               "\"kura repair --undo FILE\".");
    }
    if (undo_run(&undo, &report, &session->findings, err) < 0)
        return -1;
    if (session->json)
        session_set(session, undo.plan ? "plan" : "undo", json_of_undo(&report));
    else
        print_undo(session->out, &report, undo.plan);
    return 0;
}
