/* Filesets: a directory (or any named streams) as sorted index + packs + chunks. Format: kura-format(5). */
#ifndef KURA_FILESET_H
#define KURA_FILESET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/manifest.h"
#include "kura/progress.h"
#include "kura/repo.h"

typedef struct FilesetSpec {
    const char *name; /* [a-z0-9_-]+ */
    const char *dir;
    const StrVec *include; /* patterns like gitignore's; NULL or empty: everything */
    const StrVec *exclude;
    const StrVec *refetchable; /* patterns like those of exclude, which go before it: left out, and counted */
    bool exclude_caches;       /* of a directory with a valid CACHEDIR.TAG only that file is taken */
    bool one_file_system;      /* directories of other file systems are taken, and not entered */
} FilesetSpec;

/* Walks dir, stores what is new (and not known by the uploader, which is told of all that `previous` refers to),
 * references what is unchanged against `previous` and still there (size, mtime, inode, ctime, device;
 * NULL: none), fills *ret (its name and root too). Files that vanish or change while read are counted, named as
 * warnings, not fatal; unreadable ones are warnings too. jobs: threads that read and hash. */
int fileset_backup(const FilesetSpec *spec, Repo *repo, Uploader *uploader, const ManifestFileset *previous,
                   size_t jobs, ManifestFileset *ret, Findings *findings, Progress *progress, Error *err);

/* What a backup of the directory would take and leave out, without reading any file. What cannot be looked at is left
 * aside. */
typedef struct FilesetSurvey {
    uint64_t files, bytes;
    uint64_t left_out_files, left_out_bytes; /* of spec->refetchable */
} FilesetSurvey;
int fileset_survey(const FilesetSpec *spec, size_t jobs, FilesetSurvey *ret, Error *err);

/* Paths that somebody asks for, of one fileset or of several: each a file, a directory with all below it, or a pattern
 * (`*`, `?` and `[..]` within a part, `**` over parts), tied to the fileset's top. ERR_USAGE for what is no path. */
typedef struct FilesetPaths FilesetPaths;
int fileset_paths_new(const StrVec *texts, FilesetPaths **ret, Error *err);
/* ERR_NOT_FOUND when nothing was found for one of them in all that was read since. NULL: 0. */
int fileset_paths_check(const FilesetPaths *paths, Error *err);
void fileset_paths_free(FilesetPaths *paths); /* NULL-safe */

typedef struct FilesetRestoreOptions {
    FilesetPaths *paths; /* only these, and the directories they are in; NULL: all */
    bool owners;         /* chown to the recorded names (as root); ids where a name is unknown */
    bool quick_check;    /* a file of the right size and time is right, and is not read */
    bool no_links;       /* of dir, which is absolute, no part is a link either */
    bool keep_private;   /* a root that has to be made is for its owner alone, whatever it was where it comes from */
    size_t jobs;
} FilesetRestoreOptions;

typedef struct FilesetRestoreStats {
    uint64_t written, written_bytes;
    uint64_t kept; /* were right already */
} FilesetRestoreStats;

/* Restores into dir (made if absent), never outside it, following no link in it. A file that is already right (type,
 * size, hash; or what quick_check says) is kept; one that differs is replaced by rename, never written in place. A
 * thing of another type in the way is an error finding. Files in dir that the backup does not have are left alone.
 * Every content is checked against its hash before it gets its name. */
int fileset_restore(Repo *repo, const ManifestFileset *fileset, const char *dir, const FilesetRestoreOptions *options,
                    FilesetRestoreStats *ret, Findings *findings, Progress *progress, Error *err);

/* For contents that are not files on disk (large objects): entries are added in ascending path order. */
typedef struct FilesetWriter FilesetWriter;
FilesetWriter *fileset_writer_new(Repo *repo, Uploader *uploader);
int fileset_writer_begin(FilesetWriter *writer, const char *path, Error *err);
int fileset_writer_data(FilesetWriter *writer, const void *data, size_t len, Error *err);
int fileset_writer_end(FilesetWriter *writer, Error *err);
/* Forgets the entry that was begun and has not ended: what it was made of failed. */
void fileset_writer_abandon(FilesetWriter *writer);
/* Seals the last pack and the index into *ret. */
int fileset_writer_finish(FilesetWriter *writer, ManifestFileset *ret, Error *err);
void fileset_writer_free(FilesetWriter *writer); /* NULL-safe */

