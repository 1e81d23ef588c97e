#include "classify.h"

#include <stddef.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"

/* What is lost when an entry of a type cannot be made. A type that is not here is TROUBLE_ACTION. */
static const struct {
    const char *desc;
    TroubleClass class;
    const char *consequence;
} types[] = {
    {"TABLE", TROUBLE_LOSS, N_("the table and its rows are missing")},
    {"TABLE DATA", TROUBLE_LOSS, N_("rows of the table are missing")},
    {"BLOB", TROUBLE_LOSS, N_("the large object is missing")},
    {"BLOBS", TROUBLE_LOSS, N_("large objects are missing")},
    {"BLOB METADATA", TROUBLE_LOSS, N_("large objects are missing")},
    {"SEQUENCE", TROUBLE_LOSS, N_("the sequence and its value are missing")},
    {"SEQUENCE SET", TROUBLE_LOSS, N_("the sequence starts again and gives numbers that are taken")},
    {"TABLE ATTACH", TROUBLE_LOSS, N_("the partition's rows are not found through its table")},
    {"SCHEMA", TROUBLE_LOSS, N_("the schema and all that is in it are missing")},
    {"COMMENT", TROUBLE_HARMLESS, N_("only the description is missing")},
    {"EXTENSION", TROUBLE_ACTION, N_("what the extension brings, and what is built on it, is missing")},
    {"INDEX", TROUBLE_ACTION, N_("the index is missing: queries are slow, and a unique one guards nothing")},
    {"INDEX ATTACH", TROUBLE_ACTION, N_("the partition's index is not a part of its table's")},
    {"CONSTRAINT", TROUBLE_ACTION, N_("the key or constraint is missing: duplicates are accepted")},
    {"CHECK CONSTRAINT", TROUBLE_ACTION, N_("the constraint is missing: wrong rows are accepted")},
    {"FK CONSTRAINT", TROUBLE_ACTION, N_("the foreign key is missing: rows without a parent are accepted")},
    {"DEFAULT", TROUBLE_ACTION, N_("the column has no default")},
    {"TRIGGER", TROUBLE_ACTION, N_("the trigger is missing: what it did no longer happens")},
    {"EVENT TRIGGER", TROUBLE_ACTION, N_("the event trigger is missing: what it did on DDL no longer happens")},
    {"RULE", TROUBLE_ACTION, N_("the rule is missing; a view without its rule is an empty table")},
    {"VIEW", TROUBLE_ACTION, N_("the view is missing")},
    {"MATERIALIZED VIEW", TROUBLE_ACTION, N_("the materialized view is missing")},
    {"MATERIALIZED VIEW DATA", TROUBLE_ACTION, N_("the materialized view is empty")},
    {"FUNCTION", TROUBLE_ACTION, N_("the function is missing")},
    {"PROCEDURE", TROUBLE_ACTION, N_("the procedure is missing")},
    {"AGGREGATE", TROUBLE_ACTION, N_("the aggregate is missing")},
    {"ACL", TROUBLE_ACTION, N_("grants on the object are missing, or ones that were revoked are in force")},
    {"DEFAULT ACL", TROUBLE_ACTION, N_("objects that the role creates later lack their grants")},
    {"POLICY", TROUBLE_ACTION, N_("the policy is missing: rows are hidden from, or shown to, the wrong roles")},
    {"ROW SECURITY", TROUBLE_ACTION, N_("row-level security is off: everybody with SELECT sees all rows")},
    {"SECURITY LABEL", TROUBLE_ACTION, N_("the security label is missing")},
    {"CAST", TROUBLE_ACTION, N_("the cast is missing: expressions that use it fail")},
    {"TRANSFORM", TROUBLE_ACTION, N_("the transform is missing")},
    {"PROCEDURAL LANGUAGE", TROUBLE_ACTION, N_("the language is missing: no function can be written in it")},
    {"FOREIGN DATA WRAPPER", TROUBLE_ACTION, N_("the foreign-data wrapper and its servers are missing")},
    {"SERVER", TROUBLE_ACTION, N_("the foreign server and its tables are missing")},
    {"USER MAPPING", TROUBLE_ACTION, N_("the role cannot log in to the foreign server")},
    {"FOREIGN TABLE", TROUBLE_ACTION, N_("the foreign table is missing; its rows are on the other server")},
    {"PUBLICATION", TROUBLE_ACTION, N_("nothing is published: logical subscribers get no changes")},
    {"PUBLICATION TABLE", TROUBLE_ACTION,
     N_("the table is not published: logical subscribers get none of its changes")},
    {"PUBLICATION TABLES IN SCHEMA", TROUBLE_ACTION,
     N_("the schema is not published: logical subscribers get none of its changes")},
    {"SUBSCRIPTION", TROUBLE_ACTION, N_("the subscription is missing: no changes come in")},
    {"DATABASE PROPERTIES", TROUBLE_ACTION, N_("the database lacks the setting")},
    /* steps of kura's that no entry stands for */
    {"ANALYZE", TROUBLE_ACTION, N_("the planner knows nothing about the table: queries may be slow")},
    {"ACCESS PROBE", TROUBLE_ACTION, N_("whether the application can use the database is not known")},
};

