/* Role names where kura reports them but never changes them: in string literals and in bodies of code. */
#ifndef KURA_MENTIONS_H
#define KURA_MENTIONS_H

#include "kura/rolemap.h"

/* Counts, in `uses` (sorted by name), what an entry's definition mentions. */
void mentions_in_entry(RoleUses *uses, const TocEntry *entry);

#endif
