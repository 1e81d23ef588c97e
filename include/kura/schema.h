/* How far the schema of an application's database is migrated: what its code has (files), what the database has had
 * (the migration tool's own table), and what lies between. Ten tools, and applications that only count. */
#ifndef KURA_SCHEMA_H
#define KURA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/app.h"
#include "kura/buf.h"
#include "kura/error.h"

typedef enum SchemaTool {
    SCHEMA_RAILS,
    SCHEMA_ECTO,
    SCHEMA_GOLANG_MIGRATE,
    SCHEMA_TYPEORM,
    SCHEMA_FLYWAY,
    SCHEMA_DJANGO,
    SCHEMA_ALEMBIC,
    SCHEMA_PRISMA,
    SCHEMA_SQLX,
    SCHEMA_DIESEL,
    SCHEMA_XORM,     /* Gitea, Forgejo: a number in a table "version" */
    SCHEMA_PEERTUBE, /* a number in application."migrationVersion" */
    SCHEMA_SYNAPSE,  /* a number in schema_version, and how old a code may be in schema_compat_version */
    SCHEMA_TOOLS
} SchemaTool;

const char *schema_tool_name(SchemaTool tool);  /* "golang-migrate" */
const char *schema_tool_title(SchemaTool tool); /* "golang-migrate", "Rails" */
/* false: there is none of this name. */
bool schema_tool_parse(const char *name, SchemaTool *ret);
/* All names, "alembic, diesel, ..". To be freed. */
char *schema_tool_names(void);
/* Its code is one number, not files. */
bool schema_tool_counts(SchemaTool tool);

/* A migration, of the code or of the database. */
typedef struct SchemaMigration {
    char *id;        /* what identifies it to its tool: a number, a name, "app.name" */
    char *title;     /* what a person knows it by: the file's name, or the id */
    char *checksum;  /* of its text, as the tool writes it into the table; NULL: none, or not to be compared */
    StrVec replaces; /* ids that it stands for (Django's squashed migrations) */
    StrVec parents;  /* ids that are applied before it (Alembic) */
    bool post;       /* may be run after the new code was started */
    bool again;      /* is run again whenever its text changes (Flyway's repeatable ones) */
    bool failed;     /* of the database: begun and not completed */
    bool foreign;    /* of the database: of no file by its nature (Flyway's migrations in Java) */
    bool baseline;   /* of the database: nothing up to it is run (Flyway) */
} SchemaMigration;

typedef struct SchemaHistory {
    SchemaTool tool;
    char *table; /* of the database: "public.schema_migrations"; NULL: a history of code */
    SchemaMigration *v;
    size_t n, cap;
    char *least; /* of the database, where it says so (Synapse): the oldest code that can use it, by its number */
} SchemaHistory;

void schema_history_done(SchemaHistory *history);
/* Appends one; id and title are copied, title NULL is the id. Borrowed until the next. */
SchemaMigration *schema_history_add(SchemaHistory *history, const char *id, const char *title);
const SchemaMigration *schema_history_find(const SchemaHistory *history, const char *id);
/* The newest migration of the database; NULL: there is none. */
const SchemaMigration *schema_newest(const SchemaHistory *history);

/* Reads the migrations of the code. dirs: as the tool has them, relative to root (NULL: to the working directory);
 * empty: where the tool usually has them. post_dirs may be empty. version: the code's number for a tool that counts,
 * else NULL. ERR_NOT_FOUND, ERR_PERMISSION: a directory cannot be read, or has no migration in it. Only regular files
 * are read, within limits; a migration whose text cannot be understood is an error that names it. */
typedef struct SchemaSource {
    const char *root;
    const StrVec *dirs, *post_dirs;
    const char *version;
} SchemaSource;
int schema_code_read(SchemaTool tool, const SchemaSource *source, SchemaHistory *ret, Error *err);
/* The same for what an application's profile says of it. ERR_UNSUPPORTED: it says nothing. */
int schema_site_read(const AppSite *site, SchemaHistory *ret, Error *err);

/* What is between code and database, the worst last. */
typedef enum SchemaState {
    SCHEMA_EQUAL,
    SCHEMA_PENDING_POST, /* only migrations that may be run once the new code is started */
    SCHEMA_PENDING,
    SCHEMA_NEWER, /* migrations were applied that the code does not have: of newer code, or of a fork */
    SCHEMA_ALTERED,
    SCHEMA_FAILED,
} SchemaState;

const char *schema_state_name(SchemaState state); /* "equal", "pending-post", "pending", "newer", "changed", "failed" */

/* Titles of migrations, in the order of the code, or of the database. */
typedef struct SchemaDifference {
    SchemaState state;
    StrVec pending;
    StrVec pending_post;
    StrVec unknown; /* applied, and not in the code */
    StrVec changed; /* text is not what was applied */
    StrVec failed;
} SchemaDifference;

/* Both are of the same tool. */
void schema_compare(const SchemaHistory *code, const SchemaHistory *database, SchemaDifference *ret);
void schema_difference_done(SchemaDifference *difference);

/* The id of a migration as its tool's table has it, in the form in which ids are compared: numbers without zeros in
 * front, Flyway's versions without zeros at the end. To be freed. */
char *schema_row_id(SchemaTool tool, const char *text);

/* Flyway's checksum of a migration's text: CRC-32 of its lines without what ends them, less a byte order mark. */
int32_t schema_flyway_checksum(const void *text, size_t len);

#endif
