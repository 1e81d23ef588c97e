/* What a restore without superuser borrows, when: tried before there is anything to lose, in force from the hand-over
 * of the objects to the renaming of the database, whose transaction also ends it where one connection can do both. */
#include "kept_priv.h"
#include "kura/log.h"
#include "kura/stop.h"
#include "restore_priv.h"

int rights_settle(Restore *restore, Error *err)
{
    LoanConns conns = {{restore->helper, restore->admin}};
    KeptDatabases list;
    if (kept_list(restore->admin, restore->database, &list, err) < 0)
        return -1;
    int rc = loans_settle(&list, &conns, restore->plan, pg_user(restore->admin), &restore->still_lent,
                          restore->findings, err);
    kept_databases_done(&list);
    return rc;
}

static int take_all(Restore *restore, const StrVec *roles, PgConn *from, Error *err)
{
    for (size_t i = 0; i < roles->n; i++)
        if (loan_take(&restore->loans, from, roles->v[i], restore->self.user, err) < 0)
            return -1;
    return 0;
}

/* The grants of both connections, in a transaction of each. */
static int lend(Restore *restore, Error *err)
{
    if (pg_exec(restore->admin, "BEGIN", err) < 0 || (restore->helper && pg_exec(restore->helper, "BEGIN", err) < 0))
        return -1;
    if (take_all(restore, &restore->borrow_self, restore->admin, err) < 0)
        return -1;
    return restore->helper ? take_all(restore, &restore->borrow_helper, restore->helper, err) : 0;
}

static void end_transactions(Restore *restore)
{
    pg_exec(restore->admin, "ROLLBACK", NULL);
    if (restore->helper)
        pg_exec(restore->helper, "ROLLBACK", NULL);
}

static bool borrows(const Restore *restore)
{
    return restore->borrow_self.n + restore->borrow_helper.n > 0;
}

int rights_try_borrow(Restore *restore, Error *err)
{
    if (!borrows(restore))
        return 0;
    stop_hold();
    int rc = lend(restore, err);
    end_transactions(restore);
    loans_done(&restore->loans);
    stop_release();
    return rc;
}

/* The mark is written by the connection that commits first: no grant is in force that it does not tell. */
static int lend_and_mark(Restore *restore, Error *err)
{
    PgConn *first = *target_closing_slot(restore);
    PgConn *second = first == restore->admin ? restore->helper : restore->admin;
    if (lend(restore, err) < 0 || target_mark(restore, KEPT_BUILDING, err) < 0 || pg_exec(first, "COMMIT", err) < 0)
        return -1;
    return second ? pg_exec(second, "COMMIT", err) : 0;
}

int rights_borrow(Restore *restore, Error *err)
{
    if (!borrows(restore))
        return 0;
    if (target_admin(restore, err) < 0 || (restore->helper && target_helper(restore, err) < 0))
        return -1;
    stop_hold();
    int rc = lend_and_mark(restore, err);
    if (rc < 0)
        end_transactions(restore);
    stop_release();
    return rc;
}

void rights_return(Restore *restore)
{
    Error err = ERROR_INIT;
    if (restore->loans.n == 0)
        return;
    if (target_admin(restore, &err) < 0 || (restore->aid.user && target_helper(restore, &err) < 0))
        log_debug("giving back what was borrowed: %s", err.message);
    LoanConns conns = {{restore->helper, restore->admin}};
    if (loans_return(&restore->loans, &conns, restore->findings))
        target_close_ledger(restore);
    loans_done(&restore->loans);
}
