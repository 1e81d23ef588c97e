/* The ways out: standard files without kura, and remapped archives. */
#ifndef KURA_EXPORT_H
#define KURA_EXPORT_H

#include "kura/error.h"
#include "kura/findings.h"
#include "kura/manifest.h"
#include "kura/progress.h"
#include "kura/repo.h"
#include "kura/rolemap.h"
#include "kura/toc.h"

typedef enum ExportCompression { EXPORT_ZSTD, EXPORT_GZIP, EXPORT_PLAIN } ExportCompression;

/* Writes DIR/database (a directory-format archive, mapped when map is given) and DIR/files/NAME for every fileset, and
 * DIR/SHA256SUMS. dir must not exist or be empty. */
int export_run(Repo *repo, const Manifest *manifest, const char *dir, ExportCompression compression, const RoleMap *map,
               Findings *findings, Progress *progress, Error *err);

/* Reads and parses the TOC that a backup has stored. */
int flow_load_toc(Repo *repo, const ManifestDatabase *database, Toc **ret, Error *err);
/* Opens a custom-format file or a directory-format directory and reads its TOC. */
int archive_open_toc(const char *path, Toc **ret, size_t *ret_used, Error *err);
/* kura remap: writes the archive again under a role map. out must not exist. Data is copied, never decoded. */
int remap_run(const char *archive, const char *out, const RoleMap *map, RoleUses *ret, Findings *findings, Error *err);

#endif
