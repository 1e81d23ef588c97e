/* The parts of kura copy: gather (what of a backup the other repository lacks), send (the blobs), copy (the rest). */
#ifndef KURA_COPY_PRIV_H
#define KURA_COPY_PRIV_H

#include "blobtable.h"
#include "copy_names.h"
#include "kura/copy.h"
#include "kura/manifest.h"

typedef struct Copy {
    Repo *from, *to;
    const CopyOptions *options;
    CopyReport *report;
    Findings *findings;
    Progress *progress;
    RepoLock *from_lock, *to_lock;
    StrVec there; /* ids of the other repository */
    CopyNames names;
    Uploader *uploader;
    BlobTable planned; /* of a plan: counted already */
    bool damaged;      /* the error is that something in `from` is damaged, missing or not understood */
} Copy;

/* Positions in a table of blobs. */
typedef struct Lacking {
    BlobTable blobs; /* that the backup refers to; indexes only where they stay as they are */
    uint32_t *v;     /* of these, those that must be read */
    size_t n, cap;
    uint64_t bytes;
} Lacking;
void lacking_done(Lacking *lacking);

/* copy_gather.c: which blobs of a backup must be read and sent. */
int copy_gather(Copy *copy, const Manifest *manifest, Lacking *ret, Error *err);

/* copy_send.c: reads them and gives them to the uploader. */
int copy_send(Copy *copy, const Lacking *lacking, Error *err);
/* The manifest as it will be in the other repository, with its indexes sent. */
int copy_rewrite(Copy *copy, const Manifest *manifest, Manifest **ret, Error *err);
/* Reads back from the other repository what was sent: the blobs of `lacking`, and the indexes. */
int copy_verify(Copy *copy, const Lacking *lacking, const Manifest *manifest, Error *err);

/* Notes what an error in reading `from` is; -1. */
int copy_source_error(Copy *copy, const Error *err);

#endif
