/* Finding pg_dump, pg_restore and their versions. */
#ifndef KURA_PGTOOLS_H
#define KURA_PGTOOLS_H

#include "kura/error.h"

typedef struct PgTools {
    char *bindir;
    char *pg_dump, *pg_restore; /* paths */
    char *version;              /* "15.18" */
    int major;
} PgTools;

/* Looks in bindir_option (if given: only there), else in /usr/lib/postgresql/<major>/bin, `pg_config --bindir`, and
 * PATH. Takes the lowest major that is >= at_least (the server's own when it is there). ERR_TOOL lists what was found
 * and names Debian's package
 * ("install postgresql-client-17"). */
int pgtools_find(const char *bindir_option, int at_least, PgTools *ret, Error *err);
void pgtools_done(PgTools *tools);

#endif
