#include "listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/mem.h"

#define CACHE_TAG "CACHEDIR.TAG"
#define CACHE_SIGNATURE "Signature: 8a477f597d28d172789f06886806bc55"

static int compare_items(const void *a, const void *b, void *names)
{
    const ListingItem *left = a, *right = b;
    const unsigned char *l = (const unsigned char *)names + left->name;
    const unsigned char *r = (const unsigned char *)names + right->name;
    while (*l && *l == *r) {
        l++;
        r++;
    }
    int left_byte = *l ? *l : left->below ? '/' : 0;
    int right_byte = *r ? *r : right->below ? '/' : 0;
    return left_byte - right_byte;
}

static void add_item(Listing *listing, const char *name, bool is_dir)
{
    for (int below = 0; below <= is_dir; below++) {
        xgrow(&listing->items, &listing->cap, listing->n);
        listing->items[listing->n++] = (ListingItem){.name = listing->names.len, .below = below};
    }
    if (buf_append(&listing->names, name, strlen(name) + 1, NULL) < 0)
        abort(); /* its only limit is the address space */
}

static bool is_directory(int fd, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int read_names(Listing *listing, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;
    if (dir == NULL) {
        int error = errno;
        close_fd(&copy);
        return error;
    }
    while ((errno = 0, entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            add_item(listing, entry->d_name, is_directory(fd, entry));
    int error = errno;
    closedir(dir);
    return error;
}

static bool has_name(const Listing *listing, const char *name)
{
    for (size_t i = 0; i < listing->n; i++)
        if (strcmp(listing_name(listing, &listing->items[i]), name) == 0)
            return true;
    return false;
}

/* O_NONBLOCK: a fifo of that name must not hold us up. */
static bool has_signature(int dir)
{
    char begin[sizeof CACHE_SIGNATURE - 1];
    _cleanup_close_ int fd = openat(dir, CACHE_TAG, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd >= 0 && read(fd, begin, sizeof begin) == (ssize_t)sizeof begin &&
           memcmp(begin, CACHE_SIGNATURE, sizeof begin) == 0;
}

int listing_read(Listing *ret, int fd, bool exclude_caches)
{
    *ret = (Listing){.names = BUF_INIT(SIZE_MAX / 2)};
    int error = read_names(ret, fd);
    if (exclude_caches && has_name(ret, CACHE_TAG) && has_signature(fd)) {
        listing_done(ret);
        add_item(ret, CACHE_TAG, false);
    }
    if (ret->n)
        qsort_r(ret->items, ret->n, sizeof *ret->items, compare_items, ret->names.data);
    return error;
}

void listing_done(Listing *listing)
{
    buf_done(&listing->names);
    free(listing->items);
    listing->items = NULL;
    listing->n = listing->cap = 0;
}
