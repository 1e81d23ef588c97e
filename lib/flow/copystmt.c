#include "copystmt.h"

#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"

enum { NAME_MAX_BYTES = 1024 * 1024 };

char *copystmt_table(const TocEntry *entry)
{
    _cleanup_(buf_done) Buf name = BUF_INIT(NAME_MAX_BYTES);
    sql_append_ident(&name, entry->namespace ? entry->namespace : "");
    buf_append_str(&name, ".", NULL);
    sql_append_ident(&name, entry->tag ? entry->tag : "");
    return xstrdup(buf_str(&name));
}

static int malformed(const TocEntry *entry, Error *err)
{
    return error_set(err, ERR_CORRUPT,
                     "the COPY statement of entry %d (TABLE DATA %s) is not of the known form: %.200s", entry->dump_id,
                     entry->tag ? entry->tag : "", entry->copy_stmt ? entry->copy_stmt : _("none"));
}

/* The next token that is no white space. */
static const SqlToken *next(const SqlToken **at)
{
    while ((*at)->kind == SQL_SPACE || (*at)->kind == SQL_COMMENT)
        (*at)++;
    const SqlToken *token = *at;
    if (token->kind != SQL_END)
        (*at)++;
    return token;
}

/* name or schema.name; false when there is none. */
static bool qualified_name(const SqlToken **at, const SqlToken **ret_first, const SqlToken **ret_last, char *parts[2])
{
    *ret_first = *ret_last = next(at);
    parts[0] = sql_ident_value(*ret_first);
    if (parts[0] == NULL)
        return false;
    const SqlToken *mark = *at;
    if (!sql_is_punct(next(at), ".")) {
        *at = mark;
        return true;
    }
    *ret_last = next(at);
    parts[1] = sql_ident_value(*ret_last);
    return parts[1] != NULL;
}

static int parse_tokens(const TocEntry *entry, const SqlToken *tokens, CopyStmt *ret, Error *err)
{
    const SqlToken *at = tokens, *first, *last;
    char *parts[2] = {NULL, NULL};
    if (!sql_is_word(next(&at), "copy") || !qualified_name(&at, &first, &last, parts)) {
        free(parts[0]);
        return malformed(entry, err);
    }
    const char *schema = parts[1] ? parts[0] : "", *name = parts[1] ? parts[1] : parts[0];
    ret->via_root = strcmp(name, entry->tag) != 0 || (parts[1] && strcmp(schema, entry->namespace) != 0);
    free(parts[0]);
    free(parts[1]);
    ret->target = xstrndup(first->start, (size_t)(last->start + last->len - first->start));
    const SqlToken *token = next(&at);
    const char *columns = token->start;
    size_t len = 0;
    if (sql_is_punct(token, "(")) {
        while (!sql_is_punct(token, ")") && token->kind != SQL_END)
            token = next(&at);
        len = (size_t)(token->start + token->len - columns);
        token = next(&at);
    }
    ret->columns = xstrndup(columns, len);
    if (!sql_is_word(token, "from") || !sql_is_word(next(&at), "stdin")) {
        copystmt_done(ret);
        return malformed(entry, err);
    }
    return 0;
}

int copystmt_parse(const TocEntry *entry, CopyStmt *ret, Error *err)
{
    *ret = (CopyStmt){0};
    if (entry->copy_stmt == NULL || entry->tag == NULL || entry->namespace == NULL)
        return malformed(entry, err);
    _cleanup_free_ SqlToken *tokens = NULL;
    size_t n;
    if (sql_tokens(entry->copy_stmt, strlen(entry->copy_stmt), &tokens, &n, err) < 0)
        return error_wrap(err, "entry %d (TABLE DATA %s)", entry->dump_id, entry->tag);
    return parse_tokens(entry, tokens, ret, err);
}

void copystmt_done(CopyStmt *stmt)
{
    free(stmt->target);
    free(stmt->columns);
    *stmt = (CopyStmt){0};
}

char *copystmt_out(const CopyStmt *stmt, const TocEntry *entry, const char *condition)
{
    _cleanup_free_ char *table = copystmt_table(entry);
    if (condition == NULL)
        return xasprintf("COPY %s %s TO STDOUT", table, stmt->columns);
    size_t len = strlen(stmt->columns);
    return xasprintf("COPY (SELECT %.*s FROM ONLY %s %s) TO STDOUT", len > 2 ? (int)len - 2 : 0,
                     stmt->columns + (len > 2), table, condition);
}

char *copystmt_in(const CopyStmt *stmt, bool freeze)
{
    return xasprintf("COPY %s %s FROM STDIN%s", stmt->target, stmt->columns, freeze ? " WITH (FREEZE)" : "");
}
