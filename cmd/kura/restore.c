#include "kura/restore.h"

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

static int run(Session *session, const char *name, const RestoreOptions *options, Error *err)
{
    bool plan = options_flag(session->options, OPT_PLAN);
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    _cleanup_(restore_report_done) RestoreReport report = {0};
    int rc;
    if (is_archive(name)) {
        rc = run_archive(session, name, options, plan, &report, err);
    } else {
        if (session_load_backup(session, name, &manifest, err) < 0)
            return -1;
        rc = run_backup(session, manifest, options, plan, &report, err);
    }
    if (rc < 0)
        return -1;
    RestoreView view = {
        .source = manifest ? manifest->id : name,
        .manifest = manifest,
        .options = options,
        .report = &report,
        .plan = plan,
    };
    if (session->json)
        session_set(session, plan ? "plan" : "restore", json_of_restore(&view));
    else
        print_restore(session->out, &view);
    return 0;
}

int command_restore(Session *session, Error *err)
{
    const Options *options = session->options;
    const char *name = options->args.v[0];
    int only = options_choice(options, OPT_ONLY, EVERYTHING);
    _cleanup_(file_args_done) FileArgs files = {0};
    _cleanup_(rolemap_free_cleanup) RoleMap *map = NULL;
    AppSite *site;
    if (file_args_parse(options_list(options, OPT_FILES), &files, err) < 0 ||
        session_rolemap(session, &map, err) < 0 || session_site(session, &site, err) < 0)
        return -1;
    RestoreOptions restore = {
        .db = only == ONLY_FILES ? NULL : options_text(options, OPT_DB),
        .admin_db = options_text(options, OPT_ADMIN_DB),
        .pg_bindir = options_text(options, OPT_PG_BINDIR),
        .map = map,
        .app_role = options_text(options, OPT_APP_ROLE),
        .create_roles = options_flag(options, OPT_CREATE_ROLES),
        .swap = options_flag(options, OPT_SWAP),
        .verify = !options_flag(options, OPT_NO_VERIFY),
        .allow_downgrade = options_flag(options, OPT_ALLOW_DOWNGRADE),
        .site = site,
        .allow_newer_schema = options_flag(options, OPT_ALLOW_NEWER_SCHEMA),
        .files = xcalloc(files.n + 1, sizeof *restore.files),
        .n_files = only == ONLY_DB ? 0 : files.n,
        .jobs = (size_t)options_number(options, OPT_JOBS, 0),
    };
    for (size_t i = 0; i < files.n; i++) {
        restore.files[i].name = files.v[i].name;
        restore.files[i].dir = files.v[i].dir;
    }
    _cleanup_(fileset_paths_free_cleanup) FilesetPaths *paths = NULL;
    int rc = session_paths(session, &paths, err);
    restore.paths = paths;
    if (rc == 0)
        rc = check_use(&restore, only, is_archive(name), err);
    if (rc == 0)
        rc = run(session, name, &restore, err);
    free(restore.files);
    return rc;
}
