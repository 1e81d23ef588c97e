#include "commands.h"
#include "kura/log.h"
#include "kura/pin.h"
#include "kura/words.h"
#include "survey.h"
#include "table.h"
#include "text.h"
#include "view.h"

typedef struct Listing {
    Session *session;
    const RepositoryReport *rehearsals; /* without backups */
    const StrVec *pinned;               /* ids */
    Table *table;
    json_t *array;
} Listing;

/* The ids of an encrypted repository do not tell the application, so that it has a column of its own there. */
static Table *new_table(const Session *session)
{
    return table_new(repo_is_encrypted(session->repo)
                         ? _("id|app|database|>rows|>files|>size|>stored new|>warnings|rehearsed|tags")
                         : _("id|database|>rows|>files|>size|>stored new|>warnings|rehearsed|tags"));
}

/* "passed, 3 h 20 min ago"; the last one counts. */
static char *rehearsed(const RepositoryReport *report, const char *id)
{
    char age[TEXT_SIZE];
    const RehearsalBrief *last = report_last_rehearsal(report, id);
    if (last == NULL)
        return xstrdup(_("never"));
    return xasprintf(_("%s, %s ago"), words_get(verdict_name(last->verdict)),
                     text_age((double)(report->now - last->started), age));
}

/* Its tags; that it is pinned stands in front of them, in brackets as no tag is likely to. */
static char *marks(const Listing *listing, const Manifest *manifest)
{
    _cleanup_free_ char *tags = view_join(&manifest->tags);
    bool pinned = strvec_contains(listing->pinned, manifest->id);
    return xasprintf("%s%s%s", pinned ? _("[pinned]") : "", pinned && tags[0] ? " " : "", tags);
}

static void add_row(const Listing *listing, const Manifest *manifest)
{
    char rows[TEXT_SIZE], files[TEXT_SIZE], bytes[TEXT_SIZE], stored[TEXT_SIZE], warnings[TEXT_SIZE];
    BackupTotals totals = backup_totals(manifest);
    _cleanup_free_ char *tags = marks(listing, manifest), *last = rehearsed(listing->rehearsals, manifest->id);
    const char *cells[] = {manifest->id,
                           manifest->app,
                           manifest->has_database ? manifest->database.facts.name : "-",
                           view_count(totals.rows, rows),
                           view_count(totals.files, files),
                           text_bytes(totals.row_bytes + totals.file_bytes, bytes),
                           text_bytes(manifest->stored_new, stored),
                           view_count(manifest->warnings.n, warnings),
                           last,
                           tags};
    bool with_app = repo_is_encrypted(listing->session->repo);
    if (!with_app)
        cells[1] = manifest->id;
    table_add(listing->table, with_app ? cells : cells + 1, ARRAY_SIZE(cells) - !with_app);
}

/* A backup that cannot be read hides none of the others. */
static int list_one(Listing *listing, const char *id, Error *err)
{
    Session *session = listing->session;
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (survey_backup(session, id, &manifest, err) < 0)
        return -1;
    if (manifest == NULL)
        return 0;
    if (!session->json) {
        add_row(listing, manifest);
        return 0;
    }
    json_t *backup = json_of_backup(manifest);
    const RehearsalBrief *last = report_last_rehearsal(listing->rehearsals, manifest->id);
    json_object_set_new(backup, "rehearsal", json_of_rehearsal_brief(last, listing->rehearsals->now));
    json_object_set_new(backup, "pinned", json_boolean(strvec_contains(listing->pinned, manifest->id)));
    json_array_append_new(listing->array, backup);
    return 0;
}

static int list_all(Session *session, const StrVec *ids, const StrVec *pinned, const RepositoryReport *rehearsals,
                    Error *err)
{
    _cleanup_(table_free_cleanup) Table *table = new_table(session);
    Listing listing = {
        .session = session, .rehearsals = rehearsals, .pinned = pinned, .table = table, .array = json_array()};
    session_set(session, "backups", listing.array);
    for (size_t i = 0; i < ids->n; i++)
        if (list_one(&listing, ids->v[i], err) < 0)
            return -1;
    if (!session->json && !table_is_empty(table))
        table_print(table, session->out, 0);
    else if (!session->json)
        log_info("no backups in %s", store_name(session->store));
    return 0;
}

int command_list(Session *session, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0}, pinned = {0};
    _cleanup_(report_done_cleanup) RepositoryReport rehearsals = {.now = time(NULL)};
    if (session_open_repo(session, err) < 0 || manifest_list(session->repo, &ids, err) < 0 ||
        pin_list(session->repo, &pinned, err) < 0 || survey_rehearsals(session, &rehearsals, err) < 0)
        return -1;
    return list_all(session, &ids, &pinned, &rehearsals, err);
}
