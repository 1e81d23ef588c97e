#include "goal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/app.h"
#include "kura/secret.h"
#include "kura/text.h"
#include "site.h"

/* A server that was just installed knows root as nobody, and lets postgres in as the system's user of that name. */
static const char *administrator(void)
{
    return geteuid() == 0 && getenv("PGUSER") == NULL ? " user=postgres" : "";
}

char *conninfo_of(const char *database)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (database[0] && strspn(database, plain) == strlen(database))
        return xasprintf("dbname=%s%s", database, administrator());
    Buf out = BUF_INIT(4096);
    for (const char *at = database; *at; at++)
        if (buf_printf(&out, NULL, *at == '\'' || *at == '\\' ? "\\%c" : "%c", *at) < 0)
            break;
    char *text = xasprintf("dbname='%s'%s", buf_str(&out), administrator());
    buf_done(&out);
    return text;
}

static void add_files(RestoreGoal *goal, const struct RestoreFiles *files)
{
    goal->files[goal->n_files] = *files;
    goal->files[goal->n_files++].name = xstrdup(files->name);
}

/* Where a path leads, links resolved as far as it is there. ret_stat: of that, or of what it will be made in. To be
 * freed. */
static char *resolve(const char *path, struct stat *ret_stat)
{
    _cleanup_free_ char *there = xstrdup(path);
    for (char *slash; (slash = strrchr(there, '/')) != NULL; *slash = 0) {
        _cleanup_free_ char *real = realpath(there, NULL);
        if (real && stat(real, ret_stat) == 0)
            return xasprintf("%s%s", real, path + strlen(there));
    }
    if (stat("/", ret_stat) < 0)
        *ret_stat = (struct stat){0};
    return xstrdup(path);
}

/* Once the configuration is in the list, which is before all else is. */
static void config_first(RestoreGoal *goal, bool config)
{
    if (!config || goal->n_files == 0)
        return;
    goal->n_first = goal->n_files;
    goal->config_dir = xstrdup(goal->files[0].dir);
}

/* Whoever can write to a repository that is not encrypted can write this path: ~/.ssh is no place for a fileset, unless
 * a person names it, and what a shell or a terminal would take otherwise than it looks is none either. */
static bool is_plain_place(const char *path)
{
    _cleanup_free_ char *shown = text_escaped(path);
    return path[0] == '/' && path[1] && strstr(path, "/.") == NULL && strstr(path, "//") == NULL &&
           strcmp(shown, path) == 0 && strpbrk(path, " \"$&'()*;<>?[\\`{|}~!#") == NULL;
}

/* Where the system looks for programs and settings. An empty directory there is no place for an application's files. */
static bool is_of_system(const char *path)
{
    static const char *const systems[] = {"/bin",  "/boot", "/dev", "/etc", "/lib", "/lib32",   "/lib64",
                                          "/proc", "/sbin", "/run", "/sys", "/usr", "/var/run", "/var/spool"};
    for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
        size_t len = strlen(systems[i]);
        if (strncmp(path, systems[i], len) == 0 && (path[len] == 0 || path[len] == '/'))
            return true;
    }
    return false;
}

/* Configuration goes beside its place, and comes first: it has the password of the role that owns the database. A dump
 * of Redis was in no directory: it goes beside the application's. NULL: nobody knows where it belongs. To be freed. */
static char *place_of(const Manifest *manifest, const ManifestFileset *fileset)
{
    struct stat st;
    const ManifestApplication *application = manifest->application;
    const char *beside = strcmp(fileset->name, APP_CONFIG_FILESET) == 0 ? BESIDE : "", *root = fileset->root;
    if (root[0] != '/' && application && strcmp(fileset->name, APP_REDIS_FILESET) == 0) {
        root = application->dir;
        beside = BESIDE_REDIS;
    }
    _cleanup_free_ char *place = is_plain_place(root) ? resolve(root, &st) : NULL;
    if (place == NULL || (*beside == 0 && is_of_system(place)))
        return NULL;
    return xasprintf("%s%s", place, beside);
}

static void infer_files(const Manifest *manifest, RestoreGoal *goal, Findings *findings)
{
    goal->files = xcalloc(manifest->n_filesets + 1, sizeof *goal->files);
    for (int config = 1; config >= 0; config--) {
        for (size_t i = 0; i < manifest->n_filesets; i++) {
            const ManifestFileset *fileset = &manifest->filesets[i];
            if ((strcmp(fileset->name, APP_CONFIG_FILESET) == 0) != config)
                continue;
            char *place = place_of(manifest, fileset);
            if (place)
                add_files(goal, &(struct RestoreFiles){.name = fileset->name,
                                                       .dir = place,
                                                       .only_empty = fileset->root[0] == '/' && !config,
                                                       .no_links = true});
            else
                findings_add(findings, FINDING_NOTE, "fileset-not-restored",
                             "Give --only files and --files NAME=DIR to have it.",
                             "fileset \"%s\" is not restored: \"%s\", where it was, is no directory to restore into "
                             "without being asked",
                             fileset->name, fileset->root);
        }
        config_first(goal, config);
    }
}

