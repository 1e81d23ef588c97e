/* What the makers of wanted states share. */
#ifndef KURA_OWNERS_WANT_H
#define KURA_OWNERS_WANT_H

#include "kura/owned.h"

/* What members of extensions, the server's own and default privileges have when nobody said anything; false for
 * others. */
bool own_baseline(const OwnState *state, const OwnObject *object, OwnAcl *ret);
/* Gives everything that has its parent's owner that owner. */
void own_follow_parents(OwnState *state);

#endif
