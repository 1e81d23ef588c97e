/* SHA256SUMS: what sha256sum -c reads. */
#ifndef KURA_SUMS_H
#define KURA_SUMS_H

#include <pthread.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/hash.h"
#include "outfile.h"

typedef struct Sum {
    char hex[SHA256_HEX_SIZE];
    char *path;
} Sum;

/* Filled by several threads. */
typedef struct Sums {
    pthread_mutex_t mutex;
    Sum *v;
    size_t n, cap;
} Sums;

#define SUMS_INIT                                                                                                      \
    {                                                                                                                  \
        .mutex = PTHREAD_MUTEX_INITIALIZER                                                                             \
    }

/* Adds a file under the name it has relative to SHA256SUMS. */
void sums_add(Sums *sums, const char *path, const char *hex);
/* Writes a line for each, sorted by path. */
int sums_write(Sums *sums, OutFile *file, Error *err);
void sums_done(Sums *sums);

/* One line, a name with unusual bytes escaped as sha256sum does. */
int sums_format(const char *path, const char *hex, Buf *out, Error *err);

#endif
