#include "kura/sitesecrets.h"
#include "kura/words.h"
#include "restore_priv.h"

void restore_check_secrets(Restore *restore)
{
    static const char hint[] = N_("Bring the configuration that belongs to this backup first: \"kura restore --files "
                                  "config=DIR\" brings it beside, where the backup has it.");
    const AppSite *site = restore->options->site;
    const ManifestApplication *application = restore->manifest ? restore->manifest->application : NULL;
    if (site == NULL || application == NULL)
        return;
    SecretChanges changes = sitesecrets_compare(application, site);
    for (size_t i = 0; i < changes.n; i++) {
        const SecretChange *change = &changes.v[i];
        if (change->needed_for)
            findings_add(restore->findings, FINDING_WARNING, "secrets-differ", hint,
                         "secrets differ: %s of \"%s\" is not the one of the backup; what will not work: %s",
                         change->name, site->dir, words_get(change->needed_for));
        else
            findings_add(restore->findings, FINDING_WARNING, "secrets-differ", hint,
                         "secrets differ: %s of the backup is not set in \"%s\"", change->name, site->dir);
    }
    secretchanges_done(&changes);
}
