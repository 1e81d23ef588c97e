/* How a restored database gets its name. Until it has it, its comment says what it is and for which name, so that a
 * later run knows what a killed one left. */
#include <string.h>

#include "dbmark.h"
#include "kept_priv.h"
#include "kura/databases.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "restore_priv.h"
#include "swap.h"
#include "targetdb.h"

static const char *source(const Restore *restore)
{
    return restore->manifest ? restore->manifest->id : "archive";
}

static int write_mark(Restore *restore, DbMark *mark, Error *err)
{
    PgConn *conn;
    mark->database = restore->database;
    mark->by = (char *)source(restore);
    mark->loans = restore->loans;
    if (target_closing(restore, &conn, err) < 0 || swap_now(conn, mark->at, err) < 0)
        return -1;
    _cleanup_free_ char *text = dbmark_format(mark), *literal = sql_quote_literal(text);
    _cleanup_free_ char *quoted = sql_quote_ident(mark->name);
    return pg_execf(conn, err, "COMMENT ON DATABASE %s IS %s", quoted, literal);
}

int target_mark(Restore *restore, KeptState state, Error *err)
{
    DbMark mark = {.state = state, .name = restore->scratch, .oid = restore->scratch_oid, .comment = restore->comment};
    return write_mark(restore, &mark, err);
}

int target_mark_building(Restore *restore, Error *err)
{
    return target_mark(restore, restore->options->trial ? KEPT_REHEARSAL : KEPT_BUILDING, err);
}

/* The mark goes with the name, in a transaction of ours; what another connection lent it takes back after that. In
 * between an empty database tells of it. */
static int open_ledger(Restore *restore, Error *err)
{
    DbMark mark = {.state = KEPT_BUILDING};
    if (restore->loans.n == 0 || restore->helper == NULL || restore->aid.superuser)
        return 0;
    restore->ledger = mark.name = target_free_name(restore, "kura");
    _cleanup_free_ char *quoted = sql_quote_ident(mark.name);
    if (pg_execf(restore->admin, err, "CREATE DATABASE %s TEMPLATE template0", quoted) < 0 ||
        catalog_database_oid(restore->admin, mark.name, &mark.oid, err) < 0)
        return error_wrap(err, "making a database that tells what is borrowed");
    return write_mark(restore, &mark, err);
}

void target_close_ledger(Restore *restore)
{
    Error err = ERROR_INIT;
    if (restore->ledger && (target_admin(restore, &err) < 0 ||
                            targetdb_drop(restore->admin, restore->options->db, restore->ledger, false, &err) < 0))
        findings_add(restore->findings, FINDING_WARNING, "scratch-left", "Drop it by hand with DROP DATABASE.",
                     "the empty database \"%s\", which told what was borrowed, could not be dropped: %s",
                     restore->ledger, err.message);
    free(restore->ledger);
    restore->ledger = NULL;
}

/* Only its owner, and who has his rights, may drop a database. */
static int may_drop(Restore *restore, const KeptDatabase *left, bool *ret, char **ret_owner, Error *err)
{
    PgConn *conn = restore->aid.superuser ? restore->helper : restore->admin;
    return catalog_may_rename(conn, left->oid, ret, ret_owner, err);
}

static int tell_unfinished(Restore *restore, const KeptDatabase *left, Error *err)
{
    bool may;
    _cleanup_free_ char *owner = NULL;
    if (may_drop(restore, left, &may, &owner, err) < 0)
        return -1;
    if (may || strvec_contains(&restore->becomes, owner))
        findings_add(restore->findings, FINDING_NOTE, "restore-unfinished",
                     "This restore drops it, unless the other one is still at work.",
                     "database \"%s\" was begun at %.19sZ by a restore that did not end", left->name, left->at);
    else
        findings_add(restore->findings, FINDING_WARNING, "restore-unfinished",
                     "Drop it as its owner or as a superuser; a restore with --admin-db of a superuser does so, too.",
                     "database \"%s\", begun at %.19sZ by a restore that did not end, stays: it belongs to role \"%s\"",
                     left->name, left->at, owner);
    return 0;
}

int target_check_leftovers(Restore *restore, Error *err)
{
    KeptDatabases list;
    if (kept_list(restore->admin, restore->database, &list, err) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < list.n; i++) {
        const KeptDatabase *left = &list.v[i];
        if (left->state == KEPT_BUILDING)
            rc = tell_unfinished(restore, left, err);
        else if (left->state == KEPT_COMPLETE)
            findings_add(restore->findings, FINDING_NOTE, "restore-not-in-place",
                         "\"kura undo\" with its name puts it in place; \"kura prune --old-databases\" drops it.",
                         "database \"%s\" is a complete restore of %s that did not get its name", left->name, left->by);
    }
    kept_databases_done(&list);
    return rc;
}

int target_check_swap(Restore *restore, Error *err)
{
    uint32_t existing;
    if (catalog_database_oid(restore->admin, restore->database, &existing, err) < 0)
        return -1;
    if (existing == 0)
        return 0;
    if (swap_check(*target_closing_slot(restore), existing, restore->database, restore->options->swap,
                   restore->limited ? &restore->becomes : NULL, restore->findings, err) < 0)
        return -1;
    return swap_check_holds(restore->admin, existing, restore->database, restore->kept, restore->findings, err);
}

static int drop_leftover(Restore *restore, const char *name, bool force, Error *err)
{
    PgConn *conn;
    if (target_closing(restore, &conn, err) < 0 ||
        targetdb_drop(conn, target_closing_conninfo(restore), name, force, err) < 0)
        return error_wrap(err, "dropping what an earlier restore left");
    findings_add(restore->findings, FINDING_NOTE, "leftover-dropped", NULL,
                 "database \"%s\", which an earlier restore had left unfinished, was dropped", name);
    return 0;
}

