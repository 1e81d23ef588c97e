/* The parts of kura verify, in the order in which they run: collect (manifests and indexes name blobs), present (are
 * they there), read (what is in them), judge (which backups, tables and files suffer). */
#ifndef KURA_VERIFY_PRIV_H
#define KURA_VERIFY_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "blobtable.h"
#include "kura/fileset.h"
#include "kura/manifest.h"
#include "kura/pool.h"
#include "kura/verify.h"
#include "kura/verifystate.h"

/* BlobRecord.state */
enum {
    BLOB_PRESENT = 1,     /* with the right size */
    BLOB_CHOSEN = 2,      /* to be read */
    BLOB_GOOD = 4,        /* was read */
    BLOB_BAD = 8,         /* missing or damaged */
    BLOB_SOME_FILES = 16, /* with BLOB_BAD: only the files in Verify.bad_files are affected */
    BLOB_SLICE = 32,      /* chosen, and its turn has come */
};

/* What reading a segment gave. Rows that begin in one segment and end in another are counted, but not in the sum. */
typedef struct SegmentSum {
    uint32_t offset, length; /* as in ManifestSegment */
    uint32_t next;           /* of the same blob, or BLOBTABLE_NONE */
    uint64_t low, high;      /* as in RowDigest */
    uint32_t rows, raw;
    bool open_end; /* the last row goes on in the next segment */
} SegmentSum;

/* What an index blob holds; the totals of a fileset are the sum of its blobs'. */
typedef struct IndexSum {
    uint32_t blob;      /* position in the table */
    char *fileset;      /* the name it was met under first */
    char *first, *last; /* paths; NULL when it is empty */
    ManifestFileset totals;
    uint64_t bad_files; /* how many of its files are affected */
} IndexSum;

/* A fileset of a backup. */
typedef struct FilesetUse {
    size_t backup; /* position in the report */
    char *name;
    ManifestFileset totals; /* as the manifest says */
    uint32_t *indexes;      /* positions of its index blobs, in order */
    size_t n_indexes;
} FilesetUse;

/* A file's place in a pack. 16 bytes of its hash suffice against accidents. */
typedef struct PackFile {
    uint32_t blob, offset, length;
    uint8_t hash[16];
} PackFile;

/* What is done with what was found, before it is remembered. */
typedef struct Verify Verify;
typedef int (*VerifyThenFn)(Verify *verify, void *ctx, Error *err);

struct Verify {
    Repo *repo;
    const VerifyOptions *options;
    VerifyReport *report;
    Findings *findings;
    Progress *progress;
    size_t jobs;
    BlobTable blobs;
    SegmentSum *segments; /* BlobRecord.segment is the first of its blob */
    size_t n_segments, cap_segments;
    IndexSum *indexes; /* BlobRecord.index */
    size_t n_indexes, cap_indexes;
    FilesetUse *filesets;
    size_t n_filesets, cap_filesets;
    uint64_t pack_files;   /* entries of all indexes that are in packs */
    bool incomplete;       /* some manifest or index could not be read: there may be blobs it names */
    pthread_mutex_t mutex; /* guards all but the constants above while there are several threads; a blob's state belongs
                            * to the thread that checks the blob */
    PackFile *bad_files;   /* sorted once reading is done */
    size_t n_bad_files, cap_bad_files;
    size_t n_other; /* findings that are about no blob */

    bool named;     /* only some backups are looked at, by their names */
    bool reading;   /* some blobs are read */
    bool has_cycle; /* and how far that came is remembered */
    VerifyState state;
    bool state_told;   /* that it was not readable */
    VerifyCycle cycle; /* of this run; guarded by the mutex, as what follows */
    time_t base;       /* when the cycle began that this run goes on with */
    time_t run_started;
    double saved;       /* when the state was written, or begun with */
    uint32_t *sequence; /* what is read, each once: n_range in the order of names, then what was damaged before */
    bool *done;         /* of each of them */
    size_t n_sequence, n_range;
    size_t frontier; /* all before it are done */
    size_t wraps_at; /* where the last one by name is behind */
    StrVec apps;     /* of the backups, each once */
};

