#include "commands.h"
#include "kura/kept.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "view_kept.h"

static int check_use(const Options *options, Error *err)
{
    if (!options_flag(options, OPT_OLD_DATABASES)) {
        error_set(err, ERR_USAGE, "nothing to prune is named");
        return error_hint(err, "Give --old-databases to see the databases that restore --swap and undo have kept.");
    }
    if (!options_given(options, OPT_DB)) {
        error_set(err, ERR_USAGE, "--old-databases needs --db");
        return error_hint(err, "Give the database that the old ones are kept for.");
    }
    if (options_flag(options, OPT_DROP) && !options_given(options, OPT_OLDER_THAN) &&
        !options_given(options, OPT_KEEP_DATABASES)) {
        error_set(err, ERR_USAGE, "--drop needs --older-than or --keep-databases");
        return error_hint(err, "--older-than 0 chooses all; without --drop you see what would go.");
    }
    return 0;
}

int command_prune(Session *session, Error *err)
{
    const Options *options = session->options;
    KeptPruneOptions prune = {
        .db = options_text(options, OPT_DB),
        .older_than = options_number(options, OPT_OLDER_THAN, -1),
        .keep = (size_t)options_number(options, OPT_KEEP_DATABASES, 0),
        .drop = options_flag(options, OPT_DROP),
    };
    _cleanup_(kept_prune_report_done) KeptPruneReport report = {0};
    if (check_use(options, err) < 0)
        return -1;
    int rc = kept_prune(&prune, &report, &session->findings, err);
    if (rc < 0 && report.verdicts == NULL)
        return -1;
    if (session->json)
        session_set(session, "databases", json_of_kept_databases(&report));
    else
        print_kept_databases(session->out, &report);
    if (report.databases.n == 0)
        log_info("kura keeps no database for \"%s\"", report.database);
    return rc;
}
