/* Files that change while they are read: the backup goes on, says so, and what it has is consistent in itself. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 40 };

typedef struct Disturber {
    const char *dir;
    void (*disturb)(const char *path, unsigned turn);
    atomic_bool stop;
    pthread_t thread;
} Disturber;

static void *disturb(void *arg)
{
    Disturber *self = arg;
    for (unsigned turn = 0; !self->stop; turn++) {
        _cleanup_free_ char *path = xasprintf("%s/%02u", self->dir, turn % FILES);
        self->disturb(path, turn);
    }
    return NULL;
}

static void append(const char *path, unsigned turn)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND);
    assert_true(fd < 0 || write(fd, "more", 4) == 4);
}

static void shrink_and_grow(const char *path, unsigned turn)
{
    assert_true(truncate(path, turn % 3 ? 100 : 3 * 1024 * 1024) == 0 || errno == ENOENT);
}

static void remove_and_make(const char *path, unsigned turn)
{
    if (turn % 3 == 0) {
        unlink(path);
        return;
    }
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT, 0644);
    assert_true(fd < 0 || write(fd, "again", 5) == 5 || errno == EISDIR);
}

/* The worst: a file becomes a link out of the tree, a directory, a fifo, a file again. */
static void become_something_else(const char *path, unsigned turn)
{
    _cleanup_free_ char *temp = xasprintf("%s.new", path);
    unlink(temp);
    rmdir(path);
    unlink(path);
    int rc;
    switch (turn / FILES % 4) {
    case 0:
        rc = symlink("../secret", path);
        break;
    case 1:
        rc = mkdir(path, 0755);
        break;
    case 2:
        rc = mkfifo(path, 0644);
        break;
    default:
        rc = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (rc >= 0) {
            assert_int_equal(write(rc, "file", 4), 4);
            close(rc);
        }
        break;
    }
    assert_true(rc >= 0);
}

static int keep_content(void *ctx, const void *data, size_t len, Error *err)
{
    return buf_append(ctx, data, len, err);
}

/* Every entry can be read back, has the size and the hash that it says, and nothing from outside. */
static void assert_consistent(Fixture *f, const ManifestFileset *fileset)
{
    Error err = ERROR_INIT;
    const IndexEntry *entry;
    IndexReader *reader = index_reader_new(f->repo, fileset);
    int rc;
    while ((rc = index_reader_next(reader, &entry, &err)) > 0) {
        if (entry->type != 'f')
            continue;
        Buf content = BUF_INIT(64 * 1024 * 1024);
        if (read_entry(f, entry, keep_content, &content, &err) < 0)
            fail_msg("%s", err.message);
        assert_int_equal(content.len, entry->size);
        assert_null(content.len >= 6 ? memmem(content.data, content.len, "SECRET", 6) : NULL);
        buf_done(&content);
    }
    index_reader_free(reader);
    if (rc < 0)
        fail_msg("%s", err.message);
}

static void backups_under(Fixture *f, void (*how)(const char *, unsigned), size_t size)
{
    Disturber disturber = {.dir = f->source, .disturb = how};
    ManifestFileset previous = {0};
    put_text(f->dir, "secret", "SECRET");
    for (unsigned i = 0; i < FILES; i++) {
        char name[16];
        snprintf(name, sizeof name, "%02u", i);
        put_noise(f->source, name, size, i);
    }
    assert_int_equal(pthread_create(&disturber.thread, NULL, disturb, &disturber), 0);
    uint64_t disturbed = 0;
    for (int round = 0; round < 5 || (disturbed == 0 && round < 300); round++) {
        ManifestFileset fileset;
        backup(f, round ? &previous : NULL, &fileset);
        assert_consistent(f, &fileset);
        assert_int_equal(fileset.vanished, findings_of(f, "file-vanished"));
        assert_int_equal(fileset.changed, findings_of(f, "file-changed"));
        assert_int_equal(f->findings.n, fileset.vanished + fileset.changed);
        disturbed += fileset.vanished + fileset.changed;
        fileset_done(&previous);
        previous = fileset;
    }
    disturber.stop = true;
    pthread_join(disturber.thread, NULL);
    assert_true(disturbed > 0);
    /* Once it is quiet, a backup is exact again. */
    ManifestFileset quiet;
    backup(f, &previous, &quiet);
    assert_int_equal(f->findings.n, 0);
    restore(f, &quiet, NULL);
    assert_same_tree(f->source, f->target);
    fileset_done(&previous);
    fileset_done(&quiet);
}

static void files_that_grow(void **state)
{
    backups_under(*state, append, 200 * 1024);
}

static void large_files_that_grow(void **state)
{
    backups_under(*state, append, 1200 * 1024);
}

static void files_that_shrink(void **state)
{
    backups_under(*state, shrink_and_grow, 2 * 1024 * 1024);
}

static void files_that_vanish(void **state)
{
    backups_under(*state, remove_and_make, 20 * 1024);
}

static void files_that_become_something_else(void **state)
{
    backups_under(*state, become_something_else, 20 * 1024);
}

/* A change that nothing but ctime tells: mtime and size are as before. */
static void a_disguised_change_is_seen(void **state)
{
    Fixture *f = *state;
    ManifestFileset first, second;
    put_text(f->source, "file", "before");
    backup(f, NULL, &first);
    run_in(f->source, "touch -r file ../stamp; printf after! >file; touch -r ../stamp file");
    backup(f, &first, &second);
    restore(f, &second, NULL);
    Buf content = get_file(f->target, "file");
    assert_string_equal(buf_str(&content), "after!");
    buf_done(&content);
    fileset_done(&first);
    fileset_done(&second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(files_that_grow),
        TEST(large_files_that_grow),
        TEST(files_that_shrink),
        TEST(files_that_vanish),
        TEST(files_that_become_something_else),
        TEST(a_disguised_change_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
