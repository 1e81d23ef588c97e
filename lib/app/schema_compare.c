/* Code against database. Most tools compare two sets of ids; some know more than that. */
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "schema_priv.h"

void schema_difference_done(SchemaDifference *difference)
{
    strvec_done(&difference->pending);
    strvec_done(&difference->pending_post);
    strvec_done(&difference->unknown);
    strvec_done(&difference->changed);
    strvec_done(&difference->failed);
    *difference = (SchemaDifference){0};
}

/* ---- sets of ids ---- */

typedef struct IdSet {
    const char **v;
    size_t n, cap;
} IdSet;

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void idset_add(IdSet *set, const char *id)
{
    xgrow(&set->v, &set->cap, set->n);
    set->v[set->n++] = id;
}

static void idset_sort(IdSet *set)
{
    if (set->n > 0)
        qsort(set->v, set->n, sizeof *set->v, by_text);
}

static bool idset_has(const IdSet *set, const char *id)
{
    return set->n > 0 && bsearch(&id, set->v, set->n, sizeof *set->v, by_text) != NULL;
}

/* ---- */

typedef struct Sides {
    const SchemaHistory *code, *database;
    const SchemaMigration **rows; /* of the database, sorted by id */
    IdSet in_code;                /* ids, and those that one of them replaces */
    IdSet applied;                /* ids of the database that count as done, and what follows from them */
    IdSet apps;                   /* Django: what stands before the dot of the code's ids */
    const char *baseline;         /* Flyway: the version up to which nothing is run */
    SchemaDifference *ret;
} Sides;

static int by_id(const void *a, const void *b)
{
    const SchemaMigration *const *one = a, *const *other = b;
    return strcmp((*one)->id, (*other)->id);
}

static const SchemaMigration *row_of(const Sides *sides, const char *id)
{
    const SchemaMigration key = {.id = (char *)id}, *key_at = &key;
    const SchemaMigration **found =
        sides->database->n == 0 ? NULL : bsearch(&key_at, sides->rows, sides->database->n, sizeof *sides->rows, by_id);
    return found ? *found : NULL;
}

/* The part of a Django id that names its application. To be freed. */
static char *app_of(const char *id)
{
    return xstrndup(id, strcspn(id, "."));
}

static void know_code(Sides *sides)
{
    for (size_t i = 0; i < sides->code->n; i++) {
        const SchemaMigration *of_code = &sides->code->v[i];
        idset_add(&sides->in_code, of_code->id);
        for (size_t j = 0; j < of_code->replaces.n; j++)
            idset_add(&sides->in_code, of_code->replaces.v[j]);
        if (sides->code->tool == SCHEMA_DJANGO)
            idset_add(&sides->apps, app_of(of_code->id));
    }
    idset_sort(&sides->in_code);
    idset_sort(&sides->apps);
}

/* Alembic's table has the newest alone: what those stand on is applied, too. */
static void add_parents(Sides *sides)
{
    IdSet waiting = {0}, seen = {0};
    bool *done = xcalloc(sides->code->n, sizeof *done);
    for (size_t i = 0; i < sides->database->n; i++)
        idset_add(&waiting, sides->database->v[i].id);
    while (waiting.n > 0) {
        const SchemaMigration *of_code = schema_history_find(sides->code, waiting.v[--waiting.n]);
        if (of_code == NULL || done[of_code - sides->code->v])
            continue;
        done[of_code - sides->code->v] = true;
        idset_add(&seen, of_code->id);
        for (size_t i = 0; i < of_code->parents.n; i++)
            idset_add(&waiting, of_code->parents.v[i]);
    }
    for (size_t i = 0; i < seen.n; i++)
        idset_add(&sides->applied, seen.v[i]);
    free(done);
    free(seen.v);
    free(waiting.v);
}

/* golang-migrate's table has the last number alone. */
static void add_smaller(Sides *sides)
{
    for (size_t i = 0; sides->database->n > 0 && i < sides->code->n; i++)
        if (schema_number_compare(sides->code->v[i].id, sides->database->v[0].id) <= 0)
            idset_add(&sides->applied, sides->code->v[i].id);
}

/* A squashed migration is done when all that it replaces is, and so is what it replaces when it is done itself. */
static void add_squashed(Sides *sides)
{
    IdSet more = {0};
    for (size_t i = 0; i < sides->code->n; i++) {
        const SchemaMigration *of_code = &sides->code->v[i];
        size_t done = 0, n = of_code->replaces.n;
        bool itself = row_of(sides, of_code->id) != NULL;
        for (size_t j = 0; j < n; j++) {
            done += row_of(sides, of_code->replaces.v[j]) != NULL;
            if (itself)
                idset_add(&more, of_code->replaces.v[j]);
        }
        if (n > 0 && done == n)
            idset_add(&more, of_code->id);
    }
    for (size_t i = 0; i < more.n; i++)
        idset_add(&sides->applied, more.v[i]);
    free(more.v);
}

