/* What kura knows about each type of TOC entry: the words of pg_dump's ArchiveEntry() calls, PostgreSQL 9.0 to 18. */
#ifndef KURA_ENTRYKIND_H
#define KURA_ENTRYKIND_H

#include <stdbool.h>

#include "kura/toc.h"

typedef enum EntryKind {
    ENTRY_UNKNOWN,
    ENTRY_PLAIN,        /* names roles in its owner field alone */
    ENTRY_ACL,          /* GRANT, REVOKE and SET SESSION AUTHORIZATION */
    ENTRY_DEFAULT_ACL,  /* ALTER DEFAULT PRIVILEGES */
    ENTRY_POLICY,       /* CREATE POLICY .. TO */
    ENTRY_USER_MAPPING, /* CREATE USER MAPPING FOR; its tag and drop statement name the role too */
    ENTRY_DB_SETTINGS,  /* ALTER ROLE .. IN DATABASE .. SET */
} EntryKind;

typedef struct EntryType {
    const char *desc;
    EntryKind kind;
    bool ownable;  /* pg_restore prints ALTER .. OWNER TO for it (_getObjectDescription in pg_backup_archiver.c) */
    bool literals; /* its text may hold role names in string literals or in a body of code */
} EntryType;

/* Never NULL: a type that kura does not know is ENTRY_UNKNOWN. */
const EntryType *entry_type(const char *desc);
/* Whether the entry's owner field decides who owns something after a restore. */
bool entry_is_owned(const TocEntry *entry);
/* "FUNCTION public.f(integer)", to be freed. */
char *entry_label(const TocEntry *entry);

#endif
