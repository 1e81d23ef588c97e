#include "leftout.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kura/stop.h"

/* Each level holds a descriptor. What is deeper does not count: no cache is. */
enum { DEPTH_MAX = 64 };

void left_out_add(LeftOut *totals, const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return;
    totals->files++;
    totals->bytes += (uint64_t)st->st_size;
}

static int count_below(LeftOut *totals, int dir_fd, const char *name, unsigned depth, Error *err);

static int count_item(LeftOut *totals, int dir_fd, const struct dirent *item, unsigned depth, Error *err)
{
    struct stat st;
    bool is_dir = item->d_type == DT_DIR;
    if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
        return 0;
    if (!is_dir && fstatat(dir_fd, item->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        is_dir = S_ISDIR(st.st_mode); /* not every file system tells at once */
        left_out_add(totals, &st);
    }
    return is_dir ? count_below(totals, dir_fd, item->d_name, depth + 1, err) : 0;
}

static int count_below(LeftOut *totals, int dir_fd, const char *name, unsigned depth, Error *err)
{
    if (stop_check(err) < 0)
        return -1;
    int fd = depth < DEPTH_MAX ? openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    int rc = 0;
    for (struct dirent *item; rc == 0 && (item = readdir(dir)) != NULL;)
        rc = count_item(totals, fd, item, depth, err);
    closedir(dir);
    return rc;
}

int left_out_below(LeftOut *totals, int dir_fd, const char *name, Error *err)
{
    return count_below(totals, dir_fd, name, 0, err);
}
