#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbmark.h"
#include "kept_priv.h"
#include "kura/databases.h"
#include "kura/mem.h"
#include "loan.h"

void kept_database_done(KeptDatabase *database)
{
    free(database->name);
    free(database->by);
    free(database->comment);
    loans_done(&database->loans);
    free(database->stale_collation);
    strvec_done(&database->holds);
    *database = (KeptDatabase){0};
}

void kept_databases_done(KeptDatabases *databases)
{
    if (databases == NULL)
        return;
    for (size_t i = 0; i < databases->n; i++)
        kept_database_done(&databases->v[i]);
    free(databases->v);
    *databases = (KeptDatabases){0};
}

static int newest_first(const void *a, const void *b)
{
    const KeptDatabase *first = a, *second = b;
    int order = strcmp(second->at, first->at);
    return order ? order : strcmp(first->name, second->name);
}

/* A mark that came with a copy, or that a person has renamed under, proves nothing. */
static bool take(const CatalogMarked *marked, const char *name, const char *now, KeptDatabase *ret)
{
    enum { DAY_SECONDS = 86400 };
    DbMark mark;
    if (!dbmark_parse(marked->comment, &mark))
        return false;
    bool rehearsal = mark.state == KEPT_REHEARSAL || mark.state == KEPT_REHEARSED;
    bool ours = !rehearsal && dbmark_is_of(&mark, marked->name, marked->oid) && strcmp(mark.database, name) == 0;
    if (ours) {
        *ret = (KeptDatabase){.name = xstrdup(marked->name),
                              .oid = marked->oid,
                              .state = mark.state,
                              .by = xstrdup(mark.by),
                              .comment = xstrdup_null(mark.comment),
                              .days = difftime(dbmark_moment(now), dbmark_moment(mark.at)) / DAY_SECONDS,
                              .bytes = marked->bytes,
                              .sessions = marked->sessions,
                              .loans = mark.loans};
        mark.loans = (Loans){0};
        memcpy(ret->at, mark.at, sizeof ret->at);
    }
    dbmark_done(&mark);
    return ours;
}

static int read_details(PgConn *admin, KeptDatabase *database, Error *err)
{
    CatalogHolds holds;
    if (catalog_database_holds(admin, database->oid, &holds, err) < 0)
        return -1;
    catalog_holds_list(&holds, &database->holds);
    catalog_holds_done(&holds);
    return catalog_stale_collation(admin, database->oid, &database->stale_collation, err);
}

int kept_list(PgConn *admin, const char *name, KeptDatabases *ret, Error *err)
{
    CatalogMarkedList marked;
    if (catalog_marked_databases(admin, &marked, err) < 0)
        return -1;
    KeptDatabases list = {.v = xcalloc(marked.n + 1, sizeof *list.v)};
    for (size_t i = 0; i < marked.n; i++)
        list.n += take(&marked.v[i], name, marked.now, &list.v[list.n]);
    catalog_marked_done(&marked);
    for (size_t i = 0; i < list.n; i++) {
        if (read_details(admin, &list.v[i], err) < 0) {
            kept_databases_done(&list);
            return -1;
        }
    }
    qsort(list.v, list.n, sizeof *list.v, newest_first);
    *ret = list;
    return 0;
}
