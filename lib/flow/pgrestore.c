#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow_priv.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/proc.h"
#include "restore_priv.h"
#include "restoremsg.h"
#include "rmtree.h"

#define TOC_DAT_MAX (2ull * 1024 * 1024 * 1024)

/* An ACL or a comment says no section of its own: it belongs to that of the entry before it. A list of entries makes
 * pg_restore put the others in front, so that this would be another one; hence it is said here. */
static void resolve_sections(Toc *toc)
{
    int section = SECTION_PRE_DATA;
    for (size_t i = 0; i < toc->n_entries; i++) {
        if (toc->entries[i].section == SECTION_NONE)
            toc->entries[i].section = section;
        section = toc->entries[i].section;
    }
}

static int write_toc(const Toc *toc, const char *dir, Error *err)
{
    _cleanup_(buf_done) Buf content = BUF_INIT(TOC_DAT_MAX);
    _cleanup_free_ char *path = xasprintf("%s/toc.dat", dir);
    if (toc_write(toc, TOC_DIRECTORY, &content, err) < 0 || flow_write_file(path, &content, err) < 0)
        return error_wrap(err, "writing the mapped table of contents");
    return 0;
}

/* Writes the TOC with every definition replaced by what change() makes of it: a string to be freed, or NULL to leave
 * it.
 */
static int write_changed(Toc *toc, const char *dir, char *(*change)(const TocEntry *entry), Error *err)
{
    const char **kept = xcalloc(toc->n_entries, sizeof *kept);
    char **changed = xcalloc(toc->n_entries, sizeof *changed);
    for (size_t i = 0; i < toc->n_entries; i++) {
        kept[i] = toc->entries[i].defn;
        changed[i] = change(&toc->entries[i]);
        if (changed[i])
            toc->entries[i].defn = changed[i];
    }
    int rc = write_toc(toc, dir, err);
    for (size_t i = 0; i < toc->n_entries; i++) {
        toc->entries[i].defn = kept[i];
        free(changed[i]);
    }
    free(kept);
    free(changed);
    return rc;
}

/* Grants in another role's name, for a session that may not become it by SET SESSION AUTHORIZATION. */
static char *grants_as_role(const TocEntry *entry)
{
    return toc_entry_is(entry, "ACL") && entry->defn ? as_role(entry->defn) : NULL;
}

/* pg_restore makes ALTER .. OWNER TO from an entry's owner, behind its definition: one that does nothing leaves just
 * that. */
static char *owner_only(const TocEntry *entry)
{
    bool owned = rights_is_owned(entry) && !toc_entry_is(entry, "BLOB METADATA");
    return owned ? xstrdup("SELECT;\n") : NULL;
}

static int write_limited(Restore *restore, Error *err)
{
    _cleanup_free_ char *owners = xasprintf("%s/owners", restore->workdir);
    if (mkdir(owners, 0700) < 0)
        return error_errno(err, errno, "making \"%s\"", owners);
    if (write_changed(restore->toc, restore->workdir, grants_as_role, err) < 0)
        return -1;
    return write_changed(restore->toc, owners, owner_only, err);
}

int pgrestore_workdir(Restore *restore, Error *err)
{
    resolve_sections(restore->toc);
    const char *tmp = getenv("TMPDIR");
    char *dir = xasprintf("%s/kura-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (mkdtemp(dir) == NULL) {
        error_errno(err, errno, "making a work directory \"%s\"", dir);
        free(dir);
        return -1;
    }
    restore->workdir = dir;
    return restore->limited ? write_limited(restore, err) : write_toc(restore->toc, dir, err);
}

void pgrestore_workdir_remove(Restore *restore)
{
    if (restore->workdir == NULL)
        return;
    rmtree(restore->workdir, false);
    free(restore->workdir);
    restore->workdir = NULL;
}

int *toc_ids(const Toc *toc, bool (*keep)(const void *ctx, const TocEntry *entry), const void *ctx, size_t *ret_n)
{
    int *ids = xcalloc(toc->n_entries, sizeof *ids);
    size_t n = 0;
    for (size_t i = 0; i < toc->n_entries; i++)
        if (keep(ctx, &toc->entries[i]))
            ids[n++] = toc->entries[i].dump_id;
    *ret_n = n;
    return ids;
}

