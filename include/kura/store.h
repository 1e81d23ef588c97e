/* Object stores behind one small interface: a directory, memory (for tests), S3. A key is a relative path of segments
 * [A-Za-z0-9._-]+ joined by '/', none of them "." or "..", at most 512 bytes. Objects are immutable by convention.
 * Thread-safe. */
#ifndef KURA_STORE_H
#define KURA_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"

typedef struct Store Store;

/* Opens by location: "mem:NAME" (stays alive in this process until store_mem_forget), "dir:PATH" or a path. A directory
 * need not exist until something is put; with create it is made (mode 0700, parents must exist). */
int store_open(const char *location, bool create, Store **ret, Error *err);
/* Frees the handle. NULL-safe. */
void store_close(Store *store);
/* What a person calls this store: its location, without secrets. */
const char *store_name(const Store *store);

/* Writes a whole object durably: after 0 it survives a crash, after -1 it is not there or is as it was. With exclusive
 * an object that is there already is left alone and the call fails with ERR_EXISTS; else it is replaced in one step. */
int store_put(Store *store, const char *key, const void *data, size_t len, bool exclusive, Error *err);
/* Appends `length` bytes from `offset` (all that is there for UINT64_MAX) to *out. ERR_NOT_FOUND; ERR_TRUNCATED when
 * the object ends before offset + length; the object's size is checked against out->max before anything is read. */
int store_get(Store *store, const char *key, uint64_t offset, uint64_t length, Buf *out, Error *err);
/* Its size in bytes; ERR_NOT_FOUND. */
int store_head(Store *store, const char *key, uint64_t *ret_size, Error *err);
/* Calls fn for every object whose key starts with prefix, in byte order of the keys. fn returns 0 to go on, -1 to end
 * with its error. */
int store_list(Store *store, const char *prefix, int (*fn)(void *ctx, const char *key, uint64_t size, Error *err),
               void *ctx, Error *err);
/* Removes an object; one that is not there is no error. */
int store_delete(Store *store, const char *key, Error *err);

/* Removes what interrupted puts left behind out of sight of store_list, once no living put can own it any more. */
int store_tidy(Store *store, Error *err);

/* Frees everything under "mem:NAME", given NAME; open handles keep what they have. */
void store_mem_forget(const char *name);
/* Whether key is of the allowed form. */
bool store_key_valid(const char *key);

#endif
