#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache_priv.h"
#include "kura/mem.h"

enum { TEMP_AGE = 24 * 60 * 60 };

DEFINE_CLEANUP(Manifest, manifest_free)

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names in the cache, in order: manifests from old to new. */
static int list_names(const Cache *cache, StrVec *ret)
{
    int copy = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        if (copy >= 0)
            close(copy);
        return -1;
    }
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strvec_push(ret, entry->d_name);
    closedir(dir);
    if (ret->n)
        qsort(ret->v, ret->n, sizeof *ret->v, compare_names);
    return 0;
}

/* What stays, and why. */
typedef struct Keep {
    StrVec names;
    bool has_database;
    StrVec filesets;
} Keep;

static void keep_done(Keep *keep)
{
    strvec_done(&keep->names);
    strvec_done(&keep->filesets);
}

static void keep_index(Keep *keep, const ManifestFileset *fileset)
{
    char name[CACHE_NAME_SIZE];
    for (size_t i = 0; i < fileset->n_index; i++) {
        cache_blob_file(&fileset->index[i], name);
        strvec_push(&keep->names, name);
    }
}

/* A newer manifest has come before: this one stays for what none of them has. */
static void keep_manifest(Keep *keep, const Manifest *manifest)
{
    char name[CACHE_NAME_SIZE];
    bool useful = manifest->has_database && !keep->has_database;
    if (useful)
        keep_index(keep, &manifest->database.large_objects);
    keep->has_database |= manifest->has_database;
    for (size_t i = 0; i < manifest->n_filesets; i++) {
        if (strvec_contains(&keep->filesets, manifest->filesets[i].name))
            continue;
        strvec_push(&keep->filesets, manifest->filesets[i].name);
        keep_index(keep, &manifest->filesets[i]);
        useful = true;
    }
    _cleanup_free_ char *own = manifest_name(manifest);
    cache_manifest_file(own, name);
    if (useful)
        strvec_push(&keep->names, name);
}

static void keep_manifests(const Cache *cache, const StrVec *files, const char *newest, const StrVec *names, Keep *keep)
{
    for (size_t i = files->n; i-- > 0;) {
        size_t len = strlen(files->v[i]);
        if (len <= strlen(CACHE_MANIFEST_SUFFIX))
            continue;
        _cleanup_free_ char *name = xstrndup(files->v[i], len - strlen(CACHE_MANIFEST_SUFFIX));
        if (strcmp(files->v[i] + strlen(name), CACHE_MANIFEST_SUFFIX) != 0 ||
            (strcmp(name, newest) != 0 && !strvec_contains(names, name)))
            continue;
        _cleanup_(manifest_free_cleanup) Manifest *manifest = cache_load_manifest(cache, name);
        if (manifest)
            keep_manifest(keep, manifest);
    }
}

static bool is_temp(const Cache *cache, const char *name)
{
    struct stat st;
    return strncmp(name, CACHE_TEMP_PREFIX, strlen(CACHE_TEMP_PREFIX)) == 0 &&
           fstatat(cache->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime > time(NULL) - TEMP_AGE;
}

static bool is_kept(const Keep *keep, const char *name)
{
    return keep->names.n && bsearch(&name, keep->names.v, keep->names.n, sizeof *keep->names.v, compare_names);
}

void cache_forget(const Cache *cache, const char *newest, const StrVec *names)
{
    _cleanup_(strvec_done) StrVec files = {0};
    _cleanup_(keep_done) Keep keep = {0};
    if (list_names(cache, &files) < 0)
        return;
    keep_manifests(cache, &files, newest, names, &keep);
    if (keep.names.n)
        qsort(keep.names.v, keep.names.n, sizeof *keep.names.v, compare_names);
    for (size_t i = 0; i < files.n; i++)
        if (!is_kept(&keep, files.v[i]) && !is_temp(cache, files.v[i]))
            unlinkat(cache->fd, files.v[i], 0);
}
