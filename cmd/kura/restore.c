#include "kura/restore.h"

#include <errno.h>
#include <string.h>

#include "commands.h"
#include "goal.h"
#include "kura/words.h"
#include "restoreview.h"
#include "rolepassword.h"
#include "site.h"
#include "text.h"

DEFINE_CLEANUP(FilesetPaths, fileset_paths_free)

/* ---- wrong use ---- */

static int check_goal(const Options *options, bool db, bool files, Error *err)
{
    if (!db && !files) {
        error_set(err, ERR_USAGE, "nothing to restore into: neither a database nor directories are named");
        return error_hint(err,
                          "Give --db with the database that shall exist afterwards, or --files NAME=DIR, or both.");
    }
    if (options_given(options, OPT_PATH) && !options_given(options, OPT_FILES))
        return error_set(err, ERR_USAGE, "--path needs --files");
    const char *needy = options_given(options, OPT_WAIT_STANDBYS) ? "--wait-standbys"
                        : options_given(options, OPT_ADMIN_DB)    ? "--admin-db"
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

/* ---- doing it ---- */

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

/* manifest NULL: an archive. */
static int run(Session *session, const char *name, const Manifest *manifest, const RestoreOptions *options, Error *err)
{
    bool plan = options_flag(session->options, OPT_PLAN);
    _cleanup_(restore_report_done) RestoreReport report = {0};
    int rc = manifest ? run_backup(session, manifest, options, plan, &report, err)
                      : run_archive(session, name, options, plan, &report, err);
    if (rc < 0)
        return -1;
    RestoreView view = {
        .source = manifest ? manifest->id : name,
        .manifest = manifest,
        .options = options,
        .report = &report,
        .afterwards = site_after_restore(session),
        .plan = plan,
    };
    if (session->json)
        session_set(session, plan ? "plan" : "restore", json_of_restore(&view));
    else
        print_restore(session->out, &view);
    return 0;
}

/* ---- what is restored, and whereto ---- */

/* On a bare host there is no application yet. Only who names its directory for this very restore must have one there.
 */
static int read_site(Session *session, Error *err)
{
    AppSite *site;
    Error why = ERROR_INIT;
    if (session_site(session, &site, &why) == 0)
        return 0;
    if (site_is_target(session) || (why.code != ERR_NOT_FOUND && why.sys_errno != ENOENT)) {
        *err = why;
        return -1;
    }
    findings_add(&session->findings, FINDING_NOTE, "no-application", why.hint[0] ? why.hint : NULL, "%s", why.message);
    return 0;
}

static void tell_goal(Session *session, const Manifest *manifest, const RestoreGoal *goal)
{
    const Options *options = session->options;
    if (goal->inferred)
        findings_add(&session->findings, FINDING_NOTE, "target-of-backup",
                     "--db and --files name others; --only takes one half.",
                     "restoring into the database and the directories that backup %s names", manifest->id);
    if (goal->config_dir) {
        _cleanup_free_ char *dir = text_shell_word(manifest->application ? manifest->application->dir : "DIR");
        _cleanup_free_ char *hint = xasprintf(
            _("kura move config --app-dir %s shows what must change on this host, and puts it in place."), dir);
        findings_add(&session->findings, FINDING_NOTE, "config-beside", hint,
                     "the application's configuration goes into \"%s\", not over what is there", goal->config_dir);
    }
    if (options_flag(options, OPT_PLAN) && options_flag(options, OPT_CREATE_ROLES) &&
        (goal->config_dir || session->site))
        findings_add(&session->findings, FINDING_NOTE, "role-password", NULL,
                     "the application's role, if it is created, gets the password that the application's configuration "
                     "has for it, as a SCRAM verifier");
}

/* Ids and names can be mistaken; what a backup says of itself cannot. */
static int check_application(const Session *session, const Manifest *manifest, Error *err)
{
    const ManifestApplication *application = manifest ? manifest->application : NULL;
    if (!site_is_target(session) || application == NULL || strcmp(application->profile, session->site->name) == 0)
        return 0;
    error_set(err, ERR_USAGE, "backup %s is of %s, and \"%s\" is the directory of %s", manifest->id, application->title,
              session->site->dir, session->site->title);
    return error_hint(err, "Name the backup by its id, or the application with --app.");
}

static int restore_into(Session *session, const Manifest *manifest, RoleMap *map, FilesetPaths *paths,
                        const RestoreGoal *goal, Error *err)
{
    const Options *options = session->options;
    const char *app_role = options_text(options, OPT_APP_ROLE);
    _cleanup_(role_password_done)
        RolePassword password = {.session = session, .manifest = manifest, .config_dir = goal->config_dir, .map = map};
    const RestoreOptions restore = {
        .db = goal->db,
        .admin_db = options_text(options, OPT_ADMIN_DB),
        .pg_bindir = options_text(options, OPT_PG_BINDIR),
        .map = map,
        .app_role = app_role == NULL && site_is_target(session) ? session->site->database.user : app_role,
        .create_roles = options_flag(options, OPT_CREATE_ROLES),
        .password = role_password,
        .password_ctx = &password,
        .swap = options_flag(options, OPT_SWAP),
        .wait_standbys = options_number(options, OPT_WAIT_STANDBYS, 0),
        .verify = !options_flag(options, OPT_NO_VERIFY),
        .quick_check = options_flag(options, OPT_QUICK_CHECK),
        .allow_downgrade = options_flag(options, OPT_ALLOW_DOWNGRADE),
        .site = session->site,
        .allow_newer_schema = options_flag(options, OPT_ALLOW_NEWER_SCHEMA),
        .files = goal->files,
        .n_files = goal->n_files,
        .n_files_first = goal->n_first,
        .paths = paths,
        .jobs = (size_t)options_number(options, OPT_JOBS, 0),
    };
    tell_goal(session, manifest, goal);
    return run(session, options->args.v[0], manifest, &restore, err);
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
        session_paths(session, &paths, err) < 0 || read_site(session, err) < 0 ||
        (!archive && session_load_backup(session, name, &manifest, err) < 0) ||
        check_application(session, manifest, err) < 0 || restore_goal(session, manifest, &goal, err) < 0 ||
        check_goal(options, goal.db != NULL, goal.n_files > 0, err) < 0 ||
        (goal.db && manifest && site_map_roles(session, manifest, map, err) < 0))
        return -1;
    return restore_into(session, manifest, map, paths, &goal, err);
}
