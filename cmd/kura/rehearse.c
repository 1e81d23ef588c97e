#include "kura/rehearse.h"

#include <string.h>

#include "commands.h"
#include "kura/report.h"
#include "kura/words.h"
#include "pagefile.h"
#include "screen.h"
#include "site.h"
#include "table.h"
#include "text.h"

DEFINE_CLEANUP(Rehearsal, rehearsal_free)

enum { NICE_DEFAULT = 10, SAMPLE_DEFAULT = 2 };

/* ---- JSON ---- */

static json_t *json_of_tables(const Rehearsal *rehearsal)
{
    json_t *tables = json_array();
    for (size_t i = 0; i < rehearsal->n_tables; i++)
        json_array_append_new(
            tables, json_pack("{s:o, s:o, s:I, s:I}", "schema", json_text(rehearsal->tables[i].schema), "name",
                              json_text(rehearsal->tables[i].name), "rows", (json_int_t)rehearsal->tables[i].rows,
                              "bytes", (json_int_t)rehearsal->tables[i].bytes));
    return tables;
}

static json_t *json_of_earlier(Rehearsal *const *earlier, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(array,
                              json_pack("{s:o, s:o, s:s, s:f, s:I, s:o}", "id", json_text(earlier[i]->id), "started",
                                        json_text(earlier[i]->started), "verdict", verdict_name(earlier[i]->verdict),
                                        "restore_seconds", earlier[i]->restore_seconds, "database_bytes",
                                        (json_int_t)earlier[i]->database_bytes, "tables", json_of_tables(earlier[i])));
    return array;
}

/* ---- text ---- */

static void add_line(Table *table, const char *name, char *text)
{
    table_row(table, name, text);
    free(text);
}

static char *version_text(int version_num, char text[TEXT_SIZE])
{
    snprintf(text, TEXT_SIZE, "%d.%d", version_num / 10000, version_num % 10000);
    return text;
}

