/* How an application stands: what is known of its backups, and what of that needs a person. */
#ifndef KURA_STANDING_H
#define KURA_STANDING_H

#include <time.h>

#include "kura/findings.h"
#include "kura/rehearsal.h"
#include "kura/repo.h"
#include "kura/runstate.h"

typedef struct Standing {
    char *app;
    char *location; /* of the repository; NULL: none is named */
    bool further;   /* it is not the first repository of the application: all that counts are its backups */
    bool reached;   /* the repository was looked at */
    char *trouble;  /* why it was not */
    char *backup;   /* id of the newest backup; NULL: there is none, or none is known */
    time_t made;
    bool rehearsed;
    time_t rehearsal; /* when the newest one began */
    bool judged;      /* its verdict is known: in an encrypted repository only this host's are */
    Verdict verdict;
    time_t verified; /* when the backups were last looked at by verify, of whichever host; 0: never, or unknown */
    time_t read;     /* .. and when all of their data was last read through; 0 */
    size_t damages;  /* things that verify knows to be missing or damaged, of this application's backups */
    RunHistory runs[RUN_KINDS]; /* of this host; borrowed */
} Standing;

/* Seconds; 0: any age will do. */
typedef struct StandingLimits {
    double backup, rehearsal, verify, read;
} StandingLimits;

void standing_done(Standing *standing); /* NULL-safe */
/* Takes what this host remembers of its runs: own are those for the application, common those for none (either may be
 * NULL), as far as they are of the repository at standing->location. The histories are borrowed. */
void standing_take_runs(Standing *standing, const RunState *own, const RunState *common);
/* Takes what the repository has: newest backup and rehearsal of standing->app, what verify knows. */
int standing_look(Repo *repo, Standing *standing, Error *err);
/* Once the repository was looked at, or could not be: this host's memory fills what is not known. */
void standing_take_memory(Standing *standing);
/* When the backups were last found whole, as far as the repository or this host knows; 0: never. */
time_t standing_verified(const Standing *standing);
/* Pure. Adds what is wrong: errors for what a restore would suffer from, warnings for what a person should look at. */
void standing_judge(const Standing *standing, const StandingLimits *limits, time_t now, Findings *findings);

#endif
