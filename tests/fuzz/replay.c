/* Runs a fuzz target over all files of the directories given as arguments, and fails when one of them has none. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static size_t replayed;

static void die(const char *path)
{
    perror(path);
    exit(1);
}

static int replay_file(const char *path, const struct stat *st, int type, struct FTW *place)
{
    if (type == FTW_DNR || type == FTW_NS)
        die(path);
    if (type != FTW_F)
        return 0;
    FILE *file = fopen(path, "rb");
    size_t len = (size_t)st->st_size;
    uint8_t *data = malloc(len ? len : 1); /* exactly as large as the file: a sanitizer sees a read behind its end */
    if (file == NULL || data == NULL || fread(data, 1, len, file) != len)
        die(path);
    fclose(file);
    if (LLVMFuzzerTestOneInput(data, len) != 0)
        exit(1);
    free(data);
    replayed++;
    return 0;
}

int main(int argc, char **argv)
{
    size_t all = 0;
    for (int i = 1; i < argc; i++) {
        replayed = 0;
        if (nftw(argv[i], replay_file, 16, FTW_PHYS) < 0)
            die(argv[i]);
        if (replayed == 0) {
            fprintf(stderr, "%s: nothing to replay\n", argv[i]);
            return 1;
        }
        all += replayed;
    }
    if (all == 0)
        fprintf(stderr, "usage: %s DIRECTORY...\n", argv[0]);
    else
        printf("%zu inputs\n", all);
    return all == 0;
}
