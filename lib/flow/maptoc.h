/* A role map on its way into a TOC: looked at first, applied only when nothing speaks against it. */
#ifndef KURA_MAPTOC_H
#define KURA_MAPTOC_H

#include "kura/rolemap.h"

/* Surveys the roles of toc (and of facts, which may be NULL) into *ret, reports what is wrong with the map, and applies
 * it. ERR_FAILED, with toc untouched, when there were findings of severity error. map NULL: the survey alone. */
int maptoc(const RoleMap *map, const DbFacts *facts, Toc *toc, RoleUses *ret, Findings *findings, Error *err);

#endif
