/* The storage test of a directory. It works on a handle of its own: the directories that it makes and removes must not
 * stay among the descriptors that the other one keeps. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dir_priv.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"

enum { CLOCK_WARNING = 60 /* seconds */ };

typedef struct DirProbe {
    const char *root;
    Store *store;
    Findings *findings;
    char *dir, *key; /* "probe/<random>", "probe/<random>/a" */
} DirProbe;

#define note(probe, code, ...) findings_add((probe)->findings, FINDING_NOTE, code, NULL, __VA_ARGS__)

static void failed(DirProbe *probe, const char *code, const Error *why)
{
    findings_add(probe->findings, FINDING_ERROR, code, why->hint[0] ? why->hint : NULL, "%s", why->message);
}

static void tell_rights(DirProbe *probe, const struct stat *st)
{
    if (st->st_mode & S_IWOTH)
        findings_add(probe->findings, FINDING_ERROR, "dir-rights", "Take the rights away: chmod 700.",
                     "everybody on this host may replace what is in \"%s\"", probe->root);
    else if (st->st_mode & (S_IROTH | S_IXOTH))
        findings_add(probe->findings, FINDING_WARNING, "dir-rights", "Take the rights away: chmod 700.",
                     "everybody on this host may look into \"%s\"", probe->root);
    else if (st->st_mode & S_IWGRP)
        findings_add(probe->findings, FINDING_WARNING, "dir-rights",
                     "Who is in the group can delete or replace backups. Take the right away: chmod g-w.",
                     "the group may write to \"%s\"", probe->root);
    else
        note(probe, "dir-rights",
             st->st_mode & (S_IRGRP | S_IXGRP) ? N_("nobody but the owner and the group may reach \"%s\"")
                                               : N_("nobody but the owner may reach \"%s\""),
             probe->root);
}

/* What makes a backup survive a power failure, besides the files themselves. */
static void try_sync(DirProbe *probe)
{
    _cleanup_close_ int fd = open(probe->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && fsync(fd) == 0)
        return;
    findings_add(probe->findings, FINDING_WARNING, "dir-sync",
                 "After a crash of the system the last backup may be gone. Run kura verify then.",
                 "this file system does not write directories through: %s", strerror(errno));
}

static void try_clock(DirProbe *probe)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", probe->root, probe->key);
    struct stat st;
    if (stat(path, &st) < 0)
        return;
    long ahead = (long)(st.st_mtime - time(NULL)), size = ahead < 0 ? -ahead : ahead;
    if (size >= CLOCK_WARNING)
        findings_add(probe->findings, FINDING_WARNING, "dir-clock",
                     "Set the clocks of this host and of the file server: kura judges by time which locks are stale.",
                     ahead < 0 ? N_("the file system's clock is %ld s behind this host's")
                               : N_("the file system's clock is %ld s ahead of this host's"),
                     size);
}

static bool holds(DirProbe *probe, const char *text, Error *err)
{
    _cleanup_(buf_done) Buf there = BUF_INIT(1024);
    if (probe->store->ops->get(probe->store, probe->key, 0, UINT64_MAX, &there, err) < 0)
        return false;
    if (strcmp(buf_str(&there), text) == 0)
        return true;
    error_set(err, ERR_IO, "\"%s/%s\" has other bytes than those that were written", probe->root, probe->key);
    return false;
}

static void try_exclusive(DirProbe *probe)
{
    Error why = ERROR_INIT;
    if (probe->store->ops->put_new(probe->store, probe->key, "new", 3, &why) == 0)
        findings_add(probe->findings, FINDING_ERROR, "dir-exclusive",
                     "Two runs at the same time could replace each other's objects. Use another file system.",
                     "this file system replaces a file that must be new");
    else if (why.code != ERR_EXISTS)
        failed(probe, "dir-exclusive", &why);
    else
        note(probe, "dir-exclusive", "a file that must be new replaces no other");
}

