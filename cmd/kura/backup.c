#include "kura/backup.h"

#include "backup_into.h"
#include "commands.h"
#include "kura/priority.h"
#include "redisarg.h"
#include "site.h"
#include "view.h"

static int nothing_to_back_up(const Session *session, Error *err)
{
    const char *app = options_text(session->options, OPT_APP);
    _cleanup_free_ char *apps = config_names(session->config, IN_APP);
    if (app != NULL)
        error_set(err, ERR_USAGE, "nothing to back up: neither a database nor files are named for application \"%s\"",
                  app);
    else
        error_set(err, ERR_USAGE, "nothing to back up: neither a database nor files are named");
    if (apps != NULL)
        return error_hint(err, "Give --db or --files, or --app with one of these: %s.", apps);
    return error_hint(err, "Give --db, --files, or an [app NAME] section in %s and --app.", CONFIG_DEFAULT_PATH);
}

/* Of the first, where there are several. */
static void note_figures(RunRecord *run, const Manifest *manifest)
{
    if (run->backup)
        return;
    BackupTotals totals = backup_totals(manifest);
    run->backup = xstrdup(manifest->id);
    run->rows = totals.rows;
    run->row_bytes = totals.row_bytes;
    run->files = totals.files;
    run->file_bytes = totals.file_bytes;
    run->new_bytes = manifest->stored_new;
    run->backup_bytes = manifest->stored_all;
}

static struct BackupFiles backup_files(const Options *options, const FileArg *file)
{
    const AppFileset *app = file->app;
    return (struct BackupFiles){
        .name = file->name,
        .dir = file->dir,
        .only = app && app->only.n > 0 ? &app->only : NULL,
        .refetchable = app && !options_flag(options, OPT_WITH_CACHE) ? &app->exclude : NULL,
    };
}

int backup_into(Session *session, const FileArgs *files, Repo *repo, Manifest **ret, Error *err)
{
    const Options *options = session->options;
    const char *db;
    _cleanup_free_ char *cache = session_cache_dir(options);
    _cleanup_(redis_arg_done) RedisArg redis;
    AppSite *site;
    _cleanup_(strvec_done) StrVec exclude_table_data = {0};
    if (redis_arg_read(session, &redis, err) < 0 || session_site(session, &site, err) < 0 ||
        session_db(session, &db, err) < 0)
        return -1;
    site_tell_left_out(session, files, repo);
    site_exclude_table_data(session, &exclude_table_data);
    BackupOptions backup = {
        .site = site,
        .app = session_app(session),
        .db = db,
        .role = options_text(options, OPT_ROLE),
        .pg_bindir = options_text(options, OPT_PG_BINDIR),
        .files = xcalloc(files->n + 1, sizeof *backup.files),
        .redis = redis.servers,
        .n_redis = redis.n,
        .exclude = *options_list(options, OPT_EXCLUDE),
        .include = *options_list(options, OPT_INCLUDE),
        .exclude_caches = options_flag(options, OPT_EXCLUDE_CACHES),
        .one_file_system = options_flag(options, OPT_ONE_FILE_SYSTEM),
        .exclude_table_data = exclude_table_data,
        .tags = *options_list(options, OPT_TAG),
        .jobs = (size_t)options_number(options, OPT_JOBS, 0),
        .max_lag = options_number(options, OPT_MAX_LAG, -1),
        .lock_timeout_ms = (unsigned)(options_number(options, OPT_LOCK_TIMEOUT, 0) * 1000),
        .cache_dir = cache,
        .ask_always = options_flag(options, OPT_NO_CACHE),
        .split_tables = options_flag(options, OPT_SPLIT_TABLES),
        .pg_dump_stream = options_flag(options, OPT_PG_DUMP_STREAM),
    };
    for (size_t i = 0; i < files->n; i++)
        if (site_file_belongs(session, &files->v[i], repo))
            backup.files[backup.n_files++] = backup_files(options, &files->v[i]);
    int rc = backup_run(repo, &backup, ret, &session->findings, &session->progress, err);
    free(backup.files);
    if (rc < 0)
        return -1;
    site_tell_extensions(session, *ret);
    note_figures(&session->run, *ret);
    return 0;
}

/* Before any thread is started: they inherit it. */
static int lower_priority(const Options *options, Error *err)
{
    const char *ionice = options_text(options, OPT_IONICE);
    if (options_given(options, OPT_NICE) && priority_nice((int)options_number(options, OPT_NICE, 0), err) < 0)
        return -1;
    return ionice ? priority_ionice(ionice, err) : 0;
}

int command_backup(Session *session, Error *err)
{
    _cleanup_(file_args_done) FileArgs files = {0};
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    const char *db;
    if (session_files(session, &files, err) < 0 || session_db(session, &db, err) < 0)
        return -1;
    if (files.n == 0 && db == NULL)
        return nothing_to_back_up(session, err);
    if (lower_priority(session->options, err) < 0 || site_tell_object_storage(session, db, err) < 0)
        return -1;
    if (options_list(session->options, OPT_REPO)->n > 1)
        return backup_into_all(session, &files, err);
    if (session_open_repo_for(session, REPO_WRITE, err) < 0 ||
        backup_into(session, &files, session->repo, &manifest, err) < 0)
        return -1;
    if (session->json)
        session_set(session, "backup", json_of_backup(manifest));
    else
        print_backup(session->out, manifest);
    return 0;
}
