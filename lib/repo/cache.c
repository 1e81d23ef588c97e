#include "cache_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob_priv.h"
#include "kura/fdio.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "manifest_priv.h"
#include "repo_priv.h"

enum { TEMP_DIGITS = 16 };

DEFINE_CLEANUP(Manifest, manifest_free)

/* --- opening --- */

static int make_dirs(const char *dir)
{
    _cleanup_free_ char *path = xstrdup(dir);
    for (char *slash = path; *slash && (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

static int open_dir(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_or_make(const char *path)
{
    int fd = open_dir(path);
    return fd >= 0 || errno != ENOENT || make_dirs(path) < 0 ? fd : open_dir(path);
}

/* What somebody else could write there would be believed. */
static const char *why_not(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return strerror(errno);
    if (st.st_uid != geteuid())
        return _("it belongs to another user");
    return st.st_mode & 022 ? _("others may write to it") : NULL;
}

int cache_open(const char *dir, const Repo *repo, const char *app, Cache **ret, Error *err)
{
    char part[MANIFEST_APP_MAX + 1];
    manifest_app_part(repo, app, part);
    _cleanup_free_ char *path = xasprintf("%s/%s/%s", dir, repo_id(repo), part);
    _cleanup_close_ int fd = open_or_make(path);
    const char *reason = fd < 0 ? strerror(errno) : why_not(fd);
    if (reason)
        return error_set(err, ERR_IO, "the cache \"%s\" is not used: %s", path, reason);
    flock(fd, LOCK_SH | LOCK_NB);
    Cache *cache = xcalloc(1, sizeof *cache);
    *cache = (Cache){.repo = repo, .path = steal(path), .app = xstrdup(app), .fd = fd};
    fd = -1;
    *ret = cache;
    return 0;
}

void cache_close(Cache *cache)
{
    if (cache == NULL)
        return;
    close(cache->fd);
    free(cache->path);
    free(cache->app);
    free(cache);
}

/* --- files --- */

/* Reads a regular file of at most out->max bytes; -1 with errno. */
static int read_open_file(int fd, Buf *out)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > out->max || buf_reserve(out, (size_t)st.st_size, NULL) < 0) {
        errno = EFBIG;
        return -1;
    }
    while (out->len < (size_t)st.st_size) {
        ssize_t n = read(fd, out->data + out->len, (size_t)st.st_size - out->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -1 : 0;
        out->len += (size_t)n;
    }
    return 0;
}

static int read_file(const Cache *cache, const char *name, Buf *out)
{
    buf_clear(out);
    _cleanup_close_ int fd = openat(cache->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && read_open_file(fd, out) == 0)
        return 0;
    if (errno != ENOENT)
        log_debug("cannot read \"%s/%s\": %s", cache->path, name, strerror(errno));
    return -1;
}

/* Not forced to the disk: what a crash leaves half-written is noticed when it is read. */
static int write_temp(const Cache *cache, const char *temp, const void *data, size_t len)
{
    _cleanup_close_ int fd = openat(cache->fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : fd_write_all(fd, data, len);
}

static void write_file(Cache *cache, const char *name, const void *data, size_t len)
{
    char temp[sizeof CACHE_TEMP_PREFIX + TEMP_DIGITS] = CACHE_TEMP_PREFIX;
    random_text(HEX_DIGITS, TEMP_DIGITS, temp + strlen(CACHE_TEMP_PREFIX));
    if (cache->error || (write_temp(cache, temp, data, len) == 0 && renameat(cache->fd, temp, cache->fd, name) == 0))
        return;
    cache->error = errno;
    unlinkat(cache->fd, temp, 0);
}

/* --- blobs --- */

void cache_blob_file(const BlobRef *ref, char name[CACHE_NAME_SIZE])
{
    snprintf(name, CACHE_NAME_SIZE, "%s.%s", ref->hash, blob_suffix(ref->kind));
}

int cache_get_blob(const Cache *cache, const BlobRef *ref, Buf *out)
{
    char name[CACHE_NAME_SIZE];
    char content[SHA256_HEX_SIZE];
    BlobRef found;
    if (cache == NULL)
        return -1;
    cache_blob_file(ref, name);
    if (read_file(cache, name, out) < 0)
        return -1;
    if (out->len == ref->size && blob_name(cache->repo, ref->kind, out->data, out->len, &found, content, NULL) == 0 &&
        strcmp(found.hash, ref->hash) == 0)
        return 0;
    log_debug("\"%s/%s\" is damaged and passed over", cache->path, name);
    unlinkat(cache->fd, name, 0);
    return -1;
}

void cache_put_index(Cache *cache, const void *data, size_t len)
{
    char name[CACHE_NAME_SIZE], content[SHA256_HEX_SIZE];
    BlobRef ref;
    struct stat st;
    if (cache == NULL || blob_name(cache->repo, BLOB_ZSTD, data, len, &ref, content, NULL) < 0)
        return;
    cache_blob_file(&ref, name);
    if (fstatat(cache->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size == len)
        return;
    write_file(cache, name, data, len);
}

/* --- files of others --- */

void cache_put_file(Cache *cache, const char *name, const void *data, size_t len)
{
    if (cache)
        write_file(cache, name, data, len);
}

int cache_get_file(const Cache *cache, const char *name, Buf *out)
{
    return cache ? read_file(cache, name, out) : -1;
}

/* --- manifests --- */

void cache_manifest_file(const char *name, char file[CACHE_NAME_SIZE])
{
    snprintf(file, CACHE_NAME_SIZE, "%s" CACHE_MANIFEST_SUFFIX, name);
}

Manifest *cache_load_manifest(const Cache *cache, const char *name)
{
    char file[CACHE_NAME_SIZE];
    unsigned revision;
    _cleanup_free_ char *id = NULL, *inside = NULL;
    Error why = ERROR_INIT;
    _cleanup_(buf_done) Buf text = BUF_INIT(MANIFEST_MAX);
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (cache == NULL || manifest_name_parse(name, &id, &revision) < 0)
        return NULL;
    cache_manifest_file(name, file);
    if (read_file(cache, file, &text) < 0)
        return NULL;
    if (manifest_parse(text.data, text.len, &manifest, &why) < 0) {
        log_debug("\"%s/%s\" is passed over: %s", cache->path, file, why.message);
        return NULL;
    }
    inside = manifest_name(manifest);
    if (strcmp(inside, name) != 0 || strcmp(manifest->app, cache->app) != 0) {
        log_debug("\"%s/%s\" is of another backup and passed over", cache->path, file);
        return NULL;
    }
    return steal(manifest);
}

static void store_manifest(Cache *cache, const Manifest *manifest)
{
    char file[CACHE_NAME_SIZE];
    _cleanup_free_ char *name = manifest_name(manifest);
    _cleanup_(json_unref) json_t *document = manifest_to_json(manifest);
    _cleanup_(buf_done) Buf text = BUF_INIT(MANIFEST_MAX);
    cache_manifest_file(name, file);
    if (jsondoc_format(document, &text, NULL) == 0)
        write_file(cache, file, text.data, text.len);
}

int cache_commit(Cache *cache, const Manifest *manifest, const StrVec *names, Error *err)
{
    if (cache == NULL)
        return 0;
    store_manifest(cache, manifest);
    /* Index blobs of a backup that is under way have no manifest yet. */
    if (flock(cache->fd, LOCK_EX | LOCK_NB) == 0)
        cache_forget(cache, manifest->id, names);
    return cache->error ? error_errno(err, cache->error, "writing the cache \"%s\"", cache->path) : 0;
}
