#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "kura/stop.h"

static void a_whole_tree_is_recorded(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    put_everything(f->source);
    backup(f, NULL, &fileset);
    assert_int_equal(f->findings.n, 0);
    assert_string_equal(fileset.name, "media");
    assert_string_equal(fileset.root, f->source);
    assert_int_equal(fileset.files, 15);
    assert_int_equal(fileset.dirs, 4);
    assert_int_equal(fileset.symlinks, 4);
    assert_int_equal(fileset.others, 1);
    assert_int_equal(fileset.vanished + fileset.changed, 0);

    IndexEntry first = entry_of(f, &fileset, "hello.txt");
    assert_int_equal(first.type, 'f');
    assert_int_equal(first.size, 6);
    assert_int_equal(first.mode, 0644);
    assert_int_equal(first.n_parts, 1);
    IndexEntry second = entry_of(f, &fileset, "z-hard");
    assert_int_equal(second.type, 'h');
    assert_string_equal(second.target, "hello.txt");
    assert_string_equal(second.hash, first.hash);
    IndexEntry large = entry_of(f, &fileset, "three-chunks");
    assert_int_equal(large.n_parts, 3);
    assert_int_equal(large.parts[0].blob.kind, BLOB_RAW);
    index_entry_done(&first);
    index_entry_done(&second);
    index_entry_done(&large);
    fileset_done(&fileset);
}

/* The order is that of the bytes of whole paths: "a", "a!", "a.b", "a/b", not that of a recursive listing. */
static void paths_ascend(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    for (const char *const *path = (const char *const[]){"a/b", "a/a.c/d", "a/a/e", "a!", "a.b/c", "a0", "b", NULL};
         *path; path++)
        put_text(f->source, *path, *path);
    backup(f, NULL, &fileset);
    StrVec paths = paths_of(f, &fileset);
    static const char *const want[] = {"a", "a!", "a.b", "a.b/c", "a/a", "a/a.c", "a/a.c/d", "a/a/e", "a/b", "a0", "b"};
    assert_int_equal(paths.n, ARRAY_SIZE(want));
    for (size_t i = 0; i < paths.n; i++)
        assert_string_equal(paths.v[i], want[i]);
    strvec_done(&paths);
    fileset_done(&fileset);
}

static void the_second_night_stores_nothing(void **state)
{
    Fixture *f = *state;
    ManifestFileset first, second;
    put_everything(f->source);
    backup(f, NULL, &first);
    uint64_t all_bytes = f->totals.all_bytes;
    assert_int_equal(all_bytes, f->totals.new_bytes);
    backup(f, &first, &second);
    assert_int_equal(f->totals.new_blobs, 0);
    assert_int_equal(f->totals.all_bytes, all_bytes);
    assert_int_equal(f->totals.blobs, second.n_index);
    assert_int_equal(second.n_index, first.n_index);
    assert_int_equal(second.bytes, first.bytes);
    for (size_t i = 0; i < first.n_index; i++)
        assert_string_equal(first.index[i].hash, second.index[i].hash);
    fileset_done(&first);
    fileset_done(&second);
}

static void a_changed_file_gets_a_new_pack_alone(void **state)
{
    Fixture *f = *state;
    ManifestFileset first, second;
    for (unsigned i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%02u", i);
        put_noise(f->source, name, 2000, i);
    }
    backup(f, NULL, &first);
    put_noise(f->source, "f25", 2000, 999);
    backup(f, &first, &second);
    assert_int_equal(f->totals.blobs, second.n_index + 1);
    assert_in_range(f->totals.new_bytes, 2000, 20000);
    IndexEntry before = entry_of(f, &first, "f24"), after = entry_of(f, &second, "f24");
    IndexEntry changed = entry_of(f, &second, "f25");
    assert_string_equal(before.parts[0].blob.hash, after.parts[0].blob.hash);
    assert_string_not_equal(changed.parts[0].blob.hash, after.parts[0].blob.hash);
    index_entry_done(&before);
    index_entry_done(&after);
    index_entry_done(&changed);
    fileset_done(&first);
    fileset_done(&second);
}

