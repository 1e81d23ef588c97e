#include "kura/backup.h"

#include "commands.h"
#include "kura/priority.h"
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

/* By the rules of the XDG base directories: a relative path counts as none. To be freed. */
static char *default_cache_dir(void)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && xdg[0] == '/')
        return xasprintf("%s/kura", xdg);
    return home && home[0] == '/' ? xasprintf("%s/.cache/kura", home) : xstrdup("/var/cache/kura");
}

static char *cache_dir(const Options *options)
{
    if (options_flag(options, OPT_NO_CACHE))
        return NULL;
    const char *given = options_text(options, OPT_CACHE_DIR);
    return given ? xstrdup(given) : default_cache_dir();
}

static int run(Session *session, const FileArgs *files, Manifest **ret, Error *err)
{
    const Options *options = session->options;
    _cleanup_free_ char *cache = cache_dir(options);
    BackupOptions backup = {
        .app = options_text(options, OPT_APP),
        .db = options_text(options, OPT_DB),
        .role = options_text(options, OPT_ROLE),
        .pg_bindir = options_text(options, OPT_PG_BINDIR),
        .files = xcalloc(files->n + 1, sizeof *backup.files),
        .n_files = files->n,
        .exclude = *options_list(options, OPT_EXCLUDE),
        .include = *options_list(options, OPT_INCLUDE),
        .exclude_caches = options_flag(options, OPT_EXCLUDE_CACHES),
        .one_file_system = options_flag(options, OPT_ONE_FILE_SYSTEM),
        .exclude_table_data = *options_list(options, OPT_EXCLUDE_TABLE_DATA),
        .tags = *options_list(options, OPT_TAG),
        .jobs = (size_t)options_number(options, OPT_JOBS, 0),
        .max_lag = options_number(options, OPT_MAX_LAG, -1),
        .lock_timeout_ms = (unsigned)(options_number(options, OPT_LOCK_TIMEOUT, 0) * 1000),
        .cache_dir = cache,
        .ask_always = options_flag(options, OPT_NO_CACHE),
        .split_tables = options_flag(options, OPT_SPLIT_TABLES),
        .pg_dump_stream = options_flag(options, OPT_PG_DUMP_STREAM),
    };
    for (size_t i = 0; i < files->n; i++) {
        backup.files[i].name = files->v[i].name;
        backup.files[i].dir = files->v[i].dir;
    }
    int rc = backup_run(session->repo, &backup, ret, &session->findings, &session->progress, err);
    free(backup.files);
    return rc;
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
    if (file_args_parse(options_list(session->options, OPT_FILES), &files, err) < 0)
        return -1;
    if (files.n == 0 && !options_given(session->options, OPT_DB))
        return nothing_to_back_up(session, err);
    if (lower_priority(session->options, err) < 0)
        return -1;
    if (session_open_repo_for(session, REPO_WRITE, err) < 0 || run(session, &files, &manifest, err) < 0)
        return -1;
    if (session->json)
        session_set(session, "backup", json_of_backup(manifest));
    else
        print_backup(session->out, manifest);
    return 0;
}
