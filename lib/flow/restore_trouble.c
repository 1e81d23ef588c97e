/* What pg_restore could not do. Its messages carry no SQLSTATE (libpq shows one only to a client that asks, and
 * pg_restore does not), and their words depend on the server's version and language. So the refused statement is run
 * once more by ourselves, in a transaction that is rolled back, and that time we look. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classify.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "restore_priv.h"

enum { LEARN_MAX = 100, LEARN_SECONDS = 60 };

static bool begins_with(const char *text, const char *beginning)
{
    return text && strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Several pg_restores at work write to one standard error: then the entry that one of them named may not be the one
 * that another had an error with. The statement tells. */
static const TocEntry *entry_of(const Restore *restore, const RestoreMessage *message)
{
    const TocEntry *named = message->dump_id > 0 ? toc_find(restore->toc, message->dump_id) : NULL;
    if (named == NULL || message->command == NULL || begins_with(named->defn, message->command))
        return named;
    for (size_t i = 0; i < restore->toc->n_entries; i++)
        if (*message->command && begins_with(restore->toc->entries[i].defn, message->command))
            return &restore->toc->entries[i];
    return named; /* a statement that pg_restore made itself, about this entry */
}

static int connect_as(Restore *restore, Doer doer, PgConn **ret, Error *err)
{
    if (doer == DOER_SELF)
        return target_connect(restore, NULL, ret, err);
    return target_connect_helped(restore, ret, err);
}

/* sqlstate stays "" where it cannot be learned: the statement works now, takes too long, or may not stand in a
 * transaction. */
static int learn(PgConn *conn, const char *statement, char sqlstate[6], Error *err)
{
    Error refused = ERROR_INIT;
    _cleanup_free_ char *begin =
        xasprintf("BEGIN; SET LOCAL check_function_bodies = off; SET LOCAL lock_timeout = '10s';"
                  "SET LOCAL statement_timeout = '%ds'",
                  LEARN_SECONDS);
    if (pg_exec(conn, begin, err) < 0)
        return -1;
    if (pg_exec(conn, statement, &refused) < 0 && (refused.code == ERR_CONNECTION || refused.code == ERR_INTERRUPTED)) {
        *err = refused;
        return -1;
    }
    if (strcmp(refused.sqlstate, "57014") != 0 && strcmp(refused.sqlstate, "25001") != 0)
        memcpy(sqlstate, refused.sqlstate, sizeof refused.sqlstate);
    return pg_exec(conn, "ROLLBACK", err);
}

/* A connection that fails leaves the state unknown, which is never taken for the lesser evil. */
static void learn_all(Restore *restore, const RestoreMessages *messages, Doer doer, char (*sqlstates)[6])
{
    PgConn *conn = NULL;
    Error err = ERROR_INIT;
    size_t learned = 0;
    for (size_t i = 0; i < messages->n && learned < LEARN_MAX && stop_signal() == 0; i++) {
        const RestoreMessage *message = &messages->v[i];
        const char *statement = message->error ? message->command : NULL;
        if (statement == NULL)
            continue;
        learned++;
        if (conn == NULL && connect_as(restore, doer, &conn, &err) < 0)
            return;
        if (learn(conn, statement, sqlstates[i], &err) < 0)
            break;
    }
    pg_close(conn);
}

/* speaker: who said text. */
static void tell(Restore *restore, const Classified *verdict, const char *object, const char *next, const char *speaker,
                 const char *text, const char *sqlstate)
{
    static const char *const codes[] = {"restore-harmless", "restore-action", "restore-loss"};
    findings_add(restore->findings, trouble_severity(verdict->class), codes[verdict->class], next,
                 "%s: %s: %s; %s said: %s (%s)", words_get(trouble_class_name(verdict->class)), object,
                 words_get(verdict->consequence), speaker, text, sqlstate[0] ? sqlstate : _("no SQLSTATE"));
}

