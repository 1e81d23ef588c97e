#include "jsonnode_priv.h"

#include <stdio.h>
#include <string.h>

#include "kura/jsontext.h"
#include "kura/mem.h"
#include "kura/words.h"

JsonNode jnode_root(const json_t *document)
{
    return (JsonNode){.json = document};
}

JsonNode jnode_item(const JsonNode *array, size_t index)
{
    return (JsonNode){.json = json_array_get(array->json, index), .parent = array, .index = index};
}

/* Writes the way from the document to node; what does not fit is cut. */
static void format_place(const JsonNode *node, char *place, size_t size)
{
    place[0] = 0;
    if (node->parent == NULL)
        return;
    format_place(node->parent, place, size);
    size_t used = strlen(place);
    if (node->key)
        snprintf(place + used, size - used, "%s%s", used ? "." : "", node->key);
    else
        snprintf(place + used, size - used, "[%zu]", node->index);
}

int jnode_fail(const JsonNode *node, Error *err, const char *format, ...)
{
    char place[512], what[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, words_get(format), args);
    va_end(args);
    format_place(node, place, sizeof place);
    return error_set(err, ERR_CORRUPT, "%s %s", place[0] ? place : _("the document"), what);
}

static int member(const JsonNode *object, const char *key, JsonNode *ret, Error *err)
{
    if (!json_is_object(object->json))
        return jnode_fail(object, err, "is not an object");
    *ret = (JsonNode){.json = json_object_get(object->json, key), .parent = object, .key = key};
    return ret->json ? 0 : jnode_fail(ret, err, "is missing");
}

int jnode_object(const JsonNode *object, const char *key, JsonNode *ret, Error *err)
{
    if (member(object, key, ret, err) < 0)
        return -1;
    return json_is_object(ret->json) ? 0 : jnode_fail(ret, err, "is not an object");
}

int jnode_object_or_null(const JsonNode *object, const char *key, JsonNode *ret, Error *err)
{
    JsonNode node;
    if (member(object, key, &node, err) < 0)
        return -1;
    return json_is_null(node.json) ? 1 : jnode_object(object, key, ret, err);
}

int jnode_array(const JsonNode *object, const char *key, JsonNode *ret, size_t *ret_n, Error *err)
{
    if (member(object, key, ret, err) < 0)
        return -1;
    if (!json_is_array(ret->json))
        return jnode_fail(ret, err, "is not an array");
    *ret_n = json_array_size(ret->json);
    return 0;
}

static int text_of(const JsonNode *node, char **ret, Error *err)
{
    Error why = ERROR_INIT;
    if (jsontext_get(node->json, ret, NULL, &why) < 0)
        return jnode_fail(node, err, "is no text: %s", why.message);
    return 0;
}

int jnode_text(const JsonNode *object, const char *key, char **ret, Error *err)
{
    JsonNode node;
    return member(object, key, &node, err) < 0 ? -1 : text_of(&node, ret, err);
}

int jnode_text_or_null(const JsonNode *object, const char *key, char **ret, Error *err)
{
    JsonNode node;
    if (member(object, key, &node, err) < 0)
        return -1;
    return json_is_null(node.json) ? 0 : text_of(&node, ret, err);
}

int jnode_texts(const JsonNode *object, const char *key, StrVec *ret, Error *err)
{
    JsonNode array;
    size_t n;
    if (jnode_array(object, key, &array, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        JsonNode item = jnode_item(&array, i);
        _cleanup_free_ char *text = NULL;
        if (text_of(&item, &text, err) < 0)
            return -1;
        strvec_push(ret, text);
    }
    return 0;
}

int jnode_bool(const JsonNode *object, const char *key, bool *ret, Error *err)
{
    JsonNode node;
    if (member(object, key, &node, err) < 0)
        return -1;
    if (!json_is_boolean(node.json))
        return jnode_fail(&node, err, "is neither true nor false");
    *ret = json_is_true(node.json);
    return 0;
}

int jnode_int(const JsonNode *object, const char *key, int64_t min, int64_t max, int64_t *ret, Error *err)
{
    JsonNode node;
    if (member(object, key, &node, err) < 0)
        return -1;
    if (!json_is_integer(node.json))
        return jnode_fail(&node, err, "is not an integer");
    int64_t value = json_integer_value(node.json);
    if (value < min || value > max)
        return jnode_fail(&node, err, "is out of range: %jd", (intmax_t)value);
    *ret = value;
    return 0;
}

int jnode_u64(const JsonNode *object, const char *key, uint64_t max, uint64_t *ret, Error *err)
{
    int64_t value;
    if (jnode_int(object, key, 0, max > INT64_MAX ? INT64_MAX : (int64_t)max, &value, err) < 0)
        return -1;
    *ret = (uint64_t)value;
    return 0;
}

int jnode_real(const JsonNode *object, const char *key, double min, double max, double *ret, Error *err)
{
    JsonNode node;
    if (member(object, key, &node, err) < 0)
        return -1;
    if (!json_is_number(node.json))
        return jnode_fail(&node, err, "is not a number");
    double value = json_number_value(node.json);
    if (value < min || value > max)
        return jnode_fail(&node, err, "is out of range: %g", value);
    *ret = value;
    return 0;
}

void json_set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text ? jsontext_new(text, strlen(text)) : json_null());
}

void json_set_texts(json_t *object, const char *key, const StrVec *texts)
{
    json_t *array = json_array();
    for (size_t i = 0; i < texts->n; i++)
        json_array_append_new(array, jsontext_new(texts->v[i], strlen(texts->v[i])));
    json_object_set_new(object, key, array);
}

void json_set_u64(json_t *object, const char *key, uint64_t number)
{
    json_object_set_new(object, key, json_integer((json_int_t)number));
}

void json_set_bool(json_t *object, const char *key, bool value)
{
    json_object_set_new(object, key, json_boolean(value));
}

void json_unref(json_t **json)
{
    json_decref(*json);
}
