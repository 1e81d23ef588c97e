/* YAML by libyaml, made settings as the application's own library would make values of it. What libraries read
 * differently, or what only serves to exhaust a reader, is refused: a configuration needs none of it. */
#include "yamlscalar.h"

#include <string.h>
#include <yaml.h>

#include "kura/mem.h"
#include "kura/text.h"
#include "settings.h"
#include "wipe.h"

enum { ENTRIES_MAX = 4000, STEPS_MAX = 100000 };

typedef struct Reader {
    SettingsInput *input;
    Settings *ret;
    Error *err;
    yaml_document_t document;
    bool old;       /* YAML 1.1, where the last of equal keys counts */
    size_t skipped; /* bytes before what libyaml reads: a byte order mark */
    size_t *bytes;  /* where each character begins, and where the last one ends */
    size_t n_characters;
    size_t steps; /* how much was visited: aliases make a small file endless */
} Reader;

typedef struct Entry {
    char *key;
    yaml_node_t *value;
    bool merged; /* came by "<<": a key that is written out goes before it */
} Entry;

typedef struct Entries {
    Entry *v;
    size_t n, cap;
} Entries;

static void entries_done(Entries *entries)
{
    for (size_t i = 0; i < entries->n; i++)
        free(entries->v[i].key);
    free(entries->v);
}

static size_t byte_of(const Reader *reader, yaml_mark_t mark)
{
    return reader->skipped + reader->bytes[mark.index < reader->n_characters ? mark.index : reader->n_characters];
}

static int refuse(Reader *reader, yaml_mark_t mark, const char *what)
{
    return settings_error(reader->input, byte_of(reader, mark), what, reader->err);
}

/* ---- characters ---- */

/* libyaml counts characters, a place is told in bytes. Line breaks that YAML 1.1 knows and 1.2 does not are refused. */
static int index_characters(Reader *reader)
{
    const char *text = reader->input->text + reader->skipped;
    size_t len = reader->input->len - reader->skipped, n = 0, width;
    uint32_t c = 0;
    reader->bytes = xreallocarray(NULL, len + 1, sizeof *reader->bytes);
    for (size_t i = 0; i < len; i += width) {
        reader->bytes[n++] = i;
        width = utf8_decode(text + i, &c);
        if (width == 0 || c == 0)
            return settings_error(reader->input, i, "this is no UTF-8 text", reader->err);
        if (c == 0x85 || c == 0x2028 || c == 0x2029)
            return settings_error(reader->input, i, "versions of YAML differ about a character of this line",
                                  reader->err);
    }
    reader->bytes[n] = len;
    reader->n_characters = n;
    return 0;
}

/* ---- what is refused before anything is built of it ---- */

static void parser_begin(Reader *reader, yaml_parser_t *parser)
{
    if (!yaml_parser_initialize(parser))
        abort(); /* no memory */
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)reader->input->text + reader->skipped,
                                 reader->input->len - reader->skipped);
}

static int refuse_syntax(Reader *reader, const yaml_parser_t *parser)
{
    _cleanup_free_ char *what = xasprintf("invalid YAML: %s", parser->problem ? parser->problem : "no memory");
    return refuse(reader, parser->problem_mark, what);
}

/* Whether a comment stands right behind the head of a block of text, which not every library takes for one. */
static bool has_glued_comment(const Reader *reader, const yaml_token_t *token)
{
    const char *head = reader->input->text + byte_of(reader, token->start_mark);
    if (token->data.scalar.style != YAML_LITERAL_SCALAR_STYLE && token->data.scalar.style != YAML_FOLDED_SCALAR_STYLE)
        return false;
    return head[1 + strspn(head + 1, "+-123456789")] == '#';
}

/* Whether a list in a list, begun on the same line, has an empty item: js-yaml takes the next line's item into the
 * inner one. last: the three tokens before. */
static bool is_empty_inner_item(const yaml_token_type_t last[3], yaml_token_type_t type)
{
    return last[0] == YAML_BLOCK_ENTRY_TOKEN && last[1] == YAML_BLOCK_SEQUENCE_START_TOKEN &&
           last[2] == YAML_BLOCK_ENTRY_TOKEN && (type == YAML_BLOCK_ENTRY_TOKEN || type == YAML_BLOCK_END_TOKEN);
}

static int check_token(Reader *reader, const yaml_token_t *token, int *depth, yaml_token_type_t last[3])
{
    if (is_empty_inner_item(last, token->type))
        return refuse(reader, token->start_mark, "libraries differ about an empty item of a list");
    last[0] = last[1];
    last[1] = last[2];
    last[2] = token->type;
    switch (token->type) {
    case YAML_SCALAR_TOKEN:
        return has_glued_comment(reader, token) ? refuse(reader, token->start_mark, "a comment needs a space before it")
                                                : 0;
    case YAML_TAG_TOKEN:
    case YAML_TAG_DIRECTIVE_TOKEN:
        return refuse(reader, token->start_mark, "tags are not read");
    case YAML_BLOCK_SEQUENCE_START_TOKEN:
    case YAML_BLOCK_MAPPING_START_TOKEN:
    case YAML_FLOW_SEQUENCE_START_TOKEN:
    case YAML_FLOW_MAPPING_START_TOKEN:
        if (++*depth > SETTINGS_DEPTH)
            return refuse(reader, token->start_mark, "values are nested too deeply");
        return 0;
    case YAML_BLOCK_END_TOKEN:
    case YAML_FLOW_SEQUENCE_END_TOKEN:
    case YAML_FLOW_MAPPING_END_TOKEN:
        --*depth;
        return 0;
    default:
        return 0;
    }
}

