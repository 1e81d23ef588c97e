#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/proc.h"

char *scratch_new(void)
{
    const char *base = getenv("TMPDIR");
    char *dir = xasprintf("%s/kura-flow-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(dir));
    return dir;
}

void scratch_remove(char *dir)
{
    Buf out = RUN("rm", "-rf", "--", dir);
    buf_done(&out);
    free(dir);
}

Buf file_load(const char *path)
{
    Buf buf = BUF_INIT(64 * 1024 * 1024);
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    char piece[65536];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        assert_int_equal(buf_append(&buf, piece, n, NULL), 0);
    fclose(file);
    return buf;
}

void file_save(const char *path, const void *data, size_t len)
{
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

void assert_same_file(const char *a, const char *b)
{
    Buf x = file_load(a), y = file_load(b);
    if (x.len != y.len || (x.len > 0 && memcmp(x.data, y.data, x.len) != 0))
        fail_msg("%s and %s differ", a, b);
    buf_done(&x);
    buf_done(&y);
}

size_t count_names(const char *dir)
{
    DIR *stream = opendir(dir);
    assert_non_null(stream);
    size_t n = 0;
    while (readdir(stream) != NULL)
        n++;
    closedir(stream);
    return n - 2;
}

Buf run_tool(const char *const *argv)
{
    Error err = ERROR_INIT;
    Buf out = BUF_INIT(64 * 1024 * 1024);
    const ProcSpec spec = {.argv = argv};
    if (proc_run(&spec, &out, &err) < 0)
        fail_msg("%s", err.message);
    return out;
}

Buf data_of(const char *archive)
{
    Buf script = RUN(PG_RESTORE, "--data-only", "--no-owner", "--no-acl", "--file=-", archive),
        data = BUF_INIT(SIZE_MAX);
    for (const char *line = buf_str(&script); *line; line += strcspn(line, "\n") + 1)
        if (strncmp(line, "-- ", 3) != 0 && strncmp(line, "\\restrict ", 10) != 0 &&
            strncmp(line, "\\unrestrict ", 12) != 0)
            assert_int_equal(buf_append(&data, line, strcspn(line, "\n") + 1, NULL), 0);
    buf_done(&script);
    return data;
}

void run_forked(int (*body)(void *ctx), void *ctx)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(body(ctx));
    int status;
    assert_true(pid > 0);
    assert_true(waitpid(pid, &status, 0) == pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}
