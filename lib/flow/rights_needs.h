/* What the server wants for an entry's definition. Pure. */
#ifndef KURA_RIGHTS_NEEDS_H
#define KURA_RIGHTS_NEEDS_H

#include <stdbool.h>

#include "kura/toc.h"

/* Whether only a superuser may run the definition: types without a safe input, code in untrusted languages, operator
 * classes, everything about foreign servers (whose wrapper belongs to a superuser) and replication of whole schemas. */
bool needs_superuser(const Toc *toc, const TocEntry *entry);
/* Whether an entry may be left out, with a finding: nothing that holds rows or runs code of the application. */
bool may_be_skipped(const TocEntry *entry);
/* Whether two entries' relation is that of an object and something about it (comment, grant, label). */
bool is_about_another(const TocEntry *entry);

#endif
