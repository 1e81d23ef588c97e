#include "kura/verify.h"

#include "commands.h"
#include "kura/clock.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"

/* ---- JSON ---- */

static json_t *json_of_names(const VerifyNames *names)
{
    json_t *array = json_array();
    for (size_t i = 0; i < names->kept.n; i++)
        json_array_append_new(array, json_text(names->kept.v[i]));
    return array;
}

static json_t *json_of_backups(const VerifyReport *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->n_backups; i++) {
        const VerifyBackup *backup = &report->backups[i];
        json_array_append_new(array,
                              json_pack("{s:o, s:b, s:b, s:I, s:I}", "id", json_text(backup->id), "ok",
                                        !backup->damaged, "readable", !backup->unreadable, "tables_affected",
                                        (json_int_t)backup->tables, "files_affected", (json_int_t)backup->files));
    }
    return array;
}

/* Null for 0. */
static json_t *json_of_moment(time_t moment)
{
    char text[32];
    clock_format_utc(moment, text, sizeof text);
    return moment ? json_string(text) : json_null();
}

static json_t *json_of_damages(const VerifyReport *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->n_damages; i++) {
        const VerifyDamage *damage = &report->damages[i];
        json_array_append_new(array,
                              json_pack("{s:s, s:o, s:o, s:o, s:o, s:b}", "code", damage->code, "message",
                                        json_text(damage->message), "since", json_of_moment(damage->since), "backups",
                                        json_of_names(&damage->backups), "affected", json_of_names(&damage->affected),
                                        "affected_more", damage->affected.more || damage->backups.more));
    }
    return array;
}

static json_t *json_of_count(bool known, uint64_t count)
{
    return known ? json_integer((json_int_t)count) : json_null();
}

/* 0 when nobody knows. */
static time_t stored_at(const VerifyOrphan *orphan)
{
    return orphan->time > 0 ? (time_t)orphan->time : 0;
}

static json_t *json_of_orphans(const VerifyReport *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->n_orphans; i++)
        json_array_append_new(array, json_pack("{s:s, s:I, s:o}", "object", report->orphan_list[i].key, "size",
                                               (json_int_t)report->orphan_list[i].size, "stored",
                                               json_of_moment(stored_at(&report->orphan_list[i]))));
    return array;
}

static json_t *json_of_cycle(const VerifyReport *report)
{
    return json_pack("{s:o, s:f, s:o}", "started", json_of_moment(report->cycle_started), "share", report->cycle_share,
                     "completed", json_of_moment(report->cycle_completed));
}

static json_t *json_of_report(const VerifyReport *report)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:o, s:o, s:o}", "backups",
                     json_of_backups(report), "blobs", (json_int_t)report->blobs, "bytes", (json_int_t)report->bytes,
                     "missing", (json_int_t)report->missing, "damaged", (json_int_t)report->damaged, "read_blobs",
                     (json_int_t)report->read_blobs, "read_bytes", (json_int_t)report->read_bytes, "files_read",
                     (json_int_t)report->files_read, "tables", (json_int_t)report->tables, "tables_proven",
                     (json_int_t)report->tables_proven, "orphans",
                     json_of_count(report->orphans_known, report->orphans), "orphan_bytes",
                     json_of_count(report->orphans_known, report->orphan_bytes), "leftovers",
                     (json_int_t)report->leftovers, "orphan_list", json_of_orphans(report), "damages",
                     json_of_damages(report), "cycle", json_of_cycle(report));
}

/* ---- text ---- */

static void add_line(Table *table, const char *name, char *text)
{
    table_row(table, name, text);
    free(text);
}

static void add_blobs(Table *table, const VerifyReport *report)
{
    char first[TEXT_SIZE], second[TEXT_SIZE], third[TEXT_SIZE];
    text_count(report->blobs, first);
    text_bytes(report->bytes, second);
    if (report->missing + report->damaged == 0)
        add_line(table, _("blobs"), xasprintf(_("%s (%s), all there"), first, second));
    else
        add_line(table, _("blobs"),
                 xasprintf(_("%s (%s), %s missing, %ju damaged"), first, second, text_count(report->missing, third),
                           (uintmax_t)report->damaged));
    if (report->orphans > 0)
        add_line(table, _("orphans"),
                 xasprintf(_("%s (%s), of no backup"), text_count(report->orphans, first),
                           text_bytes(report->orphan_bytes, second)));
}

