#include "kura/restore.h"

#include <errno.h>
#include <string.h>

#include "commands.h"
#include "restoreview.h"
#include "site.h"

DEFINE_CLEANUP(FilesetPaths, fileset_paths_free)

enum { ONLY_DB, ONLY_FILES, EVERYTHING };

static int check_use(const RestoreOptions *restore, int only, bool archive, Error *err)
{
    if (only == ONLY_DB && restore->db == NULL)
        return error_set(err, ERR_USAGE, "--only db needs --db");
    if (only == ONLY_FILES && restore->n_files == 0)
        return error_set(err, ERR_USAGE, "--only files needs --files");
    if (archive && restore->n_files > 0)
        return error_set(err, ERR_USAGE, "a pg_dump archive holds no files: --files does not go with it");
    if (restore->db == NULL && restore->n_files == 0) {
        error_set(err, ERR_USAGE, "nothing to restore into: neither a database nor directories are named");
        return error_hint(err,
                          "Give --db with the database that shall exist afterwards, or --files NAME=DIR, or both.");
    }
    if (restore->paths && restore->n_files == 0)
        return error_set(err, ERR_USAGE, "--path needs --files");
    if (restore->db == NULL && restore->wait_standbys > 0)
        return error_set(err, ERR_USAGE, "--wait-standbys needs --db");
    if (restore->db == NULL && restore->admin_db)
        return error_set(err, ERR_USAGE, "--admin-db needs --db");
    if (restore->db == NULL && (restore->swap || restore->create_roles))
        return error_set(err, ERR_USAGE, "%s needs --db", restore->swap ? "--swap" : "--create-roles");
    return 0;
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

/* Whether everything goes where the application has it. */
static bool is_own_target(const Session *session)
{
    const Options *options = session->options;
    return site_is_target(session) && !options_given(options, OPT_DB) && !options_given(options, OPT_FILES) &&
           !is_archive(options->args.v[0]);
}

static void take_files(const FileArgs *files, RestoreOptions *ret)
{
    ret->files = xcalloc(files->n + 1, sizeof *ret->files);
    ret->n_files = files->n;
    for (size_t i = 0; i < files->n; i++) {
        ret->files[i].name = files->v[i].name;
        ret->files[i].dir = files->v[i].dir;
    }
}

static int choose_own_target(Session *session, const Manifest *manifest, FileArgs *files, RestoreOptions *restore,
                             Error *err)
{
    int only = options_choice(session->options, OPT_ONLY, EVERYTHING);
    if (only != ONLY_FILES && manifest->has_database) {
        if (session_db(session, &restore->db, err) < 0)
            return -1;
        if (restore->db == NULL) {
            error_set(err, ERR_USAGE, "the configuration of %s names no database", session->site->title);
            return error_hint(err, "Give --db with the database that shall exist afterwards.");
        }
    }
    if (only != ONLY_DB)
        site_restore_files(session, manifest, files);
    take_files(files, restore);
    return check_use(restore, only, false, err);
}

static int choose_target(Session *session, FileArgs *files, RestoreOptions *restore, Error *err)
{
    const Options *options = session->options;
    int only = options_choice(options, OPT_ONLY, EVERYTHING);
    if (is_own_target(session))
        return 0; /* which the backup must be known for */
    restore->db = only == ONLY_FILES ? NULL : options_text(options, OPT_DB);
    take_files(files, restore);
    if (only == ONLY_DB)
        restore->n_files = 0;
    return check_use(restore, only, is_archive(options->args.v[0]), err);
}

/* Ids and names can be mistaken; what a backup says of itself cannot. */
static int check_application(const Session *session, const Manifest *manifest, Error *err)
{
    const ManifestApplication *application = manifest->application;
    if (!site_is_target(session) || application == NULL || strcmp(application->profile, session->site->name) == 0)
        return 0;
    error_set(err, ERR_USAGE, "backup %s is of %s, and \"%s\" is the directory of %s", manifest->id, application->title,
              session->site->dir, session->site->title);
    return error_hint(err, "Name the backup by its id, or the application with --app.");
}

/* What the backup itself decides. */
static int suit_backup(Session *session, const Manifest *manifest, RoleMap *map, FileArgs *files,
                       RestoreOptions *restore, Error *err)
{
    if (check_application(session, manifest, err) < 0)
        return -1;
    if (is_own_target(session) && choose_own_target(session, manifest, files, restore, err) < 0)
        return -1;
    if (restore->db == NULL)
        return 0;
    if (restore->app_role == NULL && site_is_target(session))
        restore->app_role = session->site->database.user;
    return site_map_roles(session, manifest, map, err);
}

static int restore_from(Session *session, RoleMap *map, FileArgs *files, RestoreOptions *restore, Error *err)
{
    const char *name = session->options->args.v[0];
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (choose_target(session, files, restore, err) < 0 || read_site(session, err) < 0)
        return -1;
    restore->site = session->site;
    if (!is_archive(name) && (session_load_backup(session, name, &manifest, err) < 0 ||
                              suit_backup(session, manifest, map, files, restore, err) < 0))
        return -1;
    return run(session, name, manifest, restore, err);
}

int command_restore(Session *session, Error *err)
{
    const Options *options = session->options;
    _cleanup_(file_args_done) FileArgs files = {0};
    _cleanup_(rolemap_free_cleanup) RoleMap *map = NULL;
    _cleanup_(fileset_paths_free_cleanup) FilesetPaths *paths = NULL;
    if (file_args_parse(options_list(options, OPT_FILES), &files, err) < 0 || session_rolemap(session, &map, err) < 0 ||
        session_paths(session, &paths, err) < 0)
        return -1;
    RestoreOptions restore = {
        .admin_db = options_text(options, OPT_ADMIN_DB),
        .pg_bindir = options_text(options, OPT_PG_BINDIR),
        .map = map,
        .app_role = options_text(options, OPT_APP_ROLE),
        .create_roles = options_flag(options, OPT_CREATE_ROLES),
        .swap = options_flag(options, OPT_SWAP),
        .verify = !options_flag(options, OPT_NO_VERIFY),
        .quick_check = options_flag(options, OPT_QUICK_CHECK),
        .allow_downgrade = options_flag(options, OPT_ALLOW_DOWNGRADE),
        .paths = paths,
        .allow_newer_schema = options_flag(options, OPT_ALLOW_NEWER_SCHEMA),
        .wait_standbys = options_number(options, OPT_WAIT_STANDBYS, 0),
        .jobs = (size_t)options_number(options, OPT_JOBS, 0),
    };
    int rc = restore_from(session, map, &files, &restore, err);
    free(restore.files);
    return rc;
}
