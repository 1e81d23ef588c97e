/* What the tests of filesets share: a scratch directory, a repository in memory, trees to compare. */
#ifndef KURA_TESTS_MEDIA_FIXTURE_H
#define KURA_TESTS_MEDIA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kura/fileset.h"
#include "kura/mem.h"

typedef struct Fixture {
    char *dir;    /* scratch directory, removed in the end */
    char *source; /* dir/source, made */
    char *target; /* dir/target, not made */
    Store *store;
    Repo *repo;
    Findings findings;
    UploadTotals totals; /* of the last backup */
} Fixture;

int fixture_setup(void **state);
int fixture_setup_remote(void **state); /* the same, with a store that seems remote */
int fixture_teardown(void **state);
/* How many objects, or parts of some, were read from the store since the last call. */
int gets(void);

/* dir/path; to be freed. */
char *in(const char *dir, const char *path);
/* Makes parents as needed. */
void put_file(const char *dir, const char *path, const void *data, size_t len);
void put_text(const char *dir, const char *path, const char *text);
/* len bytes that do not compress and differ by seed. */
uint8_t *noise(size_t len, unsigned seed);
void put_noise(const char *dir, const char *path, size_t len, unsigned seed);
void make_dir(const char *dir, const char *path);
Buf get_file(const char *dir, const char *path);
bool exists(const char *dir, const char *path);
/* Runs a shell command in dir; fails the test unless it succeeds. */
void run_in(const char *dir, const char *command);

/* A tree with everything that a fileset can hold. */
void put_everything(const char *dir);
/* Fails the test unless both have the same names, types, modes, times, contents, links. */
void assert_same_tree(const char *a, const char *b);

/* Backs up f->source; *ret to be freed with fileset_done. f->findings are emptied before. */
void backup(Fixture *f, const ManifestFileset *previous, ManifestFileset *ret);
void backup_spec(Fixture *f, const FilesetSpec *spec, const ManifestFileset *previous, ManifestFileset *ret);
/* Restores into f->target. */
FilesetRestoreStats restore(Fixture *f, const ManifestFileset *fileset, const StrVec *include);
void fileset_done(ManifestFileset *fileset);
size_t findings_of(const Fixture *f, const char *code);
void forget_findings(Fixture *f);
/* The entry of a path, to be released with index_entry_done; fails when there is none. */
IndexEntry entry_of(Fixture *f, const ManifestFileset *fileset, const char *path);
/* Streams an entry's content through a reader of its own. */
int read_entry(Fixture *f, const IndexEntry *entry, int (*fn)(void *ctx, const void *data, size_t len, Error *err),
               void *ctx, Error *err);
/* All paths in an index. */
StrVec paths_of(Fixture *f, const ManifestFileset *fileset);

#endif
