/* The connection to the database, for all checks that ask it something. */
#include "doctor_priv.h"
#include "kura/catalog.h"

enum { CONNECT_SECONDS = 10, QUESTION_SECONDS = 60 };

static void connect_once(DoctorScene *scene)
{
    if (scene->conn != NULL || scene->conn_error.code != ERR_NONE)
        return;
    const PgOptions options = {.connect_timeout = CONNECT_SECONDS};
    if (pg_connect(scene->db, &options, &scene->conn, &scene->conn_error) < 0)
        return;
    pg_set_deadline(scene->conn, QUESTION_SECONDS);
    if (catalog_is_pooled(scene->conn, &scene->pooled, &scene->conn_error) < 0) {
        pg_close(scene->conn);
        scene->conn = NULL;
    }
}

static bool is_connected(DoctorScene *scene)
{
    if (scene->db == NULL) {
        doctor_skip(scene, "no database is named");
        return false;
    }
    connect_once(scene);
    if (scene->conn == NULL)
        doctor_skip(scene, "the database cannot be reached");
    return scene->conn != NULL;
}

/* A session that a pooler lends goes to the application next, with what was set in it: an empty search_path would take
 * the site down. */
bool doctor_has_connection(DoctorScene *scene)
{
    if (!is_connected(scene))
        return false;
    if (scene->pooled)
        doctor_skip(scene, "the database is reached through a connection pooler");
    return !scene->pooled;
}

int check_connection(DoctorScene *scene, Error *err)
{
    if (scene->db == NULL)
        return doctor_skip(scene, "no database is named");
    connect_once(scene);
    return scene->conn == NULL ? doctor_report_error(scene, doctor_checks[scene->current].name, &scene->conn_error, err)
                               : 0;
}

int check_pooler(DoctorScene *scene, Error *err)
{
    if (is_connected(scene) && scene->pooled)
        doctor_report(
            scene,
            "Give --db with host and port of the PostgreSQL server itself, as in \"port=5432\"; for migrations "
            "of Mastodon set DB_PORT=5432.",
            "the connection to %s goes through a connection pooler", pg_where(scene->conn));
    return 0;
}