static void a_chmod_stores_no_content(void **state)
{
    Fixture *f = *state;
    ManifestFileset first, second;
    put_everything(f->source);
    backup(f, NULL, &first);
    run_in(f->source, "chmod 0600 limit small/two one-chunk");
    backup(f, &first, &second);
    assert_int_equal(f->totals.new_blobs, 1); /* of the index */
    IndexEntry entry = entry_of(f, &second, "limit");
    assert_int_equal(entry.mode, 0600);
    index_entry_done(&entry);
    fileset_done(&first);
    fileset_done(&second);
}

static void packs_are_tars_for_everybody(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    put_text(f->source, "plain.txt", "plain\n");
    put_noise(f->source, "dir/noise", 5000, 7);
    put_text(f->source, "caf\xc3\xa9/\xff latin", "bytes");
    put_text(f->source, "\xe5\x86\x99\xe7\x9c\x9f/cafe\xcc\x81", "decomposed");
    _cleanup_free_ char *deep = xstrdup("");
    for (int i = 0; i < 10; i++) {
        char *deeper = xasprintf("%slong-directory-name-number-%d/", deep, i);
        free(deep);
        deep = deeper;
    }
    _cleanup_free_ char *deep_file = xasprintf("%sfile", deep);
    put_text(f->source, deep_file, "deep");
    run_in(f->source, "chmod 0604 plain.txt; touch -d '2020-02-02 02:02:02 UTC' plain.txt");
    backup(f, NULL, &fileset);

    /* Two readers may have filled a pack each. */
    StrVec paths = paths_of(f, &fileset);
    for (size_t i = 0; i < paths.n; i++) {
        IndexEntry entry = entry_of(f, &fileset, paths.v[i]);
        if (entry.type == 'f') {
            Buf pack = BUF_INIT(BLOB_STORED_MAX);
            assert_int_equal(blob_get(f->repo, &entry.parts[0].blob, &pack, NULL), 0);
            put_file(f->dir, "pack.tar", pack.data, pack.len);
            run_in(f->dir, "mkdir -p out && tar xpf pack.tar -C out 2>tar.errors && tar tf pack.tar >list && "
                           "test -s list && ! grep -v hdrcharset tar.errors");
            buf_done(&pack);
        }
        index_entry_done(&entry);
    }
    strvec_done(&paths);
    run_in(f->dir, "diff -r source out && test $(stat -c '%a %Y' out/plain.txt | tr ' ' ,) = 604,1580608922");
    fileset_done(&fileset);
}

static void holes_are_not_stored_as_zeros_over_and_over(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    run_in(f->source, "truncate -s 200M sparse && printf tail | dd of=sparse bs=1 seek=100M conv=notrunc status=none");
    backup(f, NULL, &fileset);
    assert_int_equal(fileset.bytes, 200 * 1024 * 1024);
    assert_int_equal(f->totals.new_blobs, 3 + fileset.n_index); /* zeros, the one with "tail", the short last one */
    IndexEntry entry = entry_of(f, &fileset, "sparse");
    assert_int_equal(entry.n_parts, 13);
    index_entry_done(&entry);
    restore(f, &fileset, NULL);
    run_in(f->dir, "cmp source/sparse target/sparse && test $(stat -c %b target/sparse) -lt 1000");
    fileset_done(&fileset);
}

/* Pages of a file that are in memory. */
static size_t pages_of(const Fixture *f, const char *path)
{
    unsigned char in_memory[1024];
    struct stat st;
    _cleanup_free_ char *full = in(f->source, path);
    _cleanup_close_ int fd = open(full, O_RDWR);
    assert_int_equal(fstat(fd, &st), 0);
    size_t pages = ((size_t)st.st_size + 4095) / 4096, n = 0;
    assert_true(pages <= sizeof in_memory && sysconf(_SC_PAGESIZE) >= 4096);
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mincore(map, (size_t)st.st_size, in_memory), 0);
    munmap(map, (size_t)st.st_size);
    for (size_t i = 0; i < pages; i++)
        n += in_memory[i] & 1;
    return n;
}

/* Writes a file whose pages are not in memory. */
static void put_cold(const Fixture *f, const char *path, size_t len, unsigned seed)
{
    put_noise(f->source, path, len, seed);
    _cleanup_free_ char *full = in(f->source, path);
    _cleanup_close_ int fd = open(full, O_RDWR);
    assert_int_equal(fdatasync(fd), 0);
    assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
}

