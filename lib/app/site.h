/* From a profile and the settings that it names to a site. */
#ifndef KURA_APP_SITE_H
#define KURA_APP_SITE_H

#include "template.h"

/* Fills what a site says of servers: database, replicas, redis. */
int site_servers(const Scene *scene, AppSite *site, Error *err);
/* Fills what it says of keys that belong together. */
void site_keys(const Scene *scene, AppSite *site);
void site_keys_free(AppKeyProof *proofs, size_t n);
/* Fills all else. */
int site_rest(const Scene *scene, AppSite *site, Error *err);
void server_done(AppServer *server);
/* Appends " keyword='value'" as libpq reads it; nothing for NULL. */
void conninfo_append(Buf *out, const char *keyword, const char *value);

#endif
