#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"
#include "view.h"

double backup_seconds(const Manifest *manifest)
{
    time_t started = clock_parse_utc(manifest->started), finished = clock_parse_utc(manifest->finished);
    return started < 0 || finished < started ? 0 : difftime(finished, started);
}

char *view_count(uint64_t count, char *out)
{
    if (count > 0)
        return text_count(count, out);
    out[0] = '-';
    out[1] = 0;
    return out;
}

char *view_join(const StrVec *list)
{
    size_t size = 1;
    for (size_t i = 0; i < list->n; i++)
        size += strlen(list->v[i]) + 2;
    _cleanup_(buf_done) Buf out = BUF_INIT(size);
    for (size_t i = 0; i < list->n; i++)
        buf_printf(&out, NULL, "%s%s", i ? ", " : "", list->v[i]);
    return xstrdup(buf_str(&out));
}

/* ---- JSON ---- */

static json_t *json_of_database(const ManifestDatabase *database, const BackupTotals *totals)
{
    const DbFacts *facts = &database->facts;
    json_t *extensions = json_array();
    for (size_t i = 0; i < facts->n_extensions; i++)
        json_array_append_new(extensions, json_pack("{s:o, s:o, s:o}", "name", json_text(facts->extensions[i].name),
                                                    "version", json_text(facts->extensions[i].version), "schema",
                                                    json_text(facts->extensions[i].schema)));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "name", json_text(facts->name), "owner",
                     json_text(facts->owner), "server_version", json_text(facts->server_version), "pg_dump_version",
                     json_text(database->pg_dump_version), "encoding", json_text(facts->encoding), "collate",
                     json_text(facts->collate), "extensions", extensions, "tables", (json_int_t)database->n_tables,
                     "rows", (json_int_t)totals->rows, "bytes", (json_int_t)totals->row_bytes, "large_objects",
                     (json_int_t)database->large_objects.files);
}

static json_t *json_of_fileset(const ManifestFileset *fileset)
{
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name", json_text(fileset->name),
                     "root", json_text(fileset->root), "files", (json_int_t)fileset->files, "dirs",
                     (json_int_t)fileset->dirs, "symlinks", (json_int_t)fileset->symlinks, "others",
                     (json_int_t)fileset->others, "bytes", (json_int_t)fileset->bytes, "vanished",
                     (json_int_t)fileset->vanished, "changed", (json_int_t)fileset->changed, "left_out_files",
                     (json_int_t)fileset->left_out_files, "left_out_bytes", (json_int_t)fileset->left_out_bytes);
}

static json_t *json_of_origin(const Manifest *manifest)
{
    if (manifest->origin_id == NULL)
        return json_null();
    return json_pack("{s:o, s:o}", "repository", json_text(manifest->origin_repository), "id",
                     json_text(manifest->origin_id));
}

static json_t *json_of_schema(const ManifestSchema *schema)
{
    if (schema == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:o}", "tool", json_text(schema->tool), "table",
                     json_text(schema->table), "state", json_text(schema->state), "newest", json_text(schema->newest),
                     "applied", (json_int_t)schema->applied.n, "failed", json_texts(&schema->failed));
}

static json_t *json_of_application(const ManifestApplication *application)
{
    if (application == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "profile", json_text(application->profile), "title",
                     json_text(application->title), "version", json_text(application->version), "fork",
                     json_text(application->fork), "dir", json_text(application->dir), "services",
                     json_texts(&application->services), "schema", json_of_schema(application->schema));
}

