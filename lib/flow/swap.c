#include "swap.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "evict.h"
#include "kura/clock.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "targetdb.h"

enum { PATIENCE_SECONDS = 30, RECOVERY_SECONDS = 60, LISTED_MAX = 8 };

#define OBJECT_IN_USE "55006"
#define LOCK_NOT_AVAILABLE "55P03"

static int set_comment(PgConn *admin, const char *quoted, const char *comment, Error *err)
{
    _cleanup_free_ char *literal = comment ? sql_quote_literal(comment) : xstrdup("NULL");
    return pg_execf(admin, err, "COMMENT ON DATABASE %s IS %s", quoted, literal);
}

static int move(PgConn *admin, const SwapMove *move, Error *err)
{
    _cleanup_free_ char *from = sql_quote_ident(move->from), *to = sql_quote_ident(move->to), *is = NULL;
    if (pg_execf(admin, err, "ALTER DATABASE %s RENAME TO %s", from, to) < 0 ||
        set_comment(admin, to, move->comment, err) < 0 || catalog_database_name(admin, move->oid, &is, err) < 0)
        return -1;
    if (is && strcmp(is, move->to) == 0)
        return 0;
    return error_set(err, ERR_FAILED, "database \"%s\" is not the one that it was a moment ago", move->from);
}

static int in_transaction(PgConn *admin, const Swap *swap, bool *ret_committing, Error *err)
{
    *ret_committing = false;
    if (pg_exec(admin,
                "BEGIN; SET LOCAL lock_timeout = '5s';"
                " SELECT pg_catalog.set_config('synchronous_commit', 'on', true)"
                " WHERE pg_catalog.current_setting('synchronous_commit') = 'off'",
                err) < 0)
        return -1;
    for (size_t i = 0; i < swap->n_moves; i++)
        if (move(admin, &swap->moves[i], err) < 0)
            return -1;
    if (swap->also)
        swap->also(admin, swap->ctx);
    *ret_committing = true;
    return pg_exec(admin, "COMMIT", err);
}

/* The answer to COMMIT got lost, as when the server was killed: it knows whether it had done it. */
static int ask_afterwards(PgConn **admin, Swap *swap, bool *ret_done, Error *err)
{
    const SwapMove *last = &swap->moves[swap->n_moves - 1];
    double deadline = clock_monotonic() + RECOVERY_SECONDS;
    Error why = ERROR_INIT;
    do {
        _cleanup_free_ char *name = NULL;
        pg_close(*admin);
        *admin = NULL;
        error_clear(&why);
        if (targetdb_connect_admin(swap->conninfo, swap->name, admin, &why) == 0 &&
            catalog_database_name(*admin, last->oid, &name, &why) == 0) {
            *ret_done = name && strcmp(name, last->to) == 0;
            return 0;
        }
        nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
    } while (clock_monotonic() < deadline);
    swap->unknown = true;
    error_wrap(err, "whether database \"%s\" has changed is not known", swap->name);
    return error_hint(err,
                      "Nothing is lost: once the server is back, \"kura prune --old-databases\" lists what kura keeps, "
                      "and \"kura undo --plan\" what could be put in its place.");
}

/* A stop waits for the end of the transaction: afterwards it is known which name the database has. */
static int attempt(PgConn **admin, Swap *swap, PgConn *second, Error *err)
{
    uint32_t oids[ARRAY_SIZE(swap->moves)];
    size_t n = 0;
    for (size_t i = 0; i < swap->n_moves; i++)
        if (swap->moves[i].evict)
            oids[n++] = swap->moves[i].oid;
    bool committing, done = false;
    stop_hold();
    Evictor *evictor = evictor_begin(second, PQbackendPID(pg_raw(*admin)), oids, n);
    int rc = in_transaction(*admin, swap, &committing, err);
    evictor_end(evictor, &swap->ended);
    if (rc < 0 && committing && err->code == ERR_CONNECTION)
        rc = ask_afterwards(admin, swap, &done, err) == 0 && done ? 0 : -1;
    else if (rc < 0)
        pg_exec(*admin, "ROLLBACK", NULL);
    stop_release();
    return rc;
}

