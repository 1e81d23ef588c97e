#include <string.h>

#include "commands.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"
#include "unlock.h"

enum { REWRAP_THREADS = 4 }; /* each holds one object twice */

static int open_encrypted(Session *session, RepoUse use, Error *err)
{
    if (session_open_repo_for(session, use, err) < 0)
        return -1;
    if (repo_is_encrypted(session->repo))
        return 0;
    error_set(err, ERR_USAGE, "the repository \"%s\" is not encrypted", store_name(session->store));
    return error_hint(err, "A repository is encrypted from the start: \"kura init --encrypt\" makes such a one.");
}

/* ---- list ---- */

/* What a list shows of one recipient. */
typedef struct KeyRow {
    char text[AGE_RECIPIENT_SIZE];
    bool listed, pinned;
} KeyRow;

static void add_row(Session *session, const KeyRow *row, Table *table, json_t *array)
{
    bool has_key_file = repo_pinning(session->repo) != REPO_PINNED_NONE;
    if (session->json)
        json_array_append_new(array, json_pack("{s:s, s:b, s:b}", "recipient", row->text, "in_repository", row->listed,
                                               "pinned", row->pinned));
    else
        table_row(table, row->text,
                  !has_key_file  ? "-"
                  : !row->listed ? _("yes, but not a recipient any more")
                  : row->pinned  ? _("yes")
                                 : _("NO"));
}

static void list_recipients(Session *session, Table *table, json_t *array)
{
    size_t n, n_pinned;
    const AgeRecipient *recipients = repo_recipients(session->repo, &n),
                       *pinned = repo_pinned(session->repo, &n_pinned);
    for (size_t i = 0; i < n; i++) {
        KeyRow row = {.listed = true, .pinned = recipients_contain(pinned, n_pinned, &recipients[i])};
        age_recipient_format(&recipients[i], row.text);
        add_row(session, &row, table, array);
    }
    for (size_t i = 0; i < n_pinned; i++) {
        KeyRow row = {.pinned = true};
        age_recipient_format(&pinned[i], row.text);
        if (!recipients_contain(recipients, n, &pinned[i]))
            add_row(session, &row, table, array);
    }
}

static int key_list(Session *session, Error *err)
{
    if (open_encrypted(session, REPO_LOOK, err) < 0)
        return -1;
    bool has_key_file = repo_pinning(session->repo) != REPO_PINNED_NONE;
    json_t *array = json_array();
    _cleanup_(table_free_cleanup) Table *table = table_new(_("recipient|trusted by this host"));
    list_recipients(session, table, array);
    if (session->json) {
        session_set(session, "key",
                    json_pack("{s:o, s:o, s:b}", "recipients", array, "key_file",
                              json_text(repo_key_file(session->repo)), "key_file_exists", has_key_file));
        return 0;
    }
    json_decref(array);
    _cleanup_free_ char *path = text_escaped(repo_key_file(session->repo) ? repo_key_file(session->repo) : "-");
    table_print(table, session->out, 0);
    fprintf(session->out, has_key_file ? _("key file  %s\n") : _("key file  %s (there is none)\n"), path);
    return 0;
}

/* ---- add, pin ---- */

static void tell_added(Session *session, const char *recipient, const RewrapTotals *totals)
{
    char objects[TEXT_SIZE], rewritten[TEXT_SIZE];
    if (session->json)
        session_set(session, "key",
                    json_pack("{s:s, s:I, s:I, s:I}", "added", recipient, "objects", (json_int_t)totals->objects,
                              "rewritten", (json_int_t)totals->rewritten, "failed", (json_int_t)totals->failed));
    else
        fprintf(session->out, _("recipient %s can read the repository: %s objects, %s given a new header\n"), recipient,
                text_count(totals->objects, objects), text_count(totals->rewritten, rewritten));
}

static int key_add(Session *session, const char *text, Error *err)
{
    AgeRecipient recipient;
    RewrapTotals totals;
    if (age_recipient_parse(text, &recipient, err) < 0)
        return error_wrap(err, "recipient");
    if (open_encrypted(session, REPO_READ, err) < 0 ||
        repo_add_recipient(session->repo, &recipient, REWRAP_THREADS, &totals, &session->findings, &session->progress,
                           err) < 0)
        return -1;
    tell_added(session, text, &totals);
    return 0;
}

static int key_pin(Session *session, Error *err)
{
    if (open_encrypted(session, REPO_READ, err) < 0 || repo_pin(session->repo, err) < 0)
        return -1;
    if (session->json) {
        session_set(session, "key",
                    json_pack("{s:o, s:o}", "pinned", json_of_recipients(session->repo), "key_file",
                              json_text(repo_key_file(session->repo))));
        return 0;
    }
    size_t n;
    const AgeRecipient *recipients = repo_recipients(session->repo, &n);
    _cleanup_free_ char *path = text_escaped(repo_key_file(session->repo));
    fprintf(session->out, _("key file %s: this host now encrypts for\n"), path);
    for (size_t i = 0; i < n; i++) {
        char text[AGE_RECIPIENT_SIZE];
        age_recipient_format(&recipients[i], text);
        fprintf(session->out, "  %s\n", text);
    }
    return 0;
}

int command_key(Session *session, Error *err)
{
    const StrVec *args = &session->options->args;
    if (strcmp(args->v[0], "list") == 0 && args->n == 1)
        return key_list(session, err);
    if (strcmp(args->v[0], "pin") == 0 && args->n == 1)
        return key_pin(session, err);
    if (strcmp(args->v[0], "add") == 0 && args->n == 2)
        return key_add(session, args->v[1], err);
    error_set(err, ERR_USAGE, "the arguments of key are wrong");
    return error_hint(err, "Write \"kura key list\", \"kura key add RECIPIENT\" or \"kura key pin\".");
}
