/* Where tokens end: PostgreSQL's scan.l written by hand. Three of its rules are easy to overlook. Comments nest. A
 * string goes on behind white space that holds a newline ('a'\n'b' is one string), and what goes on is still of the
 * first piece's kind, so that in E'a'\n'b\'' the second piece has escapes. An operator ends before a comment begins in
 * it, and a multi-character one only ends in + or - when it holds one of ~ ! @ # % ^ & | ` ?. */
#include "kura/sqllex.h"

#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"

enum { MAX_TEXT = 1 << 30 };

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_ident_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_ident_part(char c)
{
    return is_ident_start(c) || is_digit(c) || c == '$';
}

static bool is_operator(char c)
{
    return c != 0 && strchr("~!@#^&|`?+-*/%<>=", c) != NULL;
}

/* The byte at pos, or 0 behind the end: no token of ours has a NUL in it, so that 0 never continues one. */
static char at(const SqlLexer *lexer, size_t pos)
{
    return pos < lexer->len ? lexer->text[pos] : 0;
}

static bool begins_line_comment(const SqlLexer *lexer, size_t pos)
{
    return at(lexer, pos) == '-' && at(lexer, pos + 1) == '-';
}

static size_t end_of_line(const SqlLexer *lexer, size_t pos)
{
    while (pos < lexer->len && !is_newline(lexer->text[pos]) && lexer->text[pos] != 0)
        pos++;
    return pos;
}

static size_t end_of_ident(const SqlLexer *lexer, size_t pos)
{
    while (is_ident_part(at(lexer, pos)))
        pos++;
    return pos;
}

static int unterminated(const SqlLexer *lexer, const char *what, Error *err)
{
    return error_set(err, ERR_CORRUPT, "unterminated %s in SQL text, begun at byte %zu", what, lexer->pos);
}

/* Finds the end of a nested comment that begins at lexer->pos. */
static int comment_end(const SqlLexer *lexer, size_t *ret_end, Error *err)
{
    size_t depth = 0, pos = lexer->pos;
    while (pos < lexer->len && lexer->text[pos] != 0) {
        if (at(lexer, pos) == '/' && at(lexer, pos + 1) == '*') {
            depth++;
            pos += 2;
        } else if (at(lexer, pos) == '*' && at(lexer, pos + 1) == '/') {
            depth--;
            pos += 2;
            if (depth == 0) {
                *ret_end = pos;
                return 0;
            }
        } else {
            pos++;
        }
    }
    return unterminated(lexer, _("comment"), err);
}

/* Where the string that was closed before pos goes on (behind its next opening quote), or 0 when it does not. */
static size_t continuation(const SqlLexer *lexer, size_t pos)
{
    bool newline = false;
    for (;;) {
        if (is_space(at(lexer, pos))) {
            newline |= is_newline(lexer->text[pos]);
            pos++;
        } else if (begins_line_comment(lexer, pos)) {
            pos = end_of_line(lexer, pos);
        } else {
            return newline && at(lexer, pos) == '\'' ? pos + 1 : 0;
        }
    }
}

/* Finds the end of what is quoted by `quote`, whose inside begins at pos. */
static int quoted_end(const SqlLexer *lexer, size_t pos, char quote, bool backslashes, size_t *ret_end, Error *err)
{
    while (pos < lexer->len && lexer->text[pos] != 0) {
        char c = lexer->text[pos++];
        if (backslashes && c == '\\' && at(lexer, pos) != 0) {
            pos++;
        } else if (c == quote && at(lexer, pos) == quote) {
            pos++;
        } else if (c == quote) {
            size_t more = quote == '\'' ? continuation(lexer, pos) : 0;
            if (more == 0) {
                *ret_end = pos;
                return 0;
            }
            pos = more;
        }
    }
    return unterminated(lexer, quote == '"' ? _("quoted identifier") : _("string"), err);
}

/* Whether a letter in front of a quote makes it a string of another kind: E'', B'', X'', N'', U&''. Gives the length of
 * what stands before the quote. */
static size_t quote_prefix(const SqlLexer *lexer, char *ret_quote)
{
    char first = at(lexer, lexer->pos), second = at(lexer, lexer->pos + 1), third = at(lexer, lexer->pos + 2);
    size_t prefix = 0;
    if (first != 0 && strchr("eEbBxXnN", first) && second == '\'')
        prefix = 1;
    else if ((first == 'u' || first == 'U') && second == '&' && (third == '\'' || third == '"'))
        prefix = 2;
    *ret_quote = at(lexer, lexer->pos + prefix);
    return prefix;
}

/* The end of the opening $tag$ at lexer->pos, or 0 when it is none. */
static size_t dollar_tag_end(const SqlLexer *lexer)
{
    size_t pos = lexer->pos + 1;
    if (is_ident_start(at(lexer, pos)))
        while (is_ident_part(at(lexer, pos)) && lexer->text[pos] != '$')
            pos++;
    return at(lexer, pos) == '$' ? pos + 1 : 0;
}

static int dollar_end(const SqlLexer *lexer, size_t body, size_t *ret_end, Error *err)
{
    size_t tag_len = body - lexer->pos;
    const char *tag = lexer->text + lexer->pos;
    const char *found = memmem(lexer->text + body, lexer->len - body, tag, tag_len);
    if (found == NULL || memchr(tag, 0, (size_t)(found - tag)))
        return unterminated(lexer, _("dollar-quoted string"), err);
    *ret_end = (size_t)(found - lexer->text) + tag_len;
    return 0;
}

static size_t digits_end(const SqlLexer *lexer, size_t pos)
{
    while (is_digit(at(lexer, pos)) || (at(lexer, pos) == '_' && is_digit(at(lexer, pos + 1))))
        pos++;
    return pos;
}

