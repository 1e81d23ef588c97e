/* Where a host keeps its key files. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyfile_priv.h"
#include "kura/secret.h"

#define SUFFIX ".key"

/* NULL when there is none. To be freed. */
static char *key_directory(void)
{
    if (geteuid() == 0)
        return xstrdup("/etc/kura/keys");
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && config[0] == '/')
        return xasprintf("%s/kura/keys", config);
    return home && home[0] == '/' ? xasprintf("%s/.config/kura/keys", home) : NULL;
}

char *keyfile_path(const char *repository)
{
    _cleanup_free_ char *dir = key_directory();
    return dir ? xasprintf("%s/%s" SUFFIX, dir, repository) : NULL;
}

/* Makes every directory of a path that is missing. */
static int make_directories(const char *path, Error *err)
{
    _cleanup_free_ char *copy = xstrdup(path);
    for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = 0;
        if (mkdir(copy, 0700) < 0 && errno != EEXIST)
            return error_errno(err, errno, "cannot make the directory \"%s\"", copy);
        if (slash == NULL)
            return 0;
        *slash = '/';
    }
}

static int make_key_directory(const char *path, Error *err)
{
    _cleanup_free_ char *dir = key_directory();
    size_t len = dir ? strlen(dir) : 0;
    if (len == 0 || strncmp(path, dir, len) != 0 || path[len] != '/')
        return 0;
    return make_directories(dir, err);
}

int keyfile_write(const char *path, const KeyFile *file, bool replace, Error *err)
{
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(KEYFILE_MAX);
    if (keyfile_format(file, &text, err) < 0 || make_key_directory(path, err) < 0)
        return -1;
    int rc = replace ? secret_file_replace(path, text.data, text.len, err)
                     : secret_file_create(path, text.data, text.len, err);
    return rc < 0 ? error_wrap(err, "writing the key file") : 0;
}

/* Whether the key file of that name in dir is one of a repository at location. One that cannot be read is no reason to
 * hinder those who use others. */
static bool is_of(const char *path, const char *location)
{
    _cleanup_(keyfile_free_cleanup) KeyFile *file = NULL;
    return keyfile_read(path, &file, NULL) == 0 && strcmp(file->location, location) == 0;
}

char *keyfile_find(const char *location)
{
    _cleanup_free_ char *dir = key_directory();
    DIR *entries = dir && location[0] ? opendir(dir) : NULL;
    char *found = NULL;
    struct dirent *entry;
    while (entries && found == NULL && (entry = readdir(entries))) {
        size_t len = strlen(entry->d_name);
        if (len <= strlen(SUFFIX) || strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) != 0)
            continue;
        char *path = xasprintf("%s/%s", dir, entry->d_name);
        if (is_of(path, location))
            found = path;
        else
            free(path);
    }
    if (entries)
        closedir(entries);
    return found;
}

void keyfile_location(const Store *store, char ret[LOCATION_SIZE])
{
    const char *name = store_name(store);
    _cleanup_free_ char *resolved = NULL;
    if (!store_is_remote(store))
        resolved = realpath(strncmp(name, "dir:", 4) == 0 ? name + 4 : name, NULL);
    const char *text = resolved ? resolved : name;
    size_t len = strlen(text);
    while (len > 1 && text[len - 1] == '/')
        len--;
    bool fits = len < LOCATION_SIZE;
    for (size_t i = 0; i < len; i++)
        fits = fits && (unsigned char)text[i] >= ' '; /* a line of the key file must hold it */
    memcpy(ret, text, fits ? len : 0);
    ret[fits ? len : 0] = 0;
}
