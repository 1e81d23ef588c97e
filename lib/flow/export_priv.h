/* The parts of kura export. All file names are relative to the export's directory. */
#ifndef KURA_EXPORT_PRIV_H
#define KURA_EXPORT_PRIV_H

#include "kura/export.h"
#include "sums.h"

typedef struct Export {
    Repo *repo;
    const Manifest *manifest;
    const char *dir;
    ExportCompression compression;
    Sums sums;
    Findings *findings;
    Progress *progress;
} Export;

/* Writes the rows of every table as database/NNNN.dat*, each proved against the manifest's digest. */
int export_tables(Export *export, const Toc *toc, Error *err);
/* Writes large objects as database/blob_OID.dat and the lists of them that pg_restore reads. */
int export_large_objects(Export *export, const Toc *toc, Error *err);
/* Writes files/NAME for every fileset. */
int export_filesets(Export *export, Error *err);
/* Writes SHA256SUMS: what export->sums has, and every file of the filesets. */
int export_sums(Export *export, Error *err);
/* The text of RESTORE.txt. toc and uses are NULL without a database. */
int export_readme(const Export *export, const Toc *toc, const RoleUses *uses, Buf *out, Error *err);

/* Creates a file with these bytes and adds its sum. */
int export_write(Export *export, const char *name, const void *data, size_t len, Error *err);

#endif
