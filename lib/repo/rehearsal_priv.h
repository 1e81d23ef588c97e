/* What the rehearsal's parts share. */
#ifndef KURA_REHEARSAL_PRIV_H
#define KURA_REHEARSAL_PRIV_H

#include "kura/mem.h"
#include "kura/rehearsal.h"

/* Ten thousand tables take 1 MB. */
#define REHEARSAL_MAX (64u * 1024 * 1024)
/* Seconds: more than a century. */
#define REHEARSAL_SECONDS_MAX 4e9

DEFINE_CLEANUP(Rehearsal, rehearsal_free)

/* NULL-terminated, indexed by the enum. */
extern const char *const rehearsal_verdicts[];
extern const char *const rehearsal_severities[];
extern const char *const rehearsal_change_kinds[];

#endif
