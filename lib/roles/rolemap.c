/* Rules: how they are written and which one decides. */
#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "rolemap_priv.h"

RoleMap *rolemap_new(void)
{
    return xcalloc(1, sizeof(RoleMap));
}

static void rule_done(RoleRule *rule)
{
    free(rule->old_name);
    free(rule->new_name);
    free(rule->new_sql);
    *rule = (RoleRule){0};
}

void rolemap_free(RoleMap *map)
{
    if (map == NULL)
        return;
    for (size_t i = 0; i < map->n; i++)
        rule_done(&map->v[i]);
    rule_done(&map->rest);
    free(map->v);
    free(map);
}

bool rolemap_is_empty(const RoleMap *map)
{
    return map->n == 0 && map->rest.new_name == NULL;
}

bool role_is_reserved(const char *name)
{
    return strcmp(name, "public") == 0 || strcmp(name, "none") == 0;
}

bool role_is_word(const char *name)
{
    static const char *const words[] = {"current_user", "current_role", "session_user"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(name, words[i]) == 0)
            return true;
    return role_is_reserved(name);
}

bool rolemap_is_fixed(const char *role)
{
    return strncmp(role, "pg_", 3) == 0 || role_is_reserved(role);
}

/* The position of the rule that names a role, or where it would stand. */
static size_t rule_position(const RoleMap *map, const char *role)
{
    size_t low = 0, high = map->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(map->v[middle].old_name, role) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const RoleRule *rolemap_rule_of(const RoleMap *map, const char *role)
{
    size_t position = rule_position(map, role);
    if (position < map->n && strcmp(map->v[position].old_name, role) == 0)
        return &map->v[position];
    return NULL;
}

const RoleRule *rolemap_rule(const RoleMap *map, const char *role)
{
    if (rolemap_is_fixed(role))
        return NULL;
    const RoleRule *rule = rolemap_rule_of(map, role);
    if (rule == NULL && map->rest.new_name)
        rule = &map->rest;
    return rule;
}

const char *rolemap_lookup(const RoleMap *map, const char *role)
{
    const RoleRule *rule = rolemap_rule(map, role);
    return rule ? rule->new_name : role;
}

/* Reads rules from a --map argument or, with a file's name, from the lines of a file. */
typedef struct RuleReader {
    const char *pos, *end;
    const char *file; /* NULL: an argument */
    size_t line;
    const char *rule; /* where the current one begins */
} RuleReader;

static bool ends_rule(const RuleReader *reader, const char *pos)
{
    return pos == reader->end || *pos == ',' || (reader->file && (*pos == '\n' || *pos == '#'));
}

static bool is_blank(const RuleReader *reader, char c)
{
    return c == ' ' || c == '\t' || c == '\r' || (c == '\n' && reader->file == NULL);
}

static void skip_blanks(RuleReader *reader)
{
    while (reader->pos < reader->end && is_blank(reader, *reader->pos))
        reader->pos++;
}

static int rule_error(const RuleReader *reader, Error *err, const char *text)
{
    enum { SHOWN = 160 };
    size_t len = 0;
    bool quoted = false;
    while (len < SHOWN && reader->rule + len < reader->end && reader->rule[len] != '\n' &&
           (quoted || !ends_rule(reader, reader->rule + len)))
        quoted ^= reader->rule[len++] == '"';
    while (len > 0 && is_blank(reader, reader->rule[len - 1]))
        len--;
    error_set(err, ERR_USAGE, "role map rule \"%.*s\": %s", (int)len, reader->rule, text);
    return reader->file ? error_wrap(err, "%s, line %zu", reader->file, reader->line) : -1;
}

typedef struct RuleName {
    char *text;
    bool quoted;
} RuleName;

static int read_quoted(RuleReader *reader, RuleName *ret, Error *err)
{
    const char *start = reader->pos;
    SqlLexer lexer = {.text = start, .len = (size_t)(reader->end - start)};
    SqlToken token;
    if (sql_next(&lexer, &token, NULL) < 0)
        return rule_error(reader, err, _("a quoted name has no end"));
    for (size_t i = 0; i < token.len; i++)
        reader->line += token.start[i] == '\n';
    reader->pos += token.len;
    *ret = (RuleName){.text = sql_ident_value(&token), .quoted = true};
    return 0;
}

static int read_bare(RuleReader *reader, RuleName *ret)
{
    const char *start = reader->pos;
    while (!ends_rule(reader, reader->pos) && !is_blank(reader, *reader->pos) && !strchr("=\"", *reader->pos))
        reader->pos++;
    char *text = xstrndup(start, (size_t)(reader->pos - start));
    for (char *c = text; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + ('a' - 'A'));
    *ret = (RuleName){.text = text};
    return 0;
}

static int read_name(RuleReader *reader, RuleName *ret, Error *err)
{
    skip_blanks(reader);
    if (reader->pos < reader->end && *reader->pos == '"')
        return read_quoted(reader, ret, err);
    return read_bare(reader, ret);
}

static bool is_special(const RuleName *name, const char *word)
{
    return !name->quoted && strcmp(name->text, word) == 0;
}

static bool is_no_role(const RuleName *name)
{
    return name->quoted ? role_is_reserved(name->text) : role_is_word(name->text);
}

static int check_name(const RuleReader *reader, const RuleName *name, Error *err)
{
    if (name->text[0] == 0)
        return rule_error(reader, err, _("a name is empty"));
    if (strlen(name->text) > ROLE_NAME_MAX)
        return rule_error(reader, err, _("a name is longer than 63 bytes"));
    if (!name->quoted) {
        SqlLexer lexer = {.text = name->text, .len = strlen(name->text)};
        SqlToken token;
        if (sql_next(&lexer, &token, NULL) < 0 || token.kind != SQL_IDENT || token.len != lexer.len) {
            rule_error(reader, err, _("a name with such characters needs double quotes"));
            return error_hint(err, "Names follow SQL: write \"%.80s\" with its double quotes, and mind the shell's.",
                              name->text);
        }
    }
    return 0;
}

static int check_rule(const RuleReader *reader, const RuleName *old_name, const RuleName *new_name, Error *err)
{
    bool rest = is_special(old_name, "*"), drop = is_special(new_name, "@drop");
    if (!rest && check_name(reader, old_name, err) < 0)
        return -1;
    if (!drop && check_name(reader, new_name, err) < 0)
        return -1;
    if (rest && drop)
        return rule_error(reader, err, _("only roles that are named can be dropped"));
    if (!rest && strncmp(old_name->text, "pg_", 3) == 0)
        return rule_error(reader, err, _("predefined roles are the same everywhere and are never mapped"));
    if ((!rest && is_no_role(old_name)) || (!drop && is_no_role(new_name)))
        return rule_error(reader, err, _("PUBLIC, CURRENT_USER and words like them are no roles"));
    return 0;
}

static bool same_target(const RoleRule *rule, const char *new_name)
{
    return rule->new_name && new_name ? strcmp(rule->new_name, new_name) == 0 : rule->new_name == new_name;
}

static void set_target(RoleRule *rule, const char *new_name)
{
    rule->new_name = xstrdup_null(new_name);
    rule->new_sql = new_name ? sql_quote_ident(new_name) : NULL;
}

/* Takes a checked rule into the map. Returns false when it contradicts another one. */
static bool add_rule(RoleMap *map, const char *old_name, const char *new_name)
{
    if (old_name == NULL) {
        if (map->rest.new_name)
            return same_target(&map->rest, new_name);
        set_target(&map->rest, new_name);
        return true;
    }
    const RoleRule *known = rolemap_rule_of(map, old_name);
    if (known)
        return same_target(known, new_name);
    size_t position = rule_position(map, old_name);
    xgrow(&map->v, &map->cap, map->n);
    memmove(&map->v[position + 1], &map->v[position], (map->n - position) * sizeof *map->v);
    map->v[position] = (RoleRule){.old_name = xstrdup(old_name)};
    set_target(&map->v[position], new_name);
    map->n++;
    return true;
}

static int read_rule(RoleMap *map, RuleReader *reader, Error *err)
{
    _cleanup_free_ char *old_text = NULL, *new_text = NULL;
    RuleName old_name, new_name;
    reader->rule = reader->pos;
    if (read_name(reader, &old_name, err) < 0)
        return -1;
    old_text = old_name.text;
    skip_blanks(reader);
    if (reader->pos == reader->end || *reader->pos != '=')
        return rule_error(reader, err, _("\"=\" is missing between the old and the new name"));
    reader->pos++;
    if (read_name(reader, &new_name, err) < 0)
        return -1;
    new_text = new_name.text;
    skip_blanks(reader);
    if (!ends_rule(reader, reader->pos))
        return rule_error(reader, err, _("there is more behind the new name"));
    if (check_rule(reader, &old_name, &new_name, err) < 0)
        return -1;
    if (!add_rule(map, is_special(&old_name, "*") ? NULL : old_text, is_special(&new_name, "@drop") ? NULL : new_text))
        return rule_error(reader, err, _("another rule maps this role to something else"));
    return 0;
}

int rolemap_add(RoleMap *map, const char *rules, Error *err)
{
    RuleReader reader = {.pos = rules, .end = rules + strlen(rules)};
    for (;;) {
        skip_blanks(&reader);
        if (read_rule(map, &reader, err) < 0)
            return -1;
        if (reader.pos == reader.end)
            return 0;
        reader.pos++;
    }
}

/* Skips what stands between a file's rules. */
static void skip_to_rule(RuleReader *reader)
{
    while (reader->pos < reader->end) {
        if (*reader->pos == '\n')
            reader->line++;
        if (*reader->pos == '#') {
            const char *newline = memchr(reader->pos, '\n', (size_t)(reader->end - reader->pos));
            reader->pos = newline ? newline : reader->end;
        } else if (*reader->pos == '\n' || is_blank(reader, *reader->pos)) {
            reader->pos++;
        } else {
            return;
        }
    }
}

int rolemap_add_text(RoleMap *map, const char *text, size_t len, const char *file, Error *err)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    RuleReader reader = {.pos = text, .end = text + len, .file = file, .line = 1};
    if (memchr(text, 0, len))
        return error_set(err, ERR_USAGE, "role map \"%s\" is no text: it holds a NUL byte", file);
    if (len >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        reader.pos += 3;
    for (skip_to_rule(&reader); reader.pos < reader.end; skip_to_rule(&reader)) {
        if (read_rule(map, &reader, err) < 0)
            return -1;
        if (reader.pos < reader.end && *reader.pos == ',')
            reader.pos++;
    }
    return 0;
}
