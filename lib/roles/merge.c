/* When two roles become one, their grants may become the same grant. Grants add up, so a second equal one does no harm;
 * kura drops it because two of the same are hard to read, and because one case does harm: a right that went round a
 * circle of grantors comes back to the role that it started from, which the server refuses. Between a REVOKE and a
 * GRANT nothing is merged and nothing changes places: "REVOKE ALL FROM a; GRANT SELECT TO b" still ends with the right
 * to SELECT when a and b are one. */
#include <stdint.h>
#include <string.h>

#include "kura/mem.h"
#include "rewrite.h"

/* (Without WITH GRANT OPTION, both of its ends are at the statement's start.) */
static char *make_key(const Rewrite *rewrite, const RewriteStatement *statement)
{
    Buf key = BUF_INIT(SIZE_MAX / 2);
    rewrite_append(rewrite, statement, statement->from, statement->grant_option_from, &key);
    rewrite_append(rewrite, statement, statement->grant_option_to, statement->to, &key);
    return (char *)key.data;
}

/* Makes the keys of all grants that are left. Returns how many. */
static size_t collect(Rewrite *rewrite, RewriteStatement **ret)
{
    size_t n = 0, run = 0;
    RoleSqlKind last = ROLE_SQL_OTHER;
    for (size_t i = 0; i < rewrite->n; i++) {
        RewriteStatement *statement = &rewrite->v[i];
        if (statement->dropped || (statement->kind != ROLE_SQL_GRANT && statement->kind != ROLE_SQL_REVOKE))
            continue;
        run += statement->kind != last;
        last = statement->kind;
        statement->run = run;
        statement->key = make_key(rewrite, statement);
        ret[n++] = statement;
    }
    return n;
}

static int compare_grants(const RewriteStatement *a, const RewriteStatement *b)
{
    if (a->run != b->run)
        return a->run < b->run ? -1 : 1;
    return strcmp(a->key, b->key);
}

static int compare(const void *left, const void *right)
{
    const RewriteStatement *a = *(RewriteStatement *const *)left, *b = *(RewriteStatement *const *)right;
    int order = compare_grants(a, b);
    if (order == 0)
        order = strcmp(a->grantor ? a->grantor : "", b->grantor ? b->grantor : "");
    return order ? order : a->from < b->from ? -1 : a->from > b->from;
}

static bool same_grantor(const RewriteStatement *a, const RewriteStatement *b)
{
    return strcmp(a->grantor ? a->grantor : "", b->grantor ? b->grantor : "") == 0;
}

/* Of equal grants by one grantor the first stays, or the first WITH GRANT OPTION. */
static void drop_repeated(Rewrite *rewrite, RewriteStatement **grants, size_t n)
{
    RewriteStatement *best = grants[0];
    for (size_t i = 1; i < n; i++) {
        if (!same_grantor(best, grants[i])) {
            best = grants[i];
        } else if (grants[i]->grant_option && !best->grant_option) {
            rewrite_drop(rewrite, best);
            best = grants[i];
        } else {
            rewrite_drop(rewrite, grants[i]);
        }
    }
}

/* Who has a right WITH GRANT OPTION needs it from nobody else, and may be the one who passed it on to him. */
static void drop_circular(Rewrite *rewrite, RewriteStatement **grants, size_t n)
{
    const RewriteStatement *first = NULL;
    for (size_t i = 0; i < n; i++)
        if (!grants[i]->dropped && grants[i]->grant_option && (first == NULL || grants[i]->from < first->from))
            first = grants[i];
    for (size_t i = 0; i < n && first; i++) {
        RewriteStatement *grant = grants[i];
        bool merged = grant->n_edits > 0 || first->n_edits > 0;
        if (grant != first && !grant->dropped && grant->grant_option && grant->grantor && merged)
            rewrite_drop(rewrite, grant);
    }
}

void rewrite_merge(Rewrite *rewrite)
{
    _cleanup_free_ RewriteStatement **grants = xcalloc(rewrite->n, sizeof(RewriteStatement *));
    size_t n = collect(rewrite, grants), end;
    qsort(grants, n, sizeof *grants, compare);
    for (size_t start = 0; start < n; start = end) {
        for (end = start + 1; end < n && compare_grants(grants[start], grants[end]) == 0; end++)
            ;
        drop_repeated(rewrite, grants + start, end - start);
        drop_circular(rewrite, grants + start, end - start);
    }
}
