/* What a backup takes of an application, and what it does not, said plainly. */
#include <string.h>
#include <sys/stat.h>

#include "kura/catalog.h"
#include "kura/pg.h"
#include "kura/repokeys.h"
#include "site.h"
#include "text.h"

enum { SECRETS_ENCRYPTED, SECRETS_ALWAYS, SECRETS_NEVER };
enum { ANSWER_SECONDS = 20 };

/* ---- filesets ---- */

static bool has_name(const FileArgs *args, const char *name)
{
    for (size_t i = 0; i < args->n; i++)
        if (strcmp(args->v[i].name, name) == 0)
            return true;
    return false;
}

/* Where the database cannot be asked a backup fails anyway. */
static bool has_bucket(Session *session)
{
    const char *db;
    Error unused = ERROR_INIT;
    _cleanup_free_ char *bucket = NULL;
    return session_db(session, &db, &unused) == 0 && site_find_bucket(session, db, &bucket, &unused) == 0 &&
           bucket != NULL;
}

/* An application that has stored nothing yet may lack it, and so does one whose disk is not mounted; one whose media
 * are in a bucket needs none. */
static bool is_there(Session *session, const AppFileset *fileset)
{
    struct stat st;
    if (stat(fileset->root, &st) == 0 && S_ISDIR(st.st_mode))
        return true;
    if (!fileset->secret && has_bucket(session))
        return false;
    findings_add(
        &session->findings, FINDING_WARNING, "fileset-missing",
        "Look whether the disk is mounted. Where the files are elsewhere name that place with --files NAME=DIR.",
        "fileset \"%s\" is left out: there is no directory \"%s\"", fileset->name, fileset->root);
    return false;
}

int session_files(Session *session, FileArgs *ret, Error *err)
{
    AppSite *site;
    if (session_site(session, &site, err) < 0 ||
        file_args_parse(options_list(session->options, OPT_FILES), ret, err) < 0)
        return -1;
    if (site == NULL)
        return 0;
    ret->v = xreallocarray(ret->v, ret->n + site->n_filesets + 1, sizeof *ret->v);
    for (size_t i = 0; i < site->n_filesets; i++) {
        const AppFileset *fileset = &site->filesets[i];
        if (!has_name(ret, fileset->name) && is_there(session, fileset))
            ret->v[ret->n++] = (FileArg){.name = xstrdup(fileset->name), .dir = fileset->root, .app = fileset};
    }
    return 0;
}

bool site_file_belongs(const Session *session, const FileArg *file, const Repo *repo)
{
    if (file->app == NULL || !file->app->secret)
        return true;
    int secrets = options_choice(session->options, OPT_SECRETS, SECRETS_ENCRYPTED);
    return secrets == SECRETS_ALWAYS || (secrets == SECRETS_ENCRYPTED && repo_is_encrypted(repo));
}

void site_tell_left_out(Session *session, const FileArgs *files, const Repo *repo)
{
    if (options_choice(session->options, OPT_SECRETS, SECRETS_ENCRYPTED) == SECRETS_NEVER)
        return;
    for (size_t i = 0; i < files->n; i++)
        if (!site_file_belongs(session, &files->v[i], repo))
            findings_add(
                &session->findings, FINDING_WARNING, "secrets-left-out",
                "Keep a copy of it elsewhere: without its keys a part of the database may be of no use. Or make "
                "a repository with \"kura init --encrypt\". Option --secrets=always stores it in this one, and "
                "--secrets=never is not reminded of it.",
                "fileset \"%s\", the configuration of %s with its passwords and keys, is not in the backup: the "
                "repository is not encrypted",
                files->v[i].name, session->site->title);
}

void site_exclude_table_data(const Session *session, StrVec *ret)
{
    const StrVec *given = options_list(session->options, OPT_EXCLUDE_TABLE_DATA);
    for (size_t i = 0; i < given->n; i++)
        strvec_push(ret, given->v[i]);
    for (size_t i = 0; session->site && i < session->site->exclude_table_data.n; i++)
        if (!strvec_contains(ret, session->site->exclude_table_data.v[i]))
            strvec_push(ret, session->site->exclude_table_data.v[i]);
}

/* ---- what is elsewhere, what is missing ---- */

/* What a person would call the bucket; NULL: the media are in none. To be freed. */
static int ask_bucket(const char *db, const char *query, char **ret, Error *err)
{
    PgConn *conn;
    PGresult *result;
    *ret = NULL;
    if (pg_connect(db, &(PgOptions){0}, &conn, err) < 0)
        return -1;
    pg_set_deadline(conn, ANSWER_SECONDS);
    int rc = catalog_begin_reading(conn, err);
    if (rc == 0)
        rc = pg_query(conn, query, 0, NULL, &result, err);
    if (rc == 0) {
        if (PQntuples(result) > 0 && pg_cell_bool(result, 0, 0))
            *ret = xstrdup(pg_cell(result, 0, 1));
        PQclear(result);
    }
    pg_close(conn);
    return rc;
}

/* Tables and columns that this version of the application does not have. */
static bool is_unknown_to_database(const Error *err)
{
    return strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "42703") == 0;
}

int site_find_bucket(Session *session, const char *db, char **ret, Error *err)
{
    const AppSite *site = session->site;
    Error why = ERROR_INIT;
    *ret = NULL;
    if (site == NULL)
        return 0;
    if (site->object_storage) {
        *ret = xstrdup(site->object_storage);
        return 0;
    }
    if (site->object_storage_sql == NULL || db == NULL || ask_bucket(db, site->object_storage_sql, ret, &why) == 0 ||
        is_unknown_to_database(&why))
        return 0;
    if (why.code == ERR_SERVER) { /* the backup needs no answer */
        findings_add(&session->findings, FINDING_WARNING, "media-unknown",
                     "Look whether this is the database that the application uses.",
                     "whether %s keeps its media in a bucket is not known: %s", site->title, why.message);
        return 0;
    }
    *err = why;
    return error_wrap(err, "asking where %s keeps its media", site->title);
}

int site_tell_object_storage(Session *session, const char *db, Error *err)
{
    _cleanup_free_ char *bucket = NULL;
    if (site_find_bucket(session, db, &bucket, err) < 0)
        return -1;
    if (bucket)
        findings_add(&session->findings, FINDING_NOTE, "media-elsewhere",
                     "Have the bucket copied by other means, or turn on its versioning. The database is of little use "
                     "without it.",
                     "%s keeps its media in the bucket \"%s\": they are not in the backup", session->site->title,
                     bucket);
    return 0;
}

static bool has_extension(const DbFacts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_extensions; i++)
        if (strcmp(facts->extensions[i].name, name) == 0)
            return true;
    return false;
}

void site_tell_extensions(Session *session, const Manifest *manifest)
{
    const AppSite *site = session->site;
    if (site == NULL || !manifest->has_database)
        return;
    for (size_t i = 0; i < site->extensions.n; i++)
        if (!has_extension(&manifest->database.facts, site->extensions.v[i]))
            findings_add(&session->findings, FINDING_WARNING, "extension-missing",
                         "Look whether this is the database that the application uses.",
                         "the database lacks the extension \"%s\", which %s needs", site->extensions.v[i], site->title);
}
