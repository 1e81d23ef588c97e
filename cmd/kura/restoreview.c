#include "restoreview.h"

#include "kura/mem.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"
#include "view.h"

static double total_seconds(const RestoreReport *report)
{
    double seconds = 0;
    for (size_t i = 0; i < report->n_phases; i++)
        seconds += report->phases[i].seconds;
    return seconds;
}

/* ---- JSON ---- */

static json_t *json_of_files(const RestoreView *view)
{
    const RestoreReport *report = view->report;
    json_t *array = json_array();
    for (size_t i = 0; i < view->options->n_files; i++) {
        json_t *object = json_pack("{s:o, s:o}", "name", json_text(view->options->files[i].name), "dir",
                                   json_text(view->options->files[i].dir));
        if (!view->plan && i < report->n_files) {
            json_object_set_new(object, "written", json_integer((json_int_t)report->files[i].written));
            json_object_set_new(object, "written_bytes", json_integer((json_int_t)report->files[i].written_bytes));
            json_object_set_new(object, "kept", json_integer((json_int_t)report->files[i].kept));
        }
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_of_standbys(const RestoreView *view)
{
    const StandbysReport *standbys = &view->report->standbys;
    if (view->plan || view->options->wait_standbys <= 0)
        return json_null();
    return json_pack("{s:I, s:I, s:f}", "count", (json_int_t)standbys->n, "behind", (json_int_t)standbys->behind,
                     "seconds", standbys->seconds);
}

static json_t *json_of_proof(const RestoreReport *report)
{
    json_t *phases = json_array();
    for (size_t i = 0; i < report->n_phases; i++)
        json_array_append_new(phases, json_pack("{s:o, s:f}", "name", json_text(report->phases[i].name), "seconds",
                                                report->phases[i].seconds));
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:f, s:o}", "tables", (json_int_t)report->tables, "rows",
                     (json_int_t)report->rows, "bytes", (json_int_t)report->bytes, "tables_verified",
                     (json_int_t)report->tables_verified, "owners_checked", (json_int_t)report->owners_checked,
                     "grants_checked", (json_int_t)report->grants_checked, "relations_probed",
                     (json_int_t)report->relations_probed, "app_role", json_text(report->app_role), "seconds",
                     total_seconds(report), "phases", phases);
}

json_t *json_of_restore(const RestoreView *view)
{
    const RestoreReport *report = view->report;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "source", json_text(view->source), "database",
                     json_text(report->database), "replaced", json_text(report->replaced), "roles",
                     json_of_roles(&report->roles), "files", json_of_files(view), "proven",
                     view->plan ? json_null() : json_of_proof(report), "standbys", json_of_standbys(view), "afterwards",
                     view->afterwards ? json_texts(view->afterwards) : json_array());
}

/* ---- text ---- */

static void add_line(Table *table, const char *name, char *text)
{
    table_row(table, name, text);
    free(text);
}

static void add_source(Table *table, const RestoreView *view)
{
    const Manifest *manifest = view->manifest;
    if (manifest == NULL)
        add_line(table, _("from"), xasprintf(_("archive %s"), view->source));
    else if (manifest->has_database)
        add_line(table, _("from"),
                 xasprintf(_("backup %s: %s of PostgreSQL %s on %s"), manifest->id, manifest->database.facts.name,
                           manifest->database.facts.server_version, manifest->host));
    else
        add_line(table, _("from"), xasprintf(_("backup %s: files of %s"), manifest->id, manifest->host));
}

static void print_what(FILE *out, const RestoreView *view)
{
    const RestoreReport *report = view->report;
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    add_source(table, view);
    if (report->database != NULL)
        add_line(table, _("to"), xasprintf(_("database %s"), report->database));
    if (report->replaced != NULL)
        add_line(table, _("keeps"), xasprintf(_("the old database as %s; kura undo brings it back"), report->replaced));
    for (size_t i = 0; i < view->options->n_files; i++)
        add_line(table, _("files"),
                 xasprintf(_("%s into %s"), view->options->files[i].name, view->options->files[i].dir));
    fputs(view->plan ? _("plan (nothing was changed)\n") : _("restored\n"), out);
    table_print(table, out, 2);
}