/* What was not in memory is not left there, and what others have use for is. */
static void the_page_cache_stays_as_it_was(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    enum { SMALL = 50 * 1024, LARGE = 3 * 1024 * 1024, SMALL_PAGES = 13, LARGE_PAGES = 768 };
    put_cold(f, "cold/small", SMALL, 1);
    put_cold(f, "cold/large", LARGE, 2);
    put_noise(f->source, "warm/small", SMALL, 3);
    put_noise(f->source, "warm/large", LARGE, 4);
    if (pages_of(f, "cold/small") > 0) {
        print_message("a file system in memory has its files nowhere else\n");
        skip();
    }
    backup(f, NULL, &fileset);
    assert_int_equal(pages_of(f, "cold/small"), 0);
    assert_int_equal(pages_of(f, "cold/large"), 0);
    assert_int_equal(pages_of(f, "warm/small"), SMALL_PAGES);
    assert_int_equal(pages_of(f, "warm/large"), LARGE_PAGES);
    fileset_done(&fileset);
}

static void sockets_and_devices_are_skipped(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/sock", f->source);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    backup(f, NULL, &fileset);
    assert_int_equal(fileset.others, 1);
    assert_int_equal(findings_of(f, "special-file-skipped"), 1);
    assert_int_equal(findings_count(&f->findings, FINDING_WARNING), 0);
    StrVec paths = paths_of(f, &fileset);
    assert_int_equal(paths.n, 0);
    strvec_done(&paths);
    fileset_done(&fileset);
}

static void unreadable_files_are_named(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    bool root = geteuid() == 0;
    put_text(f->source, "open", "x");
    put_text(f->source, "secret\n", "x");
    put_text(f->source, "closed/inside", "x");
    run_in(f->dir, "chmod 0755 . source; chmod 0 source/secret* source/closed");
    if (root)
        assert_int_equal(seteuid(65534), 0);
    backup(f, NULL, &fileset);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(findings_of(f, "file-unreadable"), 2);
    assert_string_equal(f->findings.v[0].message[1] == 's' ? f->findings.v[0].message : f->findings.v[1].message,
                        "\"secret\\x0a\" could not be read: Permission denied");
    StrVec paths = paths_of(f, &fileset);
    assert_int_equal(paths.n, 2);
    assert_string_equal(paths.v[0], "closed");
    assert_string_equal(paths.v[1], "open");
    strvec_done(&paths);
    fileset_done(&fileset);
}

static void many_findings_are_counted(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    bool root = geteuid() == 0;
    run_in(f->source, "for i in $(seq 150); do echo x >$i; done; chmod 0 *; chmod 0755 .. .");
    if (root)
        assert_int_equal(seteuid(65534), 0);
    backup(f, NULL, &fileset);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(f->findings.n, 101);
    assert_string_equal(f->findings.v[100].message, "50 more findings of this kind (file-unreadable) are not listed");
    fileset_done(&fileset);
}

static void patterns_decide(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    StrVec include = {0}, exclude = {0};
    for (const char *const *path =
             (const char *const[]){"keep/a.png", "keep/b.tmp", "keep/cache/c.png", "other/d.png", "e.png", NULL};
         *path; path++)
        put_text(f->source, *path, *path);
    strvec_push(&include, "/keep/");
    strvec_push(&include, "/e.*");
    strvec_push(&exclude, "*.tmp");
    strvec_push(&exclude, "cache/");
    FilesetSpec spec = {.name = "media", .dir = f->source, .include = &include, .exclude = &exclude};
    backup_spec(f, &spec, NULL, &fileset);
    StrVec paths = paths_of(f, &fileset);
    assert_int_equal(paths.n, 3);
    assert_string_equal(paths.v[0], "e.png");
    assert_string_equal(paths.v[1], "keep");
    assert_string_equal(paths.v[2], "keep/a.png");
    strvec_done(&paths);
    strvec_done(&include);
    strvec_done(&exclude);
    fileset_done(&fileset);
}

