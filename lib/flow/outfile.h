/* A new file that is hashed while it is written. */
#ifndef KURA_OUTFILE_H
#define KURA_OUTFILE_H

#include "kura/error.h"
#include "kura/hash.h"

typedef struct OutFile {
    int fd;
    char *path;
    Sha256 *hash;
} OutFile;

#define OUTFILE_INIT                                                                                                   \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* Creates path, which must not exist, mode 0600. */
int outfile_open(OutFile *file, const char *path, Error *err);
int outfile_write(OutFile *file, const void *data, size_t len, Error *err);
/* Closes it and gives the hash of what was written. */
int outfile_close(OutFile *file, char ret_hex[SHA256_HEX_SIZE], Error *err);
/* Frees; the file stays as far as it was written. */
void outfile_done(OutFile *file);

#endif
