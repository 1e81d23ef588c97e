#include "kura/restore.h"

#include "commands.h"
#include "goal.h"
#include "restoreview.h"

DEFINE_CLEANUP(FilesetPaths, fileset_paths_free)

static int check_goal(const Options *options, bool db, bool files, Error *err)
{
    if (!db && !files) {
        error_set(err, ERR_USAGE, "nothing to restore into: neither a database nor directories are named");
        return error_hint(err,
                          "Give --db with the database that shall exist afterwards, or --files NAME=DIR, or both.");
    }
    if (options_given(options, OPT_PATH) && !options_given(options, OPT_FILES))
        return error_set(err, ERR_USAGE, "--path needs --files");
    const char *needy = options_given(options, OPT_ADMIN_DB)      ? "--admin-db"
                        : options_flag(options, OPT_SWAP)         ? "--swap"
                        : options_flag(options, OPT_CREATE_ROLES) ? "--create-roles"
                                                                  : NULL;
    return needy && !db ? error_set(err, ERR_USAGE, "%s needs --db", needy) : 0;
}

/* What is wrong whatever the backup names. */
static int check_use(const Options *options, bool archive, Error *err)
{
    bool db = options_given(options, OPT_DB), files = options_given(options, OPT_FILES);
    int only = options_choice(options, OPT_ONLY, EVERYTHING);
    if (archive && files)
        return error_set(err, ERR_USAGE, "a pg_dump archive holds no files: --files does not go with it");
    if (!archive && !db && !files)
        return options_given(options, OPT_PATH) ? check_goal(options, true, true, err) : 0;
    return check_goal(options, db && only != ONLY_FILES, files && only != ONLY_DB, err);
}

static int run_archive(Session *session, const char *path, const RestoreOptions *options, bool plan,
                       RestoreReport *report, Error *err)
{
    if (plan)
        return restore_archive_plan(path, options, report, &session->findings, err);
    return restore_archive_run(path, options, report, &session->findings, &session->progress, err);
}

static int run_backup(Session *session, const Manifest *manifest, const RestoreOptions *options, bool plan,
                      RestoreReport *report, Error *err)
{
    if (plan)
        return restore_plan(session->repo, manifest, options, report, &session->findings, err);
    return restore_run(session->repo, manifest, options, report, &session->findings, &session->progress, err);
}

static int show(Session *session, const char *name, const Manifest *manifest, const RestoreOptions *options,
                const RestoreReport *report)
{
    RestoreView view = {
        .source = manifest ? manifest->id : name,
        .manifest = manifest,
        .options = options,
        .report = report,
        .plan = options_flag(session->options, OPT_PLAN),
    };
    if (session->json)
        session_set(session, view.plan ? "plan" : "restore", json_of_restore(&view));
    else
        print_restore(session->out, &view);
    return 0;
}

static int run(Session *session, const char *name, const Manifest *manifest, const RestoreOptions *options, Error *err)
{
    bool plan = options_flag(session->options, OPT_PLAN);
    _cleanup_(restore_report_done) RestoreReport report = {0};
    int rc = manifest ? run_backup(session, manifest, options, plan, &report, err)
                      : run_archive(session, name, options, plan, &report, err);
    return rc < 0 ? -1 : show(session, name, manifest, options, &report);
}

static void tell_inferred(Session *session, const Manifest *manifest)
{
    findings_add(&session->findings, FINDING_NOTE, "target-of-backup",
                 "--db and --files name others; --only takes one half.",
                 "restoring into the database and the directories that backup %s names", manifest->id);
}

int command_restore(Session *session, Error *err)
{
    const Options *options = session->options;
    const char *name = options->args.v[0];
    bool archive = is_archive(name);
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    _cleanup_(rolemap_free_cleanup) RoleMap *map = NULL;
    _cleanup_(fileset_paths_free_cleanup) FilesetPaths *paths = NULL;
    _cleanup_(restore_goal_done) RestoreGoal goal = {0};
    if (check_use(options, archive, err) < 0 || session_rolemap(session, &map, err) < 0 ||
        session_paths(session, &paths, err) < 0 ||
        (!archive && session_load_backup(session, name, &manifest, err) < 0) ||
        restore_goal(session, manifest, &goal, err) < 0 ||
        check_goal(options, goal.db != NULL, goal.n_files > 0, err) < 0)
        return -1;
    const RestoreOptions restore = {
        .db = goal.db,
        .admin_db = options_text(options, OPT_ADMIN_DB),
        .pg_bindir = options_text(options, OPT_PG_BINDIR),
        .map = map,
        .app_role = options_text(options, OPT_APP_ROLE),
        .create_roles = options_flag(options, OPT_CREATE_ROLES),
        .swap = options_flag(options, OPT_SWAP),
        .verify = !options_flag(options, OPT_NO_VERIFY),
        .allow_downgrade = options_flag(options, OPT_ALLOW_DOWNGRADE),
        .files = goal.files,
        .n_files = goal.n_files,
        .n_files_first = goal.n_first,
        .paths = paths,
        .jobs = (size_t)options_number(options, OPT_JOBS, 0),
    };
    if (goal.inferred)
        tell_inferred(session, manifest);
    return run(session, name, manifest, &restore, err);
}
