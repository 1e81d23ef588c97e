#include "dbmark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "loan.h"

static const char *const state_names[] = {
    [KEPT_BUILDING] = N_("building"), [KEPT_DIFFERS] = N_("differs"),     [KEPT_COMPLETE] = N_("complete"),
    [KEPT_OLD] = N_("kept"),          [KEPT_REHEARSAL] = N_("rehearsal"), [KEPT_REHEARSED] = N_("rehearsed")};

const char *kept_state_name(KeptState state)
{
    return state_names[state];
}

/* The next token that is no space; false at the end of the line, of the text, or where it is no SQL. */
static bool next_token(SqlLexer *lexer, SqlToken *ret)
{
    for (;;) {
        if (lexer->pos >= lexer->len || lexer->text[lexer->pos] == '\n')
            return false;
        if (sql_next(lexer, ret, NULL) < 0 || ret->kind == SQL_END)
            return false;
        if (ret->kind != SQL_SPACE)
            return true;
    }
}

static bool take_word(SqlLexer *lexer, const char *word)
{
    SqlToken token;
    return next_token(lexer, &token) && sql_is_word(&token, word);
}

static bool take_state(SqlLexer *lexer, KeptState *ret)
{
    SqlToken token;
    if (!next_token(lexer, &token))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(state_names); i++) {
        if (sql_is_word(&token, state_names[i])) {
            *ret = (KeptState)i;
            return true;
        }
    }
    return false;
}

static char *take_value(SqlLexer *lexer)
{
    SqlToken token;
    return next_token(lexer, &token) && token.kind == SQL_QUOTED_IDENT && token.start[0] == '"'
               ? sql_ident_value(&token)
               : NULL;
}

static bool take_oid(const char *text, uint32_t *ret)
{
    enum { DIGITS_MAX = 10 };
    if (text == NULL || *text == 0 || strlen(text) > DIGITS_MAX || text[strspn(text, "0123456789")] != 0)
        return false;
    unsigned long long value = strtoull(text, NULL, 10);
    *ret = (uint32_t)value;
    return value <= UINT32_MAX;
}

time_t dbmark_moment(const char *at)
{
    enum { SECONDS_LEN = 19, FRACTION_LEN = 6 };
    size_t len = strlen(at);
    if (len != SECONDS_LEN + FRACTION_LEN + 2 || at[SECONDS_LEN] != '.' ||
        strspn(at + SECONDS_LEN + 1, "0123456789") != FRACTION_LEN || at[len - 1] != 'Z')
        return -1;
    char seconds[SECONDS_LEN + 2];
    snprintf(seconds, sizeof seconds, "%.*sZ", SECONDS_LEN, at);
    return clock_parse_utc(seconds);
}

static bool take_moment(const char *text, DbMark *mark)
{
    if (text == NULL || dbmark_moment(text) < 0)
        return false;
    snprintf(mark->at, sizeof mark->at, "%s", text);
    return true;
}

static bool peek_word(const SqlLexer *lexer, const char *word)
{
    SqlLexer ahead = *lexer;
    return take_word(&ahead, word);
}

static bool take_named(SqlLexer *lexer, const char *word, char **ret)
{
    return take_word(lexer, word) && (*ret = take_value(lexer)) != NULL;
}

/* Options that a grant had: "inherit", "set", both or neither. */
static bool take_options(SqlLexer *lexer, Loan *loan)
{
    _cleanup_free_ char *was = NULL;
    if (!peek_word(lexer, "was"))
        return true;
    if (loan->grantor == NULL || !take_named(lexer, "was", &was))
        return false;
    loan->changed = true;
    loan->inherits = strstr(was, "inherit") != NULL;
    loan->becomes = strstr(was, "set") != NULL;
    return true;
}

static bool take_loan(SqlLexer *lexer, Loan *loan)
{
    return take_named(lexer, "lent", &loan->role) && take_named(lexer, "to", &loan->member) &&
           (!peek_word(lexer, "grantor") || take_named(lexer, "grantor", &loan->grantor)) &&
           take_named(lexer, "stamp", &loan->stamp) && take_options(lexer, loan);
}

