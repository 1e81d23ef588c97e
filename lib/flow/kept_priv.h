/* The databases that kura marked for one name: what undo, prune and restore have in common. */
#ifndef KURA_KEPT_PRIV_H
#define KURA_KEPT_PRIV_H

#include "kura/kept.h"
#include "kura/pg.h"

/* All that are marked as standing for database `name` and still are what the mark says; newest first. */
int kept_list(PgConn *admin, const char *name, KeptDatabases *ret, Error *err);
void kept_database_done(KeptDatabase *database);

#endif
