/* The documents in their directory. */
#include "kura/runstate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/fdio.h"
#include "kura/mem.h"
#include "kura/words.h"

enum { STATE_MAX = 1024 * 1024, NAME_LENGTH_MAX = 240 };

#define SUFFIX ".json"
#define NO_APP "@"

DEFINE_CLEANUP(RunState, runstate_free)

const char *run_kind_name(RunKind kind)
{
    static const char *const names[] = {N_("backup"), N_("rehearse"), N_("verify"), N_("prune"), N_("copy")};
    return names[kind];
}

void run_record_done(RunRecord *record)
{
    if (record == NULL)
        return;
    free(record->started);
    free(record->finished);
    free(record->error);
    free(record->repository);
    free(record->backup);
    free(record->verdict);
    *record = (RunRecord){0};
}

bool run_record_good(RunKind kind, const RunRecord *record)
{
    if (record->finished == NULL)
        return false;
    return record->status == 0 || (record->status == error_exit_status(ERR_FINDINGS) && kind != RUN_VERIFY);
}

bool run_record_killed(const RunRecord *record)
{
    return record->finished == NULL && kill((pid_t)record->pid, 0) < 0 && errno == ESRCH;
}

void runstate_free(RunState *state)
{
    if (state == NULL)
        return;
    for (RunKind kind = 0; kind < RUN_KINDS; kind++) {
        run_record_done(&state->runs[kind].last);
        run_record_done(&state->runs[kind].good);
    }
    free(state->app);
    free(state);
}

void runstates_free(RunState **states, size_t n)
{
    for (size_t i = 0; i < n; i++)
        runstate_free(states[i]);
    free(states);
}

char *runstate_default_dir(void)
{
    if (geteuid() == 0)
        return xstrdup("/var/lib/kura");
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (xdg && xdg[0] == '/')
        return xasprintf("%s/kura", xdg);
    return home && home[0] == '/' ? xasprintf("%s/.local/state/kura", home) : NULL;
}

/* ---- names ---- */

/* "misskey.json"; what is no plain letter of a file name is "%xx", and a name of no application cannot be one. To be
 * freed. */
static char *file_name(const char *app)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    Buf name = BUF_INIT(4096);
    if (app == NULL || app[0] == 0)
        buf_append_str(&name, NO_APP, NULL);
    for (const char *p = app; p && *p && name.len < NAME_LENGTH_MAX; p++)
        buf_printf(&name, NULL, strchr(plain, *p) && !(p == app && *p == '.') ? "%c" : "%%%02x", (unsigned char)*p);
    char *ret = xasprintf("%s" SUFFIX, buf_str(&name));
    buf_done(&name);
    return ret;
}

static bool is_state(const char *name)
{
    size_t len = strlen(name);
    return len > strlen(SUFFIX) && strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

/* ---- reading ---- */

static int read_text(int dir, const char *name, Buf *out, Error *err)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return error_errno(err, errno, "cannot open the run state \"%s\"", name);
    for (;;) {
        if (buf_reserve(out, 4096, err) < 0)
            return -1;
        ssize_t n = read(fd, out->data + out->len, 4096);
        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "cannot read the run state \"%s\"", name);
        if (n == 0)
            return 0;
        out->len += n > 0 ? (size_t)n : 0;
    }
}

static int load(int dir, const char *name, RunState **ret, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(STATE_MAX);
    if (read_text(dir, name, &text, err) < 0)
        return -1;
    return runstate_parse(text.data, text.len, ret, err) < 0 ? error_wrap(err, "run state \"%s\"", name) : 0;
}

static int open_dir(const char *dir, Error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        error_errno(err, errno, "cannot open the state directory \"%s\"", dir);
    return fd;
}

int runstate_load(const char *dir, const char *app, RunState **ret, Error *err)
{
    _cleanup_free_ char *name = file_name(app);
    _cleanup_(runstate_free_cleanup) RunState *state = NULL;
    _cleanup_close_ int fd = open_dir(dir, err);
    if (fd < 0 || load(fd, name, &state, err) < 0)
        return -1;
    if (strcmp(state->app, app ? app : "") != 0)
        return error_set(err, ERR_CORRUPT, "run state \"%s\" is of the application \"%s\"", name, state->app);
    *ret = steal(state);
    return 0;
}

static int by_app(const void *a, const void *b)
{
    return strcmp((*(RunState *const *)a)->app, (*(RunState *const *)b)->app);
}

int runstate_load_all(const char *dir, RunState ***ret, size_t *ret_n, size_t *ret_bad, Error *err)
{
    RunState **states = NULL;
    size_t n = 0, cap = 0, bad = 0;
    DIR *entries = opendir(dir);
    if (entries == NULL && errno != ENOENT)
        return error_errno(err, errno, "cannot open the state directory \"%s\"", dir);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (!is_state(entry->d_name))
            continue;
        xgrow(&states, &cap, n);
        if (load(dirfd(entries), entry->d_name, &states[n], NULL) == 0)
            n++;
        else
            bad++;
    }
    if (entries)
        closedir(entries);
    if (n > 0)
        qsort(states, n, sizeof *states, by_app);
    *ret = states;
    *ret_n = n;
    *ret_bad = bad;
    return 0;
}

/* ---- writing ---- */

/* Borrows the strings of record. */
static void take(RunState *state, RunKind kind, const RunRecord *record)
{
    RunHistory *history = &state->runs[kind];
    history->has_last = true;
    history->last = *record;
    if (!run_record_good(kind, record))
        return;
    history->has_good = true;
    history->good = *record;
}

static int write_state(const char *dir, const char *name, const RunState *state, Error *err)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
    _cleanup_(buf_done) Buf text = BUF_INIT(STATE_MAX);
    return runstate_format(state, &text, err) < 0 ? -1 : file_put(path, text.data, text.len, 0640, err);
}

static int update(int fd, const char *dir, const char *app, RunKind kind, const RunRecord *record, Error *err)
{
    _cleanup_free_ char *name = file_name(app);
    _cleanup_(runstate_free_cleanup) RunState *old = NULL;
    Error why = ERROR_INIT;
    if (load(fd, name, &old, &why) < 0 && why.code == ERR_UNSUPPORTED) {
        if (err)
            *err = why;
        return -1;
    }
    RunState state = old ? *old : (RunState){0};
    state.app = (char *)(app ? app : "");
    take(&state, kind, record);
    return write_state(dir, name, &state, err);
}

/* Every directory of the path that is missing. */
static int make_dir(const char *dir, Error *err)
{
    _cleanup_free_ char *path = xstrdup(dir);
    for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return error_errno(err, errno, "cannot make the directory \"%s\"", path);
        *slash = '/';
    }
    if (mkdir(dir, 0750) == 0)
        return chmod(dir, 0750) < 0 ? error_errno(err, errno, "cannot set the mode of \"%s\"", dir) : 0;
    return errno == EEXIST ? 0 : error_errno(err, errno, "cannot make the state directory \"%s\"", dir);
}

int runstate_record(const char *dir, const char *app, RunKind kind, const RunRecord *record, Error *err)
{
    if (make_dir(dir, err) < 0)
        return -1;
    _cleanup_close_ int fd = open_dir(dir, err);
    if (fd < 0)
        return -1;
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return error_errno(err, errno, "cannot lock the state directory \"%s\"", dir);
    return update(fd, dir, app, kind, record, err);
}
