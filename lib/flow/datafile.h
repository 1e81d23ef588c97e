/* The data file of one table in a directory-format archive: "NNNN.dat" and its suffix. */
#ifndef KURA_DATAFILE_H
#define KURA_DATAFILE_H

#include "kura/export.h"
#include "outfile.h"

typedef struct DataFile {
    OutFile out;
    ExportCompression compression;
    const Repo *repo; /* its zstd parameters */
} DataFile;

/* ".zst", ".gz", "". */
const char *datafile_suffix(ExportCompression compression);

int datafile_open(DataFile *file, const Repo *repo, ExportCompression compression, const char *path, Error *err);
/* Adds a segment, given both as it is stored (one zstd frame) and as COPY text. */
int datafile_segment(DataFile *file, const Buf *stored, const Buf *raw, Error *err);
/* Adds the end marker, closes, gives the file's hash. */
int datafile_close(DataFile *file, char ret_hex[SHA256_HEX_SIZE], Error *err);
void datafile_done(DataFile *file);

#endif
