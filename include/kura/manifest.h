/* The manifest: the one JSON document that makes a backup. Strictly parsed: unknown major version refused, every size,
 * hash and reference checked; hostile until then. */
#ifndef KURA_MANIFEST_H
#define KURA_MANIFEST_H

#include <jansson.h>
#include <stdint.h>
#include <time.h>

#include "kura/buf.h"
#include "kura/dbfacts.h"
#include "kura/error.h"
#include "kura/hash.h"
#include "kura/hostfacts.h"
#include "kura/repo.h"

/* A segment: rows of one table in one zstd frame. */
typedef struct ManifestSegment {
    BlobRef blob;
    uint64_t offset, length; /* of the frame in a blob that holds those of several tables; length 0: the whole blob */
    uint64_t raw;            /* bytes of COPY text */
    uint64_t rows;           /* rows that end in it */
    bool continues; /* begins in the middle of a row that the segment before began (rows larger than a segment) */
} ManifestSegment;

typedef struct ManifestTable {
    char *schema, *name;
    uint32_t oid;
    int dump_id;                   /* of its TABLE DATA entry in the TOC */
    char *root_schema, *root_name; /* the topmost partitioned table, else NULL */
    char *condition;               /* WHERE clause of an extension's configuration table, else NULL */
    RowDigest digest;              /* with rows and raw bytes */
    ManifestSegment *segments;
    size_t n_segments;
} ManifestTable;

/* Mode and owner of a directory. */
typedef struct ManifestOwner {
    unsigned mode; /* permission bits */
    uint32_t uid, gid;
    char *user, *group; /* NULL where the number had no name */
} ManifestOwner;

/* A fileset: totals and where its index is. The large objects of a database are kept as one more, named by oid. */
typedef struct ManifestFileset {
    char *name;
    char *root;           /* directory on the source host */
    ManifestOwner *owner; /* of root; NULL: not known */
    uint64_t files, dirs, symlinks, others;
    uint64_t bytes;                          /* of content */
    uint64_t vanished, changed;              /* while being read */
    uint64_t left_out_files, left_out_bytes; /* what can be fetched again, and is not in it */
    BlobRef *index;                          /* in order: the concatenation of their contents is the index */
    size_t n_index;
    /* The path of each piece's first entry, so that who looks for some paths need not read them all. NULL, or NULL for
     * a piece, where a manifest does not tell. */
    char **index_first;
} ManifestFileset;

/* A longer path is not told. */
enum { MANIFEST_FIRST_MAX = 4096 };

typedef struct ManifestDatabase {
    DbFacts facts;
    char *pg_dump_version; /* "15.18" */
    char *snapshot;        /* name of the exported snapshot, for the record */
    BlobRef *toc; /* zstd blobs; concatenated and decompressed: the archive's header and TOC as pg_dump wrote them */
    size_t n_toc;
    uint64_t toc_raw;      /* bytes of it */
    ManifestTable *tables; /* in the order of the TOC */
    size_t n_tables;
    ManifestFileset large_objects; /* name NULL when there is none */
} ManifestDatabase;

/* How far the schema of an application's database was migrated when the backup was made (schema.h). */
typedef struct ManifestSchema {
    char *tool;     /* "rails" */
    char *table;    /* "public.schema_migrations" */
    char *state;    /* against the code of then: "equal", "pending" ..; NULL: the code could not be read */
    char *newest;   /* of the migrations applied; NULL: none was */
    StrVec applied; /* what identifies each migration, in the order of its table */
    StrVec failed;  /* those that were begun and not completed */
    char *least;    /* the oldest code that can use the database, where it says so (Synapse); NULL: it does not */
} ManifestSchema;

/* What tells a secret of the application again without telling it (fingerprint.h); digits in hexadecimal. */
typedef struct ManifestSecret {
    char *name; /* the setting: "OTP_SECRET" */
    char *salt, *fingerprint;
} ManifestSecret;

enum { MANIFEST_SECRETS_MAX = 1000 };

/* The application whose database and files a backup holds, as its own configuration told it. Never with a password. */
typedef struct ManifestApplication {
    char *profile, *title; /* "misskey", "Misskey" */
    char *version;         /* of the code; NULL: not known */
    char *fork;            /* the package's name where it is not the usual one; else NULL */
    char *dir;             /* on the source host */
    StrVec services;       /* systemd units, in the order in which they are stopped */
    struct ManifestAppServer {
        char *host, *port, *user, *name; /* each NULL where the configuration does not say it */
    } database;
    ManifestSchema *schema; /* NULL: not known */
    ManifestSecret *secrets;
    size_t n_secrets;
} ManifestApplication;

/* NULL-safe. */
void manifest_application_free(ManifestApplication *application);
void manifest_schema_free(ManifestSchema *schema);

