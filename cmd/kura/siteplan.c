#include "siteplan.h"

#include <string.h>
#include <sys/stat.h>

#include "kura/pg.h"
#include "site.h"

void siteplan_done(SitePlan *plan)
{
    free(plan->server_version);
    free(plan->bucket);
    free(plan->filesets);
    *plan = (SitePlan){0};
}

/* ---- the database ---- */

static void take_word(char **text)
{
    (*text)[strcspn(*text, " ")] = 0; /* "15.18 (Debian ..)" */
}

static int ask_server(PgConn *conn, SitePlan *plan, Error *err)
{
    _cleanup_free_ char *bytes = NULL;
    if (pg_query_value(conn, "SELECT pg_catalog.current_setting('server_version')", 0, NULL, &plan->server_version,
                       err) < 0 ||
        pg_query_value(conn, "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())", 0, NULL, &bytes,
                       err) < 0)
        return -1;
    take_word(&plan->server_version);
    plan->database_bytes = strtoull(bytes, NULL, 10);
    return 0;
}

/* Not that a backup needs it. */
static int tell_createdb(Session *session, PgConn *conn, Error *err)
{
    _cleanup_free_ char *may = NULL;
    if (pg_query_value(conn, "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user", 0,
                       NULL, &may, err) < 0)
        return -1;
    if (strcmp(may, "f") == 0)
        findings_add(
            &session->findings, FINDING_NOTE, "rehearsals-need",
            "Let an administrator ALTER ROLE .. CREATEDB, or name a server for rehearsals in the configuration.",
            "role \"%s\" may not create the database that a rehearsal needs", pg_user(conn));
    return 0;
}

static int tell_missing_extensions(Session *session, PgConn *conn, Error *err)
{
    const StrVec *wanted = &session->site->extensions;
    for (size_t i = 0; i < wanted->n; i++) {
        _cleanup_free_ char *version = NULL;
        const char *params[] = {wanted->v[i]};
        if (pg_query_value(conn, "SELECT (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = $1)", 1,
                           params, &version, err) < 0)
            return -1;
        if (version == NULL)
            findings_add(&session->findings, FINDING_WARNING, "extension-missing",
                         "Look whether this is the database that the application uses.",
                         "the database lacks the extension \"%s\", which %s needs", wanted->v[i], session->site->title);
    }
    return 0;
}

static int look_into_database(Session *session, PgConn *conn, const char *db, SitePlan *plan, Error *err)
{
    if (ask_server(conn, plan, err) < 0 || tell_missing_extensions(session, conn, err) < 0 ||
        tell_createdb(session, conn, err) < 0 || site_find_bucket(session, db, &plan->bucket, err) < 0)
        return -1;
    plan->connected = true;
    return 0;
}

/* A plan is of use also where the server does not run just now. */
static int survey_database(Session *session, SitePlan *plan, Error *err)
{
    const char *db;
    PgConn *conn;
    Error why = ERROR_INIT;
    if (session_db(session, &db, err) < 0)
        return -1;
    plan->has_database = db != NULL;
    if (db == NULL)
        return site_find_bucket(session, NULL, &plan->bucket, err);
    int rc = pg_connect(db, &(PgOptions){0}, &conn, &why);
    if (rc == 0) {
        rc = look_into_database(session, conn, db, plan, &why);
        pg_close(conn);
    }
    if (rc < 0 && why.code == ERR_INTERRUPTED) {
        *err = why;
        return -1;
    }
    if (rc < 0)
        findings_add(&session->findings, FINDING_WARNING, "database-unreachable", why.hint[0] ? why.hint : NULL, "%s",
                     why.message);
    return 0;
}

/* ---- filesets ---- */

enum { JOBS_DEFAULT = 4 };

static int survey_fileset(Session *session, const AppFileset *fileset, struct SitePlanFiles *ret, Error *err)
{
    struct stat st;
    const FilesetSpec spec = {
        .name = fileset->name, .dir = fileset->root, .include = &fileset->only, .refetchable = &fileset->exclude};
    ret->there = stat(fileset->root, &st) == 0 && S_ISDIR(st.st_mode);
    if (!ret->there)
        return 0;
    return fileset_survey(&spec, JOBS_DEFAULT, &ret->survey, err);
}

static int survey_filesets(Session *session, SitePlan *plan, Error *err)
{
    progress_phase(&session->progress, "look at files", 0);
    for (size_t i = 0; i < plan->site->n_filesets; i++)
        if (survey_fileset(session, &plan->site->filesets[i], &plan->filesets[i], err) < 0)
            return error_wrap(err, "fileset \"%s\"", plan->site->filesets[i].name);
    return 0;
}

static void tell_bucket(Session *session, const SitePlan *plan)
{
    if (plan->bucket)
        findings_add(&session->findings, FINDING_WARNING, "media-elsewhere",
                     "Have the bucket copied by other means, or turn on its versioning. The database is of little use "
                     "without it.",
                     "%s keeps its media in the bucket \"%s\": backups will not have them", plan->site->title,
                     plan->bucket);
}

int siteplan_make(Session *session, SitePlan *ret, Error *err)
{
    AppSite *site;
    if (session_site(session, &site, err) < 0)
        return -1;
    SitePlan plan = {.site = site, .filesets = xcalloc(site->n_filesets + 1, sizeof *plan.filesets)};
    if (survey_database(session, &plan, err) < 0 || survey_filesets(session, &plan, err) < 0) {
        siteplan_done(&plan);
        return -1;
    }
    tell_bucket(session, &plan);
    *ret = plan;
    return 0;
}