/* Whole directories, files by name, a link that leads out; what somebody takes back is not left out. */
static void what_is_left_out_is_counted(void **state)
{
    Fixture *f = *state;
    Error err = ERROR_INIT;
    ManifestFileset fileset;
    FilesetSurvey survey;
    StrVec refetchable = {0}, exclude = {0};
    for (const char *const *path = (const char *const[]){"cache/a/b/c.png", "cache/d.png", "cache/mine/e.png",
                                                         "f.remote", "g.png", "h.tmp", NULL};
         *path; path++)
        put_text(f->source, *path, "12345");
    _cleanup_free_ char *link = xasprintf("%s/cache/a/out", f->source);
    assert_int_equal(symlink("/etc", link), 0);
    strvec_push(&refetchable, "/cache/*");
    strvec_push(&refetchable, "*.remote");
    strvec_push(&exclude, "!/cache/mine");
    strvec_push(&exclude, "*.tmp");
    FilesetSpec spec = {.name = "media", .dir = f->source, .exclude = &exclude, .refetchable = &refetchable};
    backup_spec(f, &spec, NULL, &fileset);
    assert_int_equal(fileset.files, 2); /* cache/mine/e.png, g.png */
    assert_int_equal(fileset.left_out_files, 3);
    assert_int_equal(fileset.left_out_bytes, 15);
    assert_int_equal(fileset_survey(&spec, 2, &survey, &err), 0);
    assert_int_equal(survey.files, 2);
    assert_int_equal(survey.bytes, 10);
    assert_int_equal(survey.left_out_files, 3);
    assert_int_equal(survey.left_out_bytes, 15);
    spec.dir = "/nonexistent";
    assert_int_equal(fileset_survey(&spec, 2, &survey, &err), -1);
    strvec_done(&refetchable);
    strvec_done(&exclude);
    fileset_done(&fileset);
}

/* Deeper than PATH_MAX, and than descriptors there are. */
static void depth_has_no_limit(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    enum { DEPTH = 450, DESCRIPTORS = 300 };
    struct rlimit usual;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){DESCRIPTORS, usual.rlim_max}), 0);
    int at = open(f->source, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(at, "directory", 0755), 0);
        int below = openat(at, "directory", O_RDONLY | O_DIRECTORY);
        int file = openat(at, "file", O_WRONLY | O_CREAT, 0644); /* sorts behind "directory/": needs the way back */
        assert_true(file >= 0);
        assert_int_equal(write(file, "deep", 4), 4);
        close(file);
        close(at);
        at = below;
    }
    close(at);
    backup(f, NULL, &fileset);
    assert_int_equal(f->findings.n, 0);
    assert_int_equal(fileset.dirs, DEPTH);
    assert_int_equal(fileset.files, DEPTH);
    FilesetRestoreStats stats = restore(f, &fileset, NULL);
    assert_int_equal(f->findings.n, 0);
    assert_int_equal(stats.written, DEPTH);
    stats = restore(f, &fileset, NULL);
    assert_int_equal(stats.kept, DEPTH);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    fileset_done(&fileset);
}

/* More entries than the pipeline holds, with something new here and there: packs must not hold up the index. */
static void many_files_stream_through(void **state)
{
    Fixture *f = *state;
    ManifestFileset first, second;
    run_in(f->source,
           "for d in $(seq 40); do mkdir $d && (cd $d && seq -f '%05g' 1000 | xargs touch); done; echo x >1/00500");
    backup(f, NULL, &first);
    assert_int_equal(first.files, 40000);
    assert_true(first.n_index >= 5);
    run_in(f->source, "for d in $(seq 40); do echo y$d >$d/00007; done");
    backup(f, &first, &second);
    assert_int_equal(second.files, 40000);
    assert_in_range(f->totals.blobs - second.n_index, 1, 6); /* packs */
    fileset_done(&first);
    fileset_done(&second);
}

static void a_change_touches_few_index_blobs(void **state)
{
    Fixture *f = *state;
    ManifestFileset first, second;
    run_in(f->source, "seq -f 'file-%06g' 30000 | xargs touch");
    backup(f, NULL, &first);
    run_in(f->source, "rm file-010000; touch file-020000x");
    backup(f, &first, &second);
    assert_true(first.n_index >= 6);
    assert_in_range(f->totals.new_blobs, 1, 4);
    fileset_done(&first);
    fileset_done(&second);
}

