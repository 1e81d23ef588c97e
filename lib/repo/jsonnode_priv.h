/* Strict reading of JSON documents: every getter checks presence, type and range, and every error names the place, as
 * in "database.tables[3].rows". Members that nobody asks for are ignored, so that a document may gain some. */
#ifndef KURA_JSONNODE_PRIV_H
#define KURA_JSONNODE_PRIV_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"

/* A value and the way to it. Lives on the stack, its parent below it. */
typedef struct JsonNode {
    const json_t *json;
    const struct JsonNode *parent; /* NULL: the document */
    const char *key;               /* NULL: an element, at index */
    size_t index;
} JsonNode;

/* Loads a document of ours: an object whose "kura" is kind and whose "version" this program knows. *ret is a new
 * reference. ERR_TRUNCATED, ERR_CORRUPT, ERR_UNSUPPORTED. */
int jsondoc_parse(const void *text, size_t len, const char *kind, json_t **ret, Error *err);
/* Begins a document of ours: an object with "kura" and "version". */
json_t *jsondoc_new(const char *kind);
/* Appends a document as people like to read it: what holds nothing nested takes one line, the rest is indented. */
int jsondoc_format(const json_t *document, Buf *out, Error *err);

/* ERR_CORRUPT with the place and what is wrong with it: jnode_fail(node, err, "is not a host name"). */
int jnode_fail(const JsonNode *node, Error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
JsonNode jnode_root(const json_t *document);
JsonNode jnode_item(const JsonNode *array, size_t index);

/* Getters of an object's member. Texts are jsontext.h's, NUL-terminated, to be freed. */
int jnode_object(const JsonNode *object, const char *key, JsonNode *ret, Error *err);
/* 1 when the member is null, then *ret is not set. */
int jnode_object_or_null(const JsonNode *object, const char *key, JsonNode *ret, Error *err);
int jnode_array(const JsonNode *object, const char *key, JsonNode *ret, size_t *ret_n, Error *err);
int jnode_text(const JsonNode *object, const char *key, char **ret, Error *err);
int jnode_text_or_null(const JsonNode *object, const char *key, char **ret, Error *err);
int jnode_texts(const JsonNode *object, const char *key, StrVec *ret, Error *err);
int jnode_bool(const JsonNode *object, const char *key, bool *ret, Error *err);
/* min to max, both included. */
int jnode_int(const JsonNode *object, const char *key, int64_t min, int64_t max, int64_t *ret, Error *err);
/* 0 to max; max is capped by what JSON's signed integers hold. */
int jnode_u64(const JsonNode *object, const char *key, uint64_t max, uint64_t *ret, Error *err);
/* Any number, min to max, both included. */
int jnode_real(const JsonNode *object, const char *key, double min, double max, double *ret, Error *err);

/* Setters of an object's member; text NULL gives null. */
void json_set_text(json_t *object, const char *key, const char *text);
void json_set_texts(json_t *object, const char *key, const StrVec *texts);
void json_set_u64(json_t *object, const char *key, uint64_t number);
void json_set_bool(json_t *object, const char *key, bool value);

void json_unref(json_t **json); /* for _cleanup_ */

#endif
