/* Plans as files, and files as plans. */
#include <string.h>

#include "kura/mem.h"
#include "kura/ownplan.h"
#include "kura/sqllex.h"
#include "kura/words.h"

static const char first_words[] = "-- kura ", database_words[] = "-- database ";

size_t own_plan_transactions(const OwnPlan *plan, size_t max_locks)
{
    size_t transactions = plan->n > 0, locks = 0;
    for (size_t i = 0; i < plan->n; i++) {
        if (max_locks && locks && locks + plan->v[i].locks > max_locks) {
            transactions++;
            locks = 0;
        }
        locks += plan->v[i].locks;
    }
    return transactions;
}

/* A text that neither ends a comment's line nor does anything to a terminal, and is no other's. To be freed. */
static char *one_line(const char *text)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(4 * strlen(text) + 1);
    for (; *text; text++) {
        if (*text == '\n' || *text == '\\')
            buf_append_str(&out, *text == '\n' ? "\\n" : "\\\\", NULL);
        else
            buf_printf(&out, NULL, (uint8_t)*text < ' ' || *text == 0x7F ? "\\x%02x" : "%c", (uint8_t)*text);
    }
    return xstrdup(buf_str(&out));
}

static void write_head(const OwnPlan *plan, const OwnScript *script, Buf *out)
{
    _cleanup_free_ char *database = one_line(script->database);
    _cleanup_free_ char *where = one_line(script->where);
    size_t transactions = own_plan_transactions(plan, script->max_locks);
    buf_printf(out, NULL, "%s%s\n%s%s\n", first_words, script->title, database_words, database);
    buf_printf(out, NULL, "-- %s, %s\n", script->when, where);
    buf_printf(out, NULL, "-- %zu statement%s in %zu transaction%s; may be run again, also with psql -f\n",
               plan->statements, plan->statements == 1 ? "" : "s", transactions, transactions == 1 ? "" : "s");
    buf_printf(out, NULL, "SET client_encoding = '%s';\n", script->encoding);
}

static void begin(const OwnScript *script, Buf *out)
{
    buf_append_str(out, "\nBEGIN;\nSET LOCAL search_path = '';\n", NULL);
    buf_printf(out, NULL, "SET LOCAL lock_timeout = %u;\n", script->lock_timeout_ms);
}

int own_plan_format(const OwnPlan *plan, const OwnScript *script, Buf *out, Error *err)
{
    size_t locks = 0;
    write_head(plan, script, out);
    for (size_t i = 0; i < plan->n; i++) {
        if (i == 0 || (script->max_locks && locks && locks + plan->v[i].locks > script->max_locks)) {
            buf_append_str(out, i ? "COMMIT;\n" : "", NULL);
            begin(script, out);
            locks = 0;
        }
        locks += plan->v[i].locks;
        if (buf_append_str(out, plan->v[i].sql, err) < 0)
            return -1;
    }
    return buf_append_str(out, plan->n ? "COMMIT;\n" : "", err);
}

/* ---- reading ---- */

void own_statements_done(OwnStatements *statements)
{
    for (size_t i = 0; i < statements->n; i++)
        strvec_done(&statements->v[i]);
    free(statements->v);
    free(statements->database);
    free(statements->set_encoding);
    *statements = (OwnStatements){0};
}

static int no_script(const char *why, Error *err)
{
    error_set(err, ERR_USAGE, "this is no script that kura wrote: %s", why);
    return error_hint(err, "Give the undo file that \"kura repair --apply\" wrote; run other SQL with psql.");
}

/* The line that begins with these words, without them; NULL when it is another. To be freed. */
static char *read_line(const char **text, const char *end, const char *words)
{
    const char *newline = memchr(*text, '\n', (size_t)(end - *text));
    size_t len = strlen(words);
    if (newline == NULL || (size_t)(newline - *text) < len || memcmp(*text, words, len) != 0)
        return NULL;
    char *rest = xstrndup(*text + len, (size_t)(newline - *text) - len);
    *text = newline + 1;
    return rest;
}

