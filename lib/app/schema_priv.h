/* What the readers of migrations share. */
#ifndef KURA_APP_SCHEMA_PRIV_H
#define KURA_APP_SCHEMA_PRIV_H

#include "kura/schema.h"

/* More is no directory of migrations. */
enum { SCHEMA_FILES_MAX = 20000, SCHEMA_FILE_MAX = 8 * 1024 * 1024, SCHEMA_DEPTH_MAX = 8 };

/* Regular files below a directory, as paths relative to it, sorted; with deep those in its folders too, but for hidden
 * ones and what package managers fill. */
int schema_list_files(const char *dir, bool deep, StrVec *ret, Error *err);
int schema_read_file(const char *dir, const char *path, Buf *out, Error *err);
/* The part of a path behind its last slash. */
const char *schema_basename(const char *path);

/* Digits without zeros in front: "007" is "7". To be freed. */
char *schema_number(const char *digits, size_t len);
/* By value, of such numbers. */
int schema_number_compare(const char *a, const char *b);

/* Adds what is a migration of the tool among one directory's files. */
typedef struct SchemaDir {
    const char *dir; /* as it can be opened */
    StrVec files;
    bool post;
} SchemaDir;
typedef int SchemaReader(const SchemaDir *dir, SchemaHistory *ret, Error *err);
SchemaReader schema_read_rails, schema_read_ecto, schema_read_golang_migrate, schema_read_typeorm, schema_read_flyway,
    schema_read_django, schema_read_alembic, schema_read_prisma, schema_read_sqlx, schema_read_diesel;

/* "1_2.0" is "1.2": the form in which Flyway compares versions. To be freed; NULL: it is no version. */
char *schema_flyway_version(const char *text, size_t len);
int schema_flyway_version_compare(const char *a, const char *b);

/* Adds the migrations among the classes of a script. */
void schema_typeorm_classes(const char *text, SchemaHistory *ret);

/* The texts in quotes of what a Python file assigns to a name at the beginning of a line, behind any indentation:
 * NAME = 'a', NAME: str = "a", NAME = ('a', 'b'). False: it does not assign it. */
bool schema_python_texts(const char *text, const char *name, StrVec *ret);

#endif
