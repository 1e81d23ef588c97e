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
    _cleanup_(buf_done) Buf content = BUF_INIT(TOC_DAT_MAX);
    _cleanup_free_ char *path = xasprintf("%s/toc.dat", dir);
    if (toc_write(restore->toc, TOC_DIRECTORY, &content, err) < 0 || flow_write_file(path, &content, err) < 0)
        return error_wrap(err, "writing the mapped table of contents");
    return 0;
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

/* What one pg_restore said. It goes on after an error, so that all of them are known at once. */
typedef struct Said {
    Restore *restore;
    char entry[512]; /* "from TOC entry ..", which stands before its error */
    size_t errors;
    size_t harmless;
} Said;

/* pg_restore 17 and newer set a parameter that servers before 17 do not have. */
static bool is_harmless(const char *message)
{
    return strstr(message, "\"transaction_timeout\"") != NULL;
}

static void on_line(void *ctx, const char *line)
{
    Said *said = ctx;
    log_debug("%s", line);
    const char *entry = "pg_restore: from TOC entry ", *error = "pg_restore: error: ";
    if (strncmp(line, entry, strlen(entry)) == 0)
        snprintf(said->entry, sizeof said->entry, "%s", line + strlen(entry));
    if (strncmp(line, error, strlen(error)) != 0)
        return;
    if (is_harmless(line)) {
        said->harmless++;
        return;
    }
    said->errors++;
    findings_add(said->restore->findings, FINDING_ERROR, "pg-restore", NULL, "pg_restore: %s%s%s", line + strlen(error),
                 said->entry[0] ? "; TOC entry " : "", said->entry);
    said->entry[0] = 0;
}

static int write_list(const Restore *restore, const PgRestoreRun *run, char **ret_path, Error *err)
{
    char *path = xasprintf("%s/list-XXXXXX", restore->workdir);
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        error_errno(err, errno, "creating \"%s\"", path);
        free(path);
        return -1;
    }
    for (size_t i = 0; i < run->n_only; i++)
        fprintf(file, "%d;\n", run->only[i]);
    *ret_path = path;
    if (fclose(file) != 0)
        return error_errno(err, errno, "writing \"%s\"", path);
    return 0;
}

static void build_argv(const Restore *restore, const PgRestoreRun *run, const char *conninfo, const char *list,
                       StrVec *argv)
{
    strvec_push(argv, restore->tools.pg_restore);
    strvec_push(argv, "--no-password");
    strvec_pushf(argv, "--section=%s", run->section);
    strvec_pushf(argv, "--dbname=%s", conninfo);
    if (restore->no_tablespaces)
        strvec_push(argv, "--no-tablespaces");
    if (run->jobs > 1)
        strvec_pushf(argv, "--jobs=%zu", run->jobs);
    if (list)
        strvec_pushf(argv, "--use-list=%s", list);
    if (run->feed)
        strvec_push(argv, "--format=custom");
    else
        strvec_push(argv, restore->workdir);
}

/* Until the database has its name nothing depends on its commits being on disk; the rename's own commit flushes them
 * all. An index built by several processes takes nearly twice the work of one: right on idle cores, wrong on busy ones.
 */
static char *pgoptions(const PgRestoreRun *run)
{
    const char *given = getenv("PGOPTIONS");
    return xasprintf("PGOPTIONS=%s%s-c synchronous_commit=off%s", given ? given : "", given ? " " : "",
                     run->busy || run->jobs > 1 ? " -c max_parallel_maintenance_workers=0" : "");
}

static int run_child(Restore *restore, const PgRestoreRun *run, const StrVec *argv, const char *password, Said *said,
                     Error *err)
{
    _cleanup_free_ char *options = pgoptions(run);
    const char *env[] = {"LC_ALL=C", options, password, NULL};
    ProcSpec spec = {
        .argv = (const char *const *)argv->v, .env = env, .on_stderr = on_line, .ctx = said, .pipe_stdin = run->feed};
    Proc *proc;
    if (proc_start(&spec, &proc, err) < 0)
        return -1;
    Error feed_error = ERROR_INIT;
    int fed = run->feed ? run->feed(run->ctx, proc_stdin(proc), &feed_error) : 0;
    int status, rc = proc_wait(proc, &status, err);
    if (rc == 0 && said->errors > 0)
        rc = error_set(err, ERR_TOOL, "pg_restore met %zu error%s in its %s section", said->errors,
                       said->errors == 1 ? "" : "s", run->section);
    else if (rc == 0 && fed < 0) {
        *err = feed_error;
        rc = -1;
    } else if (rc == 0 && status != 0 && !(status == 1 && said->harmless > 0))
        rc = error_set(err, ERR_TOOL, "pg_restore ended with status %d: %s", status, proc_stderr_tail(proc));
    proc_free(proc);
    return rc;
}

int pgrestore_run(Restore *restore, const PgRestoreRun *run, Error *err)
{
    if (run->only && run->n_only == 0)
        return 0;
    _cleanup_free_ char *conninfo = NULL, *password = NULL, *list = NULL;
    pg_child_conninfo(restore->admin, restore->scratch, &conninfo, &password);
    if (run->only && write_list(restore, run, &list, err) < 0)
        return -1;
    _cleanup_(strvec_done) StrVec argv = {0};
    build_argv(restore, run, conninfo, list, &argv);
    Said said = {.restore = restore};
    int rc = run_child(restore, run, &argv, password, &said, err);
    if (list)
        unlink(list);
    return rc;
}
