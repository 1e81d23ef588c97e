#include "loan.h"

#include <stdlib.h>
#include <string.h>

#include "kura/catalog.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/stop.h"
#include "kura/words.h"

static bool has_options(PgConn *conn)
{
    return pg_server_version(conn) >= 160000;
}

static bool equal(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* grantor NULL: before 16, where there is one grant at most. */
static const CatalogMembership *by_grantor(const CatalogMemberships *grants, const char *grantor)
{
    for (size_t i = 0; i < grants->n; i++)
        if (grantor == NULL || equal(grants->v[i].grantor, grantor))
            return &grants->v[i];
    return NULL;
}

/* What the grant made different, by comparing before and after: who is recorded as grantor is the server's choice. */
static void record(Loans *loans, PgConn *conn, const char *role, const char *member, const CatalogMemberships *before,
                   const CatalogMemberships *after)
{
    for (size_t i = 0; i < after->n; i++) {
        const CatalogMembership *now = &after->v[i], *was = by_grantor(before, now->grantor ? now->grantor : "");
        if (was && was->inherits == now->inherits && was->becomes == now->becomes)
            continue;
        xgrow(&loans->v, &loans->cap, loans->n);
        loans->v[loans->n++] = (Loan){.role = xstrdup(role),
                                      .member = xstrdup(member),
                                      .grantor = has_options(conn) ? xstrdup_null(now->grantor) : NULL,
                                      .stamp = xstrdup(now->stamp),
                                      .changed = was != NULL,
                                      .inherits = was && was->inherits,
                                      .becomes = was && was->becomes};
    }
}

int loan_take(Loans *loans, PgConn *conn, const char *role, const char *member, Error *err)
{
    CatalogMemberships before = {0}, after = {0};
    _cleanup_free_ char *group = sql_quote_ident(role), *to = sql_quote_ident(member);
    int rc = catalog_memberships(conn, role, member, &before, err);
    if (rc == 0)
        rc =
            pg_execf(conn, err, "GRANT %s TO %s%s", group, to, has_options(conn) ? " WITH INHERIT TRUE, SET TRUE" : "");
    if (rc == 0)
        rc = catalog_memberships(conn, role, member, &after, err);
    if (rc == 0)
        record(loans, conn, role, member, &before, &after);
    catalog_memberships_done(&before);
    catalog_memberships_done(&after);
    return rc < 0 ? error_wrap(err, "borrowing membership in role \"%s\"", role) : 0;
}

void loans_done(Loans *loans)
{
    for (size_t i = 0; i < loans->n; i++) {
        free(loans->v[i].role);
        free(loans->v[i].member);
        free(loans->v[i].grantor);
        free(loans->v[i].stamp);
    }
    free(loans->v);
    *loans = (Loans){0};
}

typedef enum LoanState {
    LOAN_GONE,        /* nothing is left of it */
    LOAN_OUTSTANDING, /* as it was granted */
    LOAN_OTHERS,      /* somebody has granted the membership since, or changed it */
} LoanState;

static int look(PgConn *conn, const Loan *loan, LoanState *ret, Error *err)
{
    CatalogMemberships now = {0};
    if (catalog_memberships(conn, loan->role, loan->member, &now, err) < 0)
        return -1;
    const CatalogMembership *grant = by_grantor(&now, loan->grantor);
    bool as_before = grant && loan->changed && grant->inherits == loan->inherits && grant->becomes == loan->becomes;
    if (grant == NULL || as_before)
        *ret = LOAN_GONE;
    else
        *ret = equal(grant->stamp, loan->stamp) && grant->inherits && grant->becomes ? LOAN_OUTSTANDING : LOAN_OTHERS;
    catalog_memberships_done(&now);
    return 0;
}

static char *return_statement(const Loan *loan)
{
    _cleanup_free_ char *group = sql_quote_ident(loan->role), *from = sql_quote_ident(loan->member);
    _cleanup_free_ char *grantor = loan->grantor ? sql_quote_ident(loan->grantor) : NULL;
    if (loan->changed)
        return xasprintf("GRANT %s TO %s WITH INHERIT %s, SET %s GRANTED BY %s", group, from,
                         loan->inherits ? "TRUE" : "FALSE", loan->becomes ? "TRUE" : "FALSE", grantor);
    return xasprintf("REVOKE %s FROM %s%s%s", group, from, grantor ? " GRANTED BY " : "", grantor ? grantor : "");
}

/* Through the first connection that lives. */
static bool look_through(const LoanConns *conns, const Loan *loan, LoanState *ret, Error *err)
{
    error_set(err, ERR_CONNECTION, "the connection is lost");
    for (size_t i = 0; i < ARRAY_SIZE(conns->v); i++)
        if (conns->v[i] && look(conns->v[i], loan, ret, err) == 0)
            return true;
    return false;
}

typedef enum Given {
    GIVEN,       /* just now */
    GIVEN_NEVER, /* there is nothing of ours to give back */
    GIVEN_NOT,   /* it cannot be, which was told */
} Given;

static Given give_back(const Loan *loan, const LoanConns *conns, Findings *findings)
{
    Error err = ERROR_INIT;
    LoanState state = LOAN_OUTSTANDING;
    _cleanup_free_ char *statement = return_statement(loan);
    bool known = look_through(conns, loan, &state, &err);
    if (known && state == LOAN_GONE)
        return GIVEN_NEVER;
    if (known && state == LOAN_OTHERS) {
        findings_add(findings, FINDING_NOTE, "membership-others", NULL,
                     "the membership of \"%s\" in role \"%s\", which a restore had borrowed, stays: somebody else has "
                     "granted it since",
                     loan->member, loan->role);
        return GIVEN_NEVER;
    }
    for (size_t i = 0; known && i < ARRAY_SIZE(conns->v); i++)
        if (conns->v[i] && pg_exec(conns->v[i], statement, &err) == 0)
            return GIVEN;
    _cleanup_free_ char *hint = xasprintf(_("Take it back by hand: %s;"), statement);
    findings_add(findings, FINDING_WARNING, "membership-left", hint,
                 "the membership of \"%s\" in role \"%s\" that a restore borrowed could not be taken back: %s",
                 loan->member, loan->role, err.message);
    return GIVEN_NOT;
}

bool loans_return(const Loans *loans, const LoanConns *conns, Findings *findings)
{
    bool all = true;
    stop_hold();
    for (size_t i = loans->n; i-- > 0;)
        all &= give_back(&loans->v[i], conns, findings) != GIVEN_NOT;
    stop_release();
    return all;
}

static int return_outstanding(PgConn *conn, const Loan *loan, Error *err)
{
    LoanState state;
    _cleanup_free_ char *statement = return_statement(loan);
    if (look(conn, loan, &state, err) < 0)
        return -1;
    return state == LOAN_OUTSTANDING ? pg_exec(conn, statement, err) : 0;
}

void loans_return_within(const Loans *loans, PgConn *conn)
{
    for (size_t i = loans->n; i-- > 0;) {
        Error err = ERROR_INIT;
        if (pg_exec(conn, "SAVEPOINT loan", &err) == 0 && return_outstanding(conn, &loans->v[i], &err) == 0)
            continue;
        log_debug("giving back role \"%s\": %s", loans->v[i].role, err.message);
        pg_exec(conn, "ROLLBACK TO SAVEPOINT loan", NULL);
    }
}

/* A mark is only a comment: what it says counts where the grant itself agrees, and where its writer can have made it.
 */
static int is_outstanding(const KeptDatabase *database, const Loan *loan, const LoanConns *conns, bool *ret, Error *err)
{
    LoanState state;
    PgConn *conn = conns->v[0] ? conns->v[0] : conns->v[1];
    *ret = false;
    if (look(conn, loan, &state, err) < 0)
        return -1;
    if (state != LOAN_OUTSTANDING)
        return 0;
    return catalog_may_borrow(conn, database->oid, loan->role, loan->member, ret, err);
}

static void settle(const Loan *loan, const LoanConns *conns, bool plan, Findings *findings)
{
    if (plan)
        findings_add(findings, FINDING_NOTE, "membership-left",
                     "A restore or an undo takes it back first, and so does \"kura prune --old-databases --drop\".",
                     "\"%s\" still is a member of role \"%s\": a restore that did not end had borrowed that",
                     loan->member, loan->role);
    else if (give_back(loan, conns, findings) == GIVEN)
        findings_add(findings, FINDING_NOTE, "membership-returned", NULL,
                     "the membership of \"%s\" in role \"%s\", which a restore that did not end had borrowed, was "
                     "taken back",
                     loan->member, loan->role);
}

static int settle_one(const KeptDatabase *database, const LoanConns *conns, bool plan, const char *borrower,
                      StrVec *lent, Findings *findings, Error *err)
{
    for (size_t i = database->loans.n; i-- > 0;) {
        const Loan *loan = &database->loans.v[i];
        bool outstanding;
        if (is_outstanding(database, loan, conns, &outstanding, err) < 0)
            return -1;
        if (!outstanding)
            continue;
        settle(loan, conns, plan, findings);
        if (plan && lent && equal(loan->member, borrower))
            strvec_push(lent, loan->role);
    }
    return 0;
}

int loans_settle(const KeptDatabases *databases, const LoanConns *conns, bool plan, const char *borrower, StrVec *lent,
                 Findings *findings, Error *err)
{
    for (size_t i = 0; i < databases->n; i++)
        if (settle_one(&databases->v[i], conns, plan, borrower, lent, findings, err) < 0)
            return error_wrap(err, "giving back what a restore had borrowed");
    return 0;
}
