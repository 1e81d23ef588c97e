/* YAML by libyaml, made settings as the application's own library would make values of it. What libraries read
 * differently, or what only serves to exhaust a reader, is refused: a configuration needs none of it. */
#include "yamlscalar.h"

#include <string.h>

#include "kura/mem.h"
#include "settings.h"
#include "wipe.h"
#include "yamltext.h"

enum { ENTRIES_MAX = 4000, STEPS_MAX = 100000, STEP_BYTES = 100 };

typedef struct Reader {
    YamlText text;
    Settings *ret;
    yaml_document_t document;
    bool old;     /* YAML 1.1, where the last of equal keys counts */
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

static int refuse(Reader *reader, yaml_mark_t mark, const char *what)
{
    return yaml_text_refuse(&reader->text, mark, what);
}

/* ---- mappings ---- */

static int step(Reader *reader, const yaml_node_t *node)
{
    size_t bytes = node->type == YAML_SCALAR_NODE ? node->data.scalar.length : 0;
    reader->steps += 1 + bytes / STEP_BYTES;
    if (reader->steps > STEPS_MAX)
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
    if (node->data.scalar.length > SETTINGS_KEY_MAX)
        return refuse(reader, node->start_mark, "the name of a setting is too long");
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
    size_t start = yaml_text_byte(&reader->text, node->start_mark), end = yaml_text_byte(&reader->text, node->end_mark);
    if (check_scalar(reader, node) < 0)
        return -1;
    settings_at(reader->text.input, start, (unsigned)node->start_mark.line);
    switch (scalar_text(reader, node, &text)) {
    case YAML_NOTHING:
        return 0;
    case YAML_DATE:
        findings_add(reader->text.input->findings, FINDING_NOTE, "app-value",
                     "Put it in quotes if it is meant as a text.", "%s:%u: \"%s\" is a date, and not used",
                     reader->text.input->file, settings_line(reader->text.input, start), path);
        return 0;
    case YAML_TEXT:
        break;
    }
    return settings_add(reader->ret, reader->text.input, path, text, start, end - start, reader->text.err);
}

/* That there is one may say something: "tls: {}". */
static int put_empty(Reader *reader, const char *path, const yaml_node_t *node)
{
    size_t start = yaml_text_byte(&reader->text, node->start_mark), end = yaml_text_byte(&reader->text, node->end_mark);
    return settings_add(reader->ret, reader->text.input, path, "{}", start, end - start, reader->text.err);
}

static int put_mapping(Reader *reader, const char *path, const yaml_node_t *node, unsigned depth)
{
    _cleanup_(entries_done) Entries entries = {0};
    if (collect(reader, node, depth, &entries) < 0)
        return -1;
    if (entries.n == 0 && *path)
        return put_empty(reader, path, node);
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
        return yaml_text_refuse_syntax(&reader->text, parser);
    bool there = yaml_document_get_root_node(&second) != NULL;
    int rc = there ? refuse(reader, second.start_mark, "a second document begins") : 0;
    yaml_document_delete(&second);
    return rc;
}

static int read_document(Reader *reader)
{
    yaml_parser_t parser;
    int rc;
    yaml_text_parser(&reader->text, &parser);
    if (yaml_parser_load(&parser, &reader->document)) {
        bool any = yaml_document_get_root_node(&reader->document) != NULL;
        rc = put_document(reader);
        if (rc == 0 && any)
            rc = refuse_second_document(reader, &parser);
        yaml_document_delete(&reader->document);
    } else {
        rc = yaml_text_refuse_syntax(&reader->text, &parser);
    }
    yaml_parser_delete(&parser);
    return rc;
}

static int read_yaml(SettingsInput *input, bool old, Settings *ret, Error *err)
{
    Reader reader = {.ret = ret, .old = old};
    int rc = yaml_text_begin(&reader.text, input, err);
    if (rc == 0)
        rc = yaml_text_check(&reader.text);
    if (rc == 0)
        rc = read_document(&reader);
    yaml_text_done(&reader.text);
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
