/* The condition of the database and of its server. */
#include <stdlib.h>

#include "doctor_priv.h"
#include "kura/catalog.h"
#include "kura/condition.h"
#include "kura/databases.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/text.h"
#include "kura/words.h"

/* ---- collations ---- */

static int look_at_database(DoctorScene *scene, Error *err)
{
    uint32_t oid;
    _cleanup_free_ char *stale = NULL;
    if (catalog_database_oid(scene->conn, pg_dbname(scene->conn), &oid, err) < 0 ||
        catalog_stale_collation(scene->conn, oid, &stale, err) < 0)
        return -1;
    if (stale == NULL)
        return 0;
    _cleanup_free_ char *name = sql_quote_ident(pg_dbname(scene->conn));
    _cleanup_free_ char *remedy = xasprintf(
        _("Stop the site, run REINDEX DATABASE %s, then ALTER DATABASE %s REFRESH COLLATION VERSION. A backup "
          "that is restored needs neither."),
        name, name);
    doctor_report(scene, remedy,
                  "%s was sorted by version %s of the system's library: its text indexes may miss rows, and let "
                  "duplicates in",
                  pg_where(scene->conn), stale);
    return 0;
}

int check_collations(DoctorScene *scene, Error *err)
{
    PGresult *rows;
    if (!doctor_has_connection(scene))
        return 0;
    if (look_at_database(scene, err) < 0 || catalog_stale_collations(scene->conn, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++) {
        const char *name = pg_cell(rows, i, STALE_NAME);
        _cleanup_free_ char *remedy = xasprintf(
            _("REINDEX the indexes of columns that use it, then run ALTER COLLATION %s REFRESH VERSION."), name);
        doctor_report(scene, remedy, "collation %s was used in version %s, its library now has %s", name,
                      pg_cell(rows, i, STALE_RECORDED), pg_cell(rows, i, STALE_ACTUAL));
    }
    PQclear(rows);
    return 0;
}

/* ---- locks ---- */

int check_lock_room(DoctorScene *scene, Error *err)
{
    CatalogTables tables = {0};
    if (!doctor_has_connection(scene))
        return 0;
    if (catalog_tables(scene->conn, &tables, err) < 0)
        return -1;
    size_t n = catalog_tables_locked(&tables);
    catalog_tables_done(&tables);
    return catalog_lock_estimate(scene->conn, n, CATALOG_BACKUP_HOLDERS, scene->findings, err);
}

int check_idle_transactions(DoctorScene *scene, Error *err)
{
    enum { DAY = 86400 };
    char age[TEXT_SIZE];
    PGresult *rows;
    if (!doctor_has_connection(scene))
        return 0;
    double most = scene->idle_seconds > 0 ? scene->idle_seconds : DAY;
    if (catalog_idle_transactions(scene->conn, most, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++) {
        const char *name = pg_cell(rows, i, IDLE_NAME), *role = pg_cell(rows, i, IDLE_ROLE);
        text_age(strtod(pg_cell(rows, i, IDLE_SECONDS), NULL), age);
        if (pg_cell(rows, i, IDLE_KIND)[0] == 'p')
            doctor_report(scene, "Whoever prepared it should end it; else ROLLBACK PREPARED does.",
                          "the transaction \"%s\" of role \"%s\" was prepared %s ago and never ended", name, role, age);
        else
            doctor_report(scene, "Look at what it is; SELECT pg_terminate_backend(..) with its number ends it.",
                          "process %s (role \"%s\", %s) has been idle in a transaction for %s", name, role,
                          pg_cell(rows, i, IDLE_PROGRAM), age);
    }
    PQclear(rows);
    return 0;
}

/* ---- the clock ---- */

int check_clock(DoctorScene *scene, Error *err)
{
    enum { TOLERATED = 30 /* seconds */ };
    char difference[TEXT_SIZE];
    double ahead;
    if (!doctor_has_connection(scene))
        return 0;
    if (catalog_clock_ahead(scene->conn, &ahead, err) < 0)
        return -1;
    text_age(ahead < 0 ? -ahead : ahead, difference);
    if (ahead > TOLERATED)
        doctor_report(scene, "Let both hosts get the time by NTP: \"timedatectl\" tells whether they do.",
                      "the clock of the database's server is %s ahead of this host's", difference);
    else if (-ahead > TOLERATED)
        doctor_report(scene, "Let both hosts get the time by NTP: \"timedatectl\" tells whether they do.",
                      "the clock of the database's server is %s behind this host's", difference);
    return 0;
}
