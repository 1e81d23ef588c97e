/* Putting a configuration in its place: the file that is there stays under another name, and what was written is read
 * back as the application reads it. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "kura/appedit.h"
#include "kura/fdio.h"
#include "kura/mem.h"
#include "kura/secret.h"

/* A file that was put into its place. */
typedef struct Placed {
    char *path, *kept; /* kept: what the one before is called now; NULL: there was none */
} Placed;

typedef struct Apply {
    const AppSite *site;
    const AppEdits *edits;
    const char *beside;
    Placed *v;
    size_t n, cap;
} Apply;

/* Opens the directory that a path is in. Whoever runs the application may have put a link on the way, and whoever runs
 * this may be root: none is followed. */
static int open_place(const char *path, bool make, int *ret_dir, const char **ret_name, Error *err)
{
    const char *name = strrchr(path, '/') + 1;
    _cleanup_free_ char *dir = xstrndup(path, (size_t)(name - path));
    *ret_dir = fd_open_directory(dir, make);
    *ret_name = name;
    if (*ret_dir >= 0)
        return 0;
    bool link = errno == ENOTDIR || errno == ELOOP;
    error_errno(err, errno, "could not open the directory of \"%s\"", path);
    return link ? error_hint(err, "Links on the way are not followed. Where a link is meant to be there, change the "
                                  "file by hand as the plan shows.")
                : -1;
}

static char *free_name(int dir, const char *name)
{
    char *kept = xasprintf("%s" APP_KEPT, name);
    struct stat st;
    for (unsigned i = 2; fstatat(dir, kept, &st, AT_SYMLINK_NOFOLLOW) == 0; i++) {
        free(kept);
        kept = xasprintf("%s" APP_KEPT ".%u", name, i);
    }
    return kept;
}

/* The new file has mode and owner of the one it comes from, as far as this user may give them. */
static int fill(int fd, const struct stat *like, const Buf *text)
{
    if (fd_write_all(fd, text->data, text->len) < 0 || (geteuid() == 0 && fchown(fd, like->st_uid, like->st_gid) < 0) ||
        fchmod(fd, like->st_mode & 0777) < 0)
        return -1;
    return fsync(fd);
}

static int write_fresh(int dir, const char *name, const struct stat *like, const Buf *text)
{
    unlinkat(dir, name, 0); /* of a run that was killed */
    _cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (fill(fd, like, text) == 0)
        return 0;
    int error = errno;
    unlinkat(dir, name, 0);
    errno = error;
    return -1;
}

static int put(Apply *apply, int dir, const char *name, const char *path, const struct stat *like, const Buf *text,
               Error *err)
{
    struct stat st;
    _cleanup_free_ char *fresh = xasprintf("%s.kura-tmp", name), *kept = NULL;
    if (write_fresh(dir, fresh, like, text) < 0)
        return error_errno(err, errno, "could not write beside \"%s\"", path);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        kept = free_name(dir, name);
        if (linkat(dir, name, dir, kept, 0) < 0) {
            unlinkat(dir, fresh, 0);
            return error_errno(err, errno, "could not keep \"%s\" as \"%s\"", path, kept);
        }
    }
    if (renameat(dir, fresh, dir, name) < 0 || fsync(dir) < 0)
        return error_errno(err, errno, "could not put \"%s\" in its place", path);
    xgrow(&apply->v, &apply->cap, apply->n);
    apply->v[apply->n++] = (Placed){.path = xstrdup(path), .kept = steal(kept)};
    return 0;
}

static bool same_content(int dir, const char *name, const Buf *text)
{
    struct stat st;
    _cleanup_(secret_buf_done) Buf there = BUF_INIT(0);
    return app_file_read_at(dir, name, name, &there, &st, NULL) == 0 && there.len == text->len &&
           memcmp(there.data, text->data, text->len) == 0;
}

/* Below `beside` where that has it, else in the site's directory. To be freed. */
static char *source_of(const AppSite *site, const char *beside, const char *file)
{
    return app_path(beside && app_file_exists(beside, file) ? beside : site->dir, file);
}

int app_edits_read(const AppSite *site, const char *beside, const char *file, Buf *ret, Error *err)
{
    _cleanup_free_ char *path = source_of(site, beside, file);
    return app_file_read("/", path, ret, err);
}