json_t *json_of_backup(const Manifest *manifest)
{
    BackupTotals totals = backup_totals(manifest);
    json_t *filesets = json_array();
    for (size_t i = 0; i < manifest->n_filesets; i++)
        json_array_append_new(filesets, json_of_fileset(&manifest->filesets[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "id",
                     json_text(manifest->id), "app", json_text(manifest->app), "host", json_text(manifest->host),
                     "kura_version", json_text(manifest->kura_version), "started", json_text(manifest->started),
                     "finished", json_text(manifest->finished), "seconds", backup_seconds(manifest), "origin",
                     json_of_origin(manifest), "application", json_of_application(manifest->application), "tags",
                     json_texts(&manifest->tags), "warnings", json_texts(&manifest->warnings), "database",
                     manifest->has_database ? json_of_database(&manifest->database, &totals) : json_null(), "filesets",
                     filesets, "stored_new", (json_int_t)manifest->stored_new, "stored_all",
                     (json_int_t)manifest->stored_all);
}

/* ---- text ---- */

static void add_line(Table *table, const char *name, char *text)
{
    table_row(table, name, text);
    free(text);
}

static void add_database(Table *table, const ManifestDatabase *database, const BackupTotals *totals)
{
    char rows[TEXT_SIZE], bytes[TEXT_SIZE];
    const DbFacts *facts = &database->facts;
    add_line(table, _("database"),
             xasprintf(_("%s, owned by %s: %zu tables, %s rows, %s"), facts->name, facts->owner, database->n_tables,
                       text_count(totals->rows, rows), text_bytes(totals->row_bytes, bytes)));
    add_line(table, _("server"),
             xasprintf(_("PostgreSQL %s, %s, %s; pg_dump %s"), facts->server_version, facts->encoding, facts->collate,
                       database->pg_dump_version));
    if (database->large_objects.files > 0)
        add_line(table, _("large objects"),
                 xasprintf(_("%s, %s"), text_count(database->large_objects.files, rows),
                           text_bytes(database->large_objects.bytes, bytes)));
}

static void add_application(Table *table, const ManifestApplication *application)
{
    char count[TEXT_SIZE];
    const ManifestSchema *schema = application->schema;
    const char *name = application->fork ? application->fork : application->title;
    add_line(table, _("application"),
             application->version ? xasprintf("%s %s", name, application->version) : xstrdup(name));
    if (schema)
        add_line(
            table, _("schema"),
            xasprintf(ngettext("%s migration, the newest is %s", "%s migrations, the newest is %s", schema->applied.n),
                      text_count(schema->applied.n, count), schema->newest ? schema->newest : "-"));
}

static void add_fileset(Table *table, const ManifestFileset *fileset)
{
    char files[TEXT_SIZE], bytes[TEXT_SIZE], odd[TEXT_SIZE];
    char *text =
        xasprintf(ngettext("%s: %s file, %s, from %s", "%s: %s files, %s, from %s", fileset->files), fileset->name,
                  text_count(fileset->files, files), text_bytes(fileset->bytes, bytes), fileset->root);
    if (fileset->vanished + fileset->changed > 0) {
        char *longer = xasprintf(_("%s (%s vanished or changed while read)"), text,
                                 text_count(fileset->vanished + fileset->changed, odd));
        free(text);
        text = longer;
    }
    add_line(table, _("files"), text);
    if (fileset->left_out_files > 0)
        add_line(table, _("left out"),
                 xasprintf(ngettext("%s: %s file, %s, which can be fetched again",
                                    "%s: %s files, %s, which can be fetched again", fileset->left_out_files),
                           fileset->name, text_count(fileset->left_out_files, files),
                           text_bytes(fileset->left_out_bytes, bytes)));
}

void print_backup(FILE *out, const Manifest *manifest)
{
    char first[TEXT_SIZE], second[TEXT_SIZE];
    double seconds = backup_seconds(manifest); /* moments are whole seconds */
    BackupTotals totals = backup_totals(manifest);
    _cleanup_free_ char *id = text_escaped(manifest->id);
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    add_line(table, _("made"),
             xasprintf(_("%s on %s, in %s"), manifest->finished, manifest->host,
                       seconds < 1 ? _("less than 1 s") : text_seconds(seconds, first)));
    if (manifest->origin_id != NULL)
        add_line(table, _("copy of"),
                 xasprintf(_("%s in repository %s"), manifest->origin_id, manifest->origin_repository));
    if (strstr(manifest->id, manifest->app) == NULL) /* the ids of an encrypted repository do not tell it */
        table_row(table, _("app"), manifest->app);
    if (manifest->application)
        add_application(table, manifest->application);
    if (manifest->has_database)
        add_database(table, &manifest->database, &totals);
    for (size_t i = 0; i < manifest->n_filesets; i++)
        add_fileset(table, &manifest->filesets[i]);
    if (manifest->tags.n > 0)
        add_line(table, _("tags"), view_join(&manifest->tags));
    add_line(table, _("stored"),
             xasprintf(_("%s new of %s"), text_bytes(manifest->stored_new, first),
                       text_bytes(manifest->stored_all, second)));
    for (size_t i = 0; i < manifest->warnings.n; i++)
        table_row(table, _("warning"), manifest->warnings.v[i]);
    fprintf(out, _("backup %s\n"), id);
    table_print(table, out, 2);
}
