#include "kura/sitesecrets.h"

#include <stdlib.h>
#include <string.h>

#include "kura/fingerprint.h"
#include "kura/mem.h"

static bool is_set(const AppSecret *secret)
{
    return secret->value && secret->value[0];
}

void sitesecrets_stamp(ManifestApplication *application, const AppSite *site)
{
    application->secrets = xcalloc(site->n_secrets, sizeof *application->secrets);
    for (size_t i = 0; i < site->n_secrets && application->n_secrets < MANIFEST_SECRETS_MAX; i++) {
        const AppSecret *secret = &site->secrets[i];
        char salt[FINGERPRINT_SALT_HEX_SIZE], print[FINGERPRINT_HEX_SIZE];
        if (!is_set(secret))
            continue;
        fingerprint_make(secret->name, secret->value, salt, print);
        application->secrets[application->n_secrets++] =
            (ManifestSecret){.name = xstrdup(secret->name), .salt = xstrdup(salt), .fingerprint = xstrdup(print)};
    }
}

static const AppSecret *find(const AppSite *site, const char *name)
{
    for (size_t i = 0; i < site->n_secrets; i++)
        if (strcmp(site->secrets[i].name, name) == 0)
            return &site->secrets[i];
    return NULL;
}

SecretChanges sitesecrets_compare(const ManifestApplication *application, const AppSite *site)
{
    SecretChanges changes = {0};
    changes.v = xcalloc(application->n_secrets, sizeof *changes.v);
    for (size_t i = 0; i < application->n_secrets; i++) {
        const ManifestSecret *then = &application->secrets[i];
        const AppSecret *now = find(site, then->name);
        bool missing = now == NULL || !is_set(now);
        changes.compared++;
        if (missing || !fingerprint_fits(then->name, now->value, then->salt, then->fingerprint))
            changes.v[changes.n++] =
                (SecretChange){.name = then->name, .needed_for = now ? now->needed_for : NULL, .missing = missing};
    }
    return changes;
}

void secretchanges_done(SecretChanges *changes)
{
    free(changes->v);
    *changes = (SecretChanges){0};
}
