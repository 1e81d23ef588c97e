#include "application.h"

#include "kura/mem.h"
#include "kura/schemahistory.h"
#include "kura/sitesecrets.h"

ManifestApplication *application_stamp(const AppSite *site)
{
    ManifestApplication *made = xcalloc(1, sizeof *made);
    *made = (ManifestApplication){
        .profile = xstrdup(site->name),
        .title = xstrdup(site->title),
        .version = xstrdup_null(site->version),
        .fork = xstrdup_null(site->fork),
        .dir = xstrdup(site->dir),
        .database = {.host = xstrdup_null(site->database.host),
                     .port = xstrdup_null(site->database.port),
                     .user = xstrdup_null(site->database.user),
                     .name = xstrdup_null(site->database.database)},
    };
    for (size_t i = 0; i < site->services.n; i++)
        strvec_push(&made->services, site->services.v[i]);
    sitesecrets_stamp(made, site);
    return made;
}

/* Against the code that is there; NULL when that cannot be read. To be freed. */
static char *state_of(const AppSite *site, const SchemaHistory *database)
{
    SchemaHistory code;
    SchemaDifference difference;
    Error ignored = ERROR_INIT; /* the backup needs no code */
    if (site->schema.tool == NULL || schema_site_read(site, &code, &ignored) < 0)
        return NULL;
    char *state = NULL;
    if (code.tool == database->tool) {
        schema_compare(&code, database, &difference);
        state = xstrdup(schema_state_name(difference.state));
        schema_difference_done(&difference);
    }
    schema_history_done(&code);
    return state;
}

static ManifestSchema *stamp(const AppSite *site, const SchemaHistory *history)
{
    ManifestSchema *made = xcalloc(1, sizeof *made);
    const SchemaMigration *newest = schema_newest(history);
    made->tool = xstrdup(schema_tool_name(history->tool));
    made->table = xstrdup(history->table);
    made->state = state_of(site, history);
    made->newest = newest ? xstrdup(newest->title) : NULL;
    made->least = xstrdup_null(history->least);
    for (size_t i = 0; i < history->n; i++)
        strvec_push(history->v[i].failed ? &made->failed : &made->applied, history->v[i].id);
    return made;
}

static int read_history(const AppSite *site, PgConn *conn, SchemaHistory *ret, Error *err)
{
    SchemaTool tool;
    bool known = site->schema.tool && schema_tool_parse(site->schema.tool, &tool);
    return catalog_schema_history(conn, known ? &tool : NULL, site->schema.table, ret, err);
}

int application_stamp_schema(ManifestApplication *application, const AppSite *site, PgConn *conn, Findings *findings,
                             Error *err)
{
    SchemaHistory history;
    Error why = ERROR_INIT;
    if (pg_exec(conn, "SAVEPOINT kura_schema", err) < 0)
        return -1;
    if (read_history(site, conn, &history, &why) == 0) {
        application->schema = stamp(site, &history);
        schema_history_done(&history);
        return pg_exec(conn, "RELEASE SAVEPOINT kura_schema", err);
    }
    findings_add(findings, FINDING_NOTE, "schema-unknown", why.hint[0] ? why.hint : NULL,
                 "the backup does not tell how far the schema of %s is migrated: %s", site->title, why.message);
    return pg_exec(conn, "ROLLBACK TO SAVEPOINT kura_schema", err);
}
