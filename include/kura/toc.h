/* The table of contents of a pg_dump archive: read, change, write. Pure: bytes in, bytes out. Layout: PostgreSQL's
 * src/bin/pg_dump/pg_backup_archiver.c (WriteHead, WriteToc, WriteInt, WriteStr) and pg_backup_custom.c,
 * pg_backup_directory.c (the extra field of each entry). Archive versions 1.12 to 1.16. */
#ifndef KURA_TOC_H
#define KURA_TOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"

typedef enum TocFormat { TOC_CUSTOM, TOC_DIRECTORY } TocFormat; /* a directory's toc.dat says "tar" (3) in its header */
typedef enum TocSection { SECTION_NONE = 1, SECTION_PRE_DATA, SECTION_DATA, SECTION_POST_DATA } TocSection;

/* State of a custom archive's data offset. */
enum { OFFSET_NOT_SET = 1, OFFSET_SET = 2, OFFSET_NO_DATA = 3 };

/* Strings are owned by the Toc's arena and NUL-terminated; NULL is a string of its own kind in the format (length -1)
 * and is kept apart from "". To change one, assign a toc_strdup() of the new text. */
typedef struct TocEntry {
    int dump_id;
    bool had_dumper;
    const char *table_oid, *oid; /* catalogue and object, decimal */
    const char *tag, *desc;
    int section;
    const char *defn, *drop_stmt, *copy_stmt;
    const char *namespace, *tablespace;
    const char *table_am; /* from 1.14 */
    int rel_kind;         /* from 1.16 */
    const char *owner;
    const char *with_oids; /* "false" */
    const char **deps;     /* decimal dump ids as stored */
    size_t n_deps;
    uint8_t offset_flag;  /* custom: OFFSET_* */
    uint64_t offset;      /* custom: from the start of the archive */
    const char *filename; /* directory: "" for none */
} TocEntry;

typedef struct Toc {
    TocFormat format;
    int minor, rev; /* archive version 1.minor */
    uint8_t int_size, off_size;
    uint8_t header_format; /* the format byte as read */
    int compression;       /* up to 1.14 a level, from 1.15 an algorithm: TOC_COMPRESSION_* */
    int tm[7];             /* sec min hour mday mon year isdst as in struct tm */
    const char *dbname, *server_version, *dump_version;
    TocEntry *entries; /* owned by the arena; order as in the archive */
    size_t n_entries;
    struct TocArena *arena;
} Toc;

enum { TOC_COMPRESSION_NONE, TOC_COMPRESSION_GZIP, TOC_COMPRESSION_LZ4, TOC_COMPRESSION_ZSTD };

typedef struct TocLimits {
    size_t max_entries;
    size_t max_string; /* bytes of one string */
} TocLimits;
extern const TocLimits toc_default_limits; /* 10 million entries, 1 GiB */

/* Reads header and TOC from the start of a custom archive or of a toc.dat; *ret_used (may be NULL) is the bytes they
 * take, what follows is not looked at. as_directory says which of the two it is (the header cannot: a directory's
 * toc.dat claims "tar"). ERR_TRUNCATED: the input ended too early, more of it may help. ERR_CORRUPT: the message names
 * the entry, the field and the byte. ERR_UNSUPPORTED: not an archive kura reads ("needs pg_restore N", plain SQL, tar,
 * gzip recognised by their first bytes). What it allocates is bounded by a small multiple of len whatever the bytes
 * say. */
int toc_read(const void *data, size_t len, bool as_directory, const TocLimits *limits, size_t *ret_used, Toc **ret,
             Error *err);

/* Appends header and TOC as `format`. Reading and writing in the same format without a change gives the same bytes.
 * Writing a custom TOC as a directory gives the toc.dat that pg_dump -Fd would have written (its filenames from dump
 * ids; BLOBS entries "blobs.toc" before 1.16, "blobs_<id>.toc" from then on). Writing a directory as custom is not
 * supported. */
int toc_write(const Toc *toc, TocFormat format, Buf *out, Error *err);

void toc_free(Toc *toc); /* NULL-safe */

/* A copy that lives as long as the Toc. toc_strndup(toc, NULL, 0) is NULL. */
const char *toc_strdup(Toc *toc, const char *text);
const char *toc_strndup(Toc *toc, const char *text, size_t len);

/* Whether an entry is of a type ("TABLE DATA"); an entry without a type is of none. */
bool toc_entry_is(const TocEntry *entry, const char *desc);
/* Whether an entry stands for the rows of a table. */
bool toc_entry_has_rows(const TocEntry *entry);
/* The first entry of a type whose tag begins with prefix ("" for any tag, or none); NULL when there is none. */
const TocEntry *toc_find_first(const Toc *toc, const char *desc, const char *prefix);
/* The entry with a dump id, or NULL. */
TocEntry *toc_find(const Toc *toc, int dump_id);
/* The archive's zlib/gzip, lz4 or zstd compression as TOC_COMPRESSION_*, whatever its version. */
int toc_compression(const Toc *toc);
/* Major of PostgreSQL in a version string such as "15.18 (Debian 15.18-0)" or "18beta1": 15, 18; 9.x is 9; -1 when it
 * is none. */
int toc_version_major(const char *version);
/* Which pg_restore reads archives of this minor version: 13 for up to 1.14, 16 for 1.15, 17 for 1.16; INT_MAX for
 * later ones. */
int toc_minor_needs(int minor);

#endif
