#include "tempdir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "kura/mem.h"

char *tempdir_new(void)
{
    const char *parent = getenv("TMPDIR");
    char *path = xasprintf("%s/kura-test-XXXXXX", parent ? parent : "/tmp");
    if (mkdtemp(path) == NULL)
        abort();
    return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void tempdir_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
