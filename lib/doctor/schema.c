/* Whether the application's code and its database are of one age. */
#include "kura/schema.h"
#include "doctor_priv.h"
#include "kura/catalog.h"
#include "kura/mem.h"
#include "kura/schemahistory.h"
#include "kura/words.h"

static void report_difference(DoctorScene *scene, const SchemaDifference *difference)
{
    const char *migrate = scene->site->schema.migrate;
    _cleanup_free_ char *remedy =
        migrate ? xasprintf(_("Make a backup, then run: %s"), migrate)
                : xstrdup(_("Make a backup, then migrate the database as the application's manual tells."));
    switch (difference->state) {
    case SCHEMA_EQUAL:
        break;
    case SCHEMA_PENDING_POST:
        doctor_report_as(scene, FINDING_WARNING, remedy,
                         ngettext("%zu migration that may wait for the new code was not run: %s",
                                  "%zu migrations that may wait for the new code were not run, the first is %s",
                                  difference->pending_post.n),
                         difference->pending_post.n, difference->pending_post.v[0]);
        break;
    case SCHEMA_PENDING:
        doctor_report(scene, remedy,
                      ngettext("the code is newer than the database: %zu migration was not run, %s",
                               "the code is newer than the database: %zu migrations were not run, the first is %s",
                               difference->pending.n),
                      difference->pending.n, difference->pending.v[0]);
        break;
    case SCHEMA_NEWER:
        doctor_report(
            scene, "Install the release that the database belongs to, or restore the backup from before the update.",
            ngettext("the database is newer than the code, or of a fork: it has %zu migration that the code lacks, %s",
                     "the database is newer than the code, or of a fork: it has %zu migrations that the code lacks, "
                     "the first is %s",
                     difference->unknown.n),
            difference->unknown.n, difference->unknown.v[0]);
        break;
    case SCHEMA_ALTERED:
        doctor_report(scene, "\"kura schema check\" lists them. Restore the text that was run.",
                      ngettext("%zu migration has another text than the one that was run: %s",
                               "%zu migrations have another text than the one that was run, the first is %s",
                               difference->changed.n),
                      difference->changed.n, difference->changed.v[0]);
        break;
    case SCHEMA_FAILED:
        doctor_report(scene, "\"kura schema check\" lists them. Mend what made them fail, or restore the last backup.",
                      ngettext("%zu migration was begun and has failed: %s",
                               "%zu migrations were begun and have failed, the first is %s", difference->failed.n),
                      difference->failed.n, difference->failed.v[0]);
        break;
    }
}

static int compare(DoctorScene *scene, const SchemaHistory *code, Error *err)
{
    SchemaHistory database = {0};
    SchemaDifference difference = {0};
    int rc = catalog_begin_reading(scene->conn, err);
    if (rc == 0)
        rc = catalog_schema_history(scene->conn, &code->tool, scene->site->schema.table, &database, err);
    pg_exec(scene->conn, "ROLLBACK", NULL);
    if (rc < 0)
        return -1;
    schema_compare(code, &database, &difference);
    report_difference(scene, &difference);
    schema_difference_done(&difference);
    schema_history_done(&database);
    return 0;
}

int check_schema_fits(DoctorScene *scene, Error *err)
{
    Error why = ERROR_INIT;
    SchemaHistory code = {0};
    if (!doctor_has_site(scene) || !doctor_has_connection(scene))
        return 0;
    if (schema_site_read(scene->site, &code, &why) < 0) {
        if (why.code == ERR_UNSUPPORTED || why.code == ERR_NOT_FOUND)
            return doctor_skip(scene, "the migrations of the code are not there to be compared");
        *err = why;
        return -1;
    }
    int rc = compare(scene, &code, err);
    schema_history_done(&code);
    return rc;
}