/* One line of an index. */
typedef struct IndexEntry {
    char *path; /* relative, bytes as on disk, '/' between parts; never absolute, no "." or ".." part, not empty */
    char type; /* 'f' file, 'd' directory, 'l' symlink, 'h' hard link (target: an earlier path), 'p' fifo, 's' socket ..
                */
    unsigned mode;      /* permission bits 07777 */
    char *user, *group; /* names, NULL when the id has none */
    uint32_t uid, gid;
    uint64_t size;
    int64_t mtime_sec;
    uint32_t mtime_nsec;
    uint64_t inode, device;
    int64_t ctime_sec;
    uint32_t ctime_nsec;
    char *target;               /* of a symlink or hard link */
    char hash[SHA256_HEX_SIZE]; /* of the content (a hard link has size and hash of its file); "" for what has none */
    struct IndexPart {          /* where the content is; none for empty files and hard links */
        BlobRef blob;
        uint64_t offset, length; /* within the blob */
    } * parts;
    size_t n_parts;
} IndexEntry;

/* Reads an index entry by entry, in order. next gives 1 with *ret (valid until the next call), 0 at the end, -1 on
 * error. Everything is checked: order, paths, sizes that add up. */
typedef struct IndexReader IndexReader;
IndexReader *index_reader_new(Repo *repo, const ManifestFileset *fileset);
/* Gives what these paths ask for, and reads only the pieces of the index that can hold it. The totals are not checked
 * then. */
IndexReader *index_reader_new_paths(Repo *repo, const ManifestFileset *fileset, FilesetPaths *paths);
/* Reads one blob of an index: no line crosses from one blob to the next. The totals are not checked then. */
IndexReader *index_reader_new_blob(Repo *repo, const BlobRef *blob);
int index_reader_next(IndexReader *reader, const IndexEntry **ret, Error *err);
/* Which of the index's blobs the entry given last stands in. */
size_t index_reader_piece(const IndexReader *reader);
void index_reader_free(IndexReader *reader);
/* Parses one NDJSON line (for the reader and for fuzzing); index_entry_done frees what is inside. */
int index_entry_parse(const char *line, size_t len, IndexEntry *ret, Error *err);
int index_entry_format(const IndexEntry *entry, Buf *out, Error *err); /* with its newline */
/* Adds a regular file, directory, .. to the totals of a fileset. */
void index_entry_count(const IndexEntry *entry, ManifestFileset *totals);
void index_entry_done(IndexEntry *entry);
/* A copy of everything inside; index_entry_done for it. */
void index_entry_copy(const IndexEntry *entry, IndexEntry *ret);

/* One file of a pack that is made anew. */
typedef struct PackMember {
    const IndexEntry *entry; /* path, mode, owner and time for its header */
    const void *data;
    size_t len;
} PackMember;
/* Appends the pack that a backup would make of these files, in this order. */
int pack_rebuild(const PackMember *members, size_t n, Buf *out, Error *err);

/* Tells the uploader of every blob that the index refers to. */
int fileset_know(Repo *repo, Uploader *uploader, const ManifestFileset *fileset, Error *err);

/* Reads contents of entries, best in the order of the index: what one blob holds is then fetched once. One reader a
 * thread. */
typedef struct EntryReader EntryReader;
EntryReader *entry_reader_new(Repo *repo);
/* Streams an entry's content, piece by piece, checked against its hash at the end (-1 then, even when all pieces were
 * given). */
int entry_reader_read(EntryReader *reader, const IndexEntry *entry,
                      int (*fn)(void *ctx, const void *data, size_t len, Error *err), void *ctx, Error *err);
void entry_reader_free(EntryReader *reader); /* NULL-safe */

#endif
