#include <string.h>

#include "auditing.h"
#include "kura/catalog.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "maptoc.h"

void audit_report_done(AuditReport *report)
{
    free(report->database);
    free(report->where);
    free(report->app_role);
    own_findings_done(&report->findings);
    strvec_done(&report->missing);
    *report = (AuditReport){0};
}

void auditing_done(Auditing *auditing)
{
    pg_close(auditing->conn);
    own_state_done(&auditing->have);
    own_state_done(&auditing->want);
    own_names_free(auditing->names);
    strvec_done(&auditing->missing);
    *auditing = (Auditing){0};
}

/* ---- encodings: names are compared as bytes ---- */

/* Everything can be told in it, and SQL_ASCII is told as it is. */
static int speak_utf8(PgConn *conn, Error *err)
{
    return pg_exec(conn,
                   "SELECT pg_catalog.set_config('client_encoding', 'UTF8', false)"
                   " WHERE pg_catalog.getdatabaseencoding() <> 'SQL_ASCII'",
                   err);
}

/* Of the archive's "SET client_encoding = 'X'"; NULL when it has none. */
static char *encoding_of(const Toc *toc)
{
    const TocEntry *entry = toc_find_first(toc, "ENCODING", "");
    SqlLexer lexer = {.text = entry && entry->defn ? entry->defn : ""};
    SqlToken token;
    lexer.len = strlen(lexer.text);
    while (sql_next(&lexer, &token, NULL) == 0 && token.kind != SQL_END)
        if (token.kind == SQL_STRING)
            return sql_string_value(&token);
    return NULL;
}

static int speak_like_archive(PgConn *conn, const Toc *toc, Findings *findings, Error *err)
{
    const char *here = PQparameterStatus(pg_raw(conn), "server_encoding");
    _cleanup_free_ char *encoding = encoding_of(toc);
    if (encoding == NULL || here == NULL || strcmp(encoding, here) == 0)
        return 0;
    if (strcmp(encoding, "UTF8") == 0)
        return speak_utf8(conn, err);
    findings_add(
        findings, FINDING_NOTE, "encoding-differs",
        "Compare with the live database it was made from, by --like, or with an archive that pg_dump made with "
        "--encoding=UTF8.",
        "names in %s are compared with names in %s: those beyond ASCII will not be found", encoding, here);
    return 0;
}

static int speak(const Auditing *auditing, Findings *findings, Error *err)
{
    const AuditOptions *options = auditing->options;
    if (options->toc)
        return speak_like_archive(auditing->conn, options->toc, findings, err);
    return options->like ? speak_utf8(auditing->conn, err) : 0;
}

/* ---- what is wanted ---- */

/* The source's bootstrap superuser stands for the server's own when nobody here has its name. */
static int map_bootstrap(const Auditing *auditing, Error *err)
{
    const DbFacts *facts = auditing->options->facts;
    RoleMap *map = auditing->options->map;
    const char *here = NULL;
    for (size_t i = 0; i < auditing->have.n_roles; i++)
        if (auditing->have.roles[i].bootstrap)
            here = auditing->have.roles[i].name;
    for (size_t i = 0; facts && here && i < facts->n_roles; i++) {
        const char *name = facts->roles[i].name, *mapped = rolemap_lookup(map, name);
        if (!facts->roles[i].bootstrap || mapped == NULL || strcmp(mapped, name) != 0 ||
            own_state_role(&auditing->have, own_name(auditing->names, name)))
            continue;
        _cleanup_free_ char *from = sql_quote_ident(name), *to = sql_quote_ident(here);
        _cleanup_free_ char *rule = xasprintf("%s=%s", from, to);
        if (rolemap_add(map, rule, err) < 0)
            return -1;
    }
    return 0;
}

static int want_toc(Auditing *auditing, Findings *findings, Error *err)
{
    const AuditOptions *options = auditing->options;
    _cleanup_(roleuses_done) RoleUses uses = {0};
    bool ruled = !rolemap_is_empty(options->map);
    if (map_bootstrap(auditing, err) < 0)
        return -1;
    if (ruled ? maptoc(options->map, options->facts, options->toc, &uses, findings, err) < 0
              : rolemap_apply(options->map, options->toc, err) < 0)
        return -1;
    OwnState archive;
    if (own_state_from_toc(options->toc, &auditing->have, &archive, err) < 0)
        return -1;
    own_want_like(&auditing->have, &archive, &auditing->want, &auditing->missing);
    own_state_done(&archive);
    return 0;
}

