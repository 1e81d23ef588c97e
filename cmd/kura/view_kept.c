#include "view_kept.h"

#include "kura/mem.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"
#include "view.h"

static const char *const verdicts[] = {[KEPT_STAYS] = N_("stays"),
                                       [KEPT_IN_USE] = N_("in use"),
                                       [KEPT_TO_DROP] = N_("would be dropped"),
                                       [KEPT_DROPPED] = N_("dropped")};

static json_t *json_of_kept(const KeptDatabase *database)
{
    json_t *holds = json_array();
    for (size_t i = 0; i < database->holds.n; i++)
        json_array_append_new(holds, json_text(database->holds.v[i]));
    return json_pack("{s:o, s:s, s:s, s:o, s:f, s:I, s:I, s:o}", "name", json_text(database->name), "state",
                     kept_state_name(database->state), "since", database->at, "by", json_text(database->by), "days",
                     database->days, "bytes", (json_int_t)database->bytes, "sessions", (json_int_t)database->sessions,
                     "holds", holds);
}

json_t *json_of_undo(const UndoReport *report)
{
    return json_pack("{s:o, s:o, s:o, s:I}", "database", json_text(report->database), "from",
                     json_of_kept(&report->restored), "replaced", json_text(report->replaced), "sessions_ended",
                     (json_int_t)report->sessions_ended);
}

json_t *json_of_kept_databases(const KeptPruneReport *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->databases.n; i++) {
        json_t *object = json_of_kept(&report->databases.v[i]);
        json_object_set_new(object, "verdict", json_string(verdicts[report->verdicts[i]]));
        json_array_append_new(array, object);
    }
    return array;
}

void print_undo(FILE *out, const UndoReport *report, bool plan)
{
    const KeptDatabase *restored = &report->restored;
    char size[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    _cleanup_free_ char *since = xasprintf(_("%s since %.19sZ, %s"), words_get(kept_state_name(restored->state)),
                                           restored->at, text_bytes(restored->bytes, size));
    table_row(table, plan ? _("would undo") : _("undone"), report->database);
    table_row(table, _("is again"), restored->name);
    table_row(table, "", since);
    if (report->replaced)
        table_row(table, _("replaced, kept as"), report->replaced);
    table_print(table, out, 0);
}

void print_kept_databases(FILE *out, const KeptPruneReport *report)
{
    _cleanup_(table_free_cleanup) Table *table = table_new(_("database|state|since|>days|>size|>sessions|by|verdict"));
    for (size_t i = 0; i < report->databases.n; i++) {
        const KeptDatabase *database = &report->databases.v[i];
        char size[TEXT_SIZE], sessions[TEXT_SIZE];
        _cleanup_free_ char *days = xasprintf("%.1f", database->days);
        _cleanup_free_ char *since = xasprintf("%.19sZ", database->at);
        table_row(table, database->name, words_get(kept_state_name(database->state)), since, days,
                  text_bytes(database->bytes, size), view_count(database->sessions, sessions), database->by,
                  words_get(verdicts[report->verdicts[i]]));
    }
    if (!table_is_empty(table))
        table_print(table, out, 0);
}
