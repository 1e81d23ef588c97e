/* The application's configuration for another host: what must change, shown as a difference, and put in place on
 * request. */
#include <string.h>
#include <sys/stat.h>

#include "goal.h"
#include "kura/appedit.h"
#include "kura/pg.h"
#include "kura/secret.h"
#include "kura/words.h"
#include "move.h"
#include "screen.h"
#include "text.h"

enum { DIFF_MAX = 1 << 20 };

/* What is done, and with which files. */
typedef struct Work {
    AppSite *site;
    char *beside; /* where its configuration was restored; NULL: it was not */
    AppEdits edits;
    char *host, *port, *database, *user; /* of the new database */
    StrVec written, kept;
} Work;

static void work_done(Work *work)
{
    app_edits_done(&work->edits);
    app_site_free(work->site);
    free(work->beside);
    free(work->host);
    free(work->port);
    free(work->database);
    free(work->user);
    strvec_done(&work->written);
    strvec_done(&work->kept);
}

/* What was restored beside goes before what is in place. */
static int read_site(Session *session, Work *work, Error *err)
{
    const Options *options = session->options;
    const char *dir = options_text(options, OPT_APP_DIR), *profile = options_text(options, OPT_PROFILE);
    struct stat st;
    if (dir == NULL) {
        error_set(err, ERR_USAGE, "no directory of an application is named");
        return error_hint(err, "Give --app-dir with the directory that the application is installed in.");
    }
    _cleanup_free_ char *whole = realpath(dir, NULL), *beside = xasprintf("%s" BESIDE, whole ? whole : dir);
    if (lstat(beside, &st) == 0 && S_ISDIR(st.st_mode))
        work->beside = steal(beside);
    else
        findings_add(&session->findings, FINDING_NOTE, "no-restored-config",
                     "A restore puts it there when the backup has the fileset config.",
                     "there is no configuration in \"%s\": that of \"%s\" itself is changed", beside, dir);
    const AppBeside how = {.dir = work->beside, .environment = options_list(options, OPT_APP_ENV)};
    return app_site_read_beside(dir, &how, profile, &work->site, &session->findings, err);
}

/* As a connection would be made: what is not named counts as libpq has it. */
static int read_server(const Options *options, Work *work, Error *err)
{
    PgConn *conn;
    if (!options_given(options, OPT_DB))
        return 0;
    if (pg_connect(options_text(options, OPT_DB), &(PgOptions){0}, &conn, err) < 0)
        return -1;
    work->host = xstrdup_null(PQhost(pg_raw(conn)));
    work->port = xstrdup_null(PQport(pg_raw(conn)));
    work->database = xstrdup(pg_dbname(conn));
    pg_close(conn);
    return 0;
}

static int read_user(const Session *session, Work *work, Error *err)
{
    _cleanup_(rolemap_free_cleanup) RoleMap *map = NULL;
    if (session_rolemap(session, &map, err) < 0)
        return -1;
    if (work->site->database.user)
        work->user = xstrdup_null(rolemap_lookup(map, work->site->database.user));
    return 0;
}

static int find_edits(Session *session, Work *work, Error *err)
{
    const AppTarget target = {
        .host = work->host,
        .port = work->port,
        .database = work->database,
        .user = work->user,
        .set = options_list(session->options, OPT_SET),
    };
    return app_retarget(work->site, &target, &work->edits, &session->findings, err);
}

static int append_diff(const Work *work, const char *file, Buf *out, Error *err)
{
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(0);
    if (app_edits_read(work->site, work->beside, file, &text, err) < 0)
        return -1;
    return app_edit_diff(work->site, &work->edits, file, buf_str(&text), text.len, out, err);
}

static int make_diff(const Work *work, Buf *out, Error *err)
{
    _cleanup_(strvec_done) StrVec files = {0};
    app_edits_files(&work->edits, &files);
    for (size_t i = 0; i < files.n; i++)
        if (append_diff(work, files.v[i], out, err) < 0)
            return -1;
    return 0;
}

static json_t *json_of_edits(const Work *work)
{
    json_t *list = json_array();
    for (size_t i = 0; i < work->edits.n; i++) {
        const AppEdit *edit = &work->edits.v[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:i, s:s}", "key", json_text(edit->key), "file",
                                              json_text(edit->place.file), "line", (int)edit->place.line, "change",
                                              edit->insert  ? "added"
                                              : edit->value ? "changed"
                                                            : "removed"));
    }
    return list;
}

static void print_work(FILE *out, const Work *work, const Buf *diff)
{
    if (work->edits.n == 0)
        fputs(_("nothing in the configuration needs to change\n"), out);
    for (const char *at = buf_str(diff); *at;) { /* it may hold anything */
        size_t len = strcspn(at, "\n");
        _cleanup_free_ char *line = xstrndup(at, len), *shown = text_escaped(line);
        fprintf(out, "%s\n", shown);
        at += len + (at[len] == '\n');
    }
    for (size_t i = 0; i < work->written.n; i++) {
        _cleanup_free_ char *path = text_escaped(work->written.v[i]);
        fprintf(out, _("written: %s\n"), path);
    }
    for (size_t i = 0; i < work->kept.n; i++) {
        _cleanup_free_ char *path = text_escaped(work->kept.v[i]);
        fprintf(out, _("kept: %s\n"), path);
    }
}

int move_config(Session *session, Error *err)
{
    _cleanup_(work_done) Work work = {0};
    _cleanup_(buf_done) Buf diff = BUF_INIT(DIFF_MAX);
    bool apply = options_flag(session->options, OPT_APPLY);
    if (read_site(session, &work, err) < 0 || read_server(session->options, &work, err) < 0 ||
        read_user(session, &work, err) < 0 || find_edits(session, &work, err) < 0 || make_diff(&work, &diff, err) < 0)
        return -1;
    if (apply && app_edits_apply(work.site, &work.edits, work.beside, &work.written, &work.kept, err) < 0)
        return error_wrap(err, "putting the configuration in place; nothing of it was changed");
    if (session->json)
        session_set(session, "config",
                    json_pack("{s:b, s:o, s:o, s:o, s:o}", "applied", apply, "changes", json_of_edits(&work), "diff",
                              json_text(buf_str(&diff)), "written", json_texts(&work.written), "kept",
                              json_texts(&work.kept)));
    else
        print_work(session->out, &work, &diff);
    return 0;
}
