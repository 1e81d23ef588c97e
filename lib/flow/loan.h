/* Memberships that a restore without superuser borrows: granted to the restoring role for its time, given back on every
 * way out, so that pg_auth_members is what it was. */
#ifndef KURA_LOAN_H
#define KURA_LOAN_H

#include <stdbool.h>

#include "kura/buf.h"
#include "kura/findings.h"
#include "kura/pg.h"

typedef struct Loan {
    PgConn **from; /* the connection that granted, and takes back */
    char *role;
    char *grantor;          /* in whose name; NULL: before 16 */
    bool changed;           /* the grant was there and got other options */
    bool inherits, becomes; /* which it had */
} Loan;

typedef struct Loans {
    Loan *v;
    size_t n, cap;
} Loans;

/* Grants role to member through *from, with the options that let it act as the role and become it. The connection's
 * variable is remembered: it must be there when the loan is returned. A stop waits until it is known what was granted.
 */
int loan_take(Loans *loans, PgConn **from, const char *role, const char *member, Error *err);
/* Gives everything back; what cannot be is a warning with the statement that does it. Frees the loans. */
void loans_return(Loans *loans, const char *member, Findings *findings);

#endif
