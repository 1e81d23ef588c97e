/* What an application's configuration says for a rehearsal and a restore. */
#include <string.h>

#include "kura/export.h"
#include "kura/pg.h"
#include "kura/sqllex.h"
#include "site.h"

/* ---- media queries ---- */

/* Whether a query, "FILESET=SQL", is about this fileset. */
static bool is_about(const char *query, const char *fileset)
{
    size_t len = strlen(fileset);
    return strncmp(query, fileset, len) == 0 && query[len] == '=';
}

static bool is_asked_for(const StrVec *queries, const char *query)
{
    _cleanup_free_ char *fileset = xstrndup(query, strcspn(query, "="));
    for (size_t i = 0; i < queries->n; i++)
        if (is_about(queries->v[i], fileset))
            return true;
    return false;
}

static bool is_backed_up(const Manifest *manifest, const char *query)
{
    for (size_t i = 0; i < manifest->n_filesets; i++)
        if (is_about(query, manifest->filesets[i].name))
            return true;
    return false;
}

void site_media_queries(const Session *session, const Manifest *manifest, StrVec *ret)
{
    const StrVec *given = options_list(session->options, OPT_MEDIA_QUERY);
    for (size_t i = 0; i < given->n; i++)
        strvec_push(ret, given->v[i]);
    for (size_t i = 0; session->site && i < session->site->media_queries.n; i++) {
        const char *query = session->site->media_queries.v[i];
        if (!is_asked_for(given, query) && is_backed_up(manifest, query))
            strvec_push(ret, query);
    }
}

/* ---- where a restore goes ---- */

bool site_is_target(const Session *session)
{
    return session->options->values[OPT_APP_DIR].source == SOURCE_COMMAND_LINE;
}

/* ---- roles ---- */

/* As which role the application connected where the backup was made: it tells, or it is the one that owns most. To be
 * freed; NULL: nobody owns anything. */
static int find_old_role(Repo *repo, const Manifest *manifest, char **ret, Error *err)
{
    const ManifestApplication *application = manifest->application;
    const ManifestDatabase *database = &manifest->database;
    const char *told = application ? application->database.user : NULL;
    _cleanup_(toc_free_cleanup) Toc *toc = NULL;
    RoleUses uses = {0};
    *ret = told && dbfacts_role(&database->facts, told) ? xstrdup(told) : NULL;
    if (*ret)
        return 0;
    if (flow_load_toc(repo, database, &toc, err) < 0 || rolemap_survey(toc, &database->facts, NULL, &uses, err) < 0)
        return -1;
    const RoleUse *most = NULL;
    for (size_t i = 0; i < uses.n; i++)
        if (uses.v[i].owns > (most ? most->owns : 0))
            most = &uses.v[i];
    *ret = most ? xstrdup(most->name) : NULL;
    roleuses_done(&uses);
    return 0;
}

static int add_rule(Session *session, RoleMap *map, const char *from, const char *to, Error *err)
{
    _cleanup_free_ char *old_name = sql_quote_ident(from), *new_name = sql_quote_ident(to);
    _cleanup_free_ char *rule = xasprintf("%s=%s", old_name, new_name);
    if (rolemap_add(map, rule, err) < 0)
        return error_wrap(err, "role map of %s", session->site->title);
    findings_add(&session->findings, FINDING_NOTE, "role-of-application",
                 "Option --map says otherwise, where that is not meant.",
                 "what role \"%s\" had in the backup becomes that of role \"%s\", as which %s connects here", from, to,
                 session->site->title);
    return 0;
}

int site_map_roles(Session *session, const Manifest *manifest, RoleMap *map, Error *err)
{
    const AppSite *site = session->site;
    _cleanup_free_ char *owner = NULL;
    if (site == NULL || site->database.user == NULL || !manifest->has_database || !rolemap_is_empty(map) ||
        dbfacts_role(&manifest->database.facts, site->database.user))
        return 0;
    if (find_old_role(session->repo, manifest, &owner, err) < 0)
        return -1;
    return owner ? add_rule(session, map, owner, site->database.user, err) : 0;
}

/* ---- roles of a rehearsal ---- */

/* *ret: the session's role, where it may make no other ones; else NULL. To be freed. */
static int find_bound_role(const char *server, char **ret, Error *err)
{
    static const char query[] = "SELECT CASE WHEN NOT rolcreaterole AND NOT rolsuper THEN rolname END "
                                "FROM pg_catalog.pg_roles WHERE rolname = current_user";
    PgConn *conn;
    if (pg_connect(server, &(PgOptions){0}, &conn, err) < 0)
        return -1;
    int rc = pg_query_value(conn, query, 0, NULL, ret, err);
    pg_close(conn);
    return rc;
}

static int map_all(const RoleUses *uses, const char *role, RoleMap *map, Error *err)
{
    _cleanup_free_ char *new_name = sql_quote_ident(role);
    for (size_t i = 0; i < uses->n; i++) {
        _cleanup_free_ char *old_name = sql_quote_ident(uses->v[i].name);
        _cleanup_free_ char *rule = xasprintf("%s=%s", old_name, new_name);
        if (uses->v[i].named && !rolemap_is_fixed(uses->v[i].name) && rolemap_add(map, rule, err) < 0)
            return -1;
    }
    return 0;
}

int site_map_rehearsal(Session *session, const Manifest *manifest, const char *server, RoleMap *map, Error *err)
{
    _cleanup_free_ char *role = NULL;
    _cleanup_(toc_free_cleanup) Toc *toc = NULL;
    RoleUses uses = {0};
    if (session->site == NULL || server != session->site_db || !manifest->has_database || !rolemap_is_empty(map))
        return 0;
    if (find_bound_role(server, &role, err) < 0)
        return -1;
    if (role == NULL)
        return 0;
    if (flow_load_toc(session->repo, &manifest->database, &toc, err) < 0 ||
        rolemap_survey(toc, &manifest->database.facts, NULL, &uses, err) < 0)
        return -1;
    int rc = map_all(&uses, role, map, err);
    roleuses_done(&uses);
    if (rc == 0)
        findings_add(&session->findings, FINDING_NOTE, "rehearsal-role",
                     "With --server, and a role there that may create others, each gets one of its own.",
                     "role \"%s\" may not create roles: in this rehearsal it stands for all that the backup has", role);
    return rc;
}

/* ---- afterwards ---- */

const StrVec *site_after_restore(const Session *session)
{
    return session->site && session->site->after_restore.n > 0 ? &session->site->after_restore : NULL;
}
