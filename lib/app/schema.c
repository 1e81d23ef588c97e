#include "kura/schema.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "schema_priv.h"

static const struct {
    const char *name, *title;
    bool counts;
} tools[SCHEMA_TOOLS] = {
    [SCHEMA_RAILS] = {"rails", "Rails", false},
    [SCHEMA_ECTO] = {"ecto", "Ecto", false},
    [SCHEMA_GOLANG_MIGRATE] = {"golang-migrate", "golang-migrate", false},
    [SCHEMA_TYPEORM] = {"typeorm", "TypeORM", false},
    [SCHEMA_FLYWAY] = {"flyway", "Flyway", false},
    [SCHEMA_DJANGO] = {"django", "Django", false},
    [SCHEMA_ALEMBIC] = {"alembic", "Alembic", false},
    [SCHEMA_PRISMA] = {"prisma", "Prisma", false},
    [SCHEMA_SQLX] = {"sqlx", "sqlx", false},
    [SCHEMA_DIESEL] = {"diesel", "Diesel", false},
    [SCHEMA_XORM] = {"xorm", "xorm", true},
    [SCHEMA_PEERTUBE] = {"peertube", "PeerTube", true},
    [SCHEMA_SYNAPSE] = {"synapse", "Synapse", true},
};

const char *schema_tool_name(SchemaTool tool)
{
    return tools[tool].name;
}

const char *schema_tool_title(SchemaTool tool)
{
    return tools[tool].title;
}

bool schema_tool_counts(SchemaTool tool)
{
    return tools[tool].counts;
}

bool schema_tool_parse(const char *name, SchemaTool *ret)
{
    for (size_t i = 0; i < SCHEMA_TOOLS; i++)
        if (strcmp(tools[i].name, name) == 0) {
            *ret = (SchemaTool)i;
            return true;
        }
    return false;
}

char *schema_tool_names(void)
{
    char *names = xstrdup(tools[0].name);
    for (size_t i = 1; i < SCHEMA_TOOLS; i++) {
        char *longer = xasprintf("%s, %s", names, tools[i].name);
        free(names);
        names = longer;
    }
    return names;
}

const char *schema_state_name(SchemaState state)
{
    static const char *const names[] = {
        [SCHEMA_EQUAL] = "equal", [SCHEMA_PENDING_POST] = "pending-post", [SCHEMA_PENDING] = "pending",
        [SCHEMA_NEWER] = "newer", [SCHEMA_ALTERED] = "changed",           [SCHEMA_FAILED] = "failed",
    };
    return names[state];
}

/* ---- histories ---- */

SchemaMigration *schema_history_add(SchemaHistory *history, const char *id, const char *title)
{
    xgrow(&history->v, &history->cap, history->n);
    SchemaMigration *made = &history->v[history->n++];
    *made = (SchemaMigration){.id = xstrdup(id), .title = xstrdup(title ? title : id)};
    return made;
}

const SchemaMigration *schema_history_find(const SchemaHistory *history, const char *id)
{
    for (size_t i = 0; i < history->n; i++)
        if (strcmp(history->v[i].id, id) == 0)
            return &history->v[i];
    return NULL;
}

const SchemaMigration *schema_newest(const SchemaHistory *history)
{
    for (size_t i = history->n; i > 0; i--)
        if (!history->v[i - 1].failed)
            return &history->v[i - 1];
    return NULL;
}

void schema_history_done(SchemaHistory *history)
{
    for (size_t i = 0; i < history->n; i++) {
        free(history->v[i].id);
        free(history->v[i].title);
        free(history->v[i].checksum);
        strvec_done(&history->v[i].replaces);
        strvec_done(&history->v[i].parents);
    }
    free(history->v);
    free(history->table);
    free(history->least);
    *history = (SchemaHistory){.tool = history->tool};
}

/* ---- numbers ---- */

char *schema_number(const char *digits, size_t len)
{
    while (len > 1 && *digits == '0') {
        digits++;
        len--;
    }
    return xstrndup(digits, len);
}

int schema_number_compare(const char *a, const char *b)
{
    size_t len_a = strlen(a), len_b = strlen(b);
    if (len_a != len_b)
        return len_a < len_b ? -1 : 1;
    return strcmp(a, b);
}

char *schema_row_id(SchemaTool tool, const char *text)
{
    size_t len = strlen(text);
    bool named = tool == SCHEMA_DIESEL || tool == SCHEMA_ALEMBIC;
    if (tool == SCHEMA_FLYWAY) {
        char *version = schema_flyway_version(text, len);
        return version ? version : xstrdup(text);
    }
    return !named && len > 0 && strspn(text, "0123456789") == len ? schema_number(text, len) : xstrdup(text);
}
