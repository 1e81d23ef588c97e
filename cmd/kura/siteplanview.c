#include <string.h>

#include "kura/words.h"
#include "screen.h"
#include "siteplan.h"
#include "table.h"
#include "text.h"
#include "view.h"

/* ---- JSON ---- */

static json_t *json_of_server(const AppServer *server)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:b}", "host", json_text(server->host), "port", json_text(server->port),
                     "database", json_text(server->database), "user", json_text(server->user), "password",
                     server->password != NULL);
}

static json_t *json_of_database(const SitePlan *plan)
{
    if (!plan->has_database)
        return json_null();
    json_t *database = json_of_server(&plan->site->database);
    json_object_set_new(database, "reached", json_boolean(plan->connected));
    json_object_set_new(database, "server_version", json_text(plan->server_version));
    json_object_set_new(database, "bytes", json_integer((json_int_t)plan->database_bytes));
    return database;
}

static json_t *json_of_files(const AppFileset *fileset, const struct SitePlanFiles *found, bool with_cache)
{
    const FilesetSurvey *survey = &found->survey;
    uint64_t more_files = with_cache ? survey->left_out_files : 0, more = with_cache ? survey->left_out_bytes : 0;
    return json_pack("{s:o, s:o, s:b, s:o, s:o, s:b, s:I, s:I, s:I, s:I}", "name", json_text(fileset->name), "root",
                     json_text(fileset->root), "found", found->there, "only", json_texts(&fileset->only), "exclude",
                     json_texts(&fileset->exclude), "secret", fileset->secret, "files",
                     (json_int_t)(survey->files + more_files), "bytes", (json_int_t)(survey->bytes + more),
                     "left_out_files", (json_int_t)(survey->left_out_files - more_files), "left_out_bytes",
                     (json_int_t)(survey->left_out_bytes - more));
}

static json_t *json_of_secrets(const AppSite *site)
{
    json_t *array = json_array();
    for (size_t i = 0; i < site->n_secrets; i++)
        json_array_append_new(array, json_pack("{s:o, s:b, s:o}", "name", json_text(site->secrets[i].name), "set",
                                               site->secrets[i].value != NULL, "needed_for",
                                               json_text(site->secrets[i].needed_for)));
    return array;
}

