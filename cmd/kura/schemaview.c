#include "schemaview.h"

#include <string.h>

#include "kura/catalog.h"
#include "kura/schemahistory.h"
#include "kura/words.h"
#include "screen.h"
#include "site.h"
#include "table.h"
#include "text.h"

enum { DEADLINE = 60 }; /* a start that waits for the answer shall not wait for ever */

/* ---- asking ---- */

static int named_tool(const Options *options, SchemaTool *ret, Error *err)
{
    const char *name = options_text(options, OPT_TOOL);
    if (name == NULL || schema_tool_parse(name, ret))
        return 0;
    _cleanup_free_ char *names = schema_tool_names();
    error_set(err, ERR_USAGE, "kura knows no migration tool \"%s\"", name);
    return error_hint(err, "Name one of these with --tool: %s.", names);
}

static int read_code(Session *session, const AppSite *site, SchemaTool tool, SchemaAnswer *ret, Error *err)
{
    const StrVec *dirs = options_list(session->options, OPT_MIGRATIONS);
    bool by_hand = options_given(session->options, OPT_TOOL);
    if (!by_hand && dirs->n == 0) {
        ret->place = xstrdup(site->dir);
        return schema_site_read(site, &ret->code, err);
    }
    const SchemaSource source = {
        .root = dirs->n == 0 && site ? site->dir : NULL, .dirs = dirs, .version = site ? site->schema.version : NULL};
    ret->place = xstrdup(dirs->n > 0 ? dirs->v[0] : site ? site->dir : ".");
    return schema_code_read(tool, &source, &ret->code, err);
}

static int read_database(const char *conninfo, const char *table, SchemaAnswer *ret, Error *err)
{
    PgConn *conn;
    SchemaTool tool = ret->code.tool;
    if (pg_connect(conninfo, &(PgOptions){0}, &conn, err) < 0)
        return -1;
    pg_set_deadline(conn, DEADLINE);
    int rc = catalog_begin_reading(conn, err);
    if (rc == 0)
        rc = catalog_schema_history(conn, &tool, table, &ret->database, err);
    if (rc == 0)
        rc = pg_exec(conn, "ROLLBACK", err);
    ret->where = xstrdup(pg_where(conn));
    pg_close(conn);
    return rc;
}

static int ask(Session *session, const AppSite *site, SchemaAnswer *ret, Error *err)
{
    const Options *options = session->options;
    const char *db, *table = options_text(options, OPT_MIGRATIONS_TABLE);
    SchemaTool tool = SCHEMA_TOOLS;
    if (site && site->schema.tool)
        schema_tool_parse(site->schema.tool, &tool);
    if (named_tool(options, &tool, err) < 0)
        return -1;
    if (tool == SCHEMA_TOOLS) {
        error_set(err, ERR_USAGE, "it is not known which tool migrates the database");
        return error_hint(err, "Name it with --tool.");
    }
    if (session_db(session, &db, err) < 0 || read_code(session, site, tool, ret, err) < 0)
        return -1;
    if (db == NULL) {
        error_set(err, ERR_USAGE, "no database is named");
        return error_hint(err, "Give it with --db.");
    }
    ret->migrate = site && !options_given(options, OPT_TOOL) ? site->schema.migrate : NULL;
    return read_database(db, table ? table : site ? site->schema.table : NULL, ret, err);
}

int schema_ask(Session *session, SchemaAnswer *ret, Error *err)
{
    AppSite *site;
    SchemaAnswer made = {0};
    if (session_site(session, &site, err) < 0)
        return -1;
    if (site == NULL && !(options_given(session->options, OPT_TOOL) && options_given(session->options, OPT_DB))) {
        error_set(err, ERR_USAGE, "neither an application nor a tool with its database is named");
        return error_hint(err, "Give --app-dir, or --app with a section that has app-dir, or --tool, --dir and --db.");
    }
    if (ask(session, site, &made, err) < 0) {
        schema_answer_done(&made);
        return -1;
    }
    schema_compare(&made.code, &made.database, &made.difference);
    *ret = made;
    return 0;
}

void schema_answer_done(SchemaAnswer *answer)
{
    schema_history_done(&answer->code);
    schema_history_done(&answer->database);
    schema_difference_done(&answer->difference);
    free(answer->place);
    free(answer->where);
    *answer = (SchemaAnswer){0};
}