typedef struct Manifest {
    char *id;
    unsigned revision; /* 1, and more once prune has moved contents into other blobs */
    char *app;
    char *host;
    HostFacts *system; /* of that host; NULL: the backup does not tell */
    char *kura_version;
    char *started, *finished; /* clock_format_utc */
    StrVec tags;
    StrVec warnings;
    bool has_database;
    ManifestDatabase database;
    ManifestFileset *filesets;
    size_t n_filesets;
    char *origin_repository, *origin_id; /* of a copy: where the backup was made, and its id there; else NULL */
    ManifestApplication *application;    /* NULL: the backup was made without one */
    uint64_t stored_new;                 /* bytes this backup added to the repository (without the manifest) */
    uint64_t stored_all;                 /* bytes of all blobs it references */
} Manifest;

Manifest *manifest_new(void);
void manifest_free(Manifest *manifest);         /* NULL-safe */
void manifest_owner_free(ManifestOwner *owner); /* NULL-safe */
/* Frees what is inside of one fileset that is in no manifest. NULL-safe. */
void manifest_fileset_done(ManifestFileset *fileset);

/* The frame of a segment in the bytes of its blob, which are all there. */
const uint8_t *manifest_segment_frame(const ManifestSegment *segment, const Buf *blob, size_t *ret_len);

/* Rows and raw bytes of a database, with its large objects; files and bytes of all filesets. */
typedef struct BackupTotals {
    uint64_t rows, row_bytes;
    uint64_t files, file_bytes;
} BackupTotals;
BackupTotals backup_totals(const Manifest *manifest);

/* The document (a new reference), and the way back. Round trip is exact; texts need not be UTF-8 (jsontext.h). Refused,
 * with the place ("database.tables[3].rows"): missing members, wrong types, numbers out of range, fileset names that
 * are not [a-z0-9_-]+ or come twice, a dump_id that comes twice, segments that do not add up to their table's rows and
 * bytes or reach past the end of their blob, blobs other than zstd ones. Members it does not know are ignored. */
json_t *manifest_to_json(const Manifest *manifest);
int manifest_parse(const void *text, size_t len, Manifest **ret, Error *err);

/* A fresh id "20261122T031500Z-misskey-x7k2": moment, app (letters, digits, '-' and '_' kept, the rest replaced; in an
 * encrypted repository eight digits that stand for it), four random characters. To be freed. */
char *manifest_new_id(const Repo *repo, const char *app);

/* The same for a backup that comes after all those of its application among `names`, in the order of ids too: where
 * several fall on one second, or clocks differ by some minutes, its moment is put behind theirs. *ret_ahead: the name
 * of one that is further ahead, or NULL; it stays the latest for now. */
char *manifest_next_id(const Repo *repo, const char *app, const StrVec *names, const char **ret_ahead);

/* The id of a copy in another repository: the same but for the application, which that one may call otherwise. To be
 * freed. */
char *manifest_copied_id(const Repo *to, const char *id, const char *app);
/* Whether two backups, each in a repository of its own, are copies of each other, as far as ids tell: they are when
 * moment and random characters are the same. */
bool manifest_id_is_copy(const char *id, const char *other);
/* The moment in an id of a backup or a rehearsal; -1 when it tells none. */
time_t manifest_id_moment(const char *id);

/* A manifest's *name* is its id, and for a later revision "<id>.2" and so on: a manifest is never overwritten, but one
 * with the same id and a higher revision may take its place. To be freed. */
char *manifest_name(const Manifest *manifest);

/* Writes backups/<name>.json, exclusively: the commit point. What manifest_parse would not read is not written. In an
 * encrypted repository the object is backups/<name>.json.age, and needs no identity. */
int manifest_commit(Repo *repo, const Manifest *manifest, Error *err);
/* The same over one of that name that is damaged. Under an exclusive lock. */
int manifest_bring_back(Repo *repo, const Manifest *manifest, Error *err);
/* Reads one by its name; by its id alone, in whatever revision there is. ERR_NOT_FOUND. Id and revision inside must be
 * those of the name. ERR_KEY: it is encrypted, and no identity was given, or none that fits. ERR_CORRUPT also: nobody
 * with the naming key has written it. */
int manifest_load(Repo *repo, const char *name, Manifest **ret, Error *err);
/* All ids, oldest first, each once. */
int manifest_list(Repo *repo, StrVec *ret, Error *err);
/* The name of each backup in its highest revision, oldest first. superseded (may be NULL) gets the names of lower ones,
 * which a prune that was killed has left. */
int manifest_list_names(Repo *repo, StrVec *ret, StrVec *superseded, Error *err);
/* Whether something bears exactly this name, readable or not. */
int manifest_is_there(Repo *repo, const char *name, bool *ret, Error *err);
/* Removes what bears exactly this name; nothing is no error. Under an exclusive lock. */
int manifest_delete(Repo *repo, const char *name, Error *err);
/* Makes durable what others did: manifests that are there now survive a crash, those that are gone stay gone. */
int manifest_settle(Repo *repo, Error *err);
/* Whether a backup of this id, or name, can be of this application: names that differ may look alike in an id. */
bool manifest_id_fits_app(const Repo *repo, const char *id, const char *app);
/* "latest" (optionally of one app; app may be NULL), a full id, or an unambiguous beginning of one; *ret to be freed.
 */
int manifest_resolve(Repo *repo, const char *name, const char *app, char **ret, Error *err);

#endif
