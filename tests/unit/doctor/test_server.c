/* Checks that ask a server, where a script could not bring it about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs what stands above */
#include <cmocka.h>

#include "kura/mem.h"
#include "pgcluster.h"
#include "scene.h"

static PgCluster *cluster;
static Findings findings = FINDINGS_INIT;
static AppSite site = {.title = (char *)"Misskey", .dir = (char *)"/srv/misskey"};
static DoctorScene scene = {.site = &site, .findings = &findings};

static int set_up(void **state)
{
    static const char *const settings[] = {"max_prepared_transactions=2", NULL};
    cluster = pgcluster_start(settings);
    scene.db = pgcluster_conninfo(cluster);
    return 0;
}

static int tear_down(void **state)
{
    doctor_done(&scene);
    findings_done(&findings);
    pgcluster_stop(cluster);
    return 0;
}

static PgConn *connect_again(void)
{
    Error err = ERROR_INIT;
    PgConn *conn;
    if (pg_connect(pgcluster_conninfo(cluster), &(PgOptions){0}, &conn, &err) < 0)
        fail_msg("%s", err.message);
    return conn;
}

static void sql(PgConn *conn, const char *text)
{
    Error err = ERROR_INIT;
    if (pg_exec(conn, text, &err) < 0)
        fail_msg("%s", err.message);
}

static void test_extensions(void **state)
{
    Error err = ERROR_INIT;
    assert_silent(&scene, DOCTOR_EXTENSIONS);
    strvec_push(&site.extensions, "pgroonga");
    assert_fires(&scene, DOCTOR_EXTENSIONS, "Misskey needs the extension \"pgroonga\"");
    assert_non_null(strstr(findings.v[0].hint, "-pgdg-pgroonga\""));
    strvec_push(&site.extensions, "no such thing");
    assert_fires(&scene, DOCTOR_EXTENSIONS, "\"no such thing\"");
    strvec_done(&site.extensions);

    strvec_push(&site.extensions, "plpgsql");
    assert_silent(&scene, DOCTOR_EXTENSIONS_PRESENT);
    assert_int_equal(pg_exec(scene.conn, "DROP EXTENSION plpgsql", &err), 0);
    assert_fires(&scene, DOCTOR_EXTENSIONS_PRESENT, "which database \"postgres\"");
    assert_non_null(strstr(findings.v[0].hint, "CREATE EXTENSION \"plpgsql\""));
    sql(scene.conn, "CREATE EXTENSION plpgsql");
    strvec_done(&site.extensions);
}

static void test_extensions_of_a_backup(void **state)
{
    DbExtension held[] = {{.name = (char *)"rum"}};
    Manifest newest = {.has_database = true, .database.facts = {.extensions = held, .n_extensions = 1}};
    scene.newest = &newest;
    assert_fires(&scene, DOCTOR_EXTENSIONS, "the newest backup holds the extension \"rum\"");
    held[0].name = (char *)"plpgsql";
    assert_silent(&scene, DOCTOR_EXTENSIONS);
    scene.newest = NULL;
}

static void test_idle_transactions(void **state)
{
    PgConn *idler = connect_again();
    assert_silent(&scene, DOCTOR_IDLE_TRANSACTIONS);
    sql(idler, "BEGIN");
    sql(idler, "CREATE TABLE held (a int)");
    assert_silent(&scene, DOCTOR_IDLE_TRANSACTIONS);
    scene.idle_seconds = 1e-6;
    assert_fires(&scene, DOCTOR_IDLE_TRANSACTIONS, "has been idle in a transaction");
    sql(idler, "PREPARE TRANSACTION 'forgotten'");
    assert_fires(&scene, DOCTOR_IDLE_TRANSACTIONS, "the transaction \"forgotten\"");
    sql(idler, "ROLLBACK PREPARED 'forgotten'");
    assert_silent(&scene, DOCTOR_IDLE_TRANSACTIONS);
    scene.idle_seconds = 0;
    pg_close(idler);
}

static void test_nothing_to_look_at(void **state)
{
    DoctorScene empty = {.findings = &findings};
    assert_skipped(&empty, DOCTOR_IDLE_TRANSACTIONS, "no database is named");
    assert_skipped(&empty, DOCTOR_MUST_EXIST, "no directory of an application is named");
    assert_skipped(&empty, DOCTOR_STORAGE, "no repository is named");
    empty.db = "host=/nonexistent";
    assert_skipped(&empty, DOCTOR_COLLATIONS, "the database cannot be reached");
    assert_fires(&empty, DOCTOR_CONNECTION, "/nonexistent");
    doctor_done(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_extensions_of_a_backup),
        cmocka_unit_test(test_idle_transactions),
        cmocka_unit_test(test_nothing_to_look_at),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
