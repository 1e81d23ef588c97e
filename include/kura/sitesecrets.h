/* The secrets of an application's configuration and those that a backup was made with. */
#ifndef KURA_SITESECRETS_H
#define KURA_SITESECRETS_H

#include "kura/app.h"
#include "kura/manifest.h"

/* Adds the fingerprint of each secret that the configuration sets. */
void sitesecrets_stamp(ManifestApplication *application, const AppSite *site);

/* One that is another than the backup's, or is set no more. Borrowed from site and backup. */
typedef struct SecretChange {
    const char *name;
    const char *needed_for; /* "two-factor logins"; NULL: not known */
    bool missing;
} SecretChange;

typedef struct SecretChanges {
    SecretChange *v;
    size_t n;
    size_t compared; /* the backup has fingerprints of so many */
} SecretChanges;

/* What restoring that backup beside this configuration would leave unreadable. Secrets that the backup does not know
 * are no change. */
SecretChanges sitesecrets_compare(const ManifestApplication *application, const AppSite *site);
void secretchanges_done(SecretChanges *changes);

#endif