static size_t number_end(const SqlLexer *lexer)
{
    size_t pos = digits_end(lexer, lexer->pos);
    if (at(lexer, pos) == '.' && at(lexer, pos + 1) != '.')
        pos = digits_end(lexer, pos + 1);
    if (at(lexer, pos) == 'e' || at(lexer, pos) == 'E') {
        size_t exponent = pos + 1;
        if (at(lexer, exponent) == '+' || at(lexer, exponent) == '-')
            exponent++;
        if (is_digit(at(lexer, exponent)))
            pos = digits_end(lexer, exponent);
    }
    return pos;
}

static size_t operator_end(const SqlLexer *lexer)
{
    size_t start = lexer->pos, pos = start;
    bool may_end_in_sign = false;
    for (; is_operator(at(lexer, pos)); pos++) {
        if (begins_line_comment(lexer, pos) || (at(lexer, pos) == '/' && at(lexer, pos + 1) == '*'))
            break;
        may_end_in_sign |= strchr("~!@#%^&|`?", lexer->text[pos]) != NULL;
    }
    while (!may_end_in_sign && pos > start + 1 && (lexer->text[pos - 1] == '+' || lexer->text[pos - 1] == '-'))
        pos--;
    return pos;
}

/* Tokens that begin with a letter, a digit, '$' or ':'. */
static int word_or_sign_end(const SqlLexer *lexer, SqlTokenKind *ret_kind, size_t *ret_end, Error *err)
{
    char c = lexer->text[lexer->pos], next = at(lexer, lexer->pos + 1);
    size_t body;
    if (is_ident_start(c)) {
        *ret_kind = SQL_IDENT;
        *ret_end = end_of_ident(lexer, lexer->pos);
    } else if (is_digit(c) || (c == '.' && is_digit(next))) {
        *ret_kind = SQL_NUMBER;
        *ret_end = number_end(lexer);
    } else if (c == '$' && is_digit(next)) {
        *ret_kind = SQL_PARAM;
        for (*ret_end = lexer->pos + 1; is_digit(at(lexer, *ret_end)); ++*ret_end)
            ;
    } else if (c == '$' && (body = dollar_tag_end(lexer)) != 0) {
        *ret_kind = SQL_DOLLAR;
        return dollar_end(lexer, body, ret_end, err);
    } else if ((c == ':' && (next == ':' || next == '=')) || (c == '.' && next == '.')) {
        *ret_kind = SQL_OPERATOR;
        *ret_end = lexer->pos + 2;
    } else if (is_operator(c)) {
        *ret_kind = SQL_OPERATOR;
        *ret_end = operator_end(lexer);
    } else {
        *ret_kind = SQL_PUNCT;
        *ret_end = lexer->pos + 1;
    }
    return 0;
}

static int token_end(const SqlLexer *lexer, SqlTokenKind *ret_kind, size_t *ret_end, Error *err)
{
    char c = lexer->text[lexer->pos], quote;
    size_t prefix = quote_prefix(lexer, &quote);
    if (c == 0)
        return error_set(err, ERR_CORRUPT, "NUL byte in SQL text at byte %zu", lexer->pos);
    if (is_space(c)) {
        *ret_kind = SQL_SPACE;
        for (*ret_end = lexer->pos + 1; is_space(at(lexer, *ret_end)); ++*ret_end)
            ;
        return 0;
    }
    if (begins_line_comment(lexer, lexer->pos)) {
        *ret_kind = SQL_COMMENT;
        *ret_end = end_of_line(lexer, lexer->pos);
        return 0;
    }
    if (c == '/' && at(lexer, lexer->pos + 1) == '*') {
        *ret_kind = SQL_COMMENT;
        return comment_end(lexer, ret_end, err);
    }
    if (quote == '\'' || quote == '"') {
        *ret_kind = quote == '"' ? SQL_QUOTED_IDENT : SQL_STRING;
        bool backslashes = prefix == 1 && (c == 'e' || c == 'E');
        return quoted_end(lexer, lexer->pos + prefix + 1, quote, backslashes, ret_end, err);
    }
    return word_or_sign_end(lexer, ret_kind, ret_end, err);
}

int sql_next(SqlLexer *lexer, SqlToken *ret, Error *err)
{
    SqlTokenKind kind = SQL_END;
    size_t end = lexer->pos;
    if (lexer->len > MAX_TEXT)
        return error_set(err, ERR_CORRUPT, "SQL text of %zu bytes is longer than 1 GiB", lexer->len);
    if (lexer->pos < lexer->len && token_end(lexer, &kind, &end, err) < 0)
        return -1;
    *ret = (SqlToken){.kind = kind, .start = lexer->text + lexer->pos, .len = end - lexer->pos};
    lexer->pos = end;
    return 0;
}

int sql_tokens(const char *text, size_t len, SqlToken **ret, size_t *ret_n, Error *err)
{
    SqlLexer lexer = {.text = text, .len = len};
    _cleanup_free_ SqlToken *tokens = NULL;
    size_t n = 0, cap = 0;
    do {
        xgrow(&tokens, &cap, n);
        if (sql_next(&lexer, &tokens[n], err) < 0)
            return -1;
    } while (tokens[n++].kind != SQL_END);
    *ret = steal(tokens);
    *ret_n = n;
    return 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool sql_is_word(const SqlToken *token, const char *word)
{
    if (token->kind != SQL_IDENT || token->len != strlen(word))
        return false;
    for (size_t i = 0; i < token->len; i++)
        if (lower(token->start[i]) != word[i])
            return false;
    return true;
}

bool sql_is_punct(const SqlToken *token, const char *text)
{
    return (token->kind == SQL_PUNCT || token->kind == SQL_OPERATOR) && token->len == strlen(text) &&
           memcmp(token->start, text, token->len) == 0;
}