static void list_blockers(PgConn *admin, const Swap *swap, StrVec *ret)
{
    for (size_t i = 0; i < swap->n_moves; i++) {
        CatalogSessions sessions = {0};
        CatalogHolds holds = {0};
        if (catalog_sessions(admin, &swap->moves[i].oid, 1, &sessions, NULL) == 0)
            for (size_t j = 0; j < sessions.n; j++)
                strvec_pushf(ret,
                             sessions.v[j].ours_to_end ? _("process %s of role \"%s\" (%s)")
                                                       : _("process %s of role \"%s\" (%s), which we may not end"),
                             sessions.v[j].pid, sessions.v[j].role ? sessions.v[j].role : "",
                             sessions.v[j].application);
        if (catalog_database_holds(admin, swap->moves[i].oid, &holds, NULL) == 0)
            for (size_t j = 0; j < holds.prepared.n; j++)
                strvec_pushf(ret, _("prepared transaction \"%s\""), holds.prepared.v[j]);
        catalog_sessions_done(&sessions);
        catalog_holds_done(&holds);
    }
}

static char *join(const StrVec *list)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(64 * 1024);
    for (size_t i = 0; i < list->n && i < LISTED_MAX; i++)
        buf_printf(&out, NULL, "%s%s", i ? "; " : "", list->v[i]);
    if (list->n > LISTED_MAX)
        buf_printf(&out, NULL, _("; and %zu more"), list->n - LISTED_MAX);
    return xstrdup(buf_str(&out));
}

static int still_in_use(PgConn *admin, const Swap *swap, Error *err)
{
    _cleanup_(strvec_done) StrVec blockers = {0};
    list_blockers(admin, swap, &blockers);
    if (blockers.n == 0)
        return error_wrap(err, "renaming database \"%s\"", swap->name);
    _cleanup_free_ char *text = join(&blockers);
    error_set(err, ERR_SERVER, "database \"%s\" is in use: %s", swap->name, text);
    memcpy(err->sqlstate, OBJECT_IN_USE, sizeof OBJECT_IN_USE);
    return error_hint(err, "Stop what is connected to it; end a prepared transaction with COMMIT PREPARED or ROLLBACK "
                           "PREPARED from a session of that database.");
}

/* A prepared transaction forbids the renaming and is nobody's to end but its application's: then no session is
 * disturbed for nothing. */
static int has_prepared(PgConn *admin, const Swap *swap, bool *ret, Error *err)
{
    *ret = false;
    for (size_t i = 0; i < swap->n_moves; i++) {
        CatalogHolds holds;
        if (catalog_database_holds(admin, swap->moves[i].oid, &holds, err) < 0)
            return -1;
        *ret |= holds.prepared.n > 0;
        catalog_holds_done(&holds);
    }
    return 0;
}

static bool may_pass(const Error *err)
{
    return strcmp(err->sqlstate, OBJECT_IN_USE) == 0 || strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0;
}

static int until_done(PgConn **admin, Swap *swap, PgConn *second, Error *err)
{
    double deadline = clock_monotonic() + PATIENCE_SECONDS;
    for (;;) {
        bool prepared;
        error_clear(err);
        if (has_prepared(*admin, swap, &prepared, err) < 0)
            return -1;
        if (!prepared && attempt(admin, swap, second, err) == 0)
            return 0;
        if (!prepared && !may_pass(err))
            return -1;
        if (clock_monotonic() > deadline)
            return still_in_use(*admin, swap, err);
        if (stop_check(err) < 0)
            return -1;
        nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
    }
}

int swap_run(PgConn **admin, Swap *swap, Error *err)
{
    PgConn *second;
    Error why = ERROR_INIT;
    if (targetdb_connect_admin(swap->conninfo, swap->name, &second, err) < 0)
        return -1;
    int rc = until_done(admin, swap, second, &why);
    pg_close(second);
    if (rc < 0 && err)
        *err = why;
    return rc;
}

