/* kura rehearse: from the first look at the server to the document. */
#include "kura/rehearse.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "dbmark.h"
#include "kura/clock.h"
#include "kura/databases.h"
#include "kura/mem.h"
#include "kura/priority.h"
#include "kura/sqllex.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "rehearse_run.h"
#include "targetdb.h"

/* ---- what stays ---- */

static void tell_how_to_look(Rehearse *rehearse, const Restore *restore)
{
    _cleanup_(buf_done) Buf roles = BUF_INIT(SIZE_MAX);
    for (size_t i = 0; i < restore->created_roles.n; i++) {
        buf_append_str(&roles, i ? ", " : " DROP ROLE ", NULL);
        sql_append_ident(&roles, restore->created_roles.v[i]);
    }
    _cleanup_free_ char *hint = xasprintf(_("Look at it with psql, dbname=%s. Drop it with: DROP DATABASE %s;%s%s"),
                                          rehearse->name, rehearse->name, buf_str(&roles), roles.len ? ";" : "");
    findings_add(&rehearse->findings, FINDING_NOTE, "rehearsal-kept", hint,
                 ngettext("database \"%s\" and its %zu role stay", "database \"%s\" and its %zu roles stay",
                          restore->created_roles.n),
                 rehearse->name, restore->created_roles.n);
}

/* As long as its mark says nothing else the next rehearsal drops it. */
static bool keeps(void *ctx, Restore *restore, int rc)
{
    Rehearse *rehearse = ctx;
    Error err = ERROR_INIT;
    if (!rehearse->options->keep_on_failure || (rc == 0 && !rehearse_has_failed(rehearse)))
        return false;
    if (target_mark(restore, KEPT_REHEARSED, &err) < 0) {
        findings_add(&rehearse->findings, FINDING_WARNING, "rehearsal-not-kept", err.hint[0] ? err.hint : NULL,
                     "the database of the rehearsal could not be kept: %s", err.message);
        return false;
    }
    tell_how_to_look(rehearse, restore);
    rehearse->result->kept = xstrdup(rehearse->name);
    return true;
}

/* ---- the restore ---- */

static int use_database(void *ctx, Restore *restore, Error *err)
{
    Rehearse *rehearse = ctx;
    _cleanup_free_ char *size = NULL;
    const char *params[] = {rehearse->name};
    PgConn *conn;
    rehearse->settled = true;
    if (target_closing(restore, &conn, err) < 0 ||
        pg_query_value(conn, "SELECT pg_catalog.pg_database_size($1::pg_catalog.name)", 1, params, &size, err) < 0)
        return -1;
    rehearse->result->database_bytes = strtoull(size, NULL, 10);
    return rehearse->options->run ? rehearse_command(rehearse, restore, err) : 0;
}

static int run_restore(Rehearse *rehearse, Error *err)
{
    const RehearseOptions *options = rehearse->options;
    const RestoreTrial trial = {.role_mark = rehearse->role_mark,
                                .compare = rehearse_compare_schema,
                                .prove = rehearse_prove,
                                .use = use_database,
                                .keeps = keeps,
                                .ctx = rehearse};
    const RestoreOptions restore = {.db = rehearse->db,
                                    .admin_db = options->admin_db,
                                    .pg_bindir = options->pg_bindir,
                                    .map = options->map,
                                    .app_role =
                                        options->app_role ? rolemap_lookup(options->map, options->app_role) : NULL,
                                    .create_roles = true,
                                    .verify = true,
                                    .jobs = options->jobs,
                                    .low_cost = options->low_cost,
                                    .site = options->site,
                                    .trial = &trial};
    return restore_run(rehearse->repo, rehearse->manifest, &restore, &rehearse->report, &rehearse->findings,
                       rehearse->progress, err);
}

/* ---- the way there ---- */

static void choose_name(Rehearse *rehearse)
{
    unsigned number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        abort(); /* so few bytes are always given at once */
    snprintf(rehearse->name, sizeof rehearse->name, "kura_rehearsal_%08x", number);
    rehearse->db = targetdb_conninfo(rehearse->options->server, rehearse->name);
    rehearse->role_mark = rehearse_role_mark(rehearse->name);
}