static void infer(const Manifest *manifest, int only, RestoreGoal *goal, Findings *findings)
{
    goal->inferred = true;
    if (only != ONLY_FILES && manifest->has_database)
        goal->db = conninfo_of(manifest->database.facts.name);
    if (only != ONLY_DB)
        infer_files(manifest, goal, findings);
}

void restore_goal_infer(const Manifest *manifest, RestoreGoal *ret, Findings *findings)
{
    *ret = (RestoreGoal){0};
    infer(manifest, EVERYTHING, ret, findings);
}

static const AppFileset *find_fileset(const AppSite *site, const char *name)
{
    for (size_t i = 0; i < site->n_filesets; i++)
        if (strcmp(site->filesets[i].name, name) == 0)
            return &site->filesets[i];
    return NULL;
}

/* Whether the directory may be named by whoever can write the application's configuration. To root the owner of a
 * configuration could name any. */
static bool may_name(const AppSite *site, const struct stat *place)
{
    struct stat own;
    if (geteuid() != 0 || stat(site->dir, &own) < 0 || own.st_uid == 0)
        return true;
    return place->st_uid == own.st_uid || place->st_gid == own.st_gid;
}

static int add_own_files(const AppSite *site, const AppFileset *fileset, RestoreGoal *goal, Error *err)
{
    struct stat st;
    _cleanup_free_ char *place = resolve(fileset->root, &st);
    if (!fileset->secret && !may_name(site, &st)) {
        error_set(err, ERR_PERMISSION,
                  "fileset \"%s\" would go into \"%s\", which is not of the owner of \"%s\" but was named by its "
                  "configuration",
                  fileset->name, place, site->dir);
        return error_hint(err, "If that is right, name the directory yourself, with --files NAME=DIR, and --db.");
    }
    const struct RestoreFiles files = {
        .name = fileset->name, .dir = xasprintf("%s%s", place, fileset->secret ? BESIDE : ""), .no_links = true};
    add_files(goal, &files);
    return 0;
}

/* The application's own database and directories, which it was named for. */
static int take_site(Session *session, const Manifest *manifest, int only, RestoreGoal *goal, Error *err)
{
    const AppSite *site = session->site;
    const char *db = NULL;
    if (only != ONLY_FILES && manifest->has_database && session_db(session, &db, err) < 0)
        return -1;
    if (only != ONLY_FILES && manifest->has_database && db == NULL) {
        error_set(err, ERR_USAGE, "the configuration of %s names no database", site->title);
        return error_hint(err, "Give --db with the database that shall exist afterwards.");
    }
    goal->db = xstrdup_null(db);
    goal->files = xcalloc(manifest->n_filesets + 1, sizeof *goal->files);
    for (size_t i = 0; only != ONLY_DB && i < manifest->n_filesets; i++) {
        const char *name = manifest->filesets[i].name;
        const AppFileset *fileset = find_fileset(site, name);
        if (fileset && add_own_files(site, fileset, goal, err) < 0)
            return -1;
        if (fileset == NULL)
            findings_add(&session->findings, FINDING_NOTE, "fileset-not-restored",
                         "Give --only files and --files NAME=DIR with an empty directory to have it there.",
                         "fileset \"%s\" is not restored: the application has no directory for it", name);
    }
    return 0;
}

static int take_named(const Options *options, int only, RestoreGoal *goal, Error *err)
{
    _cleanup_(file_args_done) FileArgs files = {0};
    if (file_args_parse(options_list(options, OPT_FILES), &files, err) < 0)
        return -1;
    goal->files = xcalloc(files.n + 1, sizeof *goal->files);
    for (int config = 1; only != ONLY_DB && config >= 0; config--) {
        for (size_t i = 0; i < files.n; i++)
            if ((strcmp(files.v[i].name, APP_CONFIG_FILESET) == 0) == config)
                add_files(goal, &(struct RestoreFiles){.name = files.v[i].name, .dir = xstrdup(files.v[i].dir)});
        config_first(goal, config);
    }
    goal->db = only == ONLY_FILES ? NULL : xstrdup_null(options_text(options, OPT_DB));
    return 0;
}

int restore_goal(Session *session, const Manifest *manifest, RestoreGoal *ret, Error *err)
{
    const Options *options = session->options;
    int only = options_choice(options, OPT_ONLY, EVERYTHING);
    *ret = (RestoreGoal){0};
    if (options_given(options, OPT_DB) || options_given(options, OPT_FILES) || manifest == NULL)
        return take_named(options, only, ret, err);
    if (site_is_target(session))
        return take_site(session, manifest, only, ret, err);
    infer(manifest, only, ret, &session->findings);
    return 0;
}

void restore_goal_done(RestoreGoal *goal)
{
    if (goal->db) /* with a password, perhaps */
        secret_wipe(goal->db, strlen(goal->db));
    free(goal->db);
    for (size_t i = 0; i < goal->n_files; i++) {
        free((char *)goal->files[i].name);
        free((char *)goal->files[i].dir);
    }
    free(goal->files);
    free(goal->config_dir);
    *goal = (RestoreGoal){0};
}