int schema_exit_status(const SchemaAnswer *answer, bool post_ok)
{
    switch (answer->difference.state) {
    case SCHEMA_EQUAL:
        return 0;
    case SCHEMA_PENDING_POST:
        return post_ok ? 0 : error_exit_status(ERR_SCHEMA_PENDING);
    case SCHEMA_PENDING:
        return error_exit_status(ERR_SCHEMA_PENDING);
    default:
        return error_exit_status(ERR_SCHEMA_UNFIT);
    }
}

/* ---- showing ---- */

json_t *json_of_schema(const SchemaAnswer *answer)
{
    const SchemaDifference *difference = &answer->difference;
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "state",
                     schema_state_name(difference->state), "tool", schema_tool_name(answer->code.tool), "code",
                     json_text(answer->place), "database", json_text(answer->where), "table",
                     json_text(answer->database.table), "migrations", (json_int_t)answer->code.n, "applied",
                     (json_int_t)answer->database.n, "pending", json_texts(&difference->pending), "pending_post",
                     json_texts(&difference->pending_post), "unknown", json_texts(&difference->unknown), "changed",
                     json_texts(&difference->changed), "failed", json_texts(&difference->failed), "migrate",
                     json_text(answer->migrate));
}

static void print_list(FILE *out, const char *title, const StrVec *list)
{
    if (list->n > 0)
        fprintf(out, "%s\n", title);
    for (size_t i = 0; i < list->n; i++) {
        _cleanup_free_ char *text = text_escaped(list->v[i]);
        fprintf(out, "  %s\n", text);
    }
}

static const char *state_text(SchemaState state)
{
    static const char *const texts[] = {
        [SCHEMA_EQUAL] = N_("code and database fit"),
        [SCHEMA_PENDING_POST] = N_("migrations are pending that may be run once the new code is started"),
        [SCHEMA_PENDING] = N_("the code has migrations that the database lacks"),
        [SCHEMA_NEWER] = N_("the database was migrated by newer code, or by a fork"),
        [SCHEMA_ALTERED] = N_("migrations were changed after they had been applied"),
        [SCHEMA_FAILED] = N_("a migration was begun and not completed"),
    };
    return words_get(texts[state]);
}

/* What helps is told for the worst of it. */
static void print_remedy(FILE *out, const SchemaAnswer *answer)
{
    _cleanup_free_ char *migrate = text_escaped(answer->migrate ? answer->migrate : "");
    switch (answer->difference.state) {
    case SCHEMA_EQUAL:
        return;
    case SCHEMA_PENDING:
    case SCHEMA_PENDING_POST:
        if (answer->migrate)
            fprintf(out, _("to migrate, run: %s\n"), migrate);
        else
            fputs(_("Run the tool's own migrations before the code is started.\n"), out);
        return;
    case SCHEMA_NEWER:
        fputs(_("Install the code that the database was migrated by, or restore a backup from before.\n"), out);
        return;
    case SCHEMA_ALTERED:
        fputs(_("Install the code that was migrated with, or see what was changed and settle it in the tool.\n"), out);
        return;
    case SCHEMA_FAILED:
        fputs(_("See why it failed and settle that with the tool, or restore a backup from before.\n"), out);
        return;
    }
}

void print_schema(FILE *out, const SchemaAnswer *answer)
{
    char count[TEXT_SIZE];
    const SchemaDifference *difference = &answer->difference;
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    _cleanup_free_ char *code = xasprintf(_("%s, migrations of %s: %s"), answer->place,
                                          schema_tool_title(answer->code.tool), text_count(answer->code.n, count));
    _cleanup_free_ char *database = xasprintf(_("%s, table %s: %s applied"), answer->where, answer->database.table,
                                              text_count(answer->database.n, count));
    table_row(table, _("code"), code);
    table_row(table, _("database"), database);
    table_row(table, _("state"), state_text(difference->state));
    table_print(table, out, 0);
    print_list(out, _("failed"), &difference->failed);
    print_list(out, _("changed after they were applied"), &difference->changed);
    print_list(out, _("applied, and not in the code"), &difference->unknown);
    print_list(out, _("pending"), &difference->pending);
    print_list(out, _("pending, may be run after the start"), &difference->pending_post);
    print_remedy(out, answer);
}