static int want_like(Auditing *auditing, Error *err)
{
    const AuditOptions *options = auditing->options;
    PgConn *conn = NULL;
    OwnState like = {0}, mapped = {0};
    int rc = pg_connect(options->like, NULL, &conn, err);
    if (rc == 0)
        rc = speak_utf8(conn, err);
    if (rc == 0)
        rc = catalog_owned(conn, auditing->names, &like, err);
    if (rc == 0)
        rc = own_want_map(&like, options->map, &mapped, err);
    if (rc == 0)
        own_want_like(&auditing->have, &mapped, &auditing->want, &auditing->missing);
    own_state_done(&mapped);
    own_state_done(&like);
    pg_close(conn);
    return rc;
}

/* Those who may have been meant: neither superusers nor the server's own. To be freed. */
static char *ordinary_roles(const OwnState *state)
{
    enum { SHOWN = 8, TEXT_MAX = 64 * 1024 };
    Buf out = BUF_INIT(TEXT_MAX);
    size_t n = 0;
    for (size_t i = 0; i < state->n_roles; i++) {
        const OwnRole *role = &state->roles[i];
        if (role->superuser || strncmp(role->name, "pg_", 3) == 0 || n++ >= SHOWN)
            continue;
        _cleanup_free_ char *quoted = sql_quote_ident(role->name);
        buf_printf(&out, NULL, "%s%s", n == 1 ? "" : ", ", quoted);
    }
    if (n > SHOWN)
        buf_printf(&out, NULL, _(" and %zu more"), n - SHOWN);
    return n > 0 ? (char *)out.data : NULL;
}

static int no_such_role(const OwnState *state, const char *role, Error *err)
{
    _cleanup_free_ char *quoted = sql_quote_ident(role), *others = ordinary_roles(state);
    error_set(err, ERR_NOT_FOUND, "role \"%s\" does not exist", role);
    if (others == NULL)
        return error_hint(err, "If it is really gone, create it: CREATE ROLE %s LOGIN;", quoted);
    return error_hint(err, "The roles here are %s. If it is really gone, create it: CREATE ROLE %s LOGIN;", others,
                      quoted);
}

static int want(Auditing *auditing, Findings *findings, Error *err)
{
    const AuditOptions *options = auditing->options;
    if (options->app_role && own_state_role(&auditing->have, own_name(auditing->names, options->app_role)) == NULL)
        return no_such_role(&auditing->have, options->app_role, err);
    if (options->toc)
        return want_toc(auditing, findings, err);
    if (options->like)
        return want_like(auditing, err);
    if (options->app_role == NULL)
        return own_want_map(&auditing->have, options->map, &auditing->want, err);
    own_want_app(&auditing->have, options->app_role, &auditing->want);
    return 0;
}

/* The first role that is wanted somewhere and does not exist; NULL: there is none. */
static const char *role_that_lacks(const OwnState *have, const OwnObject *wanted, const OwnObject *live)
{
    if (wanted->owner && wanted->owner != live->owner && own_state_role(have, wanted->owner) == NULL)
        return wanted->owner;
    for (size_t i = 0; i < wanted->acl.n; i++) {
        const OwnGrant *grant = &wanted->acl.v[i];
        if (own_acl_find(&live->acl, grant->column, grant->grantee, grant->grantor))
            continue;
        if (grant->grantee && own_state_role(have, grant->grantee) == NULL)
            return grant->grantee;
        if (own_state_role(have, grant->grantor) == NULL)
            return grant->grantor;
    }
    for (size_t i = 0; i < wanted->n_roles; i++)
        if (wanted->roles[i] && own_state_role(have, wanted->roles[i]) == NULL)
            return wanted->roles[i];
    return NULL;
}

static void find_missing_roles(const Auditing *auditing, OwnFindings *findings)
{
    _cleanup_(strvec_done) StrVec told = {0};
    for (size_t i = 0; i < auditing->want.n; i++) {
        const char *role = role_that_lacks(&auditing->have, &auditing->want.v[i], &auditing->have.v[i]);
        if (role == NULL || strvec_contains(&told, role))
            continue;
        strvec_push(&told, role);
        _cleanup_free_ char *quoted = sql_quote_ident(role);
        OwnFinding *finding = own_finding_add(findings, OWN_ERROR, "role-missing");
        finding->message = xasprintf(_("role \"%s\" is wanted and does not exist"), role);
        finding->consequence = xstrdup(_("what it should own or be granted cannot be repaired"));
        finding->cure = xasprintf(_("CREATE ROLE %s; or a rule for it in --map"), quoted);
    }
}

static bool is_to_another(const Auditing *auditing, const OwnObject *object, const OwnGrant *grant)
{
    return grant->grantee && grant->grantee != object->owner && grant->grantee != auditing->app_role &&
           !own_is_superuser(&auditing->have, grant->grantee) && strncmp(grant->grantee, "pg_", 3) != 0;
}