static char *name_of(const TocEntry *entry)
{
    bool qualified = entry && entry->namespace && *entry->namespace;
    return entry ? xasprintf("%s %s%s%s", entry->desc, qualified ? entry->namespace : "", qualified ? "." : "",
                             entry->tag ? entry->tag : "")
                 : xstrdup(_("pg_restore's session"));
}

static void record(Restore *restore, const TocEntry *entry)
{
    pthread_mutex_lock(&restore->failed_mutex);
    xgrow(&restore->failed, &restore->cap_failed, restore->n_failed);
    restore->failed[restore->n_failed++] = entry ? entry->dump_id : 0;
    pthread_mutex_unlock(&restore->failed_mutex);
}

int trouble_report(Restore *restore, RestoreMessages *messages, Doer doer, Error *err)
{
    size_t lost = 0;
    char(*sqlstates)[6] = xcalloc(messages->n + 1, sizeof *sqlstates);
    learn_all(restore, messages, doer, sqlstates);
    for (size_t i = 0; i < messages->n; i++) {
        const RestoreMessage *message = &messages->v[i];
        if (!message->error) {
            findings_add(restore->findings, FINDING_NOTE, "restore-said", NULL,
                         "%s: it ended nothing; pg_restore said: %s", words_get(trouble_class_name(TROUBLE_HARMLESS)),
                         message->text);
            continue;
        }
        const TocEntry *entry = entry_of(restore, message);
        Trouble trouble = {.sqlstate = sqlstates[i],
                           .desc = entry ? entry->desc : NULL,
                           .command = message->command,
                           .preamble = message->preamble};
        Classified verdict = classify(&trouble);
        _cleanup_free_ char *name = name_of(entry);
        tell(restore, &verdict, name, verdict.next, "pg_restore", message->text, sqlstates[i]);
        lost += verdict.class == TROUBLE_LOSS;
        if (verdict.class != TROUBLE_HARMLESS)
            record(restore, entry);
    }
    free(sqlstates);
    return lost == 0 ? 0
                     : error_set(err, ERR_TOOL,
                                 ngettext("pg_restore met %zu error by which data is lost",
                                          "pg_restore met %zu errors by which data is lost", lost),
                                 lost);
}

int trouble_own(Restore *restore, const OwnTrouble *own, const Error *refused, Error *err)
{
    if (refused->code != ERR_SERVER || stop_signal() != 0) {
        *err = *refused;
        return -1;
    }
    Trouble trouble = {.sqlstate = refused->sqlstate, .desc = own->desc, .command = own->statement};
    Classified verdict = classify(&trouble);
    _cleanup_free_ char *object = xasprintf("%s %s", own->desc, own->object);
    _cleanup_free_ char *again = own->statement ? xasprintf(_("Once the cause is gone: %s;"), own->statement) : NULL;
    const char *next = refused->hint[0] ? refused->hint : verdict.next;
    if (verdict.class == TROUBLE_ACTION && again)
        next = again;
    tell(restore, &verdict, object, next, _("the server"), refused->message, refused->sqlstate);
    if (own->is_lack && verdict.class != TROUBLE_HARMLESS)
        record(restore, own->entry);
    if (verdict.class != TROUBLE_LOSS)
        return 0;
    *err = *refused;
    return error_wrap(err, "%s", object);
}

void trouble_remedy(Error *err)
{
    const char *next = err->code == ERR_SERVER && err->hint[0] == 0 ? trouble_next(err->sqlstate) : NULL;
    if (next)
        error_hint(err, "%s", words_get(next));
}

bool trouble_lacks(Restore *restore, const TocEntry *entry)
{
    if (restore->limited && restore->rights.make[entry_place(restore, entry)] == DOER_NONE)
        return true;
    for (size_t i = 0; i < restore->n_failed; i++)
        if (restore->failed[i] == entry->dump_id)
            return true;
    return false;
}
