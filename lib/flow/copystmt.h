/* The COPY statement of a TABLE DATA entry, taken apart. */
#ifndef KURA_COPYSTMT_H
#define KURA_COPYSTMT_H

#include <stdbool.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/toc.h"

typedef struct CopyStmt {
    char *target; /* qualified and quoted, as in the statement: the partition root where rows are loaded via the root */
    char *columns; /* "(a, \"B\")" or "" for a table without columns */
    bool via_root; /* target is not the entry's own table */
} CopyStmt;

int copystmt_parse(const TocEntry *entry, CopyStmt *ret, Error *err);
void copystmt_done(CopyStmt *stmt);

/* "COPY ns.tag (columns) TO STDOUT"; with a condition ("WHERE ..", may be NULL) as COPY (SELECT .. FROM ONLY ..). */
char *copystmt_out(const CopyStmt *stmt, const TocEntry *entry, const char *condition);
/* "COPY target (columns) FROM STDIN", with FREEZE if asked. */
char *copystmt_in(const CopyStmt *stmt, bool freeze);
/* "ns.tag" quoted. */
char *copystmt_table(const TocEntry *entry);

#endif
