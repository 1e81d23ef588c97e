/* Which entry of one TOC is which of another: by what it names, never by its number. Pure. */
#ifndef KURA_ENTRYID_H
#define KURA_ENTRYID_H

#include "kura/toc.h"

/* Order of texts; NULL is as "". */
int entryid_compare_text(const char *a, const char *b);
int entryid_compare(const TocEntry *a, const TocEntry *b);
bool entryid_is_default_acl(const TocEntry *entry);
/* Of the database itself, whose name differs while it is being restored. */
bool entryid_is_about_database(const TocEntry *entry);
/* "TABLE public.note"; to be freed. */
char *entryid_name(const TocEntry *entry);

#endif
