/* Directories, files and tools for the tests of lib/flow; everything here asserts. */
#ifndef KURA_TEST_SCRATCH_H
#define KURA_TEST_SCRATCH_H

#include <stdbool.h>

#include "kura/buf.h"

/* A new directory under the build's temporary one, to be freed; and its removal with all that is in it. */
char *scratch_new(void);
void scratch_remove(char *dir);

Buf file_load(const char *path);
void file_save(const char *path, const void *data, size_t len);
void assert_same_file(const char *a, const char *b);
/* How many names a directory has, "." and ".." left out. */
size_t count_names(const char *dir);
/* Runs a tool that must succeed (status 0) and gives its standard output. */
Buf run_tool(const char *const *argv);
#define RUN(...) run_tool((const char *const[]){__VA_ARGS__, NULL})
/* The archive's data as a script, without pg_restore's comments and what differs from run to run. */
Buf data_of(const char *archive);
/* Runs body in a forked child; what it returns is the child's exit status, which must be 0. */
void run_forked(int (*body)(void *ctx), void *ctx);

#endif