/* One pg_restore under way. */
typedef struct Child {
    Restore *restore;
    const PgRestoreRun *run;
    const int *ids; /* NULL: all of the section */
    size_t n_ids;
    Doer doer;
    RestoreMessages messages;
} Child;

static void on_line(void *ctx, const char *line)
{
    Child *child = ctx;
    log_debug("%s", line);
    restoremsg_line(&child->messages, line);
}

static bool is_owner_stage(const PgRestoreRun *run)
{
    return run->stage == STAGE_OWNERS || run->stage == STAGE_SCHEMA_OWNERS;
}

static int write_list(const Child *child, char **ret_path, Error *err)
{
    char *path = xasprintf("%s/list-XXXXXX", child->restore->workdir);
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        error_errno(err, errno, "creating \"%s\"", path);
        free(path);
        return -1;
    }
    for (size_t i = 0; i < child->n_ids; i++)
        fprintf(file, "%d;\n", child->ids[i]);
    *ret_path = path;
    if (fclose(file) != 0)
        return error_errno(err, errno, "writing \"%s\"", path);
    return 0;
}

static void build_argv(const Child *child, const char *conninfo, const char *list, StrVec *argv)
{
    const Restore *restore = child->restore;
    const PgRestoreRun *run = child->run;
    strvec_push(argv, restore->tools.pg_restore);
    strvec_push(argv, "--no-password");
    strvec_push(argv, "--verbose"); /* else it names no entries, and swallows the server's warnings */
    if (run->section)
        strvec_pushf(argv, "--section=%s", run->section);
    strvec_pushf(argv, "--dbname=%s", conninfo);
    if (restore->limited && child->doer == DOER_SELF && !is_owner_stage(run))
        strvec_push(argv, "--no-owner");
    if (restore->no_tablespaces)
        strvec_push(argv, "--no-tablespaces");
    if (run->jobs > 1)
        strvec_pushf(argv, "--jobs=%zu", run->jobs);
    if (list)
        strvec_pushf(argv, "--use-list=%s", list);
    if (run->feed)
        strvec_push(argv, "--format=custom");
    else
        strvec_pushf(argv, "%s%s", restore->workdir, is_owner_stage(run) ? "/owners" : "");
}

/* Until the database has its name nothing depends on its commits being on disk; the rename's own commit flushes them
 * all. An index built by several processes takes nearly twice the work of one: right on idle cores, wrong on busy ones.
 */
static char *pgoptions(const Restore *restore, const PgRestoreRun *run)
{
    const char *given = getenv("PGOPTIONS");
    return xasprintf("PGOPTIONS=%s%s-c synchronous_commit=off%s", given ? given : "", given ? " " : "",
                     run->busy || run->jobs > 1 || restore->options->low_cost ? " -c max_parallel_maintenance_workers=0"
                                                                              : "");
}

static bool has_error(const RestoreMessages *messages)
{
    for (size_t i = 0; i < messages->n; i++)
        if (messages->v[i].error)
            return true;
    return false;
}

static int wait_child(Child *child, const StrVec *argv, const SystemUser *user, const char *password, int *ret_status,
                      Error *err)
{
    const PgRestoreRun *run = child->run;
    _cleanup_free_ char *options = pgoptions(child->restore, run);
    const char *env[] = {"LC_ALL=C", options, password, NULL};
    ProcSpec spec = {.argv = (const char *const *)argv->v,
                     .env = env,
                     .user = user,
                     .on_stderr = on_line,
                     .ctx = child,
                     .pipe_stdin = run->feed};
    Proc *proc;
    if (proc_start(&spec, &proc, err) < 0)
        return -1;
    Error feed_error = ERROR_INIT;
    int fed = run->feed ? run->feed(run->ctx, proc_stdin(proc), &feed_error) : 0;
    *ret_status = -1;
    int rc = proc_wait(proc, ret_status, err);
    restoremsg_end(&child->messages);
    bool told = has_error(&child->messages) && *ret_status <= 1; /* else it died of something that it did not tell */
    if (rc == 0 && fed < 0 && !told) {
        *err = feed_error;
        rc = -1;
    } else if (rc == 0 && *ret_status != 0 && !told) {
        rc = error_set(err, ERR_TOOL, "pg_restore ended with status %d: %s", *ret_status, proc_stderr_tail(proc));
    }
    proc_free(proc);
    return rc;
}

