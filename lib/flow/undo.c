/* kura undo: the name of a database goes back to the one that had it before. Both change their names in one
 * transaction, so that there is no middle to be killed in; and since every database says itself what it is (dbmark.h),
 * an undo needs nothing but the server, whatever ended before. */
#include <stdlib.h>
#include <string.h>

#include "dbmark.h"
#include "kept_priv.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "loan.h"
#include "swap.h"
#include "targetdb.h"

typedef struct Undo {
    const UndoOptions *options;
    UndoReport *report;
    Findings *findings;
    PgConn *admin;
    uint32_t current; /* the database that has the name; 0: none */
    char *comment;    /* its own */
    char now[KEPT_AT_SIZE];
} Undo;

void undo_report_done(UndoReport *report)
{
    free(report->database);
    free(report->replaced);
    kept_database_done(&report->restored);
    *report = (UndoReport){0};
}

static int none_kept(const Undo *undo, const KeptDatabases *list, Error *err)
{
    const char *name = undo->report->database, *asked = undo->options->kept;
    if (asked)
        error_set(err, ERR_NOT_FOUND, "\"%s\" is no database that kura keeps for \"%s\"", asked, name);
    else
        error_set(err, ERR_NOT_FOUND, "kura keeps no database that was called \"%s\"", name);
    _cleanup_(buf_done) Buf names = BUF_INIT(64 * 1024);
    for (size_t i = 0; i < list->n; i++)
        buf_printf(&names, NULL, "%s\"%s\"", names.len ? ", " : "", list->v[i].name);
    if (names.len)
        return error_hint(err, "These are there for it: %s.", buf_str(&names));
    return error_hint(err,
                      "kura knows its own by their comments, which a renaming by hand makes void; \"psql -l\" lists "
                      "all databases.");
}

/* The one that is asked for, else the old one that was kept last. */
static int choose_among(Undo *undo, KeptDatabases *list, Error *err)
{
    const char *asked = undo->options->kept;
    size_t i = 0;
    while (i < list->n && (asked ? strcmp(list->v[i].name, asked) != 0 : list->v[i].state != KEPT_OLD))
        i++;
    int rc = 0;
    if (i == list->n) {
        rc = none_kept(undo, list, err);
    } else if (list->v[i].state == KEPT_BUILDING || list->v[i].state == KEPT_DIFFERS) {
        rc = error_set(err, ERR_FAILED,
                       list->v[i].state == KEPT_BUILDING
                           ? N_("database \"%s\" is a restore that did not end")
                           : N_("database \"%s\" is a restore that did not prove equal to its backup"),
                       list->v[i].name);
        error_hint(err, "Run the restore again.");
    } else {
        undo->report->restored = list->v[i];
        list->v[i] = (KeptDatabase){0};
    }
    return rc;
}

/* What a restore borrowed that was killed is given back on the way. */
static int choose(Undo *undo, Error *err)
{
    LoanConns conns = {{undo->admin}};
    KeptDatabases list;
    if (kept_list(undo->admin, undo->report->database, &list, err) < 0)
        return -1;
    int rc = loans_settle(&list, &conns, undo->options->plan, NULL, NULL, undo->findings, err);
    if (rc == 0)
        rc = choose_among(undo, &list, err);
    kept_databases_done(&list);
    return rc;
}

/* What the present holder of the name will be called: a name that no database has. */
static int choose_name(Undo *undo, Error *err)
{
    const char *name = undo->report->database;
    char compact[KEPT_AT_SIZE];
    size_t n = 0;
    for (const char *at = undo->now; *at && *at != '.'; at++)
        if (*at != '-' && *at != ':')
            compact[n++] = *at;
    compact[n++] = 'Z';
    compact[n] = 0;
    for (int attempt = 0;; attempt++) {
        _cleanup_free_ char *ending =
            attempt ? xasprintf("_before_undo_%s_%d", compact, attempt + 1) : xasprintf("_before_undo_%s", compact);
        _cleanup_free_ char *wanted = targetdb_name_with(name, ending);
        uint32_t taken;
        if (catalog_database_oid(undo->admin, wanted, &taken, err) < 0)
            return -1;
        if (taken == 0) {
            undo->report->replaced = steal(wanted);
            return 0;
        }
    }
}