static bool take_loans(SqlLexer *lexer, Loans *loans)
{
    while (peek_word(lexer, "lent")) {
        xgrow(&loans->v, &loans->cap, loans->n);
        loans->v[loans->n] = (Loan){0};
        if (!take_loan(lexer, &loans->v[loans->n++]))
            return false;
    }
    return true;
}

static bool parse(SqlLexer *lexer, DbMark *mark)
{
    if (!take_word(lexer, "kura") || !take_state(lexer, &mark->state) || (mark->database = take_value(lexer)) == NULL ||
        !take_named(lexer, "as", &mark->name) || !take_word(lexer, "oid"))
        return false;
    _cleanup_free_ char *oid = take_value(lexer);
    if (!take_oid(oid, &mark->oid) || !take_word(lexer, "at"))
        return false;
    _cleanup_free_ char *at = take_value(lexer);
    if (!take_moment(at, mark) || !take_named(lexer, "by", &mark->by) || !take_loans(lexer, &mark->loans))
        return false;
    return lexer->pos == lexer->len || lexer->text[lexer->pos] == '\n';
}

bool dbmark_parse(const char *comment, DbMark *ret)
{
    DbMark mark = {0};
    SqlLexer lexer = {.text = comment, .len = comment ? strlen(comment) : 0};
    if (comment == NULL || !parse(&lexer, &mark)) {
        dbmark_done(&mark);
        return false;
    }
    if (lexer.pos < lexer.len)
        mark.comment = xstrdup(comment + lexer.pos + 1);
    *ret = mark;
    return true;
}

void dbmark_done(DbMark *mark)
{
    if (mark == NULL)
        return;
    free(mark->database);
    free(mark->name);
    free(mark->by);
    loans_done(&mark->loans);
    free(mark->comment);
    *mark = (DbMark){0};
}

static void add_quoted(Buf *out, const char *before, const char *name)
{
    buf_append_str(out, before, NULL);
    buf_append_str(out, " \"", NULL);
    for (; *name; name++)
        buf_append(out, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1, NULL);
    buf_append_str(out, "\"", NULL);
}

static void add_loan(Buf *out, const Loan *loan)
{
    add_quoted(out, " lent", loan->role);
    add_quoted(out, " to", loan->member);
    if (loan->grantor)
        add_quoted(out, " grantor", loan->grantor);
    add_quoted(out, " stamp", loan->stamp);
    if (loan->changed)
        add_quoted(out, " was",
                   loan->inherits  ? loan->becomes ? "inherit set" : "inherit"
                   : loan->becomes ? "set"
                                   : "");
}

char *dbmark_format(const DbMark *mark)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(SIZE_MAX);
    _cleanup_free_ char *oid = xasprintf("%u", mark->oid);
    buf_append_str(&out, "kura ", NULL);
    add_quoted(&out, state_names[mark->state], mark->database);
    add_quoted(&out, " as", mark->name);
    add_quoted(&out, " oid", oid);
    add_quoted(&out, " at", mark->at);
    add_quoted(&out, " by", mark->by);
    for (size_t i = 0; i < mark->loans.n; i++)
        add_loan(&out, &mark->loans.v[i]);
    return mark->comment && *mark->comment ? xasprintf("%s\n%s", buf_str(&out), mark->comment) : xstrdup(buf_str(&out));
}

bool dbmark_is_of(const DbMark *mark, const char *name, uint32_t oid)
{
    return mark->oid == oid && strcmp(mark->name, name) == 0;
}

const char *dbmark_strip(const char *comment)
{
    DbMark mark;
    while (dbmark_parse(comment, &mark)) {
        comment = mark.comment ? comment + (strlen(comment) - strlen(mark.comment)) : NULL;
        dbmark_done(&mark);
    }
    return comment;
}
