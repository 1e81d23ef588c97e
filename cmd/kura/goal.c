#include "goal.h"

#include <string.h>

#include "kura/app.h"

/* A value of a connection string. */
static char *conninfo_quoted(const char *value)
{
    Buf out = BUF_INIT(4096);
    for (const char *at = value; *at; at++)
        if (buf_printf(&out, NULL, *at == '\'' || *at == '\\' ? "\\%c" : "%c", *at) < 0)
            break;
    char *text = xasprintf("dbname='%s'", buf_str(&out));
    buf_done(&out);
    return text;
}

static void add_files(RestoreGoal *goal, const char *name, char *dir, bool only_empty)
{
    goal->files[goal->n_files++] = (struct RestoreFiles){.name = xstrdup(name), .dir = dir, .only_empty = only_empty};
}

static bool goes_beside(const char *name)
{
    return strcmp(name, APP_CONFIG_FILESET) == 0 || strcmp(name, APP_REDIS_FILESET) == 0;
}

/* Configuration comes first: it has the password of the role that owns the database. */
static void infer_files(const Manifest *manifest, RestoreGoal *goal)
{
    goal->files = xcalloc(manifest->n_filesets + 1, sizeof *goal->files);
    for (size_t i = 0; i < manifest->n_filesets; i++) {
        const ManifestFileset *fileset = &manifest->filesets[i];
        if (strcmp(fileset->name, APP_CONFIG_FILESET) != 0)
            continue;
        goal->config_dir = xasprintf("%s" BESIDE, fileset->root);
        add_files(goal, fileset->name, xstrdup(goal->config_dir), false);
    }
    goal->n_first = goal->n_files;
    for (size_t i = 0; i < manifest->n_filesets; i++) {
        const ManifestFileset *fileset = &manifest->filesets[i];
        bool beside = goes_beside(fileset->name);
        if (strcmp(fileset->name, APP_CONFIG_FILESET) != 0)
            add_files(goal, fileset->name, xasprintf("%s%s", fileset->root, beside ? BESIDE : ""), !beside);
    }
}

static void infer(const Manifest *manifest, int only, RestoreGoal *goal)
{
    goal->inferred = true;
    if (only != ONLY_FILES && manifest->has_database)
        goal->db = conninfo_quoted(manifest->database.facts.name);
    if (only != ONLY_DB)
        infer_files(manifest, goal);
}

static int take_named(const Options *options, int only, RestoreGoal *goal, Error *err)
{
    _cleanup_(file_args_done) FileArgs files = {0};
    if (file_args_parse(options_list(options, OPT_FILES), &files, err) < 0)
        return -1;
    goal->files = xcalloc(files.n + 1, sizeof *goal->files);
    for (size_t i = 0; only != ONLY_DB && i < files.n; i++)
        add_files(goal, files.v[i].name, xstrdup(files.v[i].dir), false);
    goal->db = only == ONLY_FILES ? NULL : xstrdup_null(options_text(options, OPT_DB));
    return 0;
}

int restore_goal(const Session *session, const Manifest *manifest, RestoreGoal *ret, Error *err)
{
    const Options *options = session->options;
    int only = options_choice(options, OPT_ONLY, EVERYTHING);
    bool named = options_given(options, OPT_DB) || options_given(options, OPT_FILES);
    *ret = (RestoreGoal){0};
    if (named || manifest == NULL)
        return take_named(options, only, ret, err);
    infer(manifest, only, ret);
    return 0;
}

void restore_goal_done(RestoreGoal *goal)
{
    free(goal->db);
    for (size_t i = 0; i < goal->n_files; i++) {
        free((char *)goal->files[i].name);
        free((char *)goal->files[i].dir);
    }
    free(goal->files);
    free(goal->config_dir);
    *goal = (RestoreGoal){0};
}
