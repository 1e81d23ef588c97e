#include "checkspec.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"

static const char *const usages[] = {
    [CHECK_FK] = "table(column, ..) -> other(column, ..)",
    [CHECK_UNIQUE] = "table(column, ..)",
    [CHECK_NOT_NULL] = "table(column)",
    [CHECK_CHECK] = "table(expression)",
};

static const char *const words[] = {
    [CHECK_FK] = "fk", [CHECK_UNIQUE] = "unique", [CHECK_NOT_NULL] = "not-null", [CHECK_CHECK] = "check"};

int check_kind_parse(const char *word, CheckKind *ret, Error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(word, words[i]) == 0) {
            *ret = (CheckKind)i;
            return 0;
        }
    error_set(err, ERR_USAGE, "\"%s\" is no kind of constraint that can be checked", word);
    return error_hint(err, "It is one of fk, unique, not-null and check.");
}

/* The tokens of a text without spaces and comments; ends with SQL_END. */
typedef struct Reader {
    CheckKind kind;
    const char *text;
    SqlToken *tokens;
    size_t at;
} Reader;

static int not_understood(const Reader *reader, Error *err)
{
    const SqlToken *token = &reader->tokens[reader->at];
    if (token->kind == SQL_END)
        error_set(err, ERR_USAGE, "\"%s\" ends too early", reader->text);
    else
        error_set(err, ERR_USAGE, "\"%s\" is not understood at \"%.*s\"", reader->text, (int)token->len, token->start);
    return error_hint(err, "It is written as '%s'.", usages[reader->kind]);
}

static void drop_spaces(SqlToken *tokens)
{
    size_t n = 0;
    for (size_t i = 0;; i++) {
        if (tokens[i].kind != SQL_SPACE && tokens[i].kind != SQL_COMMENT)
            tokens[n++] = tokens[i];
        if (tokens[i].kind == SQL_END)
            return;
    }
}

static bool take(Reader *reader, const char *punct)
{
    bool is = sql_is_punct(&reader->tokens[reader->at], punct);
    reader->at += is;
    return is;
}

static int read_name(Reader *reader, char **ret, Error *err)
{
    *ret = sql_ident_value(&reader->tokens[reader->at]);
    if (*ret == NULL)
        return not_understood(reader, err);
    reader->at++;
    return 0;
}

static int read_table(Reader *reader, CheckTable *ret, Error *err)
{
    Buf out = BUF_INIT(4096);
    int rc = 0;
    do {
        _cleanup_free_ char *part = NULL;
        rc = read_name(reader, &part, err);
        if (rc == 0 && (rc = out.len ? buf_append_str(&out, ".", err) : 0) == 0)
            sql_append_ident(&out, part);
    } while (rc == 0 && take(reader, "."));
    ret->name = xstrdup(buf_str(&out));
    buf_done(&out);
    return rc;
}

static int read_columns(Reader *reader, StrVec *ret, Error *err)
{
    if (!take(reader, "("))
        return not_understood(reader, err);
    do {
        _cleanup_free_ char *column = NULL;
        if (read_name(reader, &column, err) < 0)
            return -1;
        if (strvec_contains(ret, column))
            return error_set(err, ERR_USAGE, "column \"%s\" is named twice", column);
        strvec_push(ret, column);
    } while (take(reader, ","));
    return take(reader, ")") ? 0 : not_understood(reader, err);
}

static int read_parent(Reader *reader, CheckSpec *spec, Error *err)
{
    if (!take(reader, "->"))
        return not_understood(reader, err);
    if (read_table(reader, &spec->parent, err) < 0)
        return -1;
    if (reader->tokens[reader->at].kind == SQL_END)
        return 0;
    if (read_columns(reader, &spec->parent.columns, err) < 0)
        return -1;
    if (spec->parent.columns.n != spec->table.columns.n)
        return error_set(
            err, ERR_USAGE,
            ngettext("%zu column cannot reference %zu", "%zu columns cannot reference %zu", spec->table.columns.n),
            spec->table.columns.n, spec->parent.columns.n);
    return 0;
}

/* What is between the first parenthesis and the last one, which must belong together. */
static int read_expression(Reader *reader, CheckSpec *spec, Error *err)
{
    const SqlToken *open = &reader->tokens[reader->at];
    size_t depth = 1;
    if (!take(reader, "("))
        return not_understood(reader, err);
    for (; depth > 0 && reader->tokens[reader->at].kind != SQL_END; reader->at++) {
        const SqlToken *token = &reader->tokens[reader->at];
        _cleanup_free_ char *word = sql_ident_value(token);
        if (word && !strvec_contains(&spec->words, word))
            strvec_push(&spec->words, word);
        depth += sql_is_punct(token, "(");
        depth -= sql_is_punct(token, ")");
        if (depth == 0)
            spec->expression = xasprintf("%.*s", (int)(token->start - open->start - 1), open->start + 1);
    }
    return spec->expression && strspn(spec->expression, " \t\r\n") < strlen(spec->expression)
               ? 0
               : not_understood(reader, err);
}

static int read_spec(Reader *reader, CheckSpec *spec, Error *err)
{
    if (read_table(reader, &spec->table, err) < 0)
        return -1;
    if (reader->kind == CHECK_CHECK ? read_expression(reader, spec, err) < 0
                                    : read_columns(reader, &spec->table.columns, err) < 0)
        return -1;
    if (reader->kind == CHECK_FK && read_parent(reader, spec, err) < 0)
        return -1;
    if (reader->kind == CHECK_NOT_NULL && spec->table.columns.n != 1)
        return error_set(err, ERR_USAGE, "not-null is checked for one column at a time");
    return reader->tokens[reader->at].kind == SQL_END ? 0 : not_understood(reader, err);
}

int checkspec_parse(CheckKind kind, const char *text, CheckSpec *ret, Error *err)
{
    Reader reader = {.kind = kind, .text = text};
    size_t n;
    *ret = (CheckSpec){0};
    if (sql_tokens(text, strlen(text), &reader.tokens, &n, err) < 0) {
        if (err)
            err->code = ERR_USAGE;
        return -1;
    }
    drop_spaces(reader.tokens);
    int rc = read_spec(&reader, ret, err);
    free(reader.tokens);
    if (rc < 0)
        checkspec_done(ret);
    return rc;
}

void checkspec_done(CheckSpec *spec)
{
    free(spec->table.name);
    strvec_done(&spec->table.columns);
    free(spec->parent.name);
    strvec_done(&spec->parent.columns);
    free(spec->expression);
    strvec_done(&spec->words);
    *spec = (CheckSpec){0};
}
