/* Pins: backups that no prune removes until they are unpinned. A pin is an object pins/<backup id>.json, sealed like a
 * manifest in an encrypted repository (kura-format(5)). */
#ifndef KURA_PIN_H
#define KURA_PIN_H

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/repo.h"

typedef struct Pin {
    char *backup;
    char *host, *user; /* who pinned it */
    char *created;     /* clock_format_utc */
    char *reason;      /* NULL: none was given */
} Pin;

void pin_done(Pin *pin); /* NULL-safe */

/* Pins a backup, which must exist, under a shared lock: nobody prunes meanwhile. reason may be NULL. ERR_EXISTS when it
 * is pinned. */
int pin_put(Repo *repo, const char *backup, const char *reason, Error *err);
/* ERR_NOT_FOUND when it is not pinned; then, and otherwise, errors as manifest_load's. */
int pin_load(Repo *repo, const char *backup, Pin *ret, Error *err);
/* Takes a pin away; *ret_was tells whether there was one. */
int pin_remove(Repo *repo, const char *backup, bool *ret_was, Error *err);
/* The ids of all backups that are pinned. Needs no identity. */
int pin_list(Repo *repo, StrVec *ret, Error *err);

#endif
