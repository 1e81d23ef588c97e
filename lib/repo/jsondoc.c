#include <string.h>

#include "jsonnode_priv.h"
#include "kura/mem.h"
#include "kura/repo.h"

/* An array of more elements than this gets one line for each. */
enum { ROW_MAX = 8 };

static int check_version(const JsonNode *root, const char *kind, Error *err)
{
    int64_t version;
    _cleanup_free_ char *found = NULL;
    if (jnode_text(root, "kura", &found, err) < 0)
        return -1;
    if (strcmp(found, kind) != 0)
        return error_set(err, ERR_CORRUPT, "this is not a %s of kura, but a \"%.40s\"", kind, found);
    if (jnode_int(root, "version", 1, INT64_MAX, &version, err) < 0)
        return -1;
    if (version <= REPO_FORMAT_VERSION)
        return 0;
    error_set(err, ERR_UNSUPPORTED, "the %s is of format version %jd, this kura knows %d", kind, (intmax_t)version,
              REPO_FORMAT_VERSION);
    return error_hint(err, "A newer kura wrote it. Update kura on this host.");
}

static int load_error(const json_error_t *why, Error *err)
{
    bool early = json_error_code(why) == json_error_premature_end_of_input;
    return error_set(err, early ? ERR_TRUNCATED : ERR_CORRUPT, "line %d, column %d of the JSON text: %s", why->line,
                     why->column, why->text);
}

int jsondoc_parse(const void *text, size_t len, const char *kind, json_t **ret, Error *err)
{
    json_error_t why;
    json_t *document = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    if (document == NULL)
        return load_error(&why, err);
    JsonNode root = jnode_root(document);
    if (check_version(&root, kind, err) < 0) {
        json_decref(document);
        return -1;
    }
    *ret = document;
    return 0;
}

json_t *jsondoc_new(const char *kind)
{
    json_t *document = json_object();
    json_set_text(document, "kura", kind);
    json_set_u64(document, "version", REPO_FORMAT_VERSION);
    return document;
}

typedef struct Output {
    Buf *out;
    Error *err;
} Output;

static int append(const char *text, size_t len, void *ctx)
{
    Output *output = ctx;
    return buf_append(output->out, text, len, output->err);
}

/* Fifteen digits are what a double keeps of every decimal number: 12.345 stays that, and does not become
 * 12.345000000000001. */
static int dump(const json_t *value, Output *output)
{
    return json_dump_callback(value, append, output, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
}

static bool is_nested(const json_t *value)
{
    return json_array_size(value) > 0 || json_object_size(value) > 0;
}

static bool fits_a_line(const json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_array_size(value) > ROW_MAX)
        return false;
    json_array_foreach(value, i, item) if (is_nested(item)) return false;
    json_object_foreach((json_t *)value, key, item) if (is_nested(item)) return false;
    return true;
}

static int begin_line(Output *output, size_t depth, bool comma)
{
    if (comma && append(",", 1, output) < 0)
        return -1;
    return buf_printf(output->out, output->err, "\n%*s", (int)depth, "");
}

static int layout(const json_t *value, size_t depth, Output *output);

static int layout_array(const json_t *array, size_t depth, Output *output)
{
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item)
    {
        if (begin_line(output, depth + 1, i > 0) < 0 || layout(item, depth + 1, output) < 0)
            return -1;
    }
    return 0;
}

static int layout_object(json_t *object, size_t depth, Output *output)
{
    const char *key;
    json_t *item;
    bool comma = false;
    json_object_foreach(object, key, item)
    {
        _cleanup_(json_unref) json_t *name = json_string(key);
        if (begin_line(output, depth + 1, comma) < 0 || dump(name, output) < 0 || append(": ", 2, output) < 0 ||
            layout(item, depth + 1, output) < 0)
            return -1;
        comma = true;
    }
    return 0;
}

/* Only documents that we made ourselves get here: they are a few levels deep. */
static int layout(const json_t *value, size_t depth, Output *output)
{
    if (fits_a_line(value))
        return dump(value, output);
    bool array = json_is_array(value);
    if (append(array ? "[" : "{", 1, output) < 0 ||
        (array ? layout_array(value, depth, output) : layout_object((json_t *)value, depth, output)) < 0 ||
        begin_line(output, depth, false) < 0)
        return -1;
    return append(array ? "]" : "}", 1, output);
}

int jsondoc_format(const json_t *document, Buf *out, Error *err)
{
    Output output = {.out = out, .err = err};
    return layout(document, 0, &output) < 0 ? -1 : append("\n", 1, &output);
}
