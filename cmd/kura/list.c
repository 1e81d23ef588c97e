#include <string.h>

#include "commands.h"
#include "kura/log.h"
#include "kura/stop.h"
#include "table.h"
#include "text.h"
#include "view.h"

/* The ids of an encrypted repository do not tell the application, so that it has a column of its own there. */
static Table *new_table(const Session *session)
{
    return table_new(repo_is_encrypted(session->repo) ? "id|app|database|>rows|>files|>size|>stored new|>warnings|tags"
                                                      : "id|database|>rows|>files|>size|>stored new|>warnings|tags");
}

static void add_row(const Session *session, Table *table, const Manifest *manifest)
{
    char rows[TEXT_SIZE], files[TEXT_SIZE], bytes[TEXT_SIZE], stored[TEXT_SIZE], warnings[TEXT_SIZE];
    BackupTotals totals = backup_totals(manifest);
    _cleanup_free_ char *tags = view_join(&manifest->tags);
    const char *cells[] = {manifest->id,
                           manifest->app,
                           manifest->has_database ? manifest->database.facts.name : "-",
                           view_count(totals.rows, rows),
                           view_count(totals.files, files),
                           text_bytes(totals.row_bytes + totals.file_bytes, bytes),
                           text_bytes(manifest->stored_new, stored),
                           view_count(manifest->warnings.n, warnings),
                           tags};
    bool with_app = repo_is_encrypted(session->repo);
    if (!with_app)
        cells[1] = manifest->id;
    table_add(table, with_app ? cells : cells + 1, ARRAY_SIZE(cells) - !with_app);
}

/* A backup that cannot be read hides none of the others. */
static int list_one(Session *session, const char *id, Table *table, json_t *array, Error *err)
{
    Error why = ERROR_INIT;
    const char *app = options_text(session->options, OPT_APP);
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (stop_check(err) < 0)
        return -1;
    if (manifest_load(session->repo, id, &manifest, &why) < 0) {
        bool for_others = why.code == ERR_KEY && repo_can_read(session->repo);
        if (why.code != ERR_CORRUPT && why.code != ERR_UNSUPPORTED && !for_others) {
            *err = why;
            return -1;
        }
        findings_add(&session->findings, FINDING_ERROR, "backup-unreadable", why.hint[0] ? why.hint : NULL, "%s",
                     why.message);
        return 0;
    }
    if (app != NULL && strcmp(manifest->app, app) != 0)
        return 0;
    if (session->json)
        json_array_append_new(array, json_of_backup(manifest));
    else
        add_row(session, table, manifest);
    return 0;
}

static int list_all(Session *session, const StrVec *ids, Error *err)
{
    json_t *array = json_array();
    _cleanup_(table_free_cleanup) Table *table = new_table(session);
    session_set(session, "backups", array);
    for (size_t i = 0; i < ids->n; i++)
        if (list_one(session, ids->v[i], table, array, err) < 0)
            return -1;
    if (!session->json && !table_is_empty(table))
        table_print(table, session->out, 0);
    else if (!session->json)
        log_info("no backups in %s", store_name(session->store));
    return 0;
}

int command_list(Session *session, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0};
    if (session_open_repo(session, err) < 0 || manifest_list(session->repo, &ids, err) < 0)
        return -1;
    return list_all(session, &ids, err);
}
