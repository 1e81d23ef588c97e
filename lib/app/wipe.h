/* Texts that may be secrets. */
#ifndef KURA_APP_WIPE_H
#define KURA_APP_WIPE_H

#include <stdlib.h>
#include <string.h>

#include "kura/secret.h"

/* Wipes and frees a text, and forgets it; NULL-safe. Usable with _cleanup_. */
static inline void wipe_text(char **text)
{
    if (*text)
        secret_wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

#endif
