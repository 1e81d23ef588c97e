#include "loan.h"

#include <string.h>

#include "kura/catalog.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/stop.h"

typedef struct Grants {
    CatalogMembership *v;
    size_t n;
} Grants;

static void grants_done(Grants *grants)
{
    for (size_t i = 0; i < grants->n; i++)
        free(grants->v[i].grantor);
    free(grants->v);
    *grants = (Grants){0};
}

static bool has_options(PgConn *conn)
{
    return pg_server_version(conn) >= 160000;
}

static const CatalogMembership *by_grantor(const Grants *grants, const char *grantor)
{
    for (size_t i = 0; i < grants->n; i++)
        if (strcmp(grants->v[i].grantor ? grants->v[i].grantor : "", grantor ? grantor : "") == 0)
            return &grants->v[i];
    return NULL;
}

/* What the grant made different, by comparing before and after: who is recorded as grantor is the server's choice. */
static void record(Loans *loans, PgConn **from, const char *role, const Grants *before, const Grants *after)
{
    for (size_t i = 0; i < after->n; i++) {
        const CatalogMembership *now = &after->v[i], *was = by_grantor(before, now->grantor);
        if (was && was->inherits == now->inherits && was->becomes == now->becomes)
            continue;
        xgrow(&loans->v, &loans->cap, loans->n);
        loans->v[loans->n++] = (Loan){.from = from,
                                      .role = xstrdup(role),
                                      .grantor = has_options(*from) ? xstrdup_null(now->grantor) : NULL,
                                      .changed = was != NULL,
                                      .inherits = was && was->inherits,
                                      .becomes = was && was->becomes};
    }
}

static int grant(PgConn *conn, const char *role, const char *member, Grants *before, Grants *after, Error *err)
{
    _cleanup_free_ char *group = sql_quote_ident(role), *to = sql_quote_ident(member);
    if (pg_exec(conn, "BEGIN", err) < 0 || catalog_memberships(conn, role, member, &before->v, &before->n, err) < 0 ||
        pg_execf(conn, err, "GRANT %s TO %s%s", group, to, has_options(conn) ? " WITH INHERIT TRUE, SET TRUE" : "") <
            0 ||
        catalog_memberships(conn, role, member, &after->v, &after->n, err) < 0)
        return -1;
    return pg_exec(conn, "COMMIT", err);
}

int loan_take(Loans *loans, PgConn **from, const char *role, const char *member, Error *err)
{
    Grants before = {0}, after = {0};
    stop_hold();
    int rc = grant(*from, role, member, &before, &after, err);
    if (rc == 0)
        record(loans, from, role, &before, &after);
    else
        pg_exec(*from, "ROLLBACK", NULL);
    stop_release();
    grants_done(&before);
    grants_done(&after);
    return rc < 0 ? error_wrap(err, "borrowing membership in role \"%s\"", role) : 0;
}

static char *return_statement(const Loan *loan, const char *member)
{
    _cleanup_free_ char *group = sql_quote_ident(loan->role), *from = sql_quote_ident(member);
    _cleanup_free_ char *grantor = loan->grantor ? sql_quote_ident(loan->grantor) : NULL;
    if (loan->changed)
        return xasprintf("GRANT %s TO %s WITH INHERIT %s, SET %s GRANTED BY %s", group, from,
                         loan->inherits ? "TRUE" : "FALSE", loan->becomes ? "TRUE" : "FALSE", grantor);
    return xasprintf("REVOKE %s FROM %s%s%s", group, from, grantor ? " GRANTED BY " : "", grantor ? grantor : "");
}

void loans_return(Loans *loans, const char *member, Findings *findings)
{
    stop_hold();
    while (loans->n > 0) {
        Loan *loan = &loans->v[--loans->n];
        Error err = ERROR_INIT;
        _cleanup_free_ char *statement = return_statement(loan, member);
        if (*loan->from == NULL || pg_exec(*loan->from, statement, &err) < 0) {
            _cleanup_free_ char *hint = xasprintf("Take it back by hand: %s;", statement);
            findings_add(findings, FINDING_WARNING, "membership-left", hint,
                         "the membership of \"%s\" in role \"%s\" that this restore borrowed could not be taken back: "
                         "%s",
                         member, loan->role, *loan->from ? err.message : "the connection is lost");
        }
        free(loan->role);
        free(loan->grantor);
    }
    stop_release();
    free(loans->v);
    *loans = (Loans){0};
}