static bool is_scratch_name(const char *database, const char *name)
{
    enum { DIGITS = 4 };
    _cleanup_free_ char *like = targetdb_name_with(database, "_kura_0000");
    size_t len = strlen(like) - DIGITS;
    return strlen(name) == len + DIGITS && strncmp(name, like, len) == 0 &&
           strspn(name + len, "0123456789abcdef") == DIGITS;
}

/* A kura that is killed while the server makes the database cannot mark it. */
static int drop_untouched(Restore *restore, Error *err)
{
    const StrVec *databases = &restore->target.databases;
    for (size_t i = 0; i < databases->n; i++) {
        bool untouched;
        if (!is_scratch_name(restore->database, databases->v[i]) || restore->scratch_exists)
            continue;
        if (targetdb_is_untouched(restore->admin, restore->options->db, databases->v[i], &untouched, err) < 0 ||
            (untouched && drop_leftover(restore, databases->v[i], false, err) < 0))
            return -1;
    }
    return 0;
}

int target_drop_leftovers(Restore *restore, Error *err)
{
    KeptDatabases list;
    if (kept_list(restore->admin, restore->database, &list, err) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < list.n; i++) {
        bool may = false;
        _cleanup_free_ char *owner = NULL;
        if (list.v[i].state == KEPT_BUILDING && list.v[i].oid != restore->scratch_oid)
            rc = may_drop(restore, &list.v[i], &may, &owner, err);
        if (rc == 0 && may)
            rc = drop_leftover(restore, list.v[i].name, true, err);
    }
    kept_databases_done(&list);
    return rc < 0 ? -1 : drop_untouched(restore, err);
}

/* The restored database has what the backup has; what the old one had besides stays with the old one. */
static int tell_differences(Restore *restore, uint32_t existing, Error *err)
{
    _cleanup_(strvec_done) StrVec differences = {0};
    if (!restore->options->swap || restore->target.database_empty)
        return 0;
    if (catalog_database_differences(restore->admin, existing, restore->scratch_oid, restore->database, &differences,
                                     err) < 0)
        return -1;
    for (size_t i = 0; i < differences.n; i++) {
        _cleanup_free_ char *hint =
            xasprintf(_("If it shall be as before: %s; an undo brings back the old one's."), differences.v[i]);
        findings_add(restore->findings, FINDING_WARNING, "database-property-differs", hint,
                     "the restored database has the backup's properties, the replaced one had: %s", differences.v[i]);
    }
    return 0;
}

static char *mark_of_replaced(const Restore *restore, uint32_t existing, Error *err)
{
    _cleanup_free_ char *comment = NULL;
    DbMark mark = {.state = KEPT_OLD,
                   .database = restore->database,
                   .name = restore->kept,
                   .oid = existing,
                   .by = (char *)source(restore)};
    if (swap_now(restore->admin, mark.at, err) < 0 ||
        catalog_database_comment(restore->admin, existing, &comment, err) < 0)
        return NULL;
    mark.comment = (char *)dbmark_strip(comment);
    return dbmark_format(&mark);
}

static int swap(Restore *restore, uint32_t existing, Swap *swap, Error *err)
{
    _cleanup_free_ char *mark = existing ? mark_of_replaced(restore, existing, err) : NULL;
    if (existing && mark == NULL)
        return -1;
    if (existing)
        swap->moves[swap->n_moves++] = (SwapMove){.oid = existing,
                                                  .from = restore->database,
                                                  .to = restore->kept,
                                                  .comment = mark,
                                                  .evict = restore->options->swap};
    swap->moves[swap->n_moves++] = (SwapMove){.oid = restore->scratch_oid,
                                              .from = restore->scratch,
                                              .to = restore->database,
                                              .comment = restore->comment,
                                              .evict = true};
    return swap_run(target_closing_slot(restore), swap, err);
}

static void return_loans(PgConn *conn, void *ctx)
{
    loans_return_within(ctx, conn);
}

static int look_and_swap(Restore *restore, Swap *ret, Error *err)
{
    uint32_t existing;
    if (target_admin(restore, err) < 0 || target_mark(restore, KEPT_COMPLETE, err) < 0 || open_ledger(restore, err) < 0)
        return -1;
    *ret = (Swap){.conninfo = target_closing_conninfo(restore),
                  .name = restore->database,
                  .also = return_loans,
                  .ctx = &restore->loans};
    if (catalog_database_oid(restore->admin, restore->database, &existing, err) < 0)
        return -1;
    if (existing && restore->kept == NULL)
        return error_set(err, ERR_EXISTS, "a database \"%s\" has been created in the meantime", restore->database);
    if (existing == 0) {
        free(restore->report->replaced);
        restore->report->replaced = NULL;
    } else if (tell_differences(restore, existing, err) < 0) {
        return -1;
    }
    return swap(restore, existing, ret, err);
}

int target_rename(Restore *restore, Error *err)
{
    Swap swap = {0};
    int rc = look_and_swap(restore, &swap, err);
    bool marked = swap.name != NULL, stays = rc == 0 || swap.unknown || (marked && stop_signal() == 0);
    swap_tell(&swap, restore->findings);
    if (rc < 0)
        error_wrap(err, "giving the restored database its name");
    if (rc < 0 && stays && !swap.unknown)
        error_hint(err,
                   "The restored database is complete and is called \"%s\". Once the cause is gone, \"kura undo\" with "
                   "that name puts it in place.",
                   restore->scratch);
    if (stays)
        target_keep(restore);
    swap_done(&swap);
    return rc;
}