static int read_head(const char *text, size_t len, OwnStatements *ret, Error *err)
{
    const char *end = text + len;
    _cleanup_free_ char *title = read_line(&text, end, first_words);
    ret->database = title ? read_line(&text, end, database_words) : NULL;
    return ret->database ? 0 : no_script(_("its first lines are missing"), err);
}

bool own_script_is_for(const OwnStatements *statements, const char *database)
{
    _cleanup_free_ char *line = one_line(database);
    return strcmp(statements->database, line) == 0;
}

typedef struct ScriptReader {
    OwnStatements *statements;
    bool open; /* a transaction */
} ScriptReader;

static bool begins(const char *statement, const char *words)
{
    return strncmp(statement, words, strlen(words)) == 0;
}

/* ALTER .. OWNER of the kinds there are, policies, default privileges. */
static bool is_known_alter(const char *rest)
{
    for (OwnKind kind = 0; kind < OWN_KIND_COUNT; kind++) {
        const char *words = own_kinds[kind].alter;
        if (words && begins(rest, words) && rest[strlen(words)] == ' ' && strstr(rest, " OWNER TO "))
            return true;
    }
    return begins(rest, "POLICY ") || begins(rest, "DEFAULT PRIVILEGES ");
}

static bool is_setting(const char *statement)
{
    static const char *const settings[] = {"SET LOCAL search_path ", "SET LOCAL lock_timeout ", "SET LOCAL ROLE ",
                                           "RESET ROLE"};
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        if (begins(statement, settings[i]))
            return true;
    return false;
}

/* A mistaken file is refused; who may write it could run it with psql as well. */
static bool is_change(const char *statement)
{
    if (begins(statement, "ALTER "))
        return is_known_alter(statement + strlen("ALTER "));
    return (begins(statement, "GRANT ") || begins(statement, "REVOKE ")) && strstr(statement, " ON ");
}

static int add_statement(ScriptReader *reader, const char *statement, Error *err)
{
    OwnStatements *all = reader->statements;
    if (strcmp(statement, "BEGIN") == 0 && !reader->open) {
        xgrow(&all->v, &all->cap, all->n);
        all->v[all->n++] = (StrVec){0};
        reader->open = true;
        return 0;
    }
    if (strcmp(statement, "COMMIT") == 0 && reader->open) {
        reader->open = false;
        return 0;
    }
    if (!reader->open && all->set_encoding == NULL && begins(statement, "SET client_encoding ")) {
        all->set_encoding = xstrdup(statement);
        return 0;
    }
    bool change = is_change(statement);
    if (!reader->open || !(change || is_setting(statement)))
        return no_script(statement, err);
    all->changes += change;
    strvec_push(&all->v[all->n - 1], statement);
    return 0;
}

static int read_statements(ScriptReader *reader, const char *text, size_t len, Error *err)
{
    SqlLexer lexer = {.text = text, .len = len};
    const char *start = NULL;
    for (SqlToken token;;) {
        if (sql_next(&lexer, &token, err) < 0)
            return -1;
        if (token.kind == SQL_SPACE || token.kind == SQL_COMMENT)
            continue;
        if (token.kind == SQL_END)
            break;
        if (start == NULL)
            start = token.start;
        if (!sql_is_punct(&token, ";"))
            continue;
        _cleanup_free_ char *statement = xstrndup(start, (size_t)(token.start - start));
        start = NULL;
        if (add_statement(reader, statement, err) < 0)
            return -1;
    }
    return start || reader->open ? no_script(_("it ends in the middle"), err) : 0;
}

int own_script_parse(const char *text, size_t len, OwnStatements *ret, Error *err)
{
    OwnStatements statements = {0};
    ScriptReader reader = {.statements = &statements};
    if (read_head(text, len, &statements, err) < 0 || read_statements(&reader, text, len, err) < 0) {
        own_statements_done(&statements);
        return -1;
    }
    *ret = statements;
    return 0;
}