/* One pg_restore, over some entries that one role can do. */
static int run_child(Child *child, Error *err)
{
    Restore *restore = child->restore;
    _cleanup_free_ char *conninfo = NULL, *password = NULL, *list = NULL;
    PgConn *as = child->doer == DOER_ADMIN ? restore->helper : restore->admin;
    pg_child_conninfo(as, restore->scratch, &conninfo, &password);
    if (child->ids && write_list(child, &list, err) < 0)
        return -1;
    _cleanup_(strvec_done) StrVec argv = {0};
    build_argv(child, conninfo, list, &argv);
    int status, rc = wait_child(child, &argv, pg_child_user(as), password, &status, err);
    if (rc == 0 && status == 0)
        restoremsg_no_errors(&child->messages);
    if (rc == 0)
        rc = trouble_report(restore, &child->messages, child->doer, err);
    restoremsg_done(&child->messages);
    if (list)
        unlink(list);
    return rc;
}

static bool in_section(const TocEntry *entry, const char *section)
{
    static const char *const names[] = {"", "", "pre-data", "data", "post-data"};
    return section == NULL || (entry->section >= SECTION_PRE_DATA && entry->section <= SECTION_POST_DATA &&
                               strcmp(names[entry->section], section) == 0);
}

static bool is_among(const PgRestoreRun *run, int id)
{
    if (run->only == NULL)
        return true;
    for (size_t i = 0; i < run->n_only; i++)
        if (run->only[i] == id)
            return true;
    return false;
}

/* Who does this entry in this stage; DOER_NONE: it is not its turn. */
static Doer doer_in_stage(const Restore *restore, const PgRestoreRun *run, size_t i)
{
    const TocEntry *entry = &restore->toc->entries[i];
    const RightsPlan *rights = &restore->rights;
    bool contents = toc_entry_is(entry, "MATERIALIZED VIEW DATA");
    if (is_owner_stage(run)) {
        bool schema = toc_entry_is(entry, "SCHEMA");
        bool apart = toc_entry_is(entry, "BLOB METADATA") && rights->own[i] == DOER_SELF;
        return !apart && schema == (run->stage == STAGE_SCHEMA_OWNERS) ? (Doer)rights->own[i] : DOER_NONE;
    }
    PgRestoreStage due = !rights->late[i] ? STAGE_BUILD : contents ? STAGE_CONTENTS : STAGE_GRANTS;
    return due == run->stage && in_section(entry, run->section) ? (Doer)rights->make[i] : DOER_NONE;
}

/* Without superuser the entries keep their order and are cut into slices where the role that can do them changes. */
static int run_slices(Restore *restore, const PgRestoreRun *run, Error *err)
{
    int *ids = xcalloc(restore->toc->n_entries + 1, sizeof *ids), rc = 0;
    Child child = {.restore = restore, .run = run, .ids = ids};
    for (size_t i = 0; rc == 0 && i <= restore->toc->n_entries; i++) {
        bool end = i == restore->toc->n_entries;
        Doer doer =
            end || !is_among(run, restore->toc->entries[i].dump_id) ? DOER_NONE : doer_in_stage(restore, run, i);
        if (child.n_ids > 0 && (end || (doer != DOER_NONE && doer != child.doer))) {
            rc = run_child(&child, err);
            child.n_ids = 0;
        }
        if (doer == DOER_NONE)
            continue;
        child.doer = doer;
        ids[child.n_ids++] = restore->toc->entries[i].dump_id;
    }
    free(ids);
    return rc;
}

int pgrestore_run(Restore *restore, const PgRestoreRun *run, Error *err)
{
    if (run->only && run->n_only == 0)
        return 0;
    if (restore->limited)
        return run_slices(restore, run, err);
    Child child = {.restore = restore, .run = run, .ids = run->only, .n_ids = run->n_only, .doer = DOER_SELF};
    return run_child(&child, err);
}
