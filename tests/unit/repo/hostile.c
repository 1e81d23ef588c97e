#include "hostile.h"

#include <stdio.h>

const Hostile *hostile;
json_t *document;

static bool is_one_of(const char *key, const char *const *names)
{
    for (; key && names && *names; names++)
        if (strcmp(key, *names) == 0)
            return true;
    return false;
}

int parse_document(void)
{
    char *text = json_dumps(document, JSON_COMPACT);
    int rc = hostile->parse(text, strlen(text));
    free(text);
    return rc;
}

void refuse_every_prefix(void **state)
{
    char *text = json_dumps(document, JSON_COMPACT);
    size_t len = strlen(text);
    assert_int_equal(hostile->parse(text, len), 0);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(hostile->parse(text, i), -1);
        assert_in_range(err.code, ERR_TRUNCATED, ERR_CORRUPT);
    }
    free(text);
}

/* Calls fn with every container and each of its members in turn, all the way down; fn leaves it as it was. */
static int walked;

static void walk(json_t *value, void (*fn)(json_t *container, const char *key, size_t index))
{
    const char *key;
    json_t *item;
    size_t i;
    _cleanup_(strvec_done) StrVec keys = {0}; /* fn may put a member at the end */
    json_object_foreach(value, key, item) strvec_push(&keys, key);
    for (i = 0; i < keys.n; i++) {
        walk(json_object_get(value, keys.v[i]), fn);
        fn(value, keys.v[i], 0);
        walked++;
    }
    json_array_foreach(value, i, item)
    {
        walk(item, fn);
        fn(value, NULL, i);
        walked++;
    }
}

static void replace(json_t *container, const char *key, size_t index, json_t *value)
{
    if (key)
        json_object_set_new(container, key, value);
    else
        json_array_set_new(container, index, value);
}

static json_t *current(json_t *container, const char *key, size_t index)
{
    return key ? json_object_get(container, key) : json_array_get(container, index);
}

static void assert_refused_with(json_t *container, const char *key, size_t index, json_t *value)
{
    json_t *old = json_incref(current(container, key, index));
    replace(container, key, index, value);
    if (parse_document() == 0)
        fail_msg("\"%s\"[%zu] may be anything", key ? key : "", index);
    assert_in_range(err.code, ERR_CORRUPT, ERR_UNSUPPORTED);
    replace(container, key, index, old);
}

static void give_wrong_types(json_t *container, const char *key, size_t index)
{
    json_t *old = current(container, key, index);
    if (!json_is_array(old))
        assert_refused_with(container, key, index, json_array());
    assert_refused_with(container, key, index, json_is_object(old) ? json_integer(1) : json_object());
    if (!json_is_real(old))
        assert_refused_with(container, key, index, json_real(1.5));
    if (!json_is_boolean(old))
        assert_refused_with(container, key, index, json_true());
    if (!json_is_string(old) && !json_is_null(old) && json_object_get(old, "base64") == NULL)
        assert_refused_with(container, key, index, json_string("text"));
}

void refuse_every_type(void **state)
{
    walked = 0;
    walk(document, give_wrong_types);
    assert_true(walked > hostile->places);
    assert_int_equal(parse_document(), 0);
}

static void give_null(json_t *container, const char *key, size_t index)
{
    if (!is_one_of(key, hostile->nullable))
        assert_refused_with(container, key, index, json_null());
}

void refuse_every_null(void **state)
{
    walk(document, give_null);
}

static void remove_it(json_t *container, const char *key, size_t index)
{
    (void)index;
    if (key == NULL || is_one_of(key, hostile->optional))
        return;
    json_t *old = json_incref(json_object_get(container, key));
    json_object_del(container, key);
    assert_int_equal(parse_document(), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    json_object_set_new(container, key, old);
}

void refuse_every_omission(void **state)
{
    walk(document, remove_it);
}

static void add_member(json_t *container, const char *key, size_t index)
{
    json_t *value = current(container, key, index);
    if (!json_is_object(value) || json_object_get(value, "base64"))
        return;
    json_object_set_new(value, "of a later version", json_array());
    assert_int_equal(parse_document(), 0);
    json_object_del(value, "of a later version");
}

void ignore_additions(void **state)
{
    walk(document, add_member);
}

static void give_extreme_numbers(json_t *container, const char *key, size_t index)
{
    if (!json_is_number(current(container, key, index)))
        return;
    assert_refused_with(container, key, index, json_integer(INT64_MIN));
    if (!is_one_of(key, hostile->unbounded) &&
        json_object_get(container, "blobs") == NULL) /* the raw size of a manifest's TOC */
        assert_refused_with(container, key, index, json_integer(INT64_MAX));
}

void refuse_extreme_numbers(void **state)
{
    walk(document, give_extreme_numbers);
}

/* Puts the JSON text `value` at a place such as "database.tables[0].rows" and tells the error's message. */
static const char *message_with(const char *place, const char *value)
{
    json_t *container = document, *parsed = json_loads(value, JSON_DECODE_ANY, NULL);
    _cleanup_free_ char *copy = xstrdup(place);
    char *key = copy;
    size_t index;
    assert_non_null(parsed);
    for (;;) {
        size_t len = strcspn(key, ".[");
        char after = key[len];
        key[len] = 0;
        if (after == 0)
            break;
        container = json_object_get(container, key);
        key += len + 1;
        if (after == '[') {
            assert_int_equal(sscanf(key, "%zu", &index), 1);
            key = strchr(key, ']') + 1;
            if (*key == 0) {
                json_array_set_new(container, index, parsed);
                key = NULL;
                break;
            }
            container = json_array_get(container, index);
            key++;
        }
    }
    if (key)
        json_object_set_new(container, key, parsed);
    assert_int_equal(parse_document(), -1);
    return err.message;
}

void assert_message(const char *place, const char *value, const char *part)
{
    json_t *whole = json_deep_copy(document);
    const char *message = message_with(place, value);
    if (strstr(message, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, message);
    json_decref(document);
    document = whole;
}
