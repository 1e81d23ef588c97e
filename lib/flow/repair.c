#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auditing.h"
#include "kura/catalog.h"
#include "kura/clock.h"
#include "kura/fdio.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "runscript.h"

enum { SCRIPT_MAX = 1 << 30 };

void repair_report_done(RepairReport *report)
{
    audit_report_done(&report->audit);
    own_findings_done(&report->left);
    free(report->plan);
    free(report->undo);
    strvec_done(&report->impossible);
    strvec_done(&report->waited);
    *report = (RepairReport){0};
}

void repair_undo_report_done(RepairUndoReport *report)
{
    free(report->script);
    strvec_done(&report->waited);
    *report = (RepairUndoReport){0};
}

/* ---- the undo file ---- */

static int write_undo(const char *path, const char *text, Error *err)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "creating undo file \"%s\"", path);
    if (fd_write_all(fd, text, strlen(text)) < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "writing undo file \"%s\"", path);
    if (fd_sync_directory_of(path) < 0)
        return error_errno(err, errno, "syncing the directory of undo file \"%s\"", path);
    return 0;
}

/* ---- the plan ---- */

static int format(const Auditing *auditing, const OwnPlan *plan, const OwnScript *script, char **ret, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(SCRIPT_MAX);
    if (plan->n == 0)
        return 0;
    if (own_plan_format(plan, script, &text, err) < 0)
        return -1;
    *ret = xstrdup(buf_str(&text));
    return 0;
}

/* Both ways take the same locks, so that one limit does for both. */
static int make_plan(const Auditing *auditing, const RepairOptions *options, RepairReport *ret, Error *err)
{
    OwnPlan there, back;
    OwnState final;
    char now[32];
    size_t room;
    if (catalog_lock_room(auditing->conn, &room, err) < 0)
        return -1;
    clock_format_utc(time(NULL), now, sizeof now);
    OwnScript script = {.title = "repair",
                        .database = pg_dbname(auditing->conn),
                        .where = pg_where(auditing->conn),
                        .when = now,
                        .encoding = PQparameterStatus(pg_raw(auditing->conn), "client_encoding"),
                        .max_locks = room,
                        .lock_timeout_ms = (unsigned)(options->lock_timeout * 1000)};
    own_plan(&auditing->have, &auditing->want, &there, &final);
    own_plan(&final, &auditing->have, &back, NULL);
    ret->statements = there.statements;
    ret->transactions = own_plan_transactions(&there, room);
    for (size_t i = 0; i < there.impossible.n; i++)
        strvec_push(&ret->impossible, there.impossible.v[i]);
    int rc = format(auditing, &there, &script, &ret->plan, err);
    script.title = "undo";
    if (rc == 0)
        rc = format(auditing, &back, &script, &ret->undo, err);
    own_plan_done(&there);
    own_plan_done(&back);
    own_state_done(&final);
    return rc;
}

/* ---- applying ---- */

static int check_roles(const AuditReport *audit, Error *err)
{
    for (size_t i = 0; i < audit->findings.n; i++) {
        const OwnFinding *finding = &audit->findings.v[i];
        if (strcmp(finding->code, "role-missing") != 0)
            continue;
        error_set(err, ERR_FAILED, "%s", finding->message);
        return error_hint(err, "%s", finding->cure);
    }
    return 0;
}

static int answer(const Auditing *auditing, const char *sql, const char *role, bool *ret, Error *err)
{
    const char *params[] = {role};
    _cleanup_free_ char *value = NULL;
    if (pg_query_value(auditing->conn, sql, 1, params, &value, err) < 0)
        return -1;
    *ret = value && strcmp(value, "t") == 0;
    return 0;
}

/* ALTER DATABASE .. OWNER wants more than membership. */
static int check_database(const Auditing *auditing, const char *login, Error *err)
{
    const OwnObject *have = own_state_find(&auditing->have, "DATABASE");
    const OwnObject *want = own_state_find(&auditing->want, "DATABASE");
    bool createdb = true;
    if (have && want && have->owner != want->owner &&
        answer(auditing, "SELECT r.rolcreatedb FROM pg_catalog.pg_roles AS r WHERE r.rolname = $1", login, &createdb,
               err) < 0)
        return -1;
    if (createdb)
        return 0;
    error_set(err, ERR_PERMISSION, "role \"%s\" may not give the database away: it lacks CREATEDB", login);
    return error_hint(err, "Run the repair as a superuser, or let one ALTER ROLE .. CREATEDB first.");
}

static int check_member(const Auditing *auditing, const char *login, const char *role, const OwnObject *object,
                        Error *err)
{
    bool member;
    if (answer(auditing, "SELECT pg_catalog.pg_has_role($1, 'MEMBER')", role, &member, err) < 0)
        return -1;
    if (member)
        return 0;
    _cleanup_free_ char *name = own_object_name(object);
    error_set(err, ERR_PERMISSION, "role \"%s\" is no superuser and no member of \"%s\": it cannot give %s away", login,
              role, name);
    return error_hint(err,
                      "Run the repair as a superuser (sudo -u postgres kura repair ..), or as a member of both the old "
                      "and the new owner.");
}

