/* What kura writes into the comment of a database that it made or keeps, so that a later run knows it for its own.
 * Pure.
 *
 *   kura kept "site" as "site_before_x" oid "16400" at "2026-11-22T03:15:00.123456Z" by "20261122T031500Z-site-x7k2"
 *   the comment it had, from the second line on
 *
 * Memberships that are borrowed follow in the first line: one of 16 and newer that had neither option before, one of an
 * older server:
 *
 *   .. by "x" lent "owner" to "maker" grantor "postgres" stamp "745" was "" lent "app" to "maker" stamp "745"
 *
 * Name and OID are in it so that neither a copy (which brings its comment along) nor a database that a person has
 * renamed since passes for kura's. */
#ifndef KURA_DBMARK_H
#define KURA_DBMARK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "kura/kept.h"

typedef struct DbMark {
    KeptState state;
    char *database; /* the name it stands for */
    char *name;     /* what it was called when it was marked */
    uint32_t oid;
    char at[KEPT_AT_SIZE]; /* when, in UTC */
    char *by;              /* the backup's id, "archive", or "undo": what it was made from, or replaced by */
    Loans loans;           /* what is borrowed while it is what it is */
    char *comment;         /* the database's own, NULL: none */
} DbMark;

/* Whether the comment (may be NULL) is a mark. */
bool dbmark_parse(const char *comment, DbMark *ret);
void dbmark_done(DbMark *mark); /* NULL-safe */
/* The comment's text; to be freed. */
char *dbmark_format(const DbMark *mark);
/* The moment of a mark, in whole seconds; -1 when text is none. */
time_t dbmark_moment(const char *at);
/* Whether the mark belongs to the database of this name and OID. */
bool dbmark_is_of(const DbMark *mark, const char *name, uint32_t oid);
/* A comment that came from elsewhere, without a mark that some other database had: borrowed from comment, or NULL. */
const char *dbmark_strip(const char *comment);

#endif
