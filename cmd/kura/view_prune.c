#include "view_prune.h"

#include "kura/mem.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"
#include "view.h"

static json_t *json_of_backup_verdict(const PruneBackup *backup)
{
    return json_pack("{s:o, s:o, s:o, s:b, s:o}", "id", json_text(backup->id), "app", json_text(backup->app), "started",
                     json_text(backup->started), "stays", backup->stays, "reasons", json_texts(&backup->reasons.codes));
}

json_t *json_of_prune(const PruneReport *report, bool plan)
{
    json_t *backups = json_array();
    for (size_t i = 0; i < report->n_backups; i++)
        json_array_append_new(backups, json_of_backup_verdict(&report->backups[i]));
    return json_pack("{s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "plan", plan, "backups",
                     backups, "going", (json_int_t)report->n_going, "kept_blobs", (json_int_t)report->kept_blobs,
                     "kept_bytes", (json_int_t)report->kept_bytes, "freed_blobs", (json_int_t)report->freed_blobs,
                     "freed_bytes", (json_int_t)report->freed_bytes, "young_blobs", (json_int_t)report->young_blobs,
                     "young_bytes", (json_int_t)report->young_bytes, "dead_bytes", (json_int_t)report->dead_bytes,
                     "packs", (json_int_t)report->packs, "packs_bytes", (json_int_t)report->packs_bytes, "packs_freed",
                     (json_int_t)report->packs_freed, "rehearsals", (json_int_t)report->rehearsals);
}

static void print_backups(FILE *out, const PruneReport *report, bool plan)
{
    _cleanup_(table_free_cleanup) Table *table = table_new(_("|backup|why"));
    for (size_t i = 0; i < report->n_backups; i++) {
        const PruneBackup *backup = &report->backups[i];
        _cleanup_free_ char *reasons = view_join(&backup->reasons.texts);
        table_row(table, backup->stays ? _("stays") : plan ? _("would go") : _("gone"), backup->id, reasons);
    }
    if (!table_is_empty(table))
        table_print(table, out, 0);
}

static void add_line(Table *table, const char *name, char *text)
{
    table_row(table, name, text);
    free(text);
}

static void print_figures(FILE *out, const PruneReport *report, bool plan)
{
    char first[TEXT_SIZE], second[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    add_line(table, plan ? _("would be freed") : _("freed"),
             xasprintf(_("%s in %s blobs that no backup that stays needs"), text_bytes(report->freed_bytes, first),
                       text_count(report->freed_blobs, second)));
    if (report->young_blobs > 0)
        add_line(table, _("waiting"),
                 xasprintf(_("%s in %s such blobs that are too young"), text_bytes(report->young_bytes, first),
                           text_count(report->young_blobs, second)));
    if (report->packs > 0)
        add_line(table, plan ? _("would be rewritten") : _("rewritten"),
                 xasprintf(_("%s packs, which frees %s"), text_count(report->packs, first),
                           text_bytes(report->packs_freed, second)));
    add_line(table, plan ? _("would be left") : _("left"),
             xasprintf(_("%s in %s blobs"),
                       text_bytes(report->kept_bytes - report->packs_freed + report->young_bytes, first),
                       text_count(report->kept_blobs + report->young_blobs, second)));
    table_print(table, out, 0);
}

void print_prune(FILE *out, const PruneReport *report, bool plan)
{
    print_backups(out, report, plan);
    print_figures(out, report, plan);
}
