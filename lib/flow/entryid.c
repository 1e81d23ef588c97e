#include "entryid.h"

#include <string.h>

#include "kura/mem.h"

int entryid_compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

bool entryid_is_default_acl(const TocEntry *entry)
{
    return entryid_compare_text(entry->desc, "DEFAULT ACL") == 0;
}

bool entryid_is_about_database(const TocEntry *entry)
{
    return toc_entry_is(entry, "DATABASE") || toc_entry_is(entry, "DATABASE PROPERTIES") ||
           (entry->tag && strncmp(entry->tag, "DATABASE ", 9) == 0);
}

/* Default privileges of several roles share type, namespace and tag: their owner tells them apart. */
int entryid_compare(const TocEntry *a, const TocEntry *b)
{
    int order = entryid_compare_text(a->desc, b->desc);
    if (order == 0)
        order = entryid_compare_text(a->namespace, b->namespace);
    if (order == 0)
        order = entryid_compare_text(a->tag, b->tag);
    if (order == 0 && entryid_is_default_acl(a))
        order = entryid_compare_text(a->owner, b->owner);
    if (order == 0 && a->desc && strncmp(a->desc, "OPERATOR", 8) == 0)
        order = entryid_compare_text(a->drop_stmt, b->drop_stmt); /* has the operand types, or the access method */
    return order;
}

char *entryid_name(const TocEntry *entry)
{
    bool qualified = entry->namespace && *entry->namespace;
    return xasprintf("%s %s%s%s", entry->desc, qualified ? entry->namespace : "", qualified ? "." : "",
                     entry->tag ? entry->tag : "");
}
