/* What lies between an application's code and its database, asked and shown. */
#ifndef KURA_CMD_SCHEMAVIEW_H
#define KURA_CMD_SCHEMAVIEW_H

#include "kura/schema.h"
#include "session.h"

typedef struct SchemaAnswer {
    SchemaHistory code, database;
    SchemaDifference difference;
    char *place;         /* of the code */
    char *where;         /* of the database */
    const char *migrate; /* what a person runs to migrate; NULL: not known */
} SchemaAnswer;

/* By --tool, --dir, --db, and what the application's configuration says where they do not. The database is only read,
 * in a transaction that is rolled back: a connection pooler may give the session to somebody else. */
int schema_ask(Session *session, SchemaAnswer *ret, Error *err);
void schema_answer_done(SchemaAnswer *answer);

json_t *json_of_schema(const SchemaAnswer *answer);
void print_schema(FILE *out, const SchemaAnswer *answer);
/* 0, or what an exit status says of it; post_ok: migrations that may wait for the new code are fine. */
int schema_exit_status(const SchemaAnswer *answer, bool post_ok);

#endif