static void a_damaged_previous_index_costs_time_only(void **state)
{
    Fixture *f = *state;
    ManifestFileset first, second;
    char key[96];
    put_everything(f->source);
    backup(f, NULL, &first);
    blob_key(f->repo, &first.index[0], key);
    assert_int_equal(store_delete(f->store, key, NULL), 0);
    backup(f, &first, &second);
    assert_int_equal(findings_of(f, "previous-index"), 1);
    assert_int_equal(second.files, first.files);
    restore(f, &second, NULL);
    assert_same_tree(f->source, f->target);
    fileset_done(&first);
    fileset_done(&second);
}

static void a_missing_directory_is_an_error(void **state)
{
    Fixture *f = *state;
    Error err = ERROR_INIT;
    ManifestFileset fileset;
    FilesetSpec spec = {.name = "media", .dir = "/nonexistent"};
    Uploader *uploader = uploader_new(f->repo, 1, 1024);
    assert_int_equal(fileset_backup(&spec, f->repo, uploader, NULL, 1, &fileset, &f->findings, NULL, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    uploader_free(uploader);
}

/* A repository that takes nothing any more ends the backup at once, with its reason. */
static void a_failing_repository_ends_the_backup(void **state)
{
    Fixture *f = *state;
    Error err = ERROR_INIT;
    Store *store;
    Repo *repo;
    ManifestFileset fileset;
    FilesetSpec spec = {.name = "media", .dir = f->source};
    _cleanup_free_ char *location = in(f->dir, "repo");
    for (unsigned i = 0; i < 60; i++) {
        char name[32];
        snprintf(name, sizeof name, "%02u", i);
        put_noise(f->source, name, i % 7 ? 900 * 1024 : 2 * 1024 * 1024, i);
    }
    assert_int_equal(store_open(location, NULL, true, &store, &err), 0);
    assert_int_equal(repo_create(store, NULL, &err), 0);
    assert_int_equal(repo_open(store, &repo, &err), 0);
    run_in(f->dir, "rm -rf repo/blobs; echo >repo/blobs");
    Uploader *uploader = uploader_new(repo, 1, 1024 * 1024);
    assert_int_equal(fileset_backup(&spec, repo, uploader, NULL, 3, &fileset, &f->findings, NULL, &err), -1);
    if (strstr(err.message, "repo/blobs") == NULL)
        fail_msg("%s", err.message);
    uploader_free(uploader);
    repo_close(repo);
    store_close(store);
}

/* The last one: a stop that was asked for is never taken back. */
static void a_stop_ends_backup_and_restore(void **state)
{
    Fixture *f = *state;
    Error err = ERROR_INIT;
    ManifestFileset fileset, second;
    FilesetSpec spec = {.name = "media", .dir = f->source};
    FilesetRestoreStats stats;
    FilesetRestoreOptions options = {.jobs = 2};
    put_everything(f->source);
    backup(f, NULL, &fileset);
    stop_install();
    raise(SIGTERM);
    Uploader *uploader = uploader_new(f->repo, 1, 1024 * 1024);
    assert_int_equal(fileset_backup(&spec, f->repo, uploader, &fileset, 2, &second, &f->findings, NULL, &err), -1);
    assert_int_equal(err.code, ERR_INTERRUPTED);
    assert_int_equal(fileset_restore(f->repo, &fileset, f->target, &options, &stats, &f->findings, NULL, &err), -1);
    assert_int_equal(err.code, ERR_INTERRUPTED);
    uploader_free(uploader);
    fileset_done(&fileset);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_tree_is_recorded),
        TEST(paths_ascend),
        TEST(the_second_night_stores_nothing),
        TEST(a_changed_file_gets_a_new_pack_alone),
        TEST(a_chmod_stores_no_content),
        TEST(packs_are_tars_for_everybody),
        TEST(holes_are_not_stored_as_zeros_over_and_over),
        TEST(the_page_cache_stays_as_it_was),
        TEST(sockets_and_devices_are_skipped),
        TEST(unreadable_files_are_named),
        TEST(many_findings_are_counted),
        TEST(patterns_decide),
        TEST(what_is_left_out_is_counted),
        TEST(depth_has_no_limit),
        TEST(many_files_stream_through),
        TEST(a_change_touches_few_index_blobs),
        TEST(a_damaged_previous_index_costs_time_only),
        TEST(a_missing_directory_is_an_error),
        TEST(a_failing_repository_ends_the_backup),
        TEST(a_stop_ends_backup_and_restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
