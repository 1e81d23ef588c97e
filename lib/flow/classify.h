/* What a refused statement means for the restored database. Pure: by SQLSTATE, the type of the TOC entry and the stage
 * of the restore; never by the words of a message, which depend on version and language. */
#ifndef KURA_CLASSIFY_H
#define KURA_CLASSIFY_H

#include <stdbool.h>

#include "kura/findings.h"

typedef enum TroubleClass {
    TROUBLE_HARMLESS, /* the database is what was asked for, but for what the consequence names */
    TROUBLE_ACTION,   /* something is missing or wrong, no row is */
    TROUBLE_LOSS,     /* rows are missing, or nobody can tell */
} TroubleClass;

typedef struct Trouble {
    const char *sqlstate; /* five characters; "" or NULL: unknown */
    const char *desc;     /* type of the TOC entry ("INDEX"), NULL: of none */
    const char *command;  /* the statement that was refused, or its beginning; NULL: unknown */
    bool preamble;        /* pg_restore was setting up its session */
} Trouble;

typedef struct Classified {
    TroubleClass class;
    const char *consequence; /* of the database or the application; no period */
    const char *next;        /* a sentence: what to do, with the command; NULL: nothing */
} Classified;

/* Always gives a verdict: what is not known to be less is TROUBLE_ACTION, for data TROUBLE_LOSS. */
Classified classify(const Trouble *trouble);

/* A sentence: what to do about a SQLSTATE before another attempt; NULL: nothing is known. */
const char *trouble_next(const char *sqlstate);

/* "harmless", "needs action", "data loss". */
const char *trouble_class_name(TroubleClass class);
/* The severity that makes the exit status follow the class: note, warning, error. */
Severity trouble_severity(TroubleClass class);

#endif
