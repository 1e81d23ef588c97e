/* Bytes as JSON. Names and paths need not be UTF-8 (databases in SQL_ASCII, old media directories) and must come back
 * as they were: what is valid UTF-8 without NUL is a JSON string; anything else is the object {"base64": "4pyT.."}
 * (RFC 4648, with padding), which no string can be taken for. */
#ifndef KURA_JSONTEXT_H
#define KURA_JSONTEXT_H

#include <jansson.h>
#include <stddef.h>

#include "kura/error.h"

/* A new reference. */
json_t *jsontext_new(const char *bytes, size_t len);
/* *ret is NUL-terminated (not counted in *ret_len) and to be freed; it may hold NULs of its own when ret_len is given.
 * With ret_len NULL a NUL among the bytes is refused. ERR_CORRUPT for any other JSON value. */
int jsontext_get(const json_t *json, char **ret, size_t *ret_len, Error *err);

#endif