/* Without superuser, one must be a member of the old and of the new owner of everything. */
static int check_memberships(const Auditing *auditing, Error *err)
{
    _cleanup_(strvec_done) StrVec asked = {0};
    const char *login = own_name(auditing->names, pg_user(auditing->conn));
    if (own_is_superuser(&auditing->have, login))
        return 0;
    for (size_t i = 0; i < auditing->have.n; i++) {
        const OwnObject *object = &auditing->have.v[i];
        const char *owners[] = {object->owner, auditing->want.v[i].owner};
        for (size_t j = 0; owners[0] != owners[1] && j < ARRAY_SIZE(owners); j++) {
            if (strvec_contains(&asked, owners[j]))
                continue;
            strvec_push(&asked, owners[j]);
            if (check_member(auditing, login, owners[j], object, err) < 0)
                return -1;
        }
    }
    return check_database(auditing, login, err);
}

/* Without a change there is no way back. Whether a COMMIT on a lost connection was one, nobody knows. */
static void settle_undo(const char *path, size_t committed, Error *err)
{
    if (committed == 0 && err->code != ERR_CONNECTION)
        unlink(path);
    else if (err->hint[0] == 0)
        error_hint(err, "\"%s\" takes back what was changed before.", path);
}

static int apply(const Auditing *auditing, const RepairOptions *options, RepairReport *ret, Error *err)
{
    OwnStatements script;
    if (check_roles(&ret->audit, err) < 0 || check_memberships(auditing, err) < 0 ||
        own_script_parse(ret->plan, strlen(ret->plan), &script, err) < 0)
        return -1;
    int rc = 0;
    bool undo = options->undo_file && ret->undo;
    size_t committed;
    if (undo)
        rc = write_undo(options->undo_file, ret->undo, err);
    if (rc == 0 && runscript(auditing->conn, &script, &ret->waited, &ret->retries, &committed, err) < 0) {
        rc = -1;
        if (undo)
            settle_undo(options->undo_file, committed, err);
    }
    own_statements_done(&script);
    ret->applied = rc == 0;
    return rc < 0 ? rc : auditing_again(auditing, &ret->left, err);
}

/* What would keep the plan from being run is told with it. */
static int foresee(const Auditing *auditing, Findings *findings, Error *err)
{
    Error refused = ERROR_INIT;
    if (check_memberships(auditing, &refused) == 0)
        return 0;
    if (refused.code != ERR_PERMISSION) {
        *err = refused;
        return -1;
    }
    findings_add(findings, FINDING_WARNING, "repair-rights", refused.hint, "this connection cannot run the plan: %s",
                 refused.message);
    return 0;
}

int repair_run(const RepairOptions *options, RepairReport *ret, Findings *findings, Error *err)
{
    Auditing auditing;
    int rc = auditing_begin(&auditing, &options->audit, findings, err);
    if (rc == 0) {
        auditing_report(&auditing, &ret->audit);
        rc = auditing_findings(&auditing, &ret->audit.findings, err);
    }
    if (rc == 0)
        rc = make_plan(&auditing, options, ret, err);
    if (rc == 0 && ret->plan)
        rc = options->apply ? apply(&auditing, options, ret, err) : foresee(&auditing, findings, err);
    auditing_done(&auditing);
    return rc;
}

/* ---- undo ---- */

static int read_script(const char *path, Buf *text, Error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "opening \"%s\"", path);
    for (;;) {
        enum { PIECE = 64 * 1024 };
        if (buf_reserve(text, PIECE, err) < 0)
            return error_wrap(err, "\"%s\"", path);
        ssize_t n = read(fd, text->data + text->len, PIECE);
        if (n < 0)
            return error_errno(err, errno, "reading \"%s\"", path);
        if (n == 0)
            return buf_append(text, "", 0, err);
        text->len += (size_t)n;
    }
}

static int run_undo(const char *db, const OwnStatements *script, RepairUndoReport *ret, Error *err)
{
    PgConn *conn = NULL;
    int rc = pg_connect(db, NULL, &conn, err);
    if (rc == 0 && !own_script_is_for(script, pg_dbname(conn))) {
        rc = error_set(err, ERR_USAGE, "the file is for database \"%s\", not for \"%s\"", script->database,
                       pg_dbname(conn));
        error_hint(err, "Where the database has another name now, run the file with psql.");
    }
    if (rc == 0 && script->set_encoding)
        rc = pg_exec(conn, script->set_encoding, err);
    size_t committed;
    if (rc == 0)
        rc = runscript(conn, script, &ret->waited, &ret->retries, &committed, err);
    ret->applied = rc == 0;
    pg_close(conn);
    return rc;
}

int repair_undo(const char *db, const char *file, bool apply_it, RepairUndoReport *ret, Error *err)
{
    OwnStatements script;
    _cleanup_(buf_done) Buf text = BUF_INIT(SCRIPT_MAX);
    if (read_script(file, &text, err) < 0)
        return -1;
    if (own_script_parse(buf_str(&text), text.len, &script, err) < 0)
        return error_wrap(err, "\"%s\"", file);
    ret->script = xstrdup(buf_str(&text));
    ret->transactions = script.n;
    ret->statements = script.changes;
    int rc = apply_it ? run_undo(db, &script, ret, err) : 0;
    own_statements_done(&script);
    return rc;
}
