/* A rehearsal holds the advisory lock on its database's name from before it makes anything until all is dropped. So
 * what bears the name or the mark of one whose lock is free was left by a kura that was killed. */
#include <string.h>

#include "dbmark.h"
#include "kura/databases.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "loan.h"
#include "rehearse_priv.h"
#include "targetdb.h"

static const char mark_prefix[] = "kura rehearsal ";

typedef struct Sweep {
    PgConn *admin;
    const char *conninfo;
    Findings *findings;
} Sweep;

char *rehearse_role_mark(const char *name)
{
    return xasprintf("%s%s", mark_prefix, name);
}

/* A rehearsal that has lost the connection with its lock may still be at work, and the server on what a dead one had
 * asked for: the next rehearsal looks again. */
static int is_in_use(const Sweep *sweep, uint32_t oid, bool *ret, Error *err)
{
    CatalogSessions sessions;
    if (catalog_sessions(sweep->admin, &oid, 1, &sessions, err) < 0)
        return -1;
    *ret = sessions.n > 0;
    catalog_sessions_done(&sessions);
    return 0;
}

typedef enum Leftover {
    LEFTOVER_NOT_OURS,
    LEFTOVER_KEPT,      /* for a look */
    LEFTOVER_UNTOUCHED, /* what CREATE DATABASE made, and no more: there was no time to mark it */
    LEFTOVER_MARKED,
} Leftover;

/* *ret_mark, to be done with, is that of a marked one. */
static int recognize(const Sweep *sweep, const char *name, uint32_t oid, Leftover *ret, DbMark *ret_mark, Error *err)
{
    _cleanup_free_ char *comment = NULL;
    bool untouched = false;
    if (catalog_database_comment(sweep->admin, oid, &comment, err) < 0 ||
        (comment == NULL && targetdb_is_untouched(sweep->admin, sweep->conninfo, name, &untouched, err) < 0))
        return -1;
    bool marked = dbmark_parse(comment, ret_mark) && dbmark_is_of(ret_mark, name, oid);
    *ret = marked && ret_mark->state == KEPT_REHEARSAL   ? LEFTOVER_MARKED
           : marked && ret_mark->state == KEPT_REHEARSED ? LEFTOVER_KEPT
           : untouched                                   ? LEFTOVER_UNTOUCHED
                                                         : LEFTOVER_NOT_OURS;
    return 0;
}

/* The memberships that its mark tells of are given back while it is there; for that the database becomes our own, which
 * by one of them it may be. */
static void give_back(const Sweep *sweep, const char *name, const DbMark *mark)
{
    Error err = ERROR_INIT;
    if (mark->loans.n == 0)
        return;
    if (pg_execf(sweep->admin, &err, "ALTER DATABASE %s OWNER TO CURRENT_USER", name) < 0)
        log_debug("taking database \"%s\": %s", name, err.message);
    loans_return(&mark->loans, &(LoanConns){.v = {sweep->admin}}, sweep->findings);
}

static int drop_marked(const Sweep *sweep, const char *name, uint32_t oid, Leftover what, const DbMark *mark,
                       bool *ret_gone, Error *err)
{
    bool in_use = false; /* of an untouched one the server finds out: it is dropped without force */
    if (what == LEFTOVER_MARKED && is_in_use(sweep, oid, &in_use, err) < 0)
        return -1;
    if (in_use)
        return 0;
    give_back(sweep, name, mark);
    if (targetdb_drop(sweep->admin, sweep->conninfo, name, what == LEFTOVER_MARKED, err) < 0)
        return -1;
    findings_add(sweep->findings, FINDING_NOTE, "leftover-dropped", NULL,
                 "database \"%s\", which a rehearsal had left that was killed, was dropped", name);
    *ret_gone = true;
    return 0;
}

/* *ret_gone: nothing stands in the way of dropping its roles. */
static int drop_database(const Sweep *sweep, const char *name, bool *ret_gone, Error *err)
{
    uint32_t oid;
    Leftover what;
    DbMark mark = {0};
    if (catalog_database_oid(sweep->admin, name, &oid, err) < 0)
        return -1;
    *ret_gone = oid == 0;
    if (*ret_gone)
        return 0;
    int rc = recognize(sweep, name, oid, &what, &mark, err);
    if (rc == 0 && what == LEFTOVER_KEPT)
        findings_add(sweep->findings, FINDING_NOTE, "rehearsal-kept", "Drop it with DROP DATABASE; its roles follow.",
                     "database \"%s\", which a rehearsal was told to keep, is still there", name);
    if (rc == 0 && (what == LEFTOVER_MARKED || what == LEFTOVER_UNTOUCHED))
        rc = drop_marked(sweep, name, oid, what, &mark, ret_gone, err);
    dbmark_done(&mark);
    return rc;
}

static int drop_roles(const Sweep *sweep, const char *name, Error *err)
{
    _cleanup_(strvec_done) StrVec roles = {0};
    _cleanup_free_ char *mark = rehearse_role_mark(name);
    if (catalog_marked_roles(sweep->admin, mark, &roles, err) < 0)
        return -1;
    for (size_t i = 0; i < roles.n; i++) {
        _cleanup_free_ char *quoted = sql_quote_ident(roles.v[i]);
        if (pg_execf(sweep->admin, err, "DROP ROLE IF EXISTS %s", quoted) < 0)
            return error_wrap(err, "role %s", quoted);
    }
    if (roles.n > 0)
        findings_add(sweep->findings, FINDING_NOTE, "leftover-dropped", NULL,
                     ngettext("%zu role of a rehearsal that was killed, \"%s\", was dropped",
                              "%zu roles of a rehearsal that was killed, \"%s\", were dropped", roles.n),
                     roles.n, name);
    return 0;
}

/* What cannot be dropped (it is another role's, say) is told and does not keep this rehearsal from its work. */
static int drop_locked(const Sweep *sweep, const char *name, Error *err)
{
    bool gone;
    Error refused = ERROR_INIT;
    if (drop_database(sweep, name, &gone, &refused) == 0 && (!gone || drop_roles(sweep, name, &refused) == 0))
        return 0;
    if (refused.code != ERR_SERVER) {
        *err = refused;
        return -1;
    }
    findings_add(sweep->findings, FINDING_WARNING, "leftover-stays",
                 "Let a superuser run the next rehearsal, or drop database and roles of that name by hand.",
                 "what the killed rehearsal \"%s\" left could not be dropped: %s", name, refused.message);
    return 0;
}

int rehearse_drop_leftovers(PgConn *admin, const char *conninfo, Findings *findings, Error *err)
{
    const Sweep sweep = {.admin = admin, .conninfo = conninfo, .findings = findings};
    _cleanup_(strvec_done) StrVec names = {0};
    int rc = catalog_rehearsals(admin, mark_prefix, &names, err);
    for (size_t i = 0; i < names.n && rc == 0; i++) {
        bool got = false;
        rc = targetdb_try_lock(admin, names.v[i], &got, err);
        if (rc < 0 || !got) {
            log_debug("rehearsal \"%s\" is at work", names.v[i]);
            continue;
        }
        rc = drop_locked(&sweep, names.v[i], err);
        targetdb_unlock(admin, names.v[i]);
    }
    return rc < 0 ? error_wrap(err, "looking for what killed rehearsals left") : 0;
}
