/* A tree of many files, the same each time: directories 16 levels deep, about a hundred files in each, sizes that
 * spread around the mean and cannot be compressed.
 *
 *   filetree make DIR FILES BYTES            BYTES over all files; with 0 every file is a hole of 4 KiB
 *   filetree sparse DIR FILES BYTES          large ones beside them, all hole but for 64 KiB in the middle
 *   filetree change DIR FILES BYTES ROUND    one file in a hundred is written anew, others each round */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_A_DIR = 100, LEVELS = 16, BLOCK = 1 << 16, HOLE = 4096 };

static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static void fail(const char *path)
{
    fprintf(stderr, "filetree: \"%s\": %s\n", path, strerror(errno));
    exit(1);
}

/* Five levels that fan out by eight, and behind them as many more as the directory's number says. */
static void dir_path(uint64_t dir, const char *root, char *ret, size_t size)
{
    int len = snprintf(ret, size, "%s/%02x", root, (unsigned)(dir >> 15));
    for (int shift = 12; shift >= 0; shift -= 3)
        len += snprintf(ret + len, size - (size_t)len, "/%u", (unsigned)(dir >> shift) & 7);
    for (uint64_t more = mix(dir) % (LEVELS - 6); more; more--)
        len += snprintf(ret + len, size - (size_t)len, "/below");
}

static void make_dirs(char *path)
{
    for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            fail(path);
        *slash = '/';
    }
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        fail(path);
}

/* From nothing to twice the mean. */
static uint64_t size_of(uint64_t file, uint64_t mean)
{
    return mean ? mix(file ^ 0x517A) % (2 * mean + 1) : 0;
}

static void write_file(const char *path, uint64_t size, uint64_t seed)
{
    static uint64_t block[BLOCK / 8];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        fail(path);
    while (size) {
        size_t len = size < BLOCK ? size : BLOCK;
        for (size_t i = 0; i < (len + 7) / 8; i++)
            block[i] = seed = mix(seed);
        if (write(fd, block, len) != (ssize_t)len)
            fail(path);
        size -= len;
    }
    close(fd);
}

static void make_hole(const char *path, uint64_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
        fail(path);
    close(fd);
}

static void make_sparse(const char *path, uint64_t size, uint64_t seed)
{
    static uint64_t block[BLOCK / 8];
    make_hole(path, size);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i < BLOCK / 8; i++)
        block[i] = seed = mix(seed);
    if (fd < 0 || pwrite(fd, block, BLOCK, (off_t)(size / 2)) != BLOCK)
        fail(path);
    close(fd);
}

int main(int argc, char **argv)
{
    int change = argc == 6 && strcmp(argv[1], "change") == 0;
    int sparse = argc == 5 && strcmp(argv[1], "sparse") == 0;
    if (!change && !sparse && (argc != 5 || strcmp(argv[1], "make") != 0)) {
        fputs("filetree make|sparse DIR FILES BYTES | change DIR FILES BYTES ROUND\n", stderr);
        return 2;
    }
    uint64_t files = strtoull(argv[3], NULL, 10), bytes = strtoull(argv[4], NULL, 10);
    uint64_t round = change ? strtoull(argv[5], NULL, 10) : 0;
    char path[4096], dir[4000];
    for (uint64_t file = 0; file < files; file++) {
        if (change && mix(file) % 100 != round % 100)
            continue;
        dir_path(file / FILES_A_DIR, argv[2], dir, sizeof dir);
        if (!change && file % FILES_A_DIR == 0)
            make_dirs(dir);
        snprintf(path, sizeof path, "%s/%016jx.%s", dir, (uintmax_t)mix(file), sparse ? "iso" : "webp");
        if (sparse)
            make_sparse(path, bytes / files, mix(file));
        else if (bytes == 0 && !change)
            make_hole(path, HOLE);
        else
            write_file(path, bytes ? size_of(file, bytes / files) : HOLE, mix(file) + round);
    }
    return 0;
}
