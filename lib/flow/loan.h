/* Memberships that a restore without superuser borrows: granted to the restoring role for its time, given back on every
 * way out, so that pg_auth_members is what it was. Whoever takes one writes it into the mark of the restore's database
 * (dbmark.h) before it is in force: after a kill the next run knows of it. */
#ifndef KURA_LOAN_H
#define KURA_LOAN_H

#include <stdbool.h>

#include "kura/findings.h"
#include "kura/kept.h"
#include "kura/pg.h"

/* Grants role to member, with the options that let it act as the role and become it, in the transaction that conn is
 * in. */
int loan_take(Loans *loans, PgConn *conn, const char *role, const char *member, Error *err);
void loans_done(Loans *loans);

/* The connections that may have the right to give back; NULL among them are skipped. */
typedef struct LoanConns {
    PgConn *v[2];
} LoanConns;

/* Gives everything back that still is as it was granted, through the first connection that can. What somebody else has
 * granted since stays, with a note; what cannot be given back is a warning with the statement that does it, and then it
 * returns false. */
bool loans_return(const Loans *loans, const LoanConns *conns, Findings *findings);
/* As part of the transaction that conn is in, what conn has the right to; the rest stays for loans_return(). */
void loans_return_within(const Loans *loans, PgConn *conn);

/* Gives back what restores borrowed that did not end, by the marks of their databases, and tells so. plan: only tells,
 * and adds the roles that are lent to `borrower` to *lent (both may be NULL). Else the caller holds the lock on the
 * name. */
int loans_settle(const KeptDatabases *databases, const LoanConns *conns, bool plan, const char *borrower, StrVec *lent,
                 Findings *findings, Error *err);

#endif
