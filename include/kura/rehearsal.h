/* What a rehearsal found: the document that is kept in the repository beside the backup, printed with --json and shown
 * on the report's page. Strictly parsed: hostile until then. */
#ifndef KURA_REHEARSAL_H
#define KURA_REHEARSAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "kura/error.h"
#include "kura/findings.h"
#include "kura/repo.h"

typedef enum Verdict {
    VERDICT_PASSED,   /* everything was proven */
    VERDICT_FINDINGS, /* it came back, but a person should look */
    VERDICT_FAILED,   /* the backup did not come back as it was, or the migration failed */
} Verdict;

const char *verdict_name(Verdict verdict);          /* "passed", "findings", "failed" */
bool verdict_parse(const char *name, Verdict *ret); /* false: there is none of this name */

/* One thing that was to be proven. */
typedef struct RehearsalProof {
    char *name;  /* stable, for machines: "rows", "schema", "owners", "grants", "probe", "constraints", "indexes",
                    "amcheck", "sequences", "matviews", "collations", "files", "media-references", .. */
    char *title; /* "every row of every table" */
    char *unit;  /* what was counted: "tables" */
    uint64_t checked, failed;
    char *skipped; /* why it was not done; else NULL */
} RehearsalProof;

typedef struct RehearsalTable {
    char *schema, *name;
    uint64_t rows, bytes; /* of COPY text */
} RehearsalTable;

typedef struct RehearsalFileset {
    char *name;
    uint64_t files, bytes;
    uint64_t sampled_files, sampled_bytes; /* read back and hashed */
} RehearsalFileset;

typedef struct RehearsalPhase {
    char *name;            /* "rows" */
    double start, seconds; /* since the rehearsal's */
} RehearsalPhase;

typedef enum SchemaChangeKind { SCHEMA_ADDED, SCHEMA_REMOVED, SCHEMA_CHANGED } SchemaChangeKind;

typedef struct RehearsalSchemaChange {
    SchemaChangeKind kind;
    char *what;           /* "table", "column", "type", "constraint", "index", "owner", .. */
    char *name;           /* "public.note.text" */
    char *before, *after; /* definitions; NULL where there is none */
} RehearsalSchemaChange;

typedef struct RehearsalLock {
    char *table;
    char *mode;     /* "AccessExclusiveLock" */
    double seconds; /* the longest that one transaction held it */
} RehearsalLock;

typedef struct RehearsalRows {
    char *table;
    uint64_t before, after; /* rows; also told when only their content changed */
} RehearsalRows;

/* What --run did. */
typedef struct RehearsalRun {
    char *command;
    bool timed_out;
    int status; /* exit status, or 128 + signal */
    double seconds;
    char *output; /* its end, at most REHEARSAL_OUTPUT_MAX bytes, of standard output and error as they came */
    bool truncated;
    RehearsalSchemaChange *changes;
    size_t n_changes;
    RehearsalLock *locks; /* longest first */
    size_t n_locks;
    RehearsalRows *rows; /* tables whose digest changed, by name */
    size_t n_rows;
} RehearsalRun;

enum { REHEARSAL_OUTPUT_MAX = 256 * 1024 };

typedef struct Rehearsal {
    char *id;     /* "20261122T041500Z-misskey-k3x9" */
    char *backup; /* id */
    char *app, *host, *kura_version;
    char *started, *finished; /* clock_format_utc */
    double seconds;
    char *backup_started, *backup_finished;
    int source_version_num, server_version_num;
    Verdict verdict;
    char *error, *hint;     /* why it ended early; NULL: it did not */
    double backup_age;      /* seconds, from the backup's snapshot until the rehearsal began */
    double newest_row_age;  /* of the newest row when the backup was made, as far as a column tells; < 0: unknown */
    char *newest_row_where; /* "public.note.createdAt"; NULL: unknown */
    double restore_seconds; /* RTO: the restore's phases */
    uint64_t estimated_bytes, database_bytes; /* disk: expected, then measured */
    RehearsalPhase *phases;
    size_t n_phases;
    RehearsalProof *proofs;
    size_t n_proofs;
    RehearsalTable *tables; /* largest first */
    size_t n_tables;
    RehearsalFileset *filesets;
    size_t n_filesets;
    Finding *findings;
    size_t n_findings;
    bool has_run;
    RehearsalRun run;
    char *kept; /* the scratch database that --keep-on-failure left; else NULL */
} Rehearsal;

Rehearsal *rehearsal_new(void);
void rehearsal_free(Rehearsal *rehearsal); /* NULL-safe */

/* The document (a new reference), and the way back. Round trip is exact, but for durations, which are kept to the
 * millisecond; texts need not be UTF-8 (jsontext.h). Unknown members are ignored; another version, missing members,
 * wrong types and numbers out of range (a run's status is 0 to 255, its output at most REHEARSAL_OUTPUT_MAX bytes) are
 * refused with the place named. */
json_t *rehearsal_to_json(const Rehearsal *rehearsal);
int rehearsal_parse(const void *text, size_t len, Rehearsal **ret, Error *err);

/* Writes rehearsals/<id>.json (sealed like a manifest in an encrypted repository), exclusively. What rehearsal_parse
 * would not read is not written. */
int rehearsal_commit(Repo *repo, const Rehearsal *rehearsal, Error *err);
/* ERR_NOT_FOUND, ERR_KEY, ERR_CORRUPT as with manifest_load(). */
int rehearsal_load(Repo *repo, const char *id, Rehearsal **ret, Error *err);
/* All ids, oldest first. */
int rehearsal_list(Repo *repo, StrVec *ret, Error *err);
/* Up to max rehearsals of the same application before this one, oldest first; those that cannot be read are left out.
 * To be freed with rehearsals_free. */
int rehearsal_earlier(Repo *repo, const Rehearsal *rehearsal, size_t max, Rehearsal ***ret, size_t *ret_n, Error *err);
void rehearsals_free(Rehearsal **list, size_t n);
/* A fresh id, as manifest_new_id() makes them. To be freed. */
char *rehearsal_new_id(const Repo *repo, const char *app);

#endif