static void print_what(FILE *out, const Rehearsal *rehearsal)
{
    char first[TEXT_SIZE], second[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    add_line(table, _("backup"), xasprintf(_("%s, %s old"), rehearsal->backup, text_age(rehearsal->backup_age, first)));
    if (rehearsal->newest_row_age >= 0)
        add_line(table, _("newest row"),
                 xasprintf(_("%s before the backup (%s)"), text_age(rehearsal->newest_row_age, first),
                           rehearsal->newest_row_where));
    add_line(table, _("server"),
             xasprintf(_("PostgreSQL %s, the backup is of %s"), version_text(rehearsal->server_version_num, first),
                       version_text(rehearsal->source_version_num, second)));
    if (rehearsal->database_bytes > 0)
        add_line(table, _("disk"),
                 xasprintf(_("%s, %s were expected"), text_bytes(rehearsal->database_bytes, first),
                           text_bytes(rehearsal->estimated_bytes, second)));
    if (rehearsal->error == NULL)
        table_row(table, _("came back in"), text_seconds(rehearsal->restore_seconds, first));
    table_print(table, out, 2);
}

static void print_proofs(FILE *out, const Rehearsal *rehearsal)
{
    char count[TEXT_SIZE], failed[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new("|>||");
    for (size_t i = 0; i < rehearsal->n_proofs; i++) {
        const RehearsalProof *proof = &rehearsal->proofs[i];
        _cleanup_free_ char *wrong =
            proof->failed ? xasprintf(_("%s FAILED"), text_count(proof->failed, failed)) : NULL;
        if (proof->skipped)
            table_row(table, words_get(proof->title), "-", "", proof->skipped);
        else
            table_row(table, words_get(proof->title), text_count(proof->checked, count), words_get(proof->unit),
                      wrong ? wrong : _("proven"));
    }
    fputs(_("proofs\n"), out);
    table_print(table, out, 2);
}

static void print_phases(FILE *out, const Rehearsal *rehearsal)
{
    char text[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new("|>");
    for (size_t i = 0; i < rehearsal->n_phases; i++)
        table_row(table, words_get(rehearsal->phases[i].name), text_seconds(rehearsal->phases[i].seconds, text));
    table_row(table, _("all"), text_seconds(rehearsal->seconds, text));
    fputs(_("phases\n"), out);
    table_print(table, out, 2);
}

static void print_changes(FILE *out, const RehearsalRun *run)
{
    static const char *const kinds[] = {
        [SCHEMA_ADDED] = N_("added"), [SCHEMA_REMOVED] = N_("removed"), [SCHEMA_CHANGED] = N_("changed")};
    _cleanup_(table_free_cleanup) Table *table = table_new("|||");
    for (size_t i = 0; i < run->n_changes; i++) {
        const RehearsalSchemaChange *change = &run->changes[i];
        bool body = strchr(change->after ? change->after : change->before, '\n') != NULL;
        bool both = change->kind == SCHEMA_CHANGED && !body;
        _cleanup_free_ char *text = both ? xasprintf(_("%s, was %s"), change->after, change->before)
                                         : xstrdup(body            ? ""
                                                   : change->after ? change->after
                                                                   : change->before);
        table_row(table, words_get(kinds[change->kind]), words_get(change->what), change->name, text);
    }
    fputs(_("schema\n"), out);
    table_print(table, out, 2);
}

static void print_locks(FILE *out, const RehearsalRun *run)
{
    char text[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new("||>");
    for (size_t i = 0; i < run->n_locks; i++)
        table_row(table, run->locks[i].table, run->locks[i].mode, text_seconds(run->locks[i].seconds, text));
    fputs(_("longest locks\n"), out);
    table_print(table, out, 2);
}

static void print_rows(FILE *out, const RehearsalRun *run)
{
    char before[TEXT_SIZE], after[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new(_("|>before|>after"));
    for (size_t i = 0; i < run->n_rows; i++)
        table_row(table, run->rows[i].table, text_count(run->rows[i].before, before),
                  text_count(run->rows[i].after, after));
    fputs(_("rows that changed\n"), out);
    table_print(table, out, 2);
}

static void print_run(FILE *out, const RehearsalRun *run)
{
    char text[TEXT_SIZE];
    size_t len = strlen(run->output);
    _cleanup_free_ char *whole = xstrndup(run->output, len > 0 && run->output[len - 1] == '\n' ? len - 1 : len);
    _cleanup_free_ char *command = text_escaped(run->command), *output = text_message(whole);
    fprintf(out, _("command %s\n"), command);
    text_seconds(run->seconds, text);
    if (run->timed_out)
        fprintf(out, _("  was ended after %s\n"), text);
    else
        fprintf(out, _("  ended after %s with status %d\n"), text, run->status);
    if (output[0])
        fprintf(out, "%s    %s\n", run->truncated ? "    ..\n" : "", output);
    if (run->n_changes > 0)
        print_changes(out, run);
    if (run->n_rows > 0)
        print_rows(out, run);
    if (run->n_locks > 0)
        print_locks(out, run);
}

static void print_rehearsal(FILE *out, const Rehearsal *rehearsal)
{
    fprintf(out, _("rehearsal %s: %s\n"), rehearsal->id, words_get(verdict_name(rehearsal->verdict)));
    print_what(out, rehearsal);
    print_proofs(out, rehearsal);
    if (rehearsal->has_run)
        print_run(out, &rehearsal->run);
    print_phases(out, rehearsal);
}

/* ---- the command ---- */

static int parse_references(const StrVec *list, MediaReference *ret, StrVec *names, Error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *text = list->v[i];
        size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
        if (len == 0 || text[len] != '=' || text[len + 1] == 0) {
            error_set(err, ERR_USAGE, "--media-query \"%s\": no fileset is named", text);
            return error_hint(err, "Write NAME=SQL, such as: media=SELECT path FROM file.");
        }
        _cleanup_free_ char *name = xstrndup(text, len);
        strvec_push(names, name);
        ret[i] = (MediaReference){.fileset = names->v[i], .query = text + len + 1};
    }
    return 0;
}

/* What compares it with the rehearsals before it: the page, and a member of the JSON document. */
static int tell_beside_earlier(Session *session, const Rehearsal *rehearsal, Error *err)
{
    size_t n;
    Rehearsal **earlier;
    const char *page = options_text(session->options, OPT_PAGE);
    if (page == NULL && !session->json)
        return 0;
    if (rehearsal_earlier(session->repo, rehearsal, REPORT_EARLIER_MAX, &earlier, &n, err) < 0)
        return error_wrap(err, "reading the rehearsals before this one");
    if (session->json)
        session_set(session, "earlier", json_of_earlier(earlier, n));
    int rc = page ? pagefile_rehearsal(rehearsal, (const Rehearsal *const *)earlier, n, page, err) : 0;
    rehearsals_free(earlier, n);
    return rc;
}

static int run(Session *session, const Manifest *manifest, const RehearseOptions *options, Error *err)
{
    _cleanup_(rehearsal_free_cleanup) Rehearsal *rehearsal = NULL;
    if (rehearse_run(session->repo, manifest, options, &rehearsal, &session->findings, &session->progress, err) < 0)
        return -1;
    session->run.backup = xstrdup(rehearsal->backup);
    session->run.verdict = xstrdup(verdict_name(rehearsal->verdict));
    session->run.error = xstrdup_null(rehearsal->error);
    if (session->json)
        session_set(session, "rehearsal", rehearsal_to_json(rehearsal));
    else
        print_rehearsal(session->out, rehearsal);
    session->failed = rehearsal->verdict == VERDICT_FAILED;
    if (rehearsal->error) {
        Error why = ERROR_INIT;
        error_set(&why, ERR_FAILED, "%s", rehearsal->error);
        if (rehearsal->hint)
            error_hint(&why, "%s", rehearsal->hint);
        findings_add(&session->findings, FINDING_ERROR, "rehearsal-ended", why.hint[0] ? why.hint : NULL, "%s",
                     why.message);
    }
    return rehearsal_commit(session->repo, rehearsal, err) < 0 ? error_wrap(err, "keeping the result")
                                                               : tell_beside_earlier(session, rehearsal, err);
}

/* Where nothing else is named, the application's own server will do: what a rehearsal makes there it drops again. */
static int find_server(Session *session, const char **ret, Error *err)
{
    *ret = options_text(session->options, OPT_SERVER);
    if (*ret != NULL)
        return 0;
    if (session_db(session, ret, err) < 0 || *ret != NULL)
        return *ret ? 0 : -1;
    error_set(err, ERR_USAGE, "no server to rehearse on is named");
    return error_hint(err, "Give --server with a connection string; an empty one means libpq's environment.");
}

static int rehearse(Session *session, const Manifest *manifest, RehearseOptions *rehearse, Error *err)
{
    _cleanup_(strvec_done) StrVec queries = {0}, names = {0};
    site_media_queries(session, manifest, &queries);
    _cleanup_free_ MediaReference *references = xcalloc(queries.n + 1, sizeof *references);
    if (parse_references(&queries, references, &names, err) < 0)
        return -1;
    rehearse->references = references;
    rehearse->n_references = queries.n;
    return run(session, manifest, rehearse, err);
}

int command_rehearse(Session *session, Error *err)
{
    const Options *options = session->options;
    const char *server;
    AppSite *site;
    _cleanup_(rolemap_free_cleanup) RoleMap *map = NULL;
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (session_rolemap(session, &map, err) < 0 || session_site(session, &site, err) < 0 ||
        find_server(session, &server, err) < 0 ||
        session_load_backup(session, options->args.v[0], &manifest, err) < 0 ||
        site_map_rehearsal(session, manifest, server, map, err) < 0)
        return -1;
    RehearseOptions chosen = {
        .server = server,
        .admin_db = options_text(options, OPT_ADMIN_DB),
        .pg_bindir = options_text(options, OPT_PG_BINDIR),
        .map = map,
        .app_role = options_text(options, OPT_APP_ROLE),
        .max_size = (uint64_t)options_number(options, OPT_MAX_SIZE, 0),
        .jobs = (size_t)options_number(options, OPT_JOBS, 1),
        .nice = (int)options_number(options, OPT_NICE, NICE_DEFAULT),
        .low_cost = options_flag(options, OPT_LOW_COST),
        .sample = options_number(options, OPT_SAMPLE, SAMPLE_DEFAULT),
        .run = options_text(options, OPT_RUN),
        .run_timeout = options_number(options, OPT_RUN_TIMEOUT, 0),
        .keep_on_failure = options_flag(options, OPT_KEEP_ON_FAILURE),
        .site = site,
    };
    return rehearse(session, manifest, &chosen, err);
}