/* What to do about a state, by its five characters or by its class of two. First match counts. */
static const struct {
    const char *state, *next;
} remedies[] = {
    {"42501", N_("Restore as a superuser, or give an administrator's connection with --admin-db.")},
    {"23505", N_("Find the duplicates in the restored table, remove them, and run the entry's statement again.")},
    {"23503", N_("Find the rows without a parent, decide about them, and run the entry's statement again.")},
    {"23514", N_("Find the rows that break the constraint, correct them, and run the entry's statement again.")},
    {"42704",
     N_("Create what the message names (a role: with --create-roles, or map it with --map), and restore again.")},
    {"58P01", N_("Install the package that brings the file which the message names, and restore again.")},
    {"0A000", N_("Check that the target server is not older than the source, and that the extension is installed.")},
    {"53100", N_("Make room on the server's disk, and restore again.")},
    {"53200", N_("Give the server more memory, or lower maintenance_work_mem and --jobs, and restore again.")},
    {"53300", N_("Raise max_connections or lower --jobs, and restore again.")},
    {"55P03", N_("End the session that holds the lock, and restore again.")},
    {"57014", N_("Raise the statement_timeout of the role or of the database, and restore again.")},
    {"42601", N_("Restore into a server that is not older than the one the archive came from.")},
    {"53", N_("Give the server what it ran out of, and restore again.")},
    {"08", N_("Look into the server's log, and restore again.")},
    {"57", N_("Look into the server's log, and restore again.")},
    {"58", N_("Look into the server's log and at its disk, and restore again.")},
    {"XX",
     N_("Look into the server's log: it found its own data damaged or met a bug of its own; then restore again.")},
};

static const char *next_for(const char *sqlstate, const char *otherwise)
{
    for (size_t i = 0; i < ARRAY_SIZE(remedies); i++)
        if (strncmp(sqlstate, remedies[i].state, strlen(remedies[i].state)) == 0)
            return remedies[i].next;
    return otherwise;
}

static bool in_class(const char *sqlstate, const char *class)
{
    return strncmp(sqlstate, class, 2) == 0;
}

/* The server itself gave way: what comes after it is not to be trusted either. */
static bool server_gave_way(const char *sqlstate)
{
    return in_class(sqlstate, "08") || in_class(sqlstate, "53") || in_class(sqlstate, "58") ||
           in_class(sqlstate, "XX") || (in_class(sqlstate, "57") && strcmp(sqlstate, "57014") != 0);
}

