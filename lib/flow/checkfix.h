/* How a constraint that would hold is added to a live table without keeping the application waiting. */
#ifndef KURA_CHECKFIX_H
#define KURA_CHECKFIX_H

#include "checkspec.h"
#include "kura/relation.h"

/* The constraint as SQL; parent NULL unless it is a foreign key. To be freed. */
char *check_constraint(CheckKind kind, const CheckSpec *spec, const CatalogRelation *parent);
/* The statements, in order; each one may be run alone. */
void check_statements_for(CheckKind kind, const CheckSpec *spec, const CatalogRelation *table, const char *constraint,
                          StrVec *ret);
/* "a, b", quoted, each with `before` in front. To be freed. */
char *check_list(const StrVec *columns, const char *before);

#endif