/* As verify_run, for who holds the lock; then() may be NULL. */
int verify_under(Repo *repo, RepoLock *lock, const VerifyOptions *options, VerifyReport *ret, Findings *findings,
                 Progress *progress, VerifyThenFn then, void *ctx, Error *err);

/* verify_collect.c: fills the table and the lists from these backups; the report has them, without their damages. */
int verify_collect(Verify *verify, const StrVec *ids, Error *err);
/* The segment's place in Verify.segments, or SIZE_MAX: there is none where no data is read. */
size_t verify_find_segment(const Verify *verify, size_t blob, const ManifestSegment *segment);
/* verify_present.c: marks what is there; counts orphans in a listing of everything. */
int verify_present(Verify *verify, bool count_orphans, Error *err);
/* verify_leftovers.c: tells what killed runs left: locks, before this run takes its own, and unfinished files. */
int verify_stale_locks(Repo *repo, Findings *findings, Error *err);
int verify_leftovers(Verify *verify, Error *err);
/* verify_cycle.c: makes the sequence, and marks in it what is to be read. */
void verify_cycle_plan(Verify *verify);
/* The blob at this place of the sequence was read, or need not be. */
void verify_cycle_done(Verify *verify, size_t place);
/* All of the sequence was read. */
void verify_cycle_end(Verify *verify);
/* verify_remember.c: loads the state of the runs before. */
int verify_recall(Verify *verify, Error *err);
/* Writes it: while blobs are read, when they were not all read, when all is judged. */
void verify_remember_now_and_then(Verify *verify);
void verify_remember_interrupted(Verify *verify);
void verify_remember(Verify *verify);
/* Puts into the report what the state now tells. */
void verify_report_cycle(Verify *verify);
/* verify_read.c: reads as many blobs as the options say. */
int verify_read(Verify *verify, Error *err);
/* verify_judge.c: tables against their digests, damages against backups; the findings. */
int verify_judge(Verify *verify, Error *err);

/* verify_index.c: reads every index blob that is not known to be bad, in several threads, and calls fn, with the mutex
 * held, for each entry; index is the position in Verify.indexes. A damaged one gets its damage. -1 when the store
 * fails.
 */
typedef void (*VerifyEntryFn)(Verify *verify, size_t index, const IndexEntry *entry, void *ctx);
int verify_each_index(Verify *verify, VerifyEntryFn fn, void *ctx, Error *err);

/* verify_files.c: files in packs, gathered from the indexes for a slice of the packs at a time. */
typedef struct PackFiles {
    PackFile *v; /* sorted by blob and offset */
    size_t n, cap;
} PackFiles;
void packfiles_done(PackFiles *files);
/* Gathers the files of those packs that are marked BLOB_SLICE. */
int packfiles_gather(Verify *verify, PackFiles *ret, Error *err);
/* Compares the files of one pack, whose bytes these are: how many are bad. They go to Verify.bad_files; *ret_listed
 * tells whether all of them found room there. */
size_t packfiles_check(Verify *verify, const PackFiles *files, size_t blob, const Buf *data, bool *ret_listed);
/* By blob and offset, for qsort and bsearch. */
int packfiles_compare(const void *a, const void *b);

/* verify_damage.c */
/* Whether an error tells of a damage, rather than of a store that does not work. */
bool verify_is_damage(const Verify *verify, const Error *why);
/* Notes, once, that a blob is bad. Thread-safe; the other one is for who holds the mutex. */
void verify_damage(Verify *verify, size_t blob, const char *code, const Error *why);
void verify_damage_locked(Verify *verify, size_t blob, const char *code, const Error *why);
void verify_damage_done(VerifyDamage *damage);
/* The damage of a blob, or NULL when it has none or there were too many. */
VerifyDamage *verify_damage_of(Verify *verify, size_t blob);
/* Adds a name unless it is there. */
void verify_name(VerifyNames *names, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds an error finding that is about no blob; past a hundred they are only counted. */
void verify_finding(Verify *verify, const char *code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Makes findings of the damages. */
void verify_report_damages(Verify *verify);

#endif