/* What is looked at may be behind a link; what is copied may not. */
static int read_source(const Apply *apply, const char *file, Buf *ret, struct stat *ret_stat, Error *err)
{
    _cleanup_free_ char *path = source_of(apply->site, apply->beside, file);
    _cleanup_close_ int dir = -1;
    const char *name;
    if (open_place(path, false, &dir, &name, err) < 0)
        return -1;
    return app_file_read_at(dir, name, path, ret, ret_stat, err);
}

static int place_file(Apply *apply, const char *name, Error *err)
{
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(0), edited = BUF_INIT(4 * APP_FILE_MAX);
    _cleanup_free_ char *path = app_path(apply->site->dir, name);
    _cleanup_close_ int dir = -1;
    const char *base;
    struct stat st;
    if (read_source(apply, name, &text, &st, err) < 0 || buf_reserve(&edited, 2 * text.len + 4096, err) < 0 ||
        app_edit_text(apply->edits, name, buf_str(&text), text.len, &edited, err) < 0 ||
        open_place(path, true, &dir, &base, err) < 0)
        return -1;
    return same_content(dir, base, &edited) ? 0 : put(apply, dir, base, path, &st, &edited, err);
}

/* ---- which files ---- */

/* Everything that was restored beside, whether it changes or not. */
static int list_tree(const char *dir, StrVec *ret, Error *err)
{
    char *const paths[] = {(char *)dir, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (tree == NULL)
        return error_errno(err, errno, "could not read \"%s\"", dir);
    size_t skip = strlen(dir);
    for (const FTSENT *entry; (entry = fts_read(tree)) != NULL;)
        if (entry->fts_info == FTS_F) {
            const char *name = entry->fts_path + skip + strspn(entry->fts_path + skip, "/");
            if (!strvec_contains(ret, name))
                strvec_push(ret, name);
        }
    fts_close(tree);
    return 0;
}

/* ---- reading back ---- */

static int check(const Apply *apply, Error *err)
{
    Findings findings = FINDINGS_INIT;
    AppSite *site;
    const AppBeside same = {.environment = &apply->site->environment};
    int rc = app_site_read_beside(apply->site->dir, &same, apply->site->name, &site, &findings, err);
    findings_done(&findings);
    if (rc < 0)
        return -1;
    for (size_t i = 0; rc == 0 && i < apply->edits->n; i++) {
        const AppEdit *edit = &apply->edits->v[i];
        const AppSetting *setting = app_setting(site, edit->key);
        bool in_file = setting && setting->place.file;
        if (edit->value ? !in_file || strcmp(setting->value, edit->value) != 0 : in_file)
            rc = error_set(err, ERR_FAILED, "%s is read otherwise than it was written", edit->key);
    }
    app_site_free(site);
    return rc;
}

static void take_one_back(const Placed *placed)
{
    const char *name;
    _cleanup_close_ int dir = -1;
    if (open_place(placed->path, false, &dir, &name, NULL) < 0)
        return;
    if (placed->kept)
        (void)!renameat(dir, placed->kept, dir, name);
    else
        unlinkat(dir, name, 0);
}

static void take_back(Apply *apply)
{
    while (apply->n > 0) {
        Placed *placed = &apply->v[--apply->n];
        take_one_back(placed);
        free(placed->path);
        free(placed->kept);
    }
}

/* To be freed. */
static char *kept_path(const Placed *placed)
{
    return xasprintf("%.*s%s", (int)(strrchr(placed->path, '/') + 1 - placed->path), placed->path, placed->kept);
}

int app_edits_apply(const AppSite *site, const AppEdits *edits, const char *beside, StrVec *ret_written,
                    StrVec *ret_kept, Error *err)
{
    Apply apply = {.site = site, .edits = edits, .beside = beside};
    _cleanup_(strvec_done) StrVec files = {0};
    app_edits_files(edits, &files);
    int rc = beside ? list_tree(beside, &files, err) : 0;
    for (size_t i = 0; rc == 0 && i < files.n; i++)
        rc = place_file(&apply, files.v[i], err);
    if (rc == 0)
        rc = check(&apply, err);
    for (size_t i = 0; rc == 0 && i < apply.n; i++) {
        _cleanup_free_ char *kept = apply.v[i].kept ? kept_path(&apply.v[i]) : NULL;
        strvec_push(ret_written, apply.v[i].path);
        if (kept)
            strvec_push(ret_kept, kept);
        free(apply.v[i].path);
        free(apply.v[i].kept);
    }
    if (rc < 0)
        take_back(&apply);
    free(apply.v);
    return rc;
}
