/* Secrets: whether they are set, whether they are those of the newest backup, whether they open what the database
 * holds. */
#include <stdlib.h>
#include <string.h>

#include "doctor_priv.h"
#include "kura/mem.h"
#include "kura/secretkeys.h"
#include "kura/sitesecrets.h"

DEFINE_CLEANUP(RailsCipher, railscipher_free)

static bool has_secrets(DoctorScene *scene)
{
    if (!doctor_has_site(scene))
        return false;
    if (scene->site->n_secrets == 0)
        doctor_skip(scene, "nothing is known of secrets of %s", scene->site->title);
    return scene->site->n_secrets > 0;
}

static const char *secret_value(const AppSite *site, const char *name)
{
    for (size_t i = 0; i < site->n_secrets; i++)
        if (strcmp(site->secrets[i].name, name) == 0)
            return site->secrets[i].value && site->secrets[i].value[0] ? site->secrets[i].value : NULL;
    return NULL;
}

int check_secrets_set(DoctorScene *scene, Error *err)
{
    if (!has_secrets(scene))
        return 0;
    const AppSite *site = scene->site;
    for (size_t i = 0; i < site->n_secrets; i++)
        if (secret_value(site, site->secrets[i].name) == NULL)
            doctor_report(scene,
                          "Take it from the old host or from the configuration in a backup; a new one does not open what "
                          "the old one closed.",
                          "%s is not set, and needed for: %s", site->secrets[i].name, site->secrets[i].needed_for);
    return 0;
}

static void report_change(DoctorScene *scene, const SecretChange *change)
{
    static const char remedy[] = "Take it from the configuration in the backup, unless it was changed on purpose: a new "
                                 "backup then knows the new one.";
    const char *lost = change->needed_for ? change->needed_for : "it is not known what";
    if (change->missing)
        doctor_report(scene, remedy, "%s was set when backup %s was made, and is not now; needed for: %s", change->name,
                      scene->newest->id, lost);
    else
        doctor_report(scene, remedy, "%s is another one than when backup %s was made; needed for: %s", change->name,
                      scene->newest->id, lost);
}

int check_secrets_kept(DoctorScene *scene, Error *err)
{
    if (!has_secrets(scene) || !doctor_has_repo(scene))
        return 0;
    const ManifestApplication *application = scene->newest ? scene->newest->application : NULL;
    if (application == NULL || application->n_secrets == 0 || strcmp(application->profile, scene->site->name) != 0)
        return doctor_skip(scene, "the newest backup tells no secrets of %s", scene->site->title);
    SecretChanges changes = sitesecrets_compare(application, scene->site);
    for (size_t i = 0; i < changes.n; i++)
        report_change(scene, &changes.v[i]);
    secretchanges_done(&changes);
    return 0;
}

/* ---- what rows hold ---- */

typedef struct Sample {
    size_t rows, refused, unreadable;
} Sample;

static void count_pair(Sample *sample, KeyPair pair)
{
    sample->refused += pair == PAIR_DIFFERS;
    sample->unreadable += pair == PAIR_UNREADABLE;
}

/* A column that was never encrypted proves nothing. */
static void judge_row(const AppKeyProof *proof, const RailsCipher *cipher, const PGresult *rows, int row, Sample *sample)
{
    const char *first = pg_cell(rows, row, 0), *second = PQnfields(rows) > 1 ? pg_cell(rows, row, 1) : "";
    sample->rows++;
    if (strcmp(proof->kind, "rails") == 0)
        sample->refused += railscipher_open(cipher, first, NULL) == RAILS_REFUSED;
    else if (strcmp(proof->kind, "vapid") == 0)
        count_pair(sample, keypair_vapid(first, second));
    else if (strcmp(proof->kind, "pem") == 0)
        count_pair(sample, keypair_pem(first, second));
    else
        judge_closed_pair(cipher, first, second, sample);
}
