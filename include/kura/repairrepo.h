/* kura repair-repository: brings back what is missing or damaged in a repository. */
#ifndef KURA_REPAIRREPO_H
#define KURA_REPAIRREPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/progress.h"
#include "kura/repo.h"
#include "kura/verify.h"

typedef struct RepairRepoOptions {
    bool apply;      /* else it is only told what would be done */
    Repo *from;      /* a copy; NULL: none */
    const char *app; /* one more application whose cache is looked at; NULL: those of the backups that can be read */
    const char *cache_dir; /* see cache.h; NULL: none */
    const struct RepairFiles {
        const char *name, *dir;
    } * files; /* where filesets are on this host */
    size_t n_files;
    double percent; /* of the data to read first, as in VerifyOptions */
    size_t jobs;
} RepairRepoOptions;

typedef enum RepairCure {
    CURE_NONE,      /* there is nothing to bring it back from */
    CURE_CACHE,     /* this host's cache has it */
    CURE_COPY,      /* the copy has it */
    CURE_FILES,     /* made again, of files on this host and of what is left of it */
    CURE_SET_ASIDE, /* moved to damaged/, so that the next backup stores it again if it can */
} RepairCure;

typedef struct RepairObject {
    char *object; /* as in verifystate.h */
    const char *code;
    RepairCure cure;
    bool done;
    char *why;            /* of CURE_NONE; or NULL */
    VerifyNames affected; /* what cannot be restored without it; empty when that is not known */
} RepairObject;

typedef struct RepairRepoReport {
    RepairObject *objects;
    size_t n_objects, cap_objects;
    uint64_t leftovers;  /* unfinished files, which apply removes */
    VerifyReport verify; /* how the repository is, after all that was done */
} RepairRepoReport;

/* "none", "cache", "copy", "files", "set-aside" */
const char *repair_cure_name(RepairCure cure);

/* Verifies the repository, and looks for each blob or manifest that is missing or damaged whether it can be brought
 * back: from the cache of this host, from a copy, from files on this host. Whatever is brought back is checked first to
 * be exactly what was there. What cannot be brought back and is of no use to anybody is moved to damaged/; a pack in
 * which other files are whole stays. Damages that remain are error findings.
 *
 * With apply it holds an exclusive lock, else a shared one. Nothing is removed that is not stored elsewhere before, or
 * replaced by what is right. Stopped at any instant it leaves a repository that is no worse; run again, it goes on. */
int repair_repository(Repo *repo, const RepairRepoOptions *options, RepairRepoReport *ret, Findings *findings,
                      Progress *progress, Error *err);
void repairrepo_report_done(RepairRepoReport *report);

#endif
