/* The SQL lexer, and all that reads or rewrites the SQL of TOC entries. The first byte chooses a map, the rest is the
 * text; it is also tried as a file of role map rules. */
#include <string.h>

#include "../unit/roles/toc_builder.h"
#include "fuzz.h"
#include "kura/mem.h"
#include "kura/rolemap.h"
#include "kura/sqllex.h"

static const char *const maps[] = {"a=b", "a=c,b=c", "a=@drop", "*=z", "a=b,b=a,x=@drop,*=\"Z z\"", "a=boss,b=boss"};
static const char *const descs[] = {"ACL",     "DEFAULT ACL", "POLICY", "USER MAPPING", "DATABASE PROPERTIES",
                                    "UNKNOWN", "FUNCTION"};

static void check_tokens(const char *text, size_t len)
{
    SqlToken *tokens;
    size_t n, pos = 0;
    if (sql_tokens(text, len, &tokens, &n, NULL) < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        fuzz_require(tokens[i].start == text + pos);
        fuzz_require((tokens[i].kind == SQL_END) == (i + 1 == n) && (tokens[i].len == 0) == (i + 1 == n));
        pos += tokens[i].len;
        _cleanup_free_ char *name = sql_ident_value(&tokens[i]), *value = sql_string_value(&tokens[i]);
        fuzz_require(name == NULL || value == NULL);
        if (name) {
            _cleanup_free_ char *quoted = sql_quote_ident(name);
            SqlLexer lexer = {.text = quoted, .len = strlen(quoted)};
            SqlToken again;
            fuzz_require(sql_next(&lexer, &again, NULL) == 0 && again.len == lexer.len);
            _cleanup_free_ char *same = sql_ident_value(&again);
            fuzz_require(same && strcmp(same, name) == 0);
        }
    }
    fuzz_require(pos == len);
    free(tokens);
}

static RoleMap *map_of(const char *rules)
{
    RoleMap *map = rolemap_new();
    fuzz_require(rolemap_add(map, rules, NULL) == 0);
    return map;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* A map of every role to itself changes nothing. */
static void check_identity(const EntrySpec *entry)
{
    RoleMap *map = map_of("a=a,b=b,c=c,x=x,boss=boss");
    Toc *toc = build_toc(entry, 1);
    TocEntry before = toc->entries[0];
    rolemap_apply(map, toc, NULL);
    fuzz_require(memcmp(&before, &toc->entries[0], sizeof before) == 0);
    toc_free(toc);
    rolemap_free(map);
}

/* After a map nobody is left whom it sends elsewhere, unless somebody else was sent there. */
static void check_mapped(const Toc *toc, const RoleMap *map, const RoleUses *before)
{
    RoleUses after;
    fuzz_require(rolemap_survey(toc, NULL, map, &after, NULL) == 0);
    for (size_t i = 0; i < after.n; i++) {
        bool expected = rolemap_is_fixed(after.v[i].name) || !after.v[i].named;
        for (size_t j = 0; j < before->n && !expected; j++)
            expected = same_text(before->v[j].new_name, after.v[i].name);
        fuzz_require(expected);
    }
    roleuses_done(&after);
}

static bool has_to(const char *text)
{
    SqlLexer lexer = {.text = text, .len = strlen(text)};
    SqlToken token;
    while (sql_next(&lexer, &token, NULL) == 0 && token.kind != SQL_END)
        if (sql_is_word(&token, "to"))
            return true;
    return false;
}

/* A policy for somebody never becomes one for everyone. */
static void check_policy(const char *before, const char *after)
{
    const char *semicolon = strchr(before, ';');
    bool one_statement = semicolon == NULL || semicolon[strspn(semicolon, "; \n")] == 0;
    fuzz_require(!one_statement || !has_to(before) || after[0] == 0 || has_to(after));
}

static void check_map(const RoleMap *map, const EntrySpec *entry)
{
    Toc *toc = build_toc(entry, 1);
    RoleUses before;
    Error err = ERROR_INIT;
    if (rolemap_survey(toc, NULL, map, &before, &err) < 0) {
        fuzz_require(err.code == ERR_CORRUPT);
        toc_free(toc);
        return;
    }
    if (rolemap_apply(map, toc, &err) == 0) {
        check_mapped(toc, map, &before);
        if (strcmp(entry->desc, "POLICY") == 0)
            check_policy(entry->defn, toc->entries[0].defn);
    } else {
        fuzz_require(err.code == ERR_UNSUPPORTED || err.code == ERR_CORRUPT);
    }
    roleuses_done(&before);
    toc_free(toc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0 || len > 1 << 16)
        return 0;
    size_t choice = data[0] % ARRAY_SIZE(maps);
    const char *bytes = (const char *)data + 1;
    check_tokens(bytes, len - 1);

    RoleMap *from_text = rolemap_new();
    rolemap_add_text(from_text, bytes, len - 1, "fuzz", NULL);
    rolemap_free(from_text);

    _cleanup_free_ char *text = xstrndup(bytes, len - 1);
    AclItems items = {0};
    if (acl_parse(text, &items, NULL) == 0)
        for (size_t i = 0; i < items.n; i++)
            fuzz_require(items.v[i].privilege[0] && items.v[i].object[0]);
    aclitems_done(&items);

    RoleMap *map = map_of(maps[choice]);
    for (size_t i = 0; i < ARRAY_SIZE(descs); i++) {
        EntrySpec entry = {.desc = descs[i], .tag = "USER MAPPING a SERVER s", .owner = "boss", .defn = text};
        check_identity(&entry);
        check_map(map, &entry);
    }
    rolemap_free(map);
    return 0;
}
