/* The inside of AgeIdentities. */
#ifndef KURA_AGE_KEY_H
#define KURA_AGE_KEY_H

#include "kura/age.h"
#include "stanza.h"

/* The i-th pair; it lives as long as the identities. */
const KeyPair *identities_pair(const AgeIdentities *identities, size_t i);

#endif
