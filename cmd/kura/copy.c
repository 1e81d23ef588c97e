#include "kura/copy.h"

#include "commands.h"
#include "kura/words.h"
#include "other.h"
#include "screen.h"
#include "table.h"
#include "text.h"

static size_t count_state(const CopyReport *report, CopyState state)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n_backups; i++)
        n += report->backups[i].state == state;
    return n;
}

static json_t *json_of_copy(const CopyBackup *backup)
{
    return json_pack("{s:o, s:o, s:s, s:I, s:I}", "id", json_text(backup->id), "target_id",
                     backup->target_id ? json_text(backup->target_id) : json_null(), "state",
                     copy_state_name(backup->state), "blobs", (json_int_t)backup->blobs, "bytes",
                     (json_int_t)backup->bytes);
}

static json_t *json_of_copies(const CopyReport *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->n_backups; i++)
        json_array_append_new(array, json_of_copy(&report->backups[i]));
    return array;
}

static void print_copies(FILE *out, const CopyReport *report, bool plan)
{
    char first[TEXT_SIZE], second[TEXT_SIZE];
    CopyState wanted = plan ? COPY_PLANNED : COPY_DONE;
    uint64_t blobs = 0, bytes = 0;
    _cleanup_(table_free_cleanup) Table *table = table_new(_("backup|>blobs|>bytes|"));
    for (size_t i = 0; i < report->n_backups; i++) {
        const CopyBackup *backup = &report->backups[i];
        if (backup->state == COPY_THERE)
            continue;
        blobs += backup->blobs;
        bytes += backup->bytes;
        table_row(table, backup->id, text_count(backup->blobs, first), text_bytes(backup->bytes, second),
                  backup->state == COPY_DAMAGED ? _("not copied: it is damaged") : "");
    }
    if (!table_is_empty(table))
        table_print(table, out, 0);
    size_t n = count_state(report, wanted);
    fprintf(out,
            plan ? ngettext("%zu backup to copy, %s blobs (%s); %zu there already\n",
                            "%zu backups to copy, %s blobs (%s); %zu there already\n", n)
                 : ngettext("%zu backup copied, %s blobs (%s); %zu there already\n",
                            "%zu backups copied, %s blobs (%s); %zu there already\n", n),
            n, text_count(blobs, first), text_bytes(bytes, second), count_state(report, COPY_THERE));
}

static void tell(Session *session, const CopyReport *report, bool plan)
{
    for (size_t i = 0; i < report->n_backups; i++)
        if (report->backups[i].state == COPY_DONE)
            session->run.new_bytes += report->backups[i].bytes;
    if (session->json)
        session_set(session, "copies", json_of_copies(report));
    else
        print_copies(session->out, report, plan);
}

static int run(Session *session, Other *other, Error *err)
{
    const Options *options = session->options;
    _cleanup_(strvec_done) StrVec ids = {0};
    _cleanup_(copy_report_done) CopyReport report = {0};
    _cleanup_free_ char *cache = session_cache_dir(options);
    if (session_resolve(session, &ids, err) < 0)
        return -1;
    const CopyOptions copy = {.ids = &ids,
                              .app = options_text(options, OPT_APP),
                              .cache_dir = cache,
                              .plan = options_flag(options, OPT_PLAN),
                              .verify = options_flag(options, OPT_VERIFY_COPY),
                              .decrypt = options_flag(options, OPT_DECRYPT)};
    int rc = copy_run(session->repo, other->repo, &copy, &report, &session->findings, &session->progress, err);
    if (rc == 0 || (report.n_backups > 0 && !session->json)) /* copies stay, whatever happened behind them */
        tell(session, &report, copy.plan);
    return rc;
}

int command_copy(Session *session, Error *err)
{
    const char *to = options_text(session->options, OPT_TO);
    if (to == NULL) {
        error_set(err, ERR_USAGE, "no repository to copy into is named");
        return error_hint(err, "Give --to with a location, or with the name of a [repository NAME] section.");
    }
    Other other = {0};
    int rc = session_open_repo(session, err);
    if (rc == 0)
        rc = other_open(session, to, REPO_WRITE, &other, err);
    if (rc == 0)
        rc = run(session, &other, err);
    other_close(&other);
    return rc;
}