json_t *json_of_siteplan(const SitePlan *plan, bool with_cache)
{
    const AppSite *site = plan->site;
    json_t *filesets = json_array(), *replicas = json_array();
    for (size_t i = 0; i < site->n_filesets; i++)
        json_array_append_new(filesets, json_of_files(&site->filesets[i], &plan->filesets[i], with_cache));
    for (size_t i = 0; i < site->n_replicas; i++)
        json_array_append_new(replicas, json_of_server(&site->replicas[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "profile",
                     json_text(site->name), "title", json_text(site->title), "version", json_text(site->version),
                     "fork", json_text(site->fork), "dir", json_text(site->dir), "database", json_of_database(plan),
                     "replicas", replicas, "filesets", filesets, "bucket", json_text(plan->bucket), "secrets",
                     json_of_secrets(site), "extensions", json_texts(&site->extensions), "exclude_table_data",
                     json_texts(&site->exclude_table_data), "schema_tool", json_text(site->schema.tool), "services",
                     json_texts(&site->services));
}

/* ---- text ---- */

static void add_line(Table *table, const char *name, char *text)
{
    table_row(table, name, text);
    free(text);
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

/* "localhost:5432", "/run/postgresql"; to be freed. */
static char *place_of(const AppServer *server)
{
    const char *host = server->host ? server->host : _("this host");
    return server->port ? xasprintf("%s:%s", host, server->port) : xstrdup(host);
}

static void add_database(Table *table, const SitePlan *plan)
{
    char bytes[TEXT_SIZE];
    const AppServer *database = &plan->site->database;
    if (!plan->has_database) {
        table_row(table, _("database"), _("none is named in its configuration"));
        return;
    }
    _cleanup_free_ char *place = place_of(database);
    add_line(table, _("database"),
             xasprintf(_("%s on %s, as role %s"), or_dash(database->database), place, or_dash(database->user)));
    if (plan->connected)
        add_line(table, _("server"),
                 xasprintf(_("PostgreSQL %s, %s"), plan->server_version, text_bytes(plan->database_bytes, bytes)));
    else
        table_row(table, _("server"), _("could not be asked; see below"));
}

static void add_replicas(Table *table, const AppSite *site)
{
    for (size_t i = 0; i < site->n_replicas; i++) {
        _cleanup_free_ char *place = place_of(&site->replicas[i]);
        add_line(table, _("replica"), xasprintf(_("%s on %s"), or_dash(site->replicas[i].database), place));
    }
}

static void add_fileset(Table *table, const AppFileset *fileset, const struct SitePlanFiles *found, bool with_cache)
{
    char files[TEXT_SIZE], bytes[TEXT_SIZE];
    const FilesetSurvey *survey = &found->survey;
    uint64_t more_files = with_cache ? survey->left_out_files : 0, more = with_cache ? survey->left_out_bytes : 0;
    if (!found->there) {
        add_line(table, _("files"), xasprintf(_("%s: there is no directory %s"), fileset->name, fileset->root));
        return;
    }
    add_line(table, _("files"),
             xasprintf(ngettext("%s: %s file, %s, from %s", "%s: %s files, %s, from %s", survey->files + more_files),
                       fileset->name, text_count(survey->files + more_files, files),
                       text_bytes(survey->bytes + more, bytes), fileset->root));
    if (fileset->secret)
        add_line(table, "", view_join(&fileset->only));
    if (survey->left_out_files > 0 && !with_cache)
        add_line(table, _("left out"),
                 xasprintf(ngettext("%s: %s file, %s, which can be fetched again (--with-cache takes it)",
                                    "%s: %s files, %s, which can be fetched again (--with-cache takes them)",
                                    survey->left_out_files),
                           fileset->name, text_count(survey->left_out_files, files),
                           text_bytes(survey->left_out_bytes, bytes)));
}

static void add_secrets(Table *table, const AppSite *site)
{
    bool first = true;
    for (size_t i = 0; i < site->n_secrets; i++) {
        const AppSecret *secret = &site->secrets[i];
        if (secret->value == NULL)
            continue;
        add_line(table, first ? _("secrets") : "",
                 secret->needed_for ? xasprintf(_("%s, for %s"), secret->name, words_get(secret->needed_for))
                                    : xstrdup(secret->name));
        first = false;
    }
}

static void add_list(Table *table, const char *name, const StrVec *list)
{
    if (list->n > 0)
        add_line(table, name, view_join(list));
}

/* The files that were read, so that it is seen which of several counts. */
static void add_configuration(Table *table, const AppSite *site)
{
    _cleanup_(strvec_done) StrVec files = {0};
    for (size_t i = 0; i < site->n_settings; i++) {
        const AppSetting *setting = &site->settings[i];
        bool of_code = strncmp(setting->key, "code.", strlen("code.")) == 0;
        if (setting->place.file && !of_code && !strvec_contains(&files, setting->place.file))
            strvec_push(&files, setting->place.file);
    }
    add_list(table, _("configuration"), &files);
}

void print_siteplan(FILE *out, const SitePlan *plan, bool with_cache)
{
    const AppSite *site = plan->site;
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    _cleanup_free_ char *name = site->version ? xasprintf("%s %s", site->title, site->version) : xstrdup(site->title);
    _cleanup_free_ char *title = text_escaped(name);
    table_row(table, _("directory"), site->dir);
    if (site->fork)
        table_row(table, _("fork"), site->fork);
    add_configuration(table, site);
    add_database(table, plan);
    add_replicas(table, site);
    for (size_t i = 0; i < site->n_filesets; i++)
        add_fileset(table, &site->filesets[i], &plan->filesets[i], with_cache);
    if (plan->bucket)
        add_line(table, _("bucket"), xasprintf(_("%s holds the media, which backups will not have"), plan->bucket));
    add_secrets(table, site);
    add_list(table, _("extensions"), &site->extensions);
    add_list(table, _("rows left out"), &site->exclude_table_data);
    if (site->schema.tool)
        table_row(table, _("schema"), site->schema.tool);
    fprintf(out, "%s\n", title);
    table_print(table, out, 2);
}