/* A superuser of --admin-db can give away what the restoring role cannot. */
static int is_superuser_there(const Rehearse *rehearse, const CatalogTarget *target, bool *ret, Error *err)
{
    PgConn *conn;
    CatalogRights rights;
    *ret = target->superuser;
    if (*ret || rehearse->options->admin_db == NULL)
        return 0;
    if (pg_connect(rehearse->options->admin_db, &(PgOptions){0}, &conn, err) < 0)
        return error_wrap(err, "the connection of --admin-db");
    int rc = catalog_rights(conn, &rights, err);
    if (rc == 0) {
        *ret = rights.superuser;
        catalog_rights_done(&rights);
    }
    pg_close(conn);
    return rc;
}

/* Everything that can be known before anything is made. */
static int prepare(Rehearse *rehearse, PgConn *admin, Error *err)
{
    CatalogTarget target;
    bool superuser;
    rehearse->result->server_version_num = pg_server_version(admin);
    if (rehearse_drop_leftovers(admin, rehearse->db, &rehearse->findings, err) < 0 ||
        rehearse_check_room(rehearse, admin, err) < 0 ||
        catalog_target(admin, rehearse->db, rehearse->name, &target, err) < 0)
        return -1;
    int rc = is_superuser_there(rehearse, &target, &superuser, err);
    if (rc == 0)
        rc = rehearse_map_roles(rehearse, &target, superuser, err);
    catalog_target_done(&target);
    return rc;
}

/* One that was killed while its server was at work on it could not be seen for dead when this one began. */
static void look_again(Rehearse *rehearse)
{
    PgConn *admin;
    if (targetdb_connect_admin(rehearse->db, rehearse->name, &admin, NULL) < 0)
        return;
    rehearse_drop_leftovers(admin, rehearse->db, &rehearse->findings, NULL);
    pg_close(admin);
}

static int rehearse_database(Rehearse *rehearse, Error *err)
{
    PgConn *admin;
    Error why = ERROR_INIT;
    rehearse_phase(rehearse, "preparation");
    if (targetdb_connect_admin(rehearse->db, rehearse->name, &admin, err) < 0)
        return -1;
    int rc = prepare(rehearse, admin, err);
    pg_close(admin);
    rehearse_phase(rehearse, NULL);
    if (rc < 0)
        return -1;
    rc = run_restore(rehearse, &why);
    if (stop_signal() != 0) {
        *err = why;
        return rc < 0 ? -1 : stop_check(err);
    }
    look_again(rehearse);
    rehearse_proofs_of_restore(rehearse, false);
    if (rehearse_prove_files(rehearse, err) < 0)
        return -1;
    rehearse_settle(rehearse, rc, &why);
    return 0;
}

static int check_options(const Manifest *manifest, const RehearseOptions *options, Error *err)
{
    if (!manifest->has_database) {
        error_set(err, ERR_USAGE, "backup \"%s\" holds no database", manifest->id);
        return error_hint(err, "\"kura verify --read-data\" proves its files.");
    }
    return priority_nice(options->nice, err);
}

int rehearse_run(Repo *repo, const Manifest *manifest, const RehearseOptions *options, Rehearsal **ret,
                 Findings *findings, Progress *progress, Error *err)
{
    Rehearse rehearse = {.repo = repo,
                         .manifest = manifest,
                         .options = options,
                         .progress = progress,
                         .findings = FINDINGS_INIT,
                         .result = rehearsal_new(),
                         .began = clock_monotonic()};
    choose_name(&rehearse);
    int rc = check_options(manifest, options, err);
    if (rc == 0) {
        rehearse_describe(&rehearse);
        rc = rehearse_database(&rehearse, err);
    }
    rehearse_take_findings(&rehearse, findings);
    if (rc == 0)
        *ret = steal(rehearse.result);
    rehearsal_free(rehearse.result);
    restore_report_done(&rehearse.report);
    findings_done(&rehearse.findings);
    free(rehearse.db);
    free(rehearse.role_mark);
    strvec_done(&rehearse.roles);
    strvec_done(&rehearse.made);
    return rc;
}