/* "ALTER kind name OWNER TO role", which pg_restore makes itself from an entry's owner. */
static bool sets_owner(const char *command)
{
    if (command == NULL)
        return false;
    SqlLexer lexer = {.text = command, .len = strlen(command)};
    SqlToken token, before = {0};
    for (bool first = true; sql_next(&lexer, &token, NULL) == 0 && token.kind != SQL_END;) {
        if (token.kind == SQL_SPACE || token.kind == SQL_COMMENT)
            continue;
        if (first && !sql_is_word(&token, "alter"))
            return false;
        if (before.start && sql_is_word(&before, "owner") && sql_is_word(&token, "to"))
            return true;
        before = token;
        first = false;
    }
    return false;
}

/* "SET parameter = value". */
static bool sets_parameter(const char *command)
{
    SqlLexer lexer = {.text = command ? command : "", .len = command ? strlen(command) : 0};
    SqlToken token;
    do
        if (sql_next(&lexer, &token, NULL) < 0)
            return false;
    while (token.kind == SQL_SPACE || token.kind == SQL_COMMENT);
    return sql_is_word(&token, "set");
}

static Classified of_preamble(const Trouble *trouble, const char *sqlstate)
{
    bool unknown = strcmp(sqlstate, "42704") == 0 && sets_parameter(trouble->command);
    if (unknown)
        return (Classified){TROUBLE_HARMLESS,
                            N_("the server is older than pg_restore and has no such parameter to set"), NULL};
    return (Classified){TROUBLE_LOSS, N_("pg_restore could not set up its session: what it restored may differ"),
                        next_for(sqlstate, N_("Use the pg_restore of the target's own version with --pg-bindir."))};
}

static bool already_there(const char *sqlstate)
{
    return strcmp(sqlstate, "42P06") == 0 || strcmp(sqlstate, "42710") == 0;
}

static Classified of_entry(const Trouble *trouble, const char *sqlstate)
{
    const char *again = N_("Run the entry's statement in the restored database once the cause is gone.");
    if (sets_owner(trouble->command))
        return (Classified){TROUBLE_ACTION, N_("the object belongs to the role that restored, not to its own"),
                            next_for(sqlstate, N_("Change its owner with ALTER .. OWNER TO."))};
    bool schema = strcmp(trouble->desc, "SCHEMA") == 0;
    if (already_there(sqlstate) && (schema || strcmp(trouble->desc, "EXTENSION") == 0))
        return (Classified){TROUBLE_HARMLESS,
                            schema ? N_("the schema was there already") : N_("the extension was there already"), NULL};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(types[i].desc, trouble->desc) == 0)
            return (Classified){types[i].class, types[i].consequence,
                                types[i].class == TROUBLE_HARMLESS ? NULL : next_for(sqlstate, again)};
    return (Classified){TROUBLE_ACTION, N_("the object is missing"), next_for(sqlstate, again)};
}

Classified classify(const Trouble *trouble)
{
    const char *sqlstate = trouble->sqlstate ? trouble->sqlstate : "";
    if (server_gave_way(sqlstate))
        return (Classified){TROUBLE_LOSS, N_("the server could not go on: what follows may be missing too"),
                            next_for(sqlstate, NULL)};
    if (trouble->desc)
        return of_entry(trouble, sqlstate);
    if (trouble->preamble)
        return of_preamble(trouble, sqlstate);
    return (Classified){TROUBLE_LOSS, N_("nobody can tell what is missing"),
                        next_for(sqlstate, N_("Restore again with --verbose and look at the statement before it."))};
}

const char *trouble_next(const char *sqlstate)
{
    return next_for(sqlstate, NULL);
}

const char *trouble_class_name(TroubleClass class)
{
    static const char *const names[] = {N_("harmless"), N_("needs action"), N_("data loss")};
    return names[class];
}

Severity trouble_severity(TroubleClass class)
{
    static const Severity severities[] = {FINDING_NOTE, FINDING_WARNING, FINDING_ERROR};
    return severities[class];
}
