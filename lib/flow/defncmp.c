#include "defncmp.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"

/* The tokens that count. */
typedef struct Words {
    SqlToken *v;
    size_t n;
} Words;

static bool is_word_of(const SqlToken *token, const char *const *words)
{
    for (; *words; words++)
        if (sql_is_word(token, *words))
            return true;
    return false;
}

/* Drops parentheses in front; gives how many tokens a type's name takes that begins here. */
static size_t type_length(const SqlToken *tokens)
{
    static const char *const going_on[] = {"varying", "precision", "with", "without", "time", "zone", NULL};
    size_t n = 0;
    bool ident = tokens[0].kind == SQL_IDENT || tokens[0].kind == SQL_QUOTED_IDENT;
    if (!ident)
        return 0;
    n = 1;
    while (sql_is_punct(&tokens[n], ".") && tokens[n + 1].kind != SQL_END)
        n += 2;
    for (;;) {
        if (is_word_of(&tokens[n], going_on)) {
            n++;
        } else if (sql_is_punct(&tokens[n], "(") && tokens[n + 1].kind == SQL_NUMBER) {
            while (tokens[n].kind != SQL_END && !sql_is_punct(&tokens[n], ")"))
                n++;
            n += tokens[n].kind != SQL_END;
        } else if (sql_is_punct(&tokens[n], "[") && sql_is_punct(&tokens[n + 1], "]")) {
            n += 2;
        } else {
            return n;
        }
    }
}

static size_t drop_spaces(SqlToken *tokens, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (tokens[i].kind != SQL_SPACE && tokens[i].kind != SQL_COMMENT)
            tokens[kept++] = tokens[i];
    tokens[kept] = (SqlToken){.kind = SQL_END};
    return kept;
}

/* False when the text is no SQL. */
static bool words_of(const char *text, Words *ret)
{
    SqlToken *tokens;
    size_t n, kept = 0;
    if (sql_tokens(text, strlen(text), &tokens, &n, NULL) < 0)
        return false;
    n = drop_spaces(tokens, n);
    for (size_t i = 0; i < n; i++) {
        if (sql_is_punct(&tokens[i], "(") || sql_is_punct(&tokens[i], ")"))
            continue;
        if (sql_is_punct(&tokens[i], "::")) {
            i += type_length(&tokens[i + 1]);
            continue;
        }
        tokens[kept++] = tokens[i];
    }
    *ret = (Words){.v = tokens, .n = kept};
    return true;
}

static int compare_tokens(const void *a, const void *b)
{
    const SqlToken *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->start, y->start, len);
    return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

static bool equal_words(Words *a, Words *b, bool any_order)
{
    if (a->n != b->n)
        return false;
    if (any_order) {
        qsort(a->v, a->n, sizeof *a->v, compare_tokens);
        qsort(b->v, b->n, sizeof *b->v, compare_tokens);
    }
    for (size_t i = 0; i < a->n; i++)
        if (compare_tokens(&a->v[i], &b->v[i]) != 0)
            return false;
    return true;
}

DefnOrder defn_compare(const char *a, const char *b, bool any_order, size_t *ret_a, size_t *ret_b)
{
    a = a ? a : "";
    b = b ? b : "";
    size_t same = 0;
    while (a[same] && a[same] == b[same])
        same++;
    if (a[same] == b[same])
        return DEFN_SAME;
    *ret_a = *ret_b = same;
    Words x = {0}, y = {0};
    bool equal = words_of(a, &x) && words_of(b, &y) && equal_words(&x, &y, any_order);
    free(x.v);
    free(y.v);
    return equal ? DEFN_REWORDED : DEFN_DIFFERS;
}
