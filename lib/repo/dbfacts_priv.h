/* Facts about a database as JSON. */
#ifndef KURA_DBFACTS_PRIV_H
#define KURA_DBFACTS_PRIV_H

#include "jsonnode_priv.h"
#include "kura/dbfacts.h"

/* A new reference. */
json_t *dbfacts_to_json(const DbFacts *facts);
/* Fills *ret, which is zeroed; on failure too, partly: dbfacts_done either way. */
int dbfacts_read(const JsonNode *node, DbFacts *ret, Error *err);

#endif