static int check(Undo *undo, Error *err)
{
    const KeptDatabase *restored = &undo->report->restored;
    const char *name = undo->report->database;
    if (swap_now(undo->admin, undo->now, err) < 0 || catalog_database_oid(undo->admin, name, &undo->current, err) < 0 ||
        swap_check(undo->admin, restored->oid, restored->name, true, NULL, undo->findings, err) < 0 ||
        swap_check_holds(undo->admin, restored->oid, restored->name, name, undo->findings, err) < 0)
        return -1;
    if (restored->stale_collation) {
        _cleanup_free_ char *quoted = sql_quote_ident(name);
        _cleanup_free_ char *hint = xasprintf(_("Its indexes on text may be out of order. Afterwards, in it: REINDEX "
                                                "DATABASE %s; ALTER DATABASE %s REFRESH COLLATION VERSION;"),
                                              quoted, quoted);
        findings_add(undo->findings, FINDING_WARNING, "collation-version", hint,
                     "database \"%s\" was sorted by version %s, of the collation library", restored->name,
                     restored->stale_collation);
    }
    if (undo->current == 0)
        return 0;
    if (choose_name(undo, err) < 0 || catalog_database_comment(undo->admin, undo->current, &undo->comment, err) < 0 ||
        swap_check(undo->admin, undo->current, name, true, NULL, undo->findings, err) < 0)
        return -1;
    return swap_check_holds(undo->admin, undo->current, name, undo->report->replaced, undo->findings, err);
}

static char *mark_of_replaced(const Undo *undo)
{
    DbMark mark = {.state = KEPT_OLD,
                   .database = undo->report->database,
                   .name = undo->report->replaced,
                   .oid = undo->current,
                   .by = (char *)"undo",
                   .comment = (char *)dbmark_strip(undo->comment)};
    memcpy(mark.at, undo->now, sizeof mark.at);
    return dbmark_format(&mark);
}

static int swap(Undo *undo, Error *err)
{
    UndoReport *report = undo->report;
    _cleanup_free_ char *mark = undo->current ? mark_of_replaced(undo) : NULL;
    Swap swap = {.conninfo = undo->options->db, .name = report->database};
    if (undo->current)
        swap.moves[swap.n_moves++] = (SwapMove){
            .oid = undo->current, .from = report->database, .to = report->replaced, .comment = mark, .evict = true};
    swap.moves[swap.n_moves++] = (SwapMove){.oid = report->restored.oid,
                                            .from = report->restored.name,
                                            .to = report->database,
                                            .comment = report->restored.comment,
                                            .evict = true};
    int rc = swap_run(&undo->admin, &swap, err);
    report->sessions_ended = swap.ended.n;
    swap_tell(&swap, undo->findings);
    swap_done(&swap);
    return rc;
}

static int run(Undo *undo, Error *err)
{
    const UndoOptions *options = undo->options;
    if (targetdb_name(options->db, &undo->report->database, err) < 0 ||
        targetdb_connect_admin(options->db, undo->report->database, &undo->admin, err) < 0 ||
        (!options->plan && targetdb_lock(undo->admin, undo->report->database, err) < 0))
        return -1;
    size_t before = findings_count(undo->findings, FINDING_ERROR);
    if (choose(undo, err) < 0 || check(undo, err) < 0)
        return -1;
    if (options->plan)
        return 0;
    if (findings_count(undo->findings, FINDING_ERROR) > before)
        return error_set(err, ERR_FAILED, "nothing was changed");
    return swap(undo, err);
}

int undo_run(const UndoOptions *options, UndoReport *ret, Findings *findings, Error *err)
{
    *ret = (UndoReport){0};
    Undo undo = {.options = options, .report = ret, .findings = findings};
    int rc = run(&undo, err);
    pg_close(undo.admin);
    free(undo.comment);
    return rc;
}
