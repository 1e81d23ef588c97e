/* Putting a configuration in its place: the file that is there stays under another name, and what was written is read
 * back as the application reads it. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
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
    char *path, *kept; /* kept: where the one before is now; NULL: there was none */
} Placed;

typedef struct Apply {
    const AppSite *site;
    const AppEdits *edits;
    const char *beside;
    Placed *v;
    size_t n, cap;
} Apply;

/* What has to be made is like the directory that the file comes from: the application must get into it. */
static int make_directory(const char *path, const struct stat *like, Error *err)
{
    if (mkdir(path, 0755) < 0)
        return errno == EEXIST ? 0 : error_errno(err, errno, "could not make directory \"%s\"", path);
    if ((geteuid() == 0 && chown(path, like->st_uid, like->st_gid) < 0) || chmod(path, like->st_mode & 07777) < 0)
        return error_errno(err, errno, "could not give directory \"%s\" its owner and mode", path);
    return 0;
}

static int make_directories(const char *path, const char *from, Error *err)
{
    struct stat like;
    _cleanup_free_ char *way = xstrdup(path), *source = xstrdup(from);
    if (stat(dirname(source), &like) < 0)
        return error_errno(err, errno, "could not read \"%s\"", from);
    for (char *at = strchr(way + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        if (make_directory(way, &like, err) < 0)
            return -1;
        *at = '/';
    }
    return 0;
}

static char *free_name(const char *path)
{
    char *name = xasprintf("%s" APP_KEPT, path);
    struct stat st;
    for (unsigned i = 2; lstat(name, &st) == 0; i++) {
        free(name);
        name = xasprintf("%s" APP_KEPT ".%u", path, i);
    }
    return name;
}

/* The new file has mode and owner of the one it comes from, as far as this user may give them. */
static int write_beside(const char *path, const struct stat *like, const Buf *text, Error *err)
{
    _cleanup_close_ int fd = -1;
    unlink(path); /* of a run that was killed */
    if (file_make(path, text->data, text->len, 0600, err) < 0)
        return -1;
    fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || (geteuid() == 0 && fchown(fd, like->st_uid, like->st_gid) < 0) ||
        fchmod(fd, like->st_mode & 07777) < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "could not give \"%s\" its owner and mode", path);
    return 0;
}

static int put(Apply *apply, const char *path, const char *from, const struct stat *like, const Buf *text, Error *err)
{
    struct stat st;
    _cleanup_free_ char *fresh = xasprintf("%s.kura-tmp", path), *kept = NULL;
    if (make_directories(path, from, err) < 0 || write_beside(fresh, like, text, err) < 0)
        return -1;
    if (lstat(path, &st) == 0) {
        kept = free_name(path);
        if (link(path, kept) < 0) {
            unlink(fresh);
            return error_errno(err, errno, "could not keep \"%s\" as \"%s\"", path, kept);
        }
    }
    if (rename(fresh, path) < 0 || fd_sync_directory_of(path) < 0)
        return error_errno(err, errno, "could not put \"%s\" in its place", path);
    xgrow(&apply->v, &apply->cap, apply->n);
    apply->v[apply->n++] = (Placed){.path = xstrdup(path), .kept = steal(kept)};
    return 0;
}

static bool same_content(const char *path, const Buf *text)
{
    _cleanup_(secret_buf_done) Buf there = BUF_INIT(0);
    return app_file_read("/", path, &there, NULL) == 0 && there.len == text->len &&
           memcmp(there.data, text->data, text->len) == 0;
}

char *app_edits_path(const AppSite *site, const char *beside, const char *file)
{
    return app_path(beside && app_file_exists(beside, file) ? beside : site->dir, file);
}

static int place_file(Apply *apply, const char *name, Error *err)
{
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(0), edited = BUF_INIT(4 * APP_FILE_MAX);
    _cleanup_free_ char *from = app_edits_path(apply->site, apply->beside, name);
    _cleanup_free_ char *to = app_path(apply->site->dir, name);
    struct stat st;
    if (app_file_read("/", from, &text, err) < 0 || buf_reserve(&edited, 2 * text.len + 4096, err) < 0 ||
        app_edit_text(apply->edits, name, buf_str(&text), text.len, &edited, err) < 0)
        return -1;
    if (lstat(from, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(err, ERR_CORRUPT, "\"%s\" is not a regular file", from);
    return same_content(to, &edited) ? 0 : put(apply, to, from, &st, &edited, err);
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

static void take_back(Apply *apply)
{
    while (apply->n > 0) {
        const Placed *placed = &apply->v[--apply->n];
        if (placed->kept)
            (void)!rename(placed->kept, placed->path);
        else
            unlink(placed->path);
        free(placed->path);
        free(placed->kept);
    }
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
        strvec_push(ret_written, apply.v[i].path);
        if (apply.v[i].kept)
            strvec_push(ret_kept, apply.v[i].kept);
        free(apply.v[i].path);
        free(apply.v[i].kept);
    }
    if (rc < 0)
        take_back(&apply);
    free(apply.v);
    return rc;
}