static void add_data(Table *table, const VerifyReport *report, bool read)
{
    char first[TEXT_SIZE], second[TEXT_SIZE];
    if (!read) {
        table_row(table, _("data"), _("not read (--read-data reads it)"));
        return;
    }
    add_line(table, _("data"),
             xasprintf(_("%s blobs (%s) read and undamaged"), text_count(report->read_blobs, first),
                       text_bytes(report->read_bytes, second)));
    if (report->tables > 0)
        add_line(table, _("tables"),
                 xasprintf(_("%s of %s proven by their rows and digests"), text_count(report->tables_proven, first),
                           text_count(report->tables, second)));
    if (report->files_read > 0)
        add_line(table, _("files"),
                 xasprintf(_("%s in packs compared with their hashes"), text_count(report->files_read, first)));
}

static void add_cycle(Table *table, const VerifyReport *report)
{
    char moment[32];
    if (report->cycle_started) {
        clock_format_utc(report->cycle_started, moment, sizeof moment);
        add_line(table, _("reading"),
                 xasprintf(_("%.1f %% of everything read since %s"), 100 * report->cycle_share, moment));
    }
    if (report->cycle_completed) {
        clock_format_utc(report->cycle_completed, moment, sizeof moment);
        add_line(table, report->cycle_started ? "" : _("reading"), xasprintf(_("everything was read by %s"), moment));
    }
}

static void print_orphans(FILE *out, const VerifyReport *report)
{
    _cleanup_(table_free_cleanup) Table *table = table_new(_("orphan|>size|stored"));
    for (size_t i = 0; i < report->n_orphans; i++) {
        char size[TEXT_SIZE], moment[32] = "";
        const VerifyOrphan *orphan = &report->orphan_list[i];
        if (stored_at(orphan))
            clock_format_utc(stored_at(orphan), moment, sizeof moment);
        table_row(table, orphan->key, text_bytes(orphan->size, size), moment);
    }
    if (!table_is_empty(table))
        table_print(table, out, 0);
}

static void print_damaged(FILE *out, const VerifyReport *report)
{
    char first[TEXT_SIZE], second[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new(_("damaged backup|>tables|>files|"));
    for (size_t i = 0; i < report->n_backups; i++) {
        const VerifyBackup *backup = &report->backups[i];
        if (backup->damaged)
            table_row(table, backup->id, text_count(backup->tables, first), text_count(backup->files, second),
                      backup->unreadable ? _("cannot be read") : "");
    }
    if (!table_is_empty(table))
        table_print(table, out, 0);
}

static void print_newest_whole(FILE *out, const VerifyReport *report)
{
    for (size_t i = report->n_backups; i-- > 0;)
        if (!report->backups[i].damaged) {
            fprintf(out, _("the newest whole backup is %s\n"), report->backups[i].id);
            return;
        }
    fputs(_("no backup is whole\n"), out);
}

static void print_report(FILE *out, const VerifyReport *report, bool read)
{
    char first[TEXT_SIZE], second[TEXT_SIZE];
    size_t damaged = 0;
    for (size_t i = 0; i < report->n_backups; i++)
        damaged += report->backups[i].damaged;
    text_count(report->n_backups, first);
    if (damaged > 0)
        fprintf(out,
                ngettext("%s backup verified, %s damaged\n", "%s backups verified, %s damaged\n", report->n_backups),
                first, text_count(damaged, second));
    else if (report->missing + report->damaged == 0)
        fprintf(out,
                ngettext("%s backup verified, no damage found\n", "%s backups verified, no damage found\n",
                         report->n_backups),
                first);
    else
        fprintf(out,
                ngettext("%s backup verified, none of them damaged\n", "%s backups verified, none of them damaged\n",
                         report->n_backups),
                first);
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    add_blobs(table, report);
    add_data(table, report, read);
    add_cycle(table, report);
    table_print(table, out, 2);
    print_damaged(out, report);
    if (damaged > 0)
        print_newest_whole(out, report);
    print_orphans(out, report);
}

int command_verify(Session *session, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0};
    _cleanup_(verify_report_done) VerifyReport report = {0};
    if (session_open_repo(session, err) < 0 || session_resolve(session, &ids, err) < 0)
        return -1;
    const VerifyOptions options = {
        .ids = &ids,
        .app = options_text(session->options, OPT_APP),
        .percent = options_number(session->options, OPT_READ_DATA, 0),
        .jobs = (size_t)options_number(session->options, OPT_JOBS, 0),
        .list_orphans = options_flag(session->options, OPT_ORPHANS),
    };
    if (verify_run(session->repo, &options, &report, &session->findings, &session->progress, err) < 0)
        return -1;
    if (report.orphans_known)
        session->run.repository_bytes = report.bytes + report.orphan_bytes;
    if (session->json)
        session_set(session, "verify", json_of_report(&report));
    else
        print_report(session->out, &report, options.percent > 0);
    return 0;
}
