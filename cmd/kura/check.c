#include "kura/check.h"

#include <string.h>

#include "commands.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "screen.h"
#include "site.h"
#include "table.h"
#include "text.h"
#include "view.h"

static json_t *json_of_values(const CheckReport *report)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < report->values.n; i += report->columns.n) {
        json_t *row = json_array();
        for (size_t j = 0; j < report->columns.n; j++)
            json_array_append_new(row, json_text(report->values.v[i + j]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *json_of_check(const CheckReport *report)
{
    return json_pack("{s:o, s:o, s:b, s:I, s:I, s:o, s:o, s:o, s:o}", "table", json_text(report->table), "constraint",
                     json_text(report->constraint), "addable", report->addable, "rows", (json_int_t)report->rows,
                     "keys", (json_int_t)report->keys, "columns", json_texts(&report->columns), "sample",
                     json_of_values(report), "query", json_text(report->query), "statements",
                     json_texts(&report->statements));
}

/* The first row is that of the columns' names, which may hold anything. */
static void print_sample(FILE *out, const CheckReport *report)
{
    _cleanup_free_ char *titles = xcalloc(report->columns.n + 1, 1);
    memset(titles, '|', report->columns.n - 1);
    _cleanup_(table_free_cleanup) Table *table = table_new(titles);
    table_add(table, (const char *const *)report->columns.v, report->columns.n);
    for (size_t i = 0; i < report->values.n; i += report->columns.n)
        table_add(table, (const char *const *)report->values.v + i, report->columns.n);
    table_print(table, out, 2);
}

static void print_lines(FILE *out, const char *title, const StrVec *lines)
{
    if (lines->n > 0)
        fprintf(out, "\n%s\n", title);
    for (size_t i = 0; i < lines->n; i++) {
        _cleanup_free_ char *text = text_message(lines->v[i]);
        fprintf(out, "  %s\n", text);
    }
}

static void print_check(FILE *out, const CheckReport *report)
{
    char rows[TEXT_SIZE], keys[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    _cleanup_free_ char *values =
        xasprintf(ngettext("%s distinct value", "%s distinct values", report->keys), text_count(report->keys, keys));
    _cleanup_free_ char *violating =
        xasprintf(ngettext("%s row", "%s rows", report->rows), text_count(report->rows, rows));
    _cleanup_free_ char *violations = report->keys ? xasprintf(_("%s, %s"), violating, values) : xstrdup(violating);
    table_row(table, _("table"), report->table);
    table_row(table, _("constraint"), report->constraint);
    table_row(table, _("violations"), violations);
    table_row(table, _("can be added now"), report->addable ? _("yes") : _("no"));
    table_print(table, out, 0);
    if (report->rows > 0) {
        _cleanup_free_ char *query = text_message(report->query);
        fputs(_("\nsome of them\n"), out);
        print_sample(out, report);
        fprintf(out, _("\nall of them\n  %s;\n"), query);
    }
    print_lines(out, _("without keeping the application waiting, statement by statement"), &report->statements);
}

int command_check(Session *session, Error *err)
{
    const Options *options = session->options;
    const char *db;
    if (session_db(session, &db, err) < 0)
        return -1;
    CheckOptions check = {.db = db,
                          .spec = options->args.v[1],
                          .timeout = options_number(options, OPT_TIMEOUT, 300),
                          .sample = (size_t)options_number(options, OPT_SHOW, 10)};
    _cleanup_(check_report_done) CheckReport report = {0};
    if (db == NULL) {
        error_set(err, ERR_USAGE, "no database is named");
        return error_hint(err, "Give it with --db, or the directory of the application with --app-dir.");
    }
    if (check_kind_parse(options->args.v[0], &check.kind, err) < 0 ||
        check_run(&check, &report, &session->findings, err) < 0)
        return -1;
    if (session->json)
        session_set(session, "check", json_of_check(&report));
    else
        print_check(session->out, &report);
    return 0;
}
