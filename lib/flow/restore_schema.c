/* The code that will use the restored database: what the backup has of migrations, compared with what that has. */
#include <string.h>

#include "kura/mem.h"
#include "kura/schema.h"
#include "kura/words.h"
#include "restore_priv.h"

static SchemaHistory history_of(const ManifestSchema *stamp, SchemaTool tool)
{
    SchemaHistory history = {.tool = tool, .least = xstrdup_null(stamp->least)};
    for (size_t i = 0; i < stamp->applied.n; i++)
        schema_history_add(&history, stamp->applied.v[i], NULL);
    for (size_t i = 0; i < stamp->failed.n; i++)
        schema_history_add(&history, stamp->failed.v[i], NULL)->failed = true;
    return history;
}

/* Code that lacks what the database has would write what it should not. A trial has no code that runs. */
static void tell_newer(Restore *restore, const StrVec *unknown)
{
    const RestoreOptions *options = restore->options;
    bool goes_on = options->allow_newer_schema || options->trial;
    const char *version = restore->manifest->application->version;
    _cleanup_free_ char *hint =
        version ? xasprintf(_("Install version %s, of which the backup is, or say --allow-newer-schema."), version)
                : xstrdup(_("Install the version of which the backup is, or say --allow-newer-schema."));
    findings_add(restore->findings, goes_on ? FINDING_WARNING : FINDING_ERROR, "schema-newer", hint,
                 ngettext("the backup has %zu migration that the code in \"%s\" does not have, the last is %s",
                          "the backup has %zu migrations that the code in \"%s\" does not have, the last is %s",
                          unknown->n),
                 unknown->n, options->site->dir, unknown->v[unknown->n - 1]);
}

static void tell_older(Restore *restore, const StrVec *pending)
{
    const AppSite *site = restore->options->site;
    _cleanup_free_ char *hint =
        site->schema.migrate ? xasprintf(_("Run \"%s\" before the application is started."), site->schema.migrate)
                             : xstrdup(_("Run the application's migrations before it is started."));
    findings_add(restore->findings, FINDING_WARNING, "schema-older", hint,
                 ngettext("the backup lacks %zu migration that the code in \"%s\" has, the last is %s",
                          "the backup lacks %zu migrations that the code in \"%s\" has, the last is %s", pending->n),
                 pending->n, site->dir, pending->v[pending->n - 1]);
}

static void tell_difference(Restore *restore, const SchemaDifference *difference)
{
    if (difference->failed.n > 0)
        findings_add(restore->findings, FINDING_WARNING, "schema-failed",
                     "Its tool will ask to have that settled before it migrates further.",
                     "migration %s was begun and not completed when the backup was made", difference->failed.v[0]);
    if (difference->unknown.n > 0)
        tell_newer(restore, &difference->unknown);
    if (difference->pending.n > 0)
        tell_older(restore, &difference->pending);
}

void restore_check_schema(Restore *restore)
{
    const AppSite *site = restore->options->site;
    const ManifestApplication *application = restore->manifest ? restore->manifest->application : NULL;
    SchemaHistory code;
    SchemaTool tool;
    Error why = ERROR_INIT;
    if (site == NULL || site->schema.tool == NULL || application == NULL || application->schema == NULL ||
        !schema_tool_parse(application->schema->tool, &tool) ||
        strcmp(site->schema.tool, application->schema->tool) != 0)
        return;
    if (schema_site_read(site, &code, &why) < 0) {
        findings_add(restore->findings, FINDING_NOTE, "schema-unknown", why.hint[0] ? why.hint : NULL,
                     "whether the code fits the backup is not known: %s", why.message);
        return;
    }
    SchemaDifference difference;
    SchemaHistory database = history_of(application->schema, tool);
    schema_compare(&code, &database, &difference);
    tell_difference(restore, &difference);
    schema_difference_done(&difference);
    schema_history_done(&database);
    schema_history_done(&code);
}