static int check_tokens(Reader *reader)
{
    yaml_parser_t parser;
    yaml_token_t token;
    yaml_token_type_t last[3] = {YAML_NO_TOKEN, YAML_NO_TOKEN, YAML_NO_TOKEN};
    int depth = 0, rc = 0;
    bool end = false;
    parser_begin(reader, &parser);
    while (rc == 0 && !end) {
        if (!yaml_parser_scan(&parser, &token)) {
            rc = refuse_syntax(reader, &parser);
            break;
        }
        end = token.type == YAML_STREAM_END_TOKEN;
        rc = check_token(reader, &token, &depth, last);
        yaml_token_delete(&token);
    }
    yaml_parser_delete(&parser);
    return rc;
}

/* ---- mappings ---- */

static int step(Reader *reader, const yaml_node_t *node)
{
    if (++reader->steps > STEPS_MAX)
        return refuse(reader, node->start_mark, "aliases make too much of this file");
    return 0;
}

/* The text of a scalar; YAML_DATE and YAML_NOTHING for what is none. */
static YamlKind scalar_text(const Reader *reader, const yaml_node_t *node, char **ret)
{
    const char *text = (const char *)node->data.scalar.value;
    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return reader->old ? yaml_plain_11(text, ret) : yaml_plain_js(text, ret);
    *ret = xstrdup(text);
    return YAML_TEXT;
}

