/* Secrets: whether they are set, whether they are those of the newest backup, whether they open what the database
 * holds. */
#include <stdlib.h>
#include <string.h>

#include "doctor_priv.h"
#include "kura/mem.h"
#include "kura/secretkeys.h"
#include "kura/sitesecrets.h"
#include "kura/words.h"

DEFINE_CLEANUP(RailsCipher, railscipher_free)

static bool has_secrets(DoctorScene *scene)
{
    if (!doctor_has_site(scene))
        return false;
    if (scene->site->n_secrets == 0)
        doctor_skip(scene, "nothing is known of secrets of %s", scene->site->title);
    return scene->site->n_secrets > 0;
}

int check_secrets_set(DoctorScene *scene, Error *err)
{
    if (!has_secrets(scene))
        return 0;
    const AppSite *site = scene->site;
    for (size_t i = 0; i < site->n_secrets; i++)
        if (site->secrets[i].required && site->secrets[i].value == NULL)
            doctor_report(
                scene,
                "Take it from the old host or from the configuration in a backup; a new one does not open what "
                "the old one closed.",
                "%s is not set, and needed for: %s", site->secrets[i].name, words_get(site->secrets[i].needed_for));
    return 0;
}

static void report_change(DoctorScene *scene, const SecretChange *change)
{
    static const char remedy[] =
        N_("Take it from the configuration in the backup, unless it was changed on purpose: a new "
           "backup then knows the new one.");
    const char *lost = change->needed_for ? words_get(change->needed_for) : _("it is not known what");
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

/* ---- what the database holds ---- */

enum { SAMPLE_ROWS = 32 };

typedef struct Sample {
    size_t rows, refused, unreadable;
} Sample;

static void count_pair(Sample *sample, KeyPair pair)
{
    sample->rows++;
    sample->refused += pair == PAIR_DIFFERS;
    sample->unreadable += pair == PAIR_UNREADABLE;
}

static KeyPair pair_of(const AppKeyProof *proof, const char *public_key, const char *private_key)
{
    return strcmp(proof->kind, "vapid") == 0 ? keypair_vapid(public_key, private_key)
                                             : keypair_pem(public_key, private_key);
}

/* What was never encrypted proves nothing. */
static void count_column(Sample *sample, RailsColumn column)
{
    sample->rows += column != RAILS_NO_MESSAGE;
    sample->refused += column == RAILS_REFUSED;
}

/* 1: the rows are there; 0: this version of the application has no such table or column. */
static int read_sample(PgConn *conn, const AppKeyProof *proof, PGresult **ret, Error *err)
{
    _cleanup_free_ char *sql = xasprintf("SELECT * FROM (%s) AS sample LIMIT %d", proof->sql, SAMPLE_ROWS);
    return doctor_ask(conn, sql, ret, err);
}

static void report_columns(DoctorScene *scene, const AppKeyProof *proof, const Sample *sample)
{
    if (sample->refused > 0)
        doctor_report(
            scene,
            "The secrets are not those that this database was written with: take them from the host or from the "
            "configuration in the backup that the database came from. Let nothing write before.",
            "rows cannot be decrypted with the secrets of the configuration (looked at: %zu, of which wrong: %zu); "
            "lost: %s",
            sample->rows, sample->refused, words_get(proof->needed_for));
}

static void report_pairs(DoctorScene *scene, const AppKeyProof *proof, const Sample *sample)
{
    static const char remedy[] =
        N_("Somebody exchanged one half: bring back the pair from a backup. What was signed or "
           "subscribed under the old one is not believed under a new one.");
    if (sample->refused > 0 && proof->sql)
        doctor_report(scene, remedy,
                      "public and private keys in the database do not belong together (pairs looked at: %zu, of which "
                      "wrong: %zu); lost: %s",
                      sample->rows, sample->refused, words_get(proof->needed_for));
    else if (sample->refused > 0)
        doctor_report(scene, remedy, "a public and a private key in the configuration do not belong together; lost: %s",
                      words_get(proof->needed_for));
    if (sample->unreadable > 0 && proof->sql)
        doctor_report(scene, remedy,
                      "keys in the database cannot be read (pairs looked at: %zu, of which wrong: %zu); lost: %s",
                      sample->rows, sample->unreadable, words_get(proof->needed_for));
    else if (sample->unreadable > 0)
        doctor_report(scene, remedy, "a key in the configuration cannot be read; lost: %s",
                      words_get(proof->needed_for));
}

static void judge_columns(DoctorScene *scene, const AppKeyProof *proof, const PGresult *rows)
{
    _cleanup_(railscipher_free_cleanup) RailsCipher *cipher = railscipher_new(proof->password, proof->salt);
    Sample sample = {0};
    for (int i = 0; i < PQntuples(rows); i++)
        count_column(&sample, railscipher_open(cipher, pg_cell(rows, i, 0)));
    report_columns(scene, proof, &sample);
}

static void judge_pairs(DoctorScene *scene, const AppKeyProof *proof, const PGresult *rows)
{
    Sample sample = {0};
    for (int i = 0; PQnfields(rows) > 1 && i < PQntuples(rows); i++)
        if (pg_cell(rows, i, 0)[0] && pg_cell(rows, i, 1)[0])
            count_pair(&sample, pair_of(proof, pg_cell(rows, i, 0), pg_cell(rows, i, 1)));
    report_pairs(scene, proof, &sample);
}

static void prove_settings(DoctorScene *scene, const AppKeyProof *proof)
{
    Sample sample = {0};
    if (proof->public_key && proof->public_key[0] && proof->private_key && proof->private_key[0])
        count_pair(&sample, pair_of(proof, proof->public_key, proof->private_key));
    report_pairs(scene, proof, &sample);
}

static int prove_rows(DoctorScene *scene, const AppKeyProof *proof, Error *err)
{
    bool columns = strcmp(proof->kind, "rails") == 0;
    PGresult *rows;
    if (columns && (proof->password == NULL || proof->salt == NULL))
        return 0; /* SECR-01 tells */
    int rc = read_sample(scene->conn, proof, &rows, err);
    if (rc <= 0)
        return rc;
    if (columns)
        judge_columns(scene, proof, rows);
    else
        judge_pairs(scene, proof, rows);
    PQclear(rows);
    return 0;
}

int check_secrets_fit(DoctorScene *scene, Error *err)
{
    if (!doctor_has_site(scene))
        return 0;
    const AppSite *site = scene->site;
    if (site->n_key_proofs == 0)
        return doctor_skip(scene, "nothing is known of keys of %s", site->title);
    for (size_t i = 0; i < site->n_key_proofs; i++)
        if (site->key_proofs[i].sql == NULL)
            prove_settings(scene, &site->key_proofs[i]);
    if (!doctor_has_connection(scene))
        return 0;
    for (size_t i = 0; i < site->n_key_proofs; i++)
        if (site->key_proofs[i].sql && prove_rows(scene, &site->key_proofs[i], err) < 0)
            return -1;
    return 0;
}