void swap_done(Swap *swap)
{
    strvec_done(&swap->ended);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void swap_tell(const Swap *swap, Findings *findings)
{
    const StrVec *ended = &swap->ended;
    _cleanup_(strvec_done) StrVec counts = {0};
    if (ended->n == 0)
        return;
    qsort(ended->v, ended->n, sizeof *ended->v, by_text);
    for (size_t i = 0, first = 0; i < ended->n; i++) {
        if (i + 1 < ended->n && strcmp(ended->v[i + 1], ended->v[first]) == 0)
            continue;
        strvec_pushf(&counts, _("%zu of %s"), i + 1 - first, ended->v[first]);
        first = i + 1;
    }
    _cleanup_free_ char *text = join(&counts);
    findings_add(findings, FINDING_NOTE, "sessions-ended", NULL,
                 ngettext("%zu session of database \"%s\" was ended: %s",
                          "%zu sessions of database \"%s\" were ended: %s", ended->n),
                 ended->n, swap->name, text);
}

int swap_check_holds(PgConn *admin, uint32_t oid, const char *name, const char *to, Findings *findings, Error *err)
{
    CatalogHolds holds;
    if (catalog_database_holds(admin, oid, &holds, err) < 0)
        return -1;
    for (size_t i = 0; i < holds.slots.n; i++)
        findings_add(findings, FINDING_WARNING, "slot-moves",
                     "Its consumer must be told the other name, or a slot be made in the new database. A slot that "
                     "nobody reads keeps the server's WAL: drop it with pg_drop_replication_slot() when it is over.",
                     "logical replication slot \"%s\" of database \"%s\" belongs to \"%s\" afterwards",
                     holds.slots.v[i], name, to);
    for (size_t i = 0; i < holds.subscriptions.n; i++)
        findings_add(findings, FINDING_WARNING, "subscription-moves",
                     "ALTER SUBSCRIPTION .. DISABLE there, unless it shall go on; a restored one is disabled until "
                     "ALTER SUBSCRIPTION .. ENABLE.",
                     "subscription \"%s\" of database \"%s\" goes on in \"%s\" afterwards", holds.subscriptions.v[i],
                     name, to);
    catalog_holds_done(&holds);
    return 0;
}

static int check_prepared(PgConn *admin, uint32_t oid, const char *name, Findings *findings, Error *err)
{
    CatalogHolds holds;
    if (catalog_database_holds(admin, oid, &holds, err) < 0)
        return -1;
    for (size_t i = 0; i < holds.prepared.n; i++)
        findings_add(findings, FINDING_WARNING, "prepared-transaction",
                     "End it with COMMIT PREPARED or ROLLBACK PREPARED from a session of that database: as long as it "
                     "is there nobody can rename the database.",
                     "database \"%s\" holds the prepared transaction \"%s\"", name, holds.prepared.v[i]);
    catalog_holds_done(&holds);
    return 0;
}

int swap_check(PgConn *admin, uint32_t oid, const char *name, bool evict, const StrVec *becomes, Findings *findings,
               Error *err)
{
    bool may;
    _cleanup_free_ char *owner = NULL;
    CatalogSessions sessions;
    if (catalog_may_rename(admin, oid, &may, &owner, err) < 0 || check_prepared(admin, oid, name, findings, err) < 0 ||
        catalog_sessions(admin, &oid, 1, &sessions, err) < 0)
        return -1;
    if (!may && !(becomes && strvec_contains(becomes, owner)))
        findings_add(
            findings, FINDING_ERROR, "may-not-rename",
            "Connect as a superuser, or as a role with CREATEDB that is a member of the owner; a restore takes "
            "a superuser's connection with --admin-db, too.",
            "role \"%s\" may not rename database \"%s\" of role \"%s\"", pg_user(admin), name, owner);
    size_t others = 0;
    for (size_t i = 0; i < sessions.n; i++)
        others += !sessions.v[i].ours_to_end &&
                  !(becomes && sessions.v[i].role && strvec_contains(becomes, sessions.v[i].role));
    if (sessions.n > 0)
        findings_add(findings, FINDING_NOTE, "database-in-use",
                     !evict ? N_("Stop the application before the end: a database in use cannot be renamed.")
                     : others > 0
                         ? N_("Those that we have no right to end must be stopped before the end; a superuser, or "
                              "a member of pg_signal_backend, has the right to end those of ordinary roles.")
                         : N_("They are ended when the database gets its name; an application that connects again "
                              "by itself then finds the other one."),
                     ngettext("%zu session is connected to database \"%s\"",
                              "%zu sessions are connected to database \"%s\"", sessions.n),
                     sessions.n, name);
    catalog_sessions_done(&sessions);
    return 0;
}

int swap_now(PgConn *admin, char text[KEPT_AT_SIZE], Error *err)
{
    _cleanup_free_ char *now = NULL;
    if (pg_query_value(admin,
                       "SELECT pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', "
                       "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
                       0, NULL, &now, err) < 0)
        return -1;
    snprintf(text, KEPT_AT_SIZE, "%s", now);
    return 0;
}
