/* What the manifest's parts share. */
#ifndef KURA_MANIFEST_PRIV_H
#define KURA_MANIFEST_PRIV_H

#include <stdbool.h>

#include "jsonnode_priv.h"
#include "kura/manifest.h"

/* A database of ten thousand tables and a hundred thousand segments takes some 20 MB; this is room for terabytes. */
#define MANIFEST_MAX (256u * 1024 * 1024)

/* The application as it stands in an id: letters, digits, '-' and '_' as they are, the rest replaced. */
enum { MANIFEST_APP_MAX = 64 };
void manifest_app_part(const Repo *repo, const char *app, char ret[MANIFEST_APP_MAX + 1]);

/* Whether text is of manifest_new_id's form. */
bool manifest_id_valid(const char *text);
/* Takes a name apart: the id, to be freed, and the revision. -1 when it is not the name of a manifest. */
enum { MANIFEST_REVISION_MAX = 999999 };
int manifest_name_parse(const char *name, char **ret_id, unsigned *ret_revision);

/* The manifest's member "system": a new reference, and the way back. Where there is none, *ret stays NULL. */
json_t *manifest_system_to_json(const HostFacts *system);
int manifest_system_read(const JsonNode *root, HostFacts **ret, Error *err);

/* A fileset's member "root_owner": a new reference, and the way back. Where there is none, *ret stays NULL. */
json_t *manifest_owner_to_json(const ManifestOwner *owner);
int manifest_owner_read(const JsonNode *fileset, ManifestOwner **ret, Error *err);

/* The manifest's member "application": a new reference, and the way back. Where there is none, *ret stays NULL. */
json_t *manifest_application_to_json(const ManifestApplication *application);
int manifest_application_read(const JsonNode *root, ManifestApplication **ret, Error *err);

#endif