static void know_database(Sides *sides)
{
    const SchemaHistory *database = sides->database;
    sides->rows = xcalloc(database->n, sizeof *sides->rows);
    for (size_t i = 0; i < database->n; i++) {
        sides->rows[i] = &database->v[i];
        idset_add(&sides->applied, database->v[i].id);
        if (database->v[i].baseline)
            sides->baseline = database->v[i].id;
    }
    if (database->n > 0)
        qsort(sides->rows, database->n, sizeof *sides->rows, by_id);
    if (database->tool == SCHEMA_ALEMBIC)
        add_parents(sides);
    if (database->tool == SCHEMA_GOLANG_MIGRATE)
        add_smaller(sides);
    if (database->tool == SCHEMA_DJANGO)
        add_squashed(sides);
    idset_sort(&sides->applied);
}

/* ---- what differs ---- */

static bool is_applied(const Sides *sides, const SchemaMigration *of_code)
{
    if (idset_has(&sides->applied, of_code->id))
        return true;
    return sides->baseline && !of_code->again && schema_flyway_version_compare(of_code->id, sides->baseline) <= 0;
}

static bool text_differs(const Sides *sides, const SchemaMigration *of_code)
{
    const SchemaMigration *row = row_of(sides, of_code->id);
    return row && row->checksum && of_code->checksum && strcmp(row->checksum, of_code->checksum) != 0;
}

static void judge_code(const Sides *sides)
{
    for (size_t i = 0; i < sides->code->n; i++) {
        const SchemaMigration *of_code = &sides->code->v[i];
        bool differs = text_differs(sides, of_code);
        if (!is_applied(sides, of_code) || (differs && of_code->again))
            strvec_push(of_code->post ? &sides->ret->pending_post : &sides->ret->pending, of_code->title);
        else if (differs)
            strvec_push(&sides->ret->changed, of_code->title);
    }
}

/* Rows of Django's applications that the project only uses have their files with those. */
static bool is_elsewhere(const Sides *sides, const SchemaMigration *row)
{
    if (sides->code->tool != SCHEMA_DJANGO)
        return false;
    _cleanup_free_ char *app = app_of(row->id);
    return !idset_has(&sides->apps, app);
}

static void judge_rows(const Sides *sides)
{
    for (size_t i = 0; i < sides->database->n; i++) {
        const SchemaMigration *row = &sides->database->v[i];
        if (row->failed)
            strvec_push(&sides->ret->failed, row->title);
        if (!row->foreign && !idset_has(&sides->in_code, row->id) && !is_elsewhere(sides, row))
            strvec_push(&sides->ret->unknown, row->title);
    }
}

/* One number each. */
static void judge_counts(const SchemaHistory *code, const SchemaHistory *database, SchemaDifference *ret)
{
    const SchemaMigration *wanted = schema_newest(code), *is = schema_newest(database);
    int order = is ? schema_number_compare(wanted->id, is->id) : 1;
    if (order > 0)
        strvec_push(&ret->pending, wanted->title);
    if (order < 0 && (database->least == NULL || schema_number_compare(wanted->id, database->least) < 0))
        strvec_push(&ret->unknown, is->title);
}

static SchemaState state_of(const SchemaDifference *difference)
{
    return difference->failed.n > 0         ? SCHEMA_FAILED
           : difference->changed.n > 0      ? SCHEMA_ALTERED
           : difference->unknown.n > 0      ? SCHEMA_NEWER
           : difference->pending.n > 0      ? SCHEMA_PENDING
           : difference->pending_post.n > 0 ? SCHEMA_PENDING_POST
                                            : SCHEMA_EQUAL;
}

static void judge_sets(const SchemaHistory *code, const SchemaHistory *database, SchemaDifference *ret)
{
    Sides sides = {.code = code, .database = database, .ret = ret};
    know_code(&sides);
    know_database(&sides);
    judge_code(&sides);
    judge_rows(&sides);
    for (size_t i = 0; i < sides.apps.n; i++)
        free((char *)sides.apps.v[i]);
    free(sides.apps.v);
    free(sides.in_code.v);
    free(sides.applied.v);
    free(sides.rows);
}

void schema_compare(const SchemaHistory *code, const SchemaHistory *database, SchemaDifference *ret)
{
    *ret = (SchemaDifference){0};
    if (schema_tool_counts(code->tool))
        judge_counts(code, database, ret);
    else
        judge_sets(code, database, ret);
    ret->state = state_of(ret);
}