static int check_scalar(Reader *reader, const yaml_node_t *node)
{
    if (strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
        return refuse(reader, node->start_mark, "a value holds a zero byte");
    return 0;
}

static int key_text(Reader *reader, const yaml_node_t *node, char **ret)
{
    if (node->type != YAML_SCALAR_NODE)
        return refuse(reader, node->start_mark, "a key must be a plain text");
    if (check_scalar(reader, node) < 0)
        return -1;
    YamlKind kind = scalar_text(reader, node, ret);
    if (kind == YAML_DATE)
        return refuse(reader, node->start_mark, "a key must be a plain text");
    if (kind == YAML_NOTHING)
        *ret = xstrdup("null");
    return 0;
}

static bool is_merge(const yaml_node_t *key)
{
    return key->type == YAML_SCALAR_NODE && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           strcmp((const char *)key->data.scalar.value, "<<") == 0;
}

static Entry *find(const Entries *entries, const char *key)
{
    for (size_t i = 0; i < entries->n; i++)
        if (strcmp(entries->v[i].key, key) == 0)
            return &entries->v[i];
    return NULL;
}

static int enter(Reader *reader, Entries *entries, const yaml_node_t *at, Entry entry)
{
    Entry *there = find(entries, entry.key);
    if (there == NULL && entries->n >= ENTRIES_MAX) {
        free(entry.key);
        return refuse(reader, at->start_mark, "a mapping has too many keys");
    }
    if (there == NULL) {
        xgrow(&entries->v, &entries->cap, entries->n);
        entries->v[entries->n++] = entry;
        return 0;
    }
    free(entry.key);
    if (entry.merged)
        return 0;
    if (!there->merged && !reader->old)
        return refuse(reader, at->start_mark, "the same key stands twice in a mapping");
    there->value = entry.value;
    there->merged = false;
    return 0;
}

static int collect(Reader *reader, const yaml_node_t *mapping, unsigned depth, Entries *ret);

static int merge_one(Reader *reader, const yaml_node_t *source, unsigned depth, Entries *ret)
{
    if (source->type != YAML_MAPPING_NODE)
        return refuse(reader, source->start_mark, "only mappings can be merged");
    _cleanup_(entries_done) Entries of_source = {0};
    if (collect(reader, source, depth + 1, &of_source) < 0)
        return -1;
    for (size_t i = 0; i < of_source.n; i++) {
        Entry entry = {.key = xstrdup(of_source.v[i].key), .value = of_source.v[i].value, .merged = true};
        if (step(reader, source) < 0 || enter(reader, ret, source, entry) < 0)
            return -1;
    }
    return 0;
}

static int merge(Reader *reader, const yaml_node_t *source, unsigned depth, Entries *ret)
{
    if (source->type != YAML_SEQUENCE_NODE)
        return merge_one(reader, source, depth, ret);
    for (yaml_node_item_t *item = source->data.sequence.items.start; item < source->data.sequence.items.top; item++)
        if (merge_one(reader, yaml_document_get_node(&reader->document, *item), depth, ret) < 0)
            return -1;
    return 0;
}

/* The keys of a mapping, those that it merges among them. */
static int collect(Reader *reader, const yaml_node_t *mapping, unsigned depth, Entries *ret)
{
    if (depth > SETTINGS_DEPTH)
        return refuse(reader, mapping->start_mark, "values are nested too deeply");
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);
        yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
        Entry entry = {.value = value};
        if (step(reader, key) < 0)
            return -1;
        if (is_merge(key)) {
            if (merge(reader, value, depth, ret) < 0)
                return -1;
        } else if (key_text(reader, key, &entry.key) < 0 || enter(reader, ret, key, entry) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- values ---- */

static int put_node(Reader *reader, const char *path, yaml_node_t *node, unsigned depth);

static int put_scalar(Reader *reader, const char *path, const yaml_node_t *node)
{
    _cleanup_(wipe_text) char *text = NULL;
    size_t start = byte_of(reader, node->start_mark), end = byte_of(reader, node->end_mark);
    if (check_scalar(reader, node) < 0)
        return -1;
    switch (scalar_text(reader, node, &text)) {
    case YAML_NOTHING:
        return 0;
    case YAML_DATE:
        findings_add(reader->input->findings, FINDING_NOTE, "app-value", "Put it in quotes if it is meant as a text.",
                     "%s:%u: \"%s\" is a date, and not used", reader->input->file, settings_line(reader->input, start),
                     path);
        return 0;
    case YAML_TEXT:
        break;
    }
    return settings_add(reader->ret, reader->input, path, text, start, end - start, reader->err);
}

static int put_mapping(Reader *reader, const char *path, const yaml_node_t *node, unsigned depth)
{
    _cleanup_(entries_done) Entries entries = {0};
    if (collect(reader, node, depth, &entries) < 0)
        return -1;
    for (size_t i = 0; i < entries.n; i++) {
        _cleanup_free_ char *below = xasprintf("%s%s%s", path, *path ? "." : "", entries.v[i].key);
        if (put_node(reader, below, entries.v[i].value, depth + 1) < 0)
            return -1;
    }
    return 0;
}

static int put_sequence(Reader *reader, const char *path, const yaml_node_t *node, unsigned depth)
{
    size_t n = 0;
    for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
        _cleanup_free_ char *below = xasprintf("%s[%zu]", path, n++);
        if (put_node(reader, below, yaml_document_get_node(&reader->document, *item), depth + 1) < 0)
            return -1;
    }
    return 0;
}

static int put_node(Reader *reader, const char *path, yaml_node_t *node, unsigned depth)
{
    if (step(reader, node) < 0)
        return -1;
    if (depth > SETTINGS_DEPTH)
        return refuse(reader, node->start_mark, "values are nested too deeply");
    if (strlen(path) > SETTINGS_KEY_MAX)
        return refuse(reader, node->start_mark, "the name of a setting is too long");
    if (node->type == YAML_MAPPING_NODE)
        return put_mapping(reader, path, node, depth);
    if (node->type == YAML_SEQUENCE_NODE)
        return put_sequence(reader, path, node, depth);
    return put_scalar(reader, path, node);
}

static int put_document(Reader *reader)
{
    yaml_node_t *root = yaml_document_get_root_node(&reader->document);
    if (root == NULL)
        return 0;
    if (root->type != YAML_MAPPING_NODE) {
        _cleanup_free_ char *text = NULL;
        bool nothing = root->type == YAML_SCALAR_NODE && scalar_text(reader, root, &text) == YAML_NOTHING;
        return nothing ? 0 : refuse(reader, root->start_mark, "this is no mapping of keys to values");
    }
    return put_node(reader, "", root, 0);
}

static int refuse_second_document(Reader *reader, yaml_parser_t *parser)
{
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second))
        return refuse_syntax(reader, parser);
    bool there = yaml_document_get_root_node(&second) != NULL;
    int rc = there ? refuse(reader, second.start_mark, "a second document begins") : 0;
    yaml_document_delete(&second);
    return rc;
}

static int read_document(Reader *reader)
{
    yaml_parser_t parser;
    int rc;
    parser_begin(reader, &parser);
    if (yaml_parser_load(&parser, &reader->document)) {
        bool any = yaml_document_get_root_node(&reader->document) != NULL;
        rc = put_document(reader);
        if (rc == 0 && any)
            rc = refuse_second_document(reader, &parser);
        yaml_document_delete(&reader->document);
    } else {
        rc = refuse_syntax(reader, &parser);
    }
    yaml_parser_delete(&parser);
    return rc;
}

static int read_yaml(SettingsInput *input, bool old, Settings *ret, Error *err)
{
    Reader reader = {.input = input, .ret = ret, .err = err, .old = old};
    if (input->len >= 3 && memcmp(input->text, "\xef\xbb\xbf", 3) == 0)
        reader.skipped = 3;
    int rc = index_characters(&reader);
    if (rc == 0)
        rc = check_tokens(&reader);
    if (rc == 0)
        rc = read_document(&reader);
    free(reader.bytes);
    return rc;
}

int yaml_settings(SettingsInput *input, Settings *ret, Error *err)
{
    return read_yaml(input, false, ret, err);
}

int yaml11_settings(SettingsInput *input, Settings *ret, Error *err)
{
    return read_yaml(input, true, ret, err);
}
