/* What the parts of the TOC module share: the memory of one document, and the layout of an entry, which reader and
 * writer both walk so that they cannot disagree. */
#ifndef KURA_TOC_PRIV_H
#define KURA_TOC_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "kura/toc.h"

enum {
    TOC_MINOR_OLDEST = 12,
    TOC_MINOR_TABLE_AM = 14,
    TOC_MINOR_ALGORITHM = 15, /* the header names the compression's algorithm instead of zlib's level */
    TOC_MINOR_REL_KIND = 16,
    TOC_MINOR_NEWEST = 16,
};

enum { TOC_MAGIC_SIZE = 5 };
extern const char toc_magic[TOC_MAGIC_SIZE]; /* "PGDMP" without a NUL */

/* The format byte: PostgreSQL's ArchiveFormat. */
enum { TOC_HEADER_CUSTOM = 1, TOC_HEADER_TAR = 3 };

/* Memory that is freed in one go. An arena grows by blocks no larger than what was already asked for (but the first),
 * so what it takes from the system is at most about twice what it gave. */
typedef struct TocArena {
    struct ArenaBlock *block; /* the newest; each points to the one before it */
    uint8_t *next;            /* free room in the newest block */
    size_t room;
    size_t block_size; /* of the next one */
    uint32_t *by_id;   /* positions of the entries as read, in the order of their dump ids */
    size_t n_by_id;
} TocArena;

TocArena *arena_new(void);
void arena_free(TocArena *arena);
/* count elements of size bytes, zeroed, aligned for any type; NULL for none. */
void *arena_array(TocArena *arena, size_t count, size_t size);
char *arena_strndup(TocArena *arena, const void *text, size_t len);

/* Indexes the entries for toc_find(). Returns false when two have the same dump id, and which. */
bool toc_index(Toc *toc, size_t *ret_first, size_t *ret_second);

typedef enum TocFieldKind {
    TOC_INT,    /* int */
    TOC_BOOL,   /* bool */
    TOC_TEXT,   /* const char *, NULL allowed */
    TOC_NAME,   /* const char *, never NULL */
    TOC_NUMBER, /* const char *, a decimal of at most 32 bits */
    TOC_DEPS,   /* the list of dependencies, ended by a NULL string */
} TocFieldKind;

typedef struct TocField {
    const char *name;
    TocFieldKind kind;
    size_t offset; /* in TocEntry */
    int since;     /* minor archive version */
} TocField;

/* An entry's fields in the archive's order, without the last one, which depends on the format. */
extern const TocField toc_fields[];
extern const size_t toc_n_fields;

#endif
