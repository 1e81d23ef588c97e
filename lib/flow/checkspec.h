/* The constraint that "kura check" is asked about. */
#ifndef KURA_CHECKSPEC_H
#define KURA_CHECKSPEC_H

#include "kura/buf.h"
#include "kura/check.h"

typedef struct CheckTable {
    char *name;     /* as SQL, perhaps with a schema */
    StrVec columns; /* names */
} CheckTable;

typedef struct CheckSpec {
    CheckTable table;
    CheckTable parent; /* of a foreign key; without columns: its primary key */
    char *expression;  /* of a check */
    StrVec words;      /* identifiers in it, as names: columns perhaps */
} CheckSpec;

int checkspec_parse(CheckKind kind, const char *text, CheckSpec *ret, Error *err);
void checkspec_done(CheckSpec *spec);

#endif
