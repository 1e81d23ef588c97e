#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_priv.h"

#define check(call)                                                                                                    \
    do {                                                                                                               \
        if ((call) < 0)                                                                                                \
            fail_msg("%s: %s", #call, strerror(errno));                                                                \
    } while (0)

/* The store's own operations, and the same with reads counted. */
static const StoreOps *own_ops;
static StoreOps counting_ops;
static atomic_int n_gets;

static int counting_get(Store *store, const char *key, uint64_t offset, uint64_t length, Buf *out, Error *err)
{
    n_gets++;
    return own_ops->get(store, key, offset, length, out, err);
}

int gets(void)
{
    return atomic_exchange(&n_gets, 0);
}

int fixture_setup(void **state)
{
    Error err = ERROR_INIT;
    Fixture *f = xcalloc(1, sizeof *f);
    const char *tmp = getenv("TMPDIR");
    f->findings = (Findings)FINDINGS_INIT;
    f->dir = xasprintf("%s/kura-media-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    f->source = in(f->dir, "source");
    f->target = in(f->dir, "target");
    check(mkdir(f->source, 0755));
    if (store_open("mem:media", NULL, true, &f->store, &err) < 0 || repo_create(f->store, NULL, &err) < 0 ||
        repo_open(f->store, &f->repo, &err) < 0)
        fail_msg("%s", err.message);
    own_ops = f->store->ops;
    counting_ops = *own_ops;
    counting_ops.get = counting_get;
    f->store->ops = &counting_ops;
    *state = f;
    return 0;
}

int fixture_setup_remote(void **state)
{
    fixture_setup(state);
    Fixture *f = *state;
    f->store->remote = true;
    return 0;
}

int fixture_teardown(void **state)
{
    Fixture *f = *state;
    repo_close(f->repo);
    store_close(f->store);
    store_mem_forget("media");
    _cleanup_free_ char *command = xasprintf("chmod -R u+rwx '%s'; rm -rf '%s'", f->dir, f->dir);
    assert_int_equal(system(command), 0);
    findings_done(&f->findings);
    free(f->dir);
    free(f->source);
    free(f->target);
    free(f);
    return 0;
}

char *in(const char *dir, const char *path)
{
    return xasprintf("%s/%s", dir, path);
}

void run_in(const char *dir, const char *command)
{
    _cleanup_free_ char *line = xasprintf("cd '%s' && { %s\n}", dir, command);
    int status = system(line);
    if (status != 0)
        fail_msg("%s: status %d", command, status);
}

static void make_parents(const char *full, size_t base)
{
    _cleanup_free_ char *path = xstrdup(full);
    for (char *slash = path + base; (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            fail_msg("%s: %s", path, strerror(errno));
        *slash = '/';
    }
}

void make_dir(const char *dir, const char *path)
{
    _cleanup_free_ char *full = in(dir, path);
    make_parents(full, strlen(dir));
    check(mkdir(full, 0755));
}

void put_file(const char *dir, const char *path, const void *data, size_t len)
{
    _cleanup_free_ char *full = in(dir, path);
    make_parents(full, strlen(dir));
    _cleanup_close_ int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    check(fd);
    assert_int_equal(write(fd, data, len), len);
}

void put_text(const char *dir, const char *path, const char *text)
{
    put_file(dir, path, text, strlen(text));
}

uint8_t *noise(size_t len, unsigned seed)
{
    uint64_t x = 88172645463325252u + seed * 2654435761u;
    uint8_t *data = xmalloc(len);
    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = (uint8_t)(x >> 24);
    }
    return data;
}

void put_noise(const char *dir, const char *path, size_t len, unsigned seed)
{
    _cleanup_free_ uint8_t *data = noise(len, seed);
    put_file(dir, path, data, len);
}

Buf get_file(const char *dir, const char *path)
{
    _cleanup_free_ char *full = in(dir, path);
    Buf buf = BUF_INIT(256 * 1024 * 1024);
    FILE *file = fopen(full, "rb");
    if (file == NULL)
        fail_msg("%s: %s", full, strerror(errno));
    char piece[65536];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        assert_int_equal(buf_append(&buf, piece, n, NULL), 0);
    fclose(file);
    return buf;
}

bool exists(const char *dir, const char *path)
{
    struct stat st;
    _cleanup_free_ char *full = in(dir, path);
    return lstat(full, &st) == 0;
}

/* --- trees --- */

void put_everything(const char *dir)
{
    put_text(dir, "hello.txt", "hello\n");
    put_file(dir, "empty", "", 0);
    put_noise(dir, "small/one", 1000, 1);
    put_noise(dir, "small/two", 300 * 1024, 2);
    put_noise(dir, "limit", 1024 * 1024, 3);
    put_noise(dir, "one-chunk", 1024 * 1024 + 1, 4);
    put_noise(dir, "three-chunks", 33 * 1024 * 1024, 5);
    put_text(dir, "a/b", "below a");
    put_text(dir, "a.b", "beside a");
    put_text(dir, "a!", "before a.b");
    put_text(dir, "new\nline", "its name has a newline");
    put_text(dir, "caf\xc3\xa9/\xff\xfe latin", "its name is not UTF-8");
    char long_name[256] = {0};
    memset(long_name, 'n', 255);
    put_text(dir, long_name, "as long as a name can be");
    make_dir(dir, "empty-dir");
    run_in(dir, "ln -s ../outside/nothing dangling; ln -s /etc absolute; ln -s hello.txt link; ln -s \"$(printf "
                "'odd\\nt\\377arget')\" odd; ln hello.txt small/zz-hard; ln hello.txt z-hard; mkfifo fifo");
    run_in(dir, "chmod 0750 small; chmod 4755 a.b; chmod 0400 small/one; chmod 0640 fifo; chmod 0500 a");
    run_in(dir, "touch -h -d '2020-02-02 02:02:02.123456789' link; touch -d '1969-12-31 23:00:00.5 UTC' empty; "
                "touch -d '2031-01-01' a; touch -d '2001-01-01' . small empty-dir");
}

static void same_content(int a, int b, const char *name)
{
    char one[65536], two[65536];
    ssize_t n;
    while ((n = read(a, one, sizeof one)) > 0)
        if (read(b, two, sizeof two) != n || memcmp(one, two, (size_t)n) != 0)
            fail_msg("\"%s\" has another content", name);
    assert_int_equal(read(b, two, 1), 0);
}

static StrVec names_in(int fd)
{
    StrVec names = {0};
    DIR *dir = fdopendir(dup(fd));
    assert_non_null(dir);
    rewinddir(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strvec_push(&names, entry->d_name);
    closedir(dir);
    return names;
}

static void same_dir(int a, int b);

static void same_thing(int a, int b, const char *name)
{
    struct stat one, two;
    if (fstatat(a, name, &one, AT_SYMLINK_NOFOLLOW) < 0 || fstatat(b, name, &two, AT_SYMLINK_NOFOLLOW) < 0)
        fail_msg("\"%s\" is on one side only", name);
    if (one.st_mode != two.st_mode)
        fail_msg("\"%s\" has mode %o and %o", name, one.st_mode, two.st_mode);
    if (one.st_mtim.tv_sec != two.st_mtim.tv_sec || one.st_mtim.tv_nsec != two.st_mtim.tv_nsec)
        fail_msg("\"%s\" has another time", name);
    if (!S_ISDIR(one.st_mode) && (one.st_nlink != two.st_nlink || one.st_size != two.st_size))
        fail_msg("\"%s\" has another number of names, or size", name);
    if (S_ISLNK(one.st_mode)) {
        char left[1024], right[1024];
        ssize_t len = readlinkat(a, name, left, sizeof left);
        assert_int_equal(readlinkat(b, name, right, sizeof right), len);
        assert_memory_equal(left, right, len);
    } else if (S_ISREG(one.st_mode) || S_ISDIR(one.st_mode)) {
        _cleanup_close_ int left = openat(a, name, O_RDONLY | O_NOFOLLOW);
        _cleanup_close_ int right = openat(b, name, O_RDONLY | O_NOFOLLOW);
        check(left);
        check(right);
        if (S_ISDIR(one.st_mode))
            same_dir(left, right);
        else
            same_content(left, right, name);
    }
}

static void same_dir(int a, int b)
{
    _cleanup_(strvec_done) StrVec left = names_in(a);
    _cleanup_(strvec_done) StrVec right = names_in(b);
    for (size_t i = 0; i < left.n; i++)
        same_thing(a, b, left.v[i]);
    for (size_t i = 0; i < right.n; i++)
        if (!strvec_contains(&left, right.v[i]))
            fail_msg("\"%s\" is on the second side only", right.v[i]);
}

void assert_same_tree(const char *a, const char *b)
{
    _cleanup_close_ int left = open(a, O_RDONLY | O_DIRECTORY);
    _cleanup_close_ int right = open(b, O_RDONLY | O_DIRECTORY);
    check(left);
    check(right);
    same_dir(left, right);
}

/* --- backup and restore --- */

void forget_findings(Fixture *f)
{
    findings_done(&f->findings);
}

void backup_spec(Fixture *f, const FilesetSpec *spec, const ManifestFileset *previous, ManifestFileset *ret)
{
    Error err = ERROR_INIT;
    Progress progress = PROGRESS_INIT;
    Uploader *uploader = uploader_new(f->repo, 2, 64 * 1024 * 1024);
    forget_findings(f);
    if (fileset_backup(spec, f->repo, uploader, previous, 2, ret, &f->findings, &progress, &err) < 0 ||
        uploader_finish(uploader, &f->totals, &err) < 0)
        fail_msg("%s", err.message);
    uploader_free(uploader);
}

void backup(Fixture *f, const ManifestFileset *previous, ManifestFileset *ret)
{
    FilesetSpec spec = {.name = "media", .dir = f->source};
    backup_spec(f, &spec, previous, ret);
}

FilesetRestoreStats restore(Fixture *f, const ManifestFileset *fileset, const StrVec *include)
{
    Error err = ERROR_INIT;
    FilesetRestoreStats stats;
    FilesetPaths *paths = NULL;
    if (include)
        assert_int_equal(fileset_paths_new(include, &paths, &err), 0);
    FilesetRestoreOptions options = {.paths = paths, .owners = geteuid() == 0, .jobs = 2};
    forget_findings(f);
    if (fileset_restore(f->repo, fileset, f->target, &options, &stats, &f->findings, NULL, &err) < 0)
        fail_msg("%s", err.message);
    fileset_paths_free(paths);
    return stats;
}

void fileset_done(ManifestFileset *fileset)
{
    manifest_fileset_done(fileset);
}

size_t findings_of(const Fixture *f, const char *code)
{
    size_t n = 0;
    for (size_t i = 0; i < f->findings.n; i++)
        n += strcmp(f->findings.v[i].code, code) == 0;
    return n;
}

IndexEntry entry_of(Fixture *f, const ManifestFileset *fileset, const char *path)
{
    Error err = ERROR_INIT;
    const IndexEntry *entry;
    IndexEntry result = {0};
    IndexReader *reader = index_reader_new(f->repo, fileset);
    int rc;
    while ((rc = index_reader_next(reader, &entry, &err)) > 0) {
        if (strcmp(entry->path, path) != 0)
            continue;
        _cleanup_(buf_done) Buf line = BUF_INIT(1024 * 1024);
        assert_int_equal(index_entry_format(entry, &line, NULL), 0);
        assert_int_equal(index_entry_parse((char *)line.data, line.len, &result, NULL), 0);
    }
    index_reader_free(reader);
    if (rc < 0)
        fail_msg("%s", err.message);
    if (result.path == NULL)
        fail_msg("no entry \"%s\"", path);
    return result;
}

StrVec paths_of(Fixture *f, const ManifestFileset *fileset)
{
    Error err = ERROR_INIT;
    const IndexEntry *entry;
    StrVec paths = {0};
    IndexReader *reader = index_reader_new(f->repo, fileset);
    int rc;
    while ((rc = index_reader_next(reader, &entry, &err)) > 0)
        strvec_push(&paths, entry->path);
    index_reader_free(reader);
    if (rc < 0)
        fail_msg("%s", err.message);
    return paths;
}

int read_entry(Fixture *f, const IndexEntry *entry, int (*fn)(void *ctx, const void *data, size_t len, Error *err),
               void *ctx, Error *err)
{
    EntryReader *reader = entry_reader_new(f->repo);
    int rc = entry_reader_read(reader, entry, fn, ctx, err);
    entry_reader_free(reader);
    return rc;
}