/* A restore without grants leaves none, and one application's role says nothing of what others had. */
static void find_lost_grants(const Auditing *auditing, OwnFindings *findings)
{
    const AuditOptions *options = auditing->options;
    size_t n = 0;
    if (options->toc || options->like || options->app_role == NULL)
        return;
    for (size_t i = 0; i < auditing->have.n; i++) {
        const OwnObject *object = &auditing->have.v[i];
        for (size_t j = 0; own_is_ordinary(object) && j < object->acl.n; j++)
            n += is_to_another(auditing, object, &object->acl.v[j]);
    }
    if (n > 0)
        return;
    OwnFinding *finding = own_finding_add(findings, OWN_NOTE, "grants-unknown");
    finding->message = xstrdup(_("no other role has been granted anything here"));
    finding->consequence = xstrdup(
        _("where a role should read along, a restore with --no-acl has lost that, and nothing here tells what"));
    finding->cure = xstrdup(_("give the dump that was restored with --backup FILE instead of --app-role: it knows"));
}

/* The role that should own most tables. */
static const char *owner_of_most_tables(const OwnState *state)
{
    const char *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < state->n_roles; i++) {
        size_t n = 0;
        for (size_t j = 0; j < state->n; j++)
            n += state->v[j].kind == OWN_TABLE && own_is_ordinary(&state->v[j]) &&
                 state->v[j].owner == state->roles[i].name;
        if (n > most) {
            most = n;
            best = state->roles[i].name;
        }
    }
    return best;
}

/* ---- */

static void choose_app_role(Auditing *auditing)
{
    OwnState *want = &auditing->want;
    if (auditing->options->app_role) {
        auditing->app_role = own_name(auditing->names, auditing->options->app_role);
        return;
    }
    want->roles = auditing->have.roles; /* for the length of the question */
    want->n_roles = auditing->have.n_roles;
    auditing->app_role = owner_of_most_tables(want);
    want->roles = NULL;
    want->n_roles = 0;
}

int auditing_begin(Auditing *auditing, const AuditOptions *options, Findings *findings, Error *err)
{
    *auditing = (Auditing){.options = options, .names = own_names_new()};
    size_t before = findings_count(findings, FINDING_ERROR); /* of something else */
    if (pg_connect(options->db, NULL, &auditing->conn, err) < 0 ||
        catalog_preflight(auditing->conn, -1, findings, err) < 0)
        return -1;
    if (findings_count(findings, FINDING_ERROR) > before)
        return error_set(err, ERR_FAILED, "%s is not fit for an audit", pg_where(auditing->conn));
    if (speak(auditing, findings, err) < 0 ||
        catalog_owned(auditing->conn, auditing->names, &auditing->have, err) < 0 || want(auditing, findings, err) < 0)
        return -1;
    choose_app_role(auditing);
    return 0;
}

int auditing_findings(const Auditing *auditing, OwnFindings *ret, Error *err)
{
    const AuditOptions *options = auditing->options;
    own_compare(&auditing->have, &auditing->want, options->cure_command, ret);
    own_inspect(&auditing->have, &auditing->want, options->cure_command, ret);
    find_missing_roles(auditing, ret);
    find_lost_grants(auditing, ret);
    return catalog_audit(auditing->conn, auditing->app_role, options->backup_role, ret, err);
}

int auditing_again(const Auditing *auditing, OwnFindings *ret, Error *err)
{
    Auditing now = *auditing;
    _cleanup_(strvec_done) StrVec missing = {0};
    now.have = now.want = (OwnState){0};
    if (catalog_owned(now.conn, now.names, &now.have, err) < 0)
        return -1;
    own_want_like(&now.have, &auditing->want, &now.want, &missing);
    int rc = auditing_findings(&now, ret, err);
    own_state_done(&now.have);
    own_state_done(&now.want);
    return rc;
}

void auditing_report(const Auditing *auditing, AuditReport *ret)
{
    ret->database = xstrdup(pg_dbname(auditing->conn));
    ret->where = xstrdup(pg_where(auditing->conn));
    ret->app_role = xstrdup_null(auditing->app_role);
    for (size_t i = 0; i < auditing->have.n; i++) {
        ret->objects += own_is_ordinary(&auditing->have.v[i]);
        ret->grants += auditing->have.v[i].acl.n;
    }
    for (size_t i = 0; i < auditing->missing.n; i++)
        strvec_push(&ret->missing, auditing->missing.v[i]);
}

int audit_run(const AuditOptions *options, AuditReport *ret, Findings *findings, Error *err)
{
    Auditing auditing;
    int rc = auditing_begin(&auditing, options, findings, err);
    if (rc == 0) {
        auditing_report(&auditing, ret);
        rc = auditing_findings(&auditing, &ret->findings, err);
    }
    auditing_done(&auditing);
    return rc;
}
