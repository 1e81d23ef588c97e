/* Pauses in work that keeps a server busy: as long as the work between two of them took. */
#ifndef KURA_PAUSES_H
#define KURA_PAUSES_H

#include <stdbool.h>

typedef struct Pauses {
    bool wanted;
    double since; /* when the work began, or went on; 0: not yet */
} Pauses;

/* To be called often while working. */
void pauses_take(Pauses *pauses);

#endif
