/* The migrations that an application's code has. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kura/mem.h"
#include "schema_priv.h"

/* deep: also files in folders below. usual: where the tool has its migrations when nobody says otherwise. */
static const struct {
    SchemaReader *read;
    bool deep, numbered;
    const char *usual, *usual_post;
} readers[SCHEMA_TOOLS] = {
    [SCHEMA_RAILS] = {schema_read_rails, true, true, "db/migrate", "db/post_migrate"},
    [SCHEMA_ECTO] = {schema_read_ecto, true, true, "priv/repo/migrations", NULL},
    [SCHEMA_GOLANG_MIGRATE] = {schema_read_golang_migrate, false, true, "migrations", NULL},
    [SCHEMA_TYPEORM] = {schema_read_typeorm, false, false, "migration", NULL},
    [SCHEMA_FLYWAY] = {schema_read_flyway, true, false, "db/migration", NULL},
    [SCHEMA_DJANGO] = {schema_read_django, true, false, ".", NULL},
    [SCHEMA_ALEMBIC] = {schema_read_alembic, false, false, "alembic/versions", NULL},
    [SCHEMA_PRISMA] = {schema_read_prisma, true, false, "prisma/migrations", NULL},
    [SCHEMA_SQLX] = {schema_read_sqlx, false, true, "migrations", NULL},
    [SCHEMA_DIESEL] = {schema_read_diesel, true, false, "migrations", NULL},
};

static int by_number(const void *a, const void *b)
{
    const SchemaMigration *one = a, *other = b;
    return schema_number_compare(one->id, other->id);
}

static int read_dir(SchemaTool tool, const SchemaSource *source, const char *dir, bool post, SchemaHistory *ret,
                    Error *err)
{
    _cleanup_free_ char *path = source->root && dir[0] != '/' ? xasprintf("%s/%s", source->root, dir) : xstrdup(dir);
    SchemaDir at = {.dir = path, .post = post};
    int rc = schema_list_files(path, readers[tool].deep, &at.files, err);
    if (rc == 0)
        rc = readers[tool].read(&at, ret, err);
    strvec_done(&at.files);
    return rc;
}

/* Older code has none of those that may wait. */
static bool is_there(const SchemaSource *source, const char *dir)
{
    struct stat st;
    _cleanup_free_ char *path = xasprintf("%s/%s", source->root ? source->root : ".", dir);
    return stat(path, &st) == 0;
}

static int read_some(SchemaTool tool, const SchemaSource *source, const StrVec *dirs, bool post, SchemaHistory *ret,
                     Error *err)
{
    for (size_t i = 0; dirs && i < dirs->n; i++)
        if ((!post || is_there(source, dirs->v[i])) && read_dir(tool, source, dirs->v[i], post, ret, err) < 0)
            return -1;
    return 0;
}

static int read_files(SchemaTool tool, const SchemaSource *source, SchemaHistory *ret, Error *err)
{
    bool named = source->dirs && source->dirs->n > 0;
    _cleanup_(strvec_done) StrVec usual = {0}, usual_post = {0};
    strvec_push(&usual, readers[tool].usual);
    if (readers[tool].usual_post)
        strvec_push(&usual_post, readers[tool].usual_post);
    const StrVec *dirs = named ? source->dirs : &usual, *post = named ? source->post_dirs : &usual_post;
    if (read_some(tool, source, dirs, false, ret, err) < 0 || read_some(tool, source, post, true, ret, err) < 0)
        return error_hint(err,
                          "Name the directory of the code that is to run; whoever runs this must be able to read it.");
    if (ret->n > 0)
        return 0;
    error_set(err, ERR_NOT_FOUND, "there are no migrations of %s in \"%s\"", schema_tool_title(tool), dirs->v[0]);
    return error_hint(err, "Name the directory that has them with --dir, or the tool with --tool.");
}

static int read_count(SchemaTool tool, const SchemaSource *source, SchemaHistory *ret, Error *err)
{
    const char *version = source->version;
    if (version == NULL || version[0] == 0 || strspn(version, "0123456789") != strlen(version)) {
        error_set(err, ERR_NOT_FOUND, "the number of the schema that the code of %s wants is not known",
                  schema_tool_title(tool));
        return error_hint(err, "The application's profile says which file tells it.");
    }
    _cleanup_free_ char *number = schema_number(version, strlen(version));
    schema_history_add(ret, number, NULL);
    return 0;
}

int schema_code_read(SchemaTool tool, const SchemaSource *source, SchemaHistory *ret, Error *err)
{
    SchemaHistory made = {.tool = tool};
    int rc = schema_tool_counts(tool) ? read_count(tool, source, &made, err) : read_files(tool, source, &made, err);
    if (rc < 0) {
        schema_history_done(&made);
        return -1;
    }
    if (readers[tool].numbered)
        qsort(made.v, made.n, sizeof *made.v, by_number);
    *ret = made;
    return 0;
}

/* Where an application's code keeps its number only its profile could say. */
static int refuse_to_guess(const AppSite *site, Error *err)
{
    error_set(err, ERR_NOT_FOUND, "which number of the schema the code of %s wants cannot be read here", site->title);
    if (site->schema.ask == NULL)
        return error_hint(err, "Give --app-dir with the directory that has the application's code, too.");
    return error_hint(err, "The program itself tells whether it fits the database: run \"%s\".", site->schema.ask);
}

int schema_site_read(const AppSite *site, SchemaHistory *ret, Error *err)
{
    SchemaTool tool;
    const SchemaSource source = {.root = site->dir,
                                 .dirs = &site->schema.dirs,
                                 .post_dirs = &site->schema.post_dirs,
                                 .version = site->schema.version};
    if (site->schema.tool == NULL)
        return error_set(err, ERR_UNSUPPORTED, "it is not known which tool migrates the database of %s", site->title);
    if (!schema_tool_parse(site->schema.tool, &tool))
        return error_set(err, ERR_UNSUPPORTED, "the profile \"%s\" names a migration tool that kura does not know: %s",
                         site->name, site->schema.tool);
    if (schema_tool_counts(tool) && site->schema.version == NULL)
        return refuse_to_guess(site, err);
    return schema_code_read(tool, &source, ret, err);
}
