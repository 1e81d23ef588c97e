#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "kura/buf.h"
#include "kura/mem.h"
#include "tempdir.h"

extern char **environ;

static void forget_aws(void)
{
    StrVec names = {0};
    for (char **entry = environ; *entry; entry++)
        if (strncmp(*entry, "AWS_", 4) == 0)
            strvec_pushf(&names, "%.*s", (int)strcspn(*entry, "="), *entry);
    for (size_t i = 0; i < names.n; i++)
        unsetenv(names.v[i]);
    strvec_done(&names);
}

int world_setup(void **state)
{
    forget_aws();
    char *home = tempdir_new();
    setenv("HOME", home, 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    *state = home;
    return 0;
}

int world_teardown(void **state)
{
    tempdir_remove(*state);
    free(*state);
    return 0;
}

void world_write(const char *home, const char *name, const char *text, size_t len)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", home, name);
    char *slash = strrchr(path, '/');
    *slash = 0;
    mkdir(path, 0700);
    *slash = '/';
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}
