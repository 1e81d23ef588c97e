/* Django and Alembic: migrations are Python modules, of which a few assignments of texts are read. */
#include <string.h>

#include "kura/mem.h"
#include "schema_priv.h"

/* ---- Python, as far as it is needed ---- */

/* Behind the string whose quote `at` stands on; its text, without escapes, goes to ret unless that is NULL. */
static const char *skip_string(const char *at, StrVec *ret)
{
    const char quote = *at;
    bool triple = at[1] == quote && at[2] == quote;
    const char *begin = at += triple ? 3 : 1;
    for (; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (*at == quote && (!triple || (at[1] == quote && at[2] == quote)))
            break;
        else if (*at == '\n' && !triple)
            break;
    }
    if (ret) {
        _cleanup_free_ char *text = xstrndup(begin, (size_t)(at - begin));
        strvec_push(ret, text);
    }
    return *at == quote ? at + (triple ? 3 : 1) : at;
}

/* Behind the value that begins here: until the end of its line, or what closes its brackets. */
static const char *skip_value(const char *at, StrVec *ret)
{
    for (int depth = 0; *at && (*at != '\n' || depth > 0);) {
        if (*at == '\'' || *at == '"') {
            at = skip_string(at, ret);
            continue;
        }
        if (*at == '#') {
            at += strcspn(at, "\n");
            continue;
        }
        depth += strchr("([{", *at) != NULL;
        depth -= strchr(")]}", *at) != NULL;
        at++;
    }
    return at;
}

/* Behind "NAME =" or "NAME: type =" if the text goes on with it, else NULL. */
static const char *assignment(const char *at, const char *name)
{
    size_t len = strlen(name);
    if (strncmp(at, name, len) != 0)
        return NULL;
    at += len;
    at += strspn(at, " \t");
    if (*at == ':')
        at += strcspn(at, "=\n");
    return at[0] == '=' && at[1] != '=' ? at + 1 : NULL;
}

bool schema_python_texts(const char *text, const char *name, StrVec *ret)
{
    bool found = false;
    for (const char *at = text; *at;) {
        at += strspn(at, " \t\r\n");
        const char *value = assignment(at, name);
        at = skip_value(value ? value : at, value ? ret : NULL);
        found |= value != NULL;
    }
    return found;
}

/* ---- Alembic ---- */

static bool is_module(const char *name)
{
    size_t len = strlen(name);
    return len > 3 && strcmp(name + len - 3, ".py") == 0;
}

int schema_read_alembic(const SchemaDir *dir, SchemaHistory *ret, Error *err)
{
    for (size_t i = 0; i < dir->files.n; i++) {
        const char *name = dir->files.v[i];
        _cleanup_(buf_done) Buf text = BUF_INIT(2 * SCHEMA_FILE_MAX);
        _cleanup_(strvec_done) StrVec revision = {0};
        if (!is_module(name))
            continue;
        if (schema_read_file(dir->dir, name, &text, err) < 0)
            return -1;
        schema_python_texts(buf_str(&text), "revision", &revision);
        if (revision.n == 0)
            continue;
        _cleanup_free_ char *title = xstrndup(name, strlen(name) - 3);
        SchemaMigration *made = schema_history_add(ret, revision.v[0], title);
        schema_python_texts(buf_str(&text), "down_revision", &made->parents);
        schema_python_texts(buf_str(&text), "depends_on", &made->parents);
    }
    return 0;
}

/* ---- Django ---- */

/* APP/migrations/NAME.py: the application's folder; NULL: it is another file. To be freed. */
static char *django_folder(const char *path)
{
    static const char folder[] = "/migrations/";
    const char *name = schema_basename(path);
    size_t len = (size_t)(name - path);
    if (!is_module(name) || name[0] == '_' || name[0] == '~' || len <= strlen(folder) ||
        strncmp(name - strlen(folder), folder, strlen(folder)) != 0)
        return NULL;
    return xstrndup(path, len - strlen(folder));
}

/* What an application is called: its folder, unless its apps.py says otherwise. To be freed. */
static char *django_label(const SchemaDir *dir, const char *folder)
{
    Error ignored = ERROR_INIT; /* most have no such file */
    _cleanup_(buf_done) Buf text = BUF_INIT(2 * SCHEMA_FILE_MAX);
    _cleanup_(strvec_done) StrVec label = {0};
    _cleanup_free_ char *path = xasprintf("%s/apps.py", folder);
    if (schema_read_file(dir->dir, path, &text, &ignored) == 0)
        schema_python_texts(buf_str(&text), "label", &label);
    return xstrdup(label.n == 1 ? label.v[0] : schema_basename(folder));
}

static int add_module(const SchemaDir *dir, const char *path, const char *label, SchemaHistory *ret, Error *err)
{
    const char *name = schema_basename(path);
    _cleanup_(buf_done) Buf text = BUF_INIT(2 * SCHEMA_FILE_MAX);
    _cleanup_(strvec_done) StrVec replaces = {0};
    _cleanup_free_ char *id = xasprintf("%s.%.*s", label, (int)strlen(name) - 3, name);
    if (schema_read_file(dir->dir, path, &text, err) < 0)
        return -1;
    SchemaMigration *made = schema_history_add(ret, id, NULL);
    schema_python_texts(buf_str(&text), "replaces", &replaces);
    for (size_t i = 0; i + 1 < replaces.n; i += 2) /* pairs of application and name */
        strvec_pushf(&made->replaces, "%s.%s", replaces.v[i], replaces.v[i + 1]);
    return 0;
}

int schema_read_django(const SchemaDir *dir, SchemaHistory *ret, Error *err)
{
    _cleanup_free_ char *before = NULL, *label = NULL;
    for (size_t i = 0; i < dir->files.n; i++) {
        _cleanup_free_ char *folder = django_folder(dir->files.v[i]);
        if (folder == NULL)
            continue;
        if (before == NULL || strcmp(before, folder) != 0) {
            free(label);
            label = django_label(dir, folder);
            free(before);
            before = steal(folder);
        }
        if (add_module(dir, dir->files.v[i], label, ret, err) < 0)
            return -1;
    }
    return 0;
}
