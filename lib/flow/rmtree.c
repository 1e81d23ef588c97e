#include "rmtree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Takes over fd. */
static void empty_dir(int fd)
{
    fchmod(fd, 0700); /* a restored directory may have come with less */
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) == 0)
            continue;
        struct stat st;
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
            continue;
        if ((st.st_mode & 0700) != 0700 && fchmodat(dirfd(dir), entry->d_name, 0700, 0) < 0)
            continue;
        int below = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            empty_dir(below);
        unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

void rmtree(const char *path, bool keep_top)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (keep_top ? 0 : O_NOFOLLOW));
    if (fd >= 0)
        empty_dir(fd);
    if (!keep_top)
        rmdir(path);
}