static int add_key(void *ctx, const char *key, uint64_t size, Error *err)
{
    (void)size, (void)err;
    strvec_push(ctx, key);
    return 0;
}

static void try_listing(DirProbe *probe)
{
    Error why = ERROR_INIT;
    _cleanup_(strvec_done) StrVec keys = {0};
    if (store_list(probe->store, probe->dir, add_key, &keys, &why) < 0)
        failed(probe, "dir-list", &why);
    else if (keys.n != 1 || strcmp(keys.v[0], probe->key) != 0)
        findings_add(probe->findings, FINDING_ERROR, "dir-list", "kura finds backups by listing.",
                     "a file that was just written to \"%s\" is not listed", probe->root);
}

static void try_replacing_and_deleting(DirProbe *probe)
{
    Error why = ERROR_INIT;
    uint64_t size;
    if (probe->store->ops->put(probe->store, probe->key, "second", 6, &why) < 0 || !holds(probe, "second", &why))
        failed(probe, "dir-replace", &why);
    else if (probe->store->ops->delete (probe->store, probe->key, &why) < 0)
        failed(probe, "dir-delete", &why);
    else if (probe->store->ops->head(probe->store, probe->key, &size, &why) == 0)
        findings_add(probe->findings, FINDING_ERROR, "dir-delete", NULL,
                     "\"%s/%s\" is still there after it was deleted", probe->root, probe->key);
    else
        note(probe, "dir-write", "files are written, written through, replaced, listed and deleted");
}

static void try_objects(DirProbe *probe)
{
    Error why = ERROR_INIT;
    if (probe->store->ops->put_new(probe->store, probe->key, "first", 5, &why) < 0 || !holds(probe, "first", &why)) {
        failed(probe, "dir-write", &why);
        return;
    }
    try_sync(probe);
    try_clock(probe);
    try_exclusive(probe);
    try_listing(probe);
    try_replacing_and_deleting(probe);
}

static void clean_up(DirProbe *probe)
{
    stop_hold();
    probe->store->ops->delete (probe->store, probe->key, NULL);
    stop_release();
    const char *dirs[] = {probe->dir, "probe"};
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        _cleanup_free_ char *path = xasprintf("%s/%s", probe->root, dirs[i]);
        if (rmdir(path) < 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
            note(probe, "dir-leftover", "directory \"%s\" of this test could not be removed: %s", path,
                 strerror(errno));
    }
}

/* Before "kura init" there need not be a directory; it makes one where it may. */
static void tell_absent(DirProbe *probe)
{
    _cleanup_free_ char *parent = dir_parent(probe->root);
    if (access(parent, W_OK | X_OK) == 0)
        note(probe, "dir-missing", "directory \"%s\" does not exist and can be made", probe->root);
    else
        findings_add(probe->findings, FINDING_ERROR, "dir-missing",
                     "Make the directory above it, or mount what belongs there.",
                     "directory \"%s\" does not exist and cannot be made: %s", probe->root, strerror(errno));
}

int dirprobe_run(const char *root, Findings *findings, Error *err)
{
    DirProbe probe = {.root = root, .findings = findings};
    struct stat st;
    uint64_t number;
    if (stat(root, &st) < 0 && errno == ENOENT) {
        tell_absent(&probe);
        return 0;
    }
    if (stat(root, &st) < 0)
        return error_errno(err, errno, "could not look at \"%s\"", root);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, ERR_USAGE, "\"%s\" is not a directory", root);
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        abort(); /* so few bytes are always given at once */
    if (store_dir_open(root, &(StoreOptions){0}, false, &probe.store, err) < 0)
        return -1;
    probe.dir = xasprintf("probe/%016jx", (uintmax_t)number);
    probe.key = xasprintf("%s/a", probe.dir);
    tell_rights(&probe, &st);
    try_objects(&probe);
    clean_up(&probe);
    probe.store->ops->close(probe.store);
    free(probe.dir);
    free(probe.key);
    return stop_check(err);
}
