/* A literal counts when all of it is a role's name, as in 'app'::regrole or has_table_privilege('app', ..); a body of
 * code, in whatever language, when the name stands in it as a word, or between quotes when it is more than a word. Both
 * can hit what is no role. They only warn. */
#include "mentions.h"

#include <string.h>

#include "entrykind.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "rolemap_priv.h"

enum { MAX_LISTED = 20 };

typedef struct Scan {
    RoleUses *uses;
    const TocEntry *entry;
} Scan;

static void hit(const Scan *scan, const char *name)
{
    RoleUse *use = (RoleUse *)roleuses_find(scan->uses, name);
    if (use == NULL)
        return;
    use->mentions++;
    if (use->mentioned_in.n == MAX_LISTED)
        return;
    _cleanup_free_ char *label = entry_label(scan->entry);
    if (!strvec_contains(&use->mentioned_in, label))
        strvec_push(&use->mentioned_in, label);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word_part(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

/* The literal of a name that is no plain word is the name in double quotes: '"we ird"'::regrole. */
static void scan_literal(const Scan *scan, const SqlToken *token)
{
    _cleanup_free_ char *value = sql_string_value(token);
    if (value == NULL)
        return;
    SqlLexer lexer = {.text = value, .len = strlen(value)};
    SqlToken inner;
    if (value[0] == '"' && sql_next(&lexer, &inner, NULL) == 0 && inner.len == lexer.len) {
        _cleanup_free_ char *name = sql_ident_value(&inner);
        if (name)
            hit(scan, name);
    } else {
        hit(scan, value);
    }
}

/* Whether a name can stand in code without quotes: a role named "user" or "select" cannot. */
static bool stands_bare(const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c >= 0x80)
            return true;
    _cleanup_free_ char *quoted = sql_quote_ident(name);
    return quoted[0] != '"';
}

/* A word of a body, folded as SQL does it. Returns where it ends. */
static size_t scan_word(const Scan *scan, const char *body, size_t pos, size_t len)
{
    char word[ROLE_NAME_MAX + 1];
    size_t n = 0;
    for (; pos < len && is_word_part(body[pos]); pos++, n++)
        if (n < ROLE_NAME_MAX)
            word[n] = (char)(body[pos] >= 'A' && body[pos] <= 'Z' ? body[pos] + ('a' - 'A') : body[pos]);
    if (n <= ROLE_NAME_MAX) {
        word[n] = 0;
        if (roleuses_find(scan->uses, word) && stands_bare(word))
            hit(scan, word);
    }
    return pos;
}

/* What stands between a quote at pos and the next one, doubled ones undone, unless scan_word() takes it as it is. No
 * name is long, so nothing long is read. */
static void scan_quoted(const Scan *scan, const char *body, size_t pos, size_t len)
{
    char name[ROLE_NAME_MAX + 1], quote = body[pos];
    size_t n = 0;
    bool plain = true;
    for (pos++; pos < len; pos++) {
        if (body[pos] == quote && (pos + 1 == len || body[pos + 1] != quote))
            break;
        if (n == ROLE_NAME_MAX)
            return;
        plain &= is_word_part(body[pos]) && !(body[pos] >= 'A' && body[pos] <= 'Z');
        pos += body[pos] == quote;
        name[n++] = body[pos];
    }
    name[n] = 0;
    if (pos < len && roleuses_find(scan->uses, name) && !(plain && stands_bare(name)))
        hit(scan, name);
}

static void scan_body(const Scan *scan, const char *body, size_t len)
{
    size_t pos = 0;
    while (pos < len) {
        if (is_word_part(body[pos])) {
            pos = scan_word(scan, body, pos, len);
        } else {
            if (body[pos] == '"' || body[pos] == '\'')
                scan_quoted(scan, body, pos, len);
            pos++;
        }
    }
}

/* SET search_path TO 'a', 'b' names schemas, of which one is often called like its role. */
static bool stays_in_search_path(const SqlToken *token, bool inside)
{
    if (token->kind != SQL_IDENT)
        return inside;
    return sql_is_word(token, "search_path") || (inside && sql_is_word(token, "to"));
}

void mentions_in_entry(RoleUses *uses, const TocEntry *entry)
{
    if (entry->defn == NULL || uses->n == 0 || !entry_type(entry->desc)->literals)
        return;
    Scan scan = {.uses = uses, .entry = entry};
    SqlLexer lexer = {.text = entry->defn, .len = strlen(entry->defn)};
    SqlToken token;
    bool in_search_path = false;
    while (sql_next(&lexer, &token, NULL) == 0 && token.kind != SQL_END) {
        in_search_path = stays_in_search_path(&token, in_search_path);
        if (token.kind == SQL_STRING && !in_search_path)
            scan_literal(&scan, &token);
        else if (token.kind == SQL_DOLLAR)
            scan_body(&scan, token.start, token.len);
    }
}
