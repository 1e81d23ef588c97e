/* The parts of kura repair-repository: what is wanted, and where it may come from. */
#ifndef KURA_REPAIRREPO_PRIV_H
#define KURA_REPAIRREPO_PRIV_H

#include "kura/cache.h"
#include "kura/manifest.h"
#include "kura/repairrepo.h"
#include "verify_priv.h"

/* A blob that is missing or damaged. */
typedef struct Wanted {
    BlobRef ref;
    size_t blob;  /* position in the table */
    size_t place; /* in the report */
    bool found;
} Wanted;

/* A manifest that cannot be read. */
typedef struct LostManifest {
    char *name; /* with its revision */
    const char *id;
    size_t place; /* in the report */
    RepairCure cure;
    Manifest *found; /* NULL: nothing has it */
} LostManifest;

typedef struct RepairRepo {
    Repo *repo;
    const RepairRepoOptions *options;
    RepairRepoReport *report;
    Progress *progress;
    RepoLock *lock;
    Verify *verify;     /* of this round */
    Uploader *uploader; /* NULL: nothing is changed */
    Wanted *wanted;
    size_t n_wanted, cap_wanted;
    LostManifest *lost;
    size_t n_lost, cap_lost;
    Cache **caches;
    size_t n_caches;
    size_t n_done;   /* in this round */
    bool incomplete; /* the last round could not read all manifests and indexes */
} RepairRepo;

/* These bytes, which are what the blob should be, are its cure. *data is taken when they are stored. */
int repairrepo_cure(RepairRepo *repair, Wanted *wanted, RepairCure cure, Buf *data, Error *err);
/* The object of the report, which is made when there is none. */
RepairObject *repairrepo_object(RepairRepo *repair, const char *object, const char *code);
/* Why there is no cure. */
void repairrepo_why(RepairRepo *repair, const Wanted *wanted, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Copies an object to damaged/. ERR_NOT_FOUND */
int repairrepo_copy_aside(RepairRepo *repair, const char *key, Error *err);

/* Each looks for what is not found yet. */
int repairrepo_from_caches(RepairRepo *repair, Error *err);
int repairrepo_from_copy(RepairRepo *repair, Error *err);
int repairrepo_from_files(RepairRepo *repair, Error *err);
/* Looks for manifests that cannot be read, and wants the blobs that they name; puts them into their places. */
int repairrepo_find_manifests(RepairRepo *repair, Error *err);
int repairrepo_cure_manifests(RepairRepo *repair, Error *err);
/* Wants a blob that no manifest named which could be read. */
void repairrepo_miss(RepairRepo *repair, const BlobRef *ref);

#endif
