/* A lexer for the SQL in TOC entries, by the rules of PostgreSQL's scan.l with standard_conforming_strings on. Pure. */
#ifndef KURA_SQLLEX_H
#define KURA_SQLLEX_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/buf.h"
#include "kura/error.h"

typedef enum SqlTokenKind {
    SQL_END,
    SQL_SPACE,        /* white space */
    SQL_COMMENT,      /* -- .. or nested C comments */
    SQL_IDENT,        /* unquoted identifier or keyword */
    SQL_QUOTED_IDENT, /* "..", U&".." */
    SQL_STRING,       /* '..', E'..', U&'..', N'..', B'..', X'..'; with what continues it on the next line */
    SQL_DOLLAR,       /* $tag$..$tag$ */
    SQL_NUMBER,
    SQL_PARAM,    /* $1 */
    SQL_OPERATOR, /* one run of operator characters; "::", ":=" and ".." too */
    SQL_PUNCT,    /* one of ( ) [ ] , ; . : and any byte that SQL has no use for */
} SqlTokenKind;

typedef struct SqlToken {
    SqlTokenKind kind;
    const char *start; /* into the text */
    size_t len;
} SqlToken;

/* Cuts text (len bytes, need not be NUL-terminated) into tokens that cover it without a gap, ended by SQL_END; *ret to
 * be freed. ERR_CORRUPT for an unterminated quote or comment, a NUL byte, and the byte where it began. Input over 1 GiB
 * is refused. */
int sql_tokens(const char *text, size_t len, SqlToken **ret, size_t *ret_n, Error *err);

/* The same a token at a time, for texts whose tokens need not be held together: begin with {text, len, 0}. Gives
 * SQL_END at the end, again and again. */
typedef struct SqlLexer {
    const char *text;
    size_t len;
    size_t pos; /* where the next token begins */
} SqlLexer;
int sql_next(SqlLexer *lexer, SqlToken *ret, Error *err);

/* Whether token is the unquoted word (given in lower case). */
bool sql_is_word(const SqlToken *token, const char *word);
/* Whether token is the single punctuation or operator text. */
bool sql_is_punct(const SqlToken *token, const char *text);
/* The name an identifier token stands for: folded (ASCII only, as the server does for UTF-8) or unquoted; U&"" decoded
 * (default escape '\'). To be freed. NULL when token is no identifier or holds a broken escape. */
char *sql_ident_value(const SqlToken *token);
/* The value of a string token ('..', E'..', U&'..', N'..', dollar). To be freed; NULL when it is none or holds a broken
 * escape. */
char *sql_string_value(const SqlToken *token);
/* Appends name as SQL writes it: bare when quote_ident() would leave it bare (lower case, no keyword but the unreserved
 * ones, by PostgreSQL 18's list), else in double quotes. out must have room: aborts when its maximum is too small,
 * since half a name would be another name. */
void sql_append_ident(Buf *out, const char *name);
/* The same as a fresh string. */
char *sql_quote_ident(const char *name);
/* A literal 'text' with quotes doubled, E'' where a backslash is in it. */
char *sql_quote_literal(const char *text);

#endif