static void add_rows(Table *table, const RestoreView *view)
{
    const RestoreReport *report = view->report;
    char first[TEXT_SIZE], second[TEXT_SIZE], third[TEXT_SIZE];
    if (view->manifest == NULL)
        table_row(table, _("rows"), _("loaded by pg_restore; an archive does not tell how many there are"));
    else
        add_line(table, _("rows"),
                 xasprintf(_("%s in %s tables, %s"), text_count(report->rows, first),
                           text_count(report->tables, second), text_bytes(report->bytes, third)));
    if (report->tables_verified == 0 && !view->options->verify)
        table_row(table, _("digests"), _("not read back (--no-verify)"));
    else if (report->tables_verified == 0)
        table_row(table, _("digests"), _("none to compare with"));
    else
        add_line(table, _("digests"),
                 xasprintf(_("%s of %s tables read back, count and digest equal"),
                           text_count(report->tables_verified, first), text_count(report->tables, second)));
    add_line(table, _("owners"), xasprintf(_("%s objects checked"), text_count(report->owners_checked, first)));
    add_line(table, _("grants"), xasprintf(_("%s checked"), text_count(report->grants_checked, first)));
    if (report->app_role != NULL)
        add_line(table, _("access"),
                 xasprintf(_("%s relations probed as role %s"), text_count(report->relations_probed, first),
                           report->app_role));
}

static void add_standbys(Table *table, const StandbysReport *standbys)
{
    char count[TEXT_SIZE], all[TEXT_SIZE], time[TEXT_SIZE];
    if (standbys->n > 0)
        add_line(table, _("standbys"),
                 xasprintf(_("%s of %s have replayed it, after %s"), text_count(standbys->n - standbys->behind, count),
                           text_count(standbys->n, all), text_seconds(standbys->seconds, time)));
}

static void print_proof(FILE *out, const RestoreView *view)
{
    const RestoreReport *report = view->report;
    char first[TEXT_SIZE], second[TEXT_SIZE], third[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    if (report->database != NULL)
        add_rows(table, view);
    add_standbys(table, &report->standbys);
    for (size_t i = 0; i < report->n_files && i < view->options->n_files; i++)
        add_line(table, _("files"),
                 xasprintf(view->options->quick_check
                               ? _("%s: %s written (%s), every hash checked; %s were right already by size and time")
                               : _("%s: %s written (%s), %s were right already, every hash checked"),
                           view->options->files[i].name, text_count(report->files[i].written, first),
                           text_bytes(report->files[i].written_bytes, second),
                           text_count(report->files[i].kept, third)));
    fputs(_("proven\n"), out);
    table_print(table, out, 2);
}

static void print_phases(FILE *out, const RestoreReport *report)
{
    char text[TEXT_SIZE];
    if (report->n_phases == 0)
        return;
    _cleanup_(table_free_cleanup) Table *table = table_new("|>");
    for (size_t i = 0; i < report->n_phases; i++)
        table_row(table, words_get(report->phases[i].name), text_seconds(report->phases[i].seconds, text));
    table_row(table, _("all"), text_seconds(total_seconds(report), text));
    fputs(_("phases\n"), out);
    table_print(table, out, 2);
}

static void print_afterwards(FILE *out, const StrVec *commands)
{
    fputs(_("then, in the application's directory\n"), out);
    for (size_t i = 0; i < commands->n; i++) {
        _cleanup_free_ char *command = text_escaped(commands->v[i]);
        fprintf(out, "  %s\n", command);
    }
}

void print_restore(FILE *out, const RestoreView *view)
{
    print_what(out, view);
    if (view->report->roles.n > 0)
        print_roles(out, &view->report->roles);
    if (view->plan)
        return;
    print_proof(out, view);
    print_phases(out, view->report);
    if (view->afterwards)
        print_afterwards(out, view->afterwards);
}
