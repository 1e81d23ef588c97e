#include "fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_round_trip_is_exact(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    put_everything(f->source);
    backup(f, NULL, &fileset);
    FilesetRestoreStats stats = restore(f, &fileset, NULL);
    assert_int_equal(f->findings.n, 0);
    assert_int_equal(stats.kept, 0);
    assert_int_equal(stats.written, fileset.files + fileset.symlinks + fileset.others);
    assert_int_equal(stats.written_bytes, fileset.bytes);
    assert_same_tree(f->source, f->target);
    fileset_done(&fileset);
}

static void what_is_right_is_kept(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    put_everything(f->source);
    backup(f, NULL, &fileset);
    restore(f, &fileset, NULL);
    FilesetRestoreStats stats = restore(f, &fileset, NULL);
    assert_int_equal(stats.written, 0);
    assert_int_equal(stats.kept, fileset.files + fileset.symlinks + fileset.others);

    /* Same size and time, other content; mode and time alone; gone; one more. */
    run_in(f->target, "printf HELLO >limit.new && dd if=limit of=limit.new bs=1 skip=5 seek=5 status=none && "
                      "touch -r limit limit.new && mv limit.new limit && chmod 0600 'a!' && "
                      "touch one-chunk && rm link && echo extra >extra");
    stats = restore(f, &fileset, NULL);
    assert_int_equal(f->findings.n, 0);
    assert_int_equal(stats.written, 2);
    assert_true(exists(f->target, "extra"));
    run_in(f->target, "rm extra");
    assert_same_tree(f->source, f->target);
    fileset_done(&fileset);
}

/* It is made with what it had, whatever the umask says; one that is there is left alone. */
static void the_directory_itself(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    const bool root = geteuid() == 0;
    put_text(f->source, "file", "content");
    run_in(f->source, root ? "chmod 2775 . && chown daemon:mail . file" : "chmod 2775 .");
    mode_t before = umask(077);
    backup(f, NULL, &fileset);
    restore(f, &fileset, NULL);
    run_in(f->target, "test $(stat -c %a .) = 2775");
    if (root)
        run_in(f->target, "test $(stat -c %U:%G .) = daemon:mail");
    run_in(f->target, "chmod 00711 .");
    restore(f, &fileset, NULL);
    run_in(f->target, "test $(stat -c %a .) = 711");
    umask(before);
    fileset_done(&fileset);
}

/* A process that reads the old file goes on to read the old file. */
static void a_file_is_replaced_not_overwritten(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    put_text(f->source, "file", "new content");
    backup(f, NULL, &fileset);
    put_text(f->dir, "outside", "old content");
    run_in(f->dir, "mkdir target && ln outside target/file");
    restore(f, &fileset, NULL);
    Buf outside = get_file(f->dir, "outside");
    assert_string_equal(buf_str(&outside), "old content");
    buf_done(&outside);
    assert_same_tree(f->source, f->target);
    fileset_done(&fileset);
}

static void a_further_name_elsewhere_is_not_touched(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    put_text(f->source, "file", "content");
    run_in(f->source, "chmod 0777 file");
    backup(f, NULL, &fileset);
    put_text(f->dir, "outside", "content");
    run_in(f->dir, "chmod 0600 outside; mkdir target && ln outside target/file");
    restore(f, &fileset, NULL);
    run_in(f->dir, "test $(stat -c %a outside) = 600 && test $(stat -c %a target/file) = 777");
    fileset_done(&fileset);
}

static void links_lead_nowhere(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    put_text(f->source, "dir/file", "from the backup");
    put_text(f->source, "plain", "from the backup");
    put_text(f->source, "deep/er/file", "from the backup");
    run_in(f->source, "ln plain hard");
    backup(f, NULL, &fileset);
    make_dir(f->dir, "outside");
    put_text(f->dir, "outside/victim", "untouched");
    run_in(f->dir, "mkdir -p target/deep && ln -s ../outside target/dir && ln -s ../outside/victim target/plain && "
                   "ln -s ../outside/victim target/hard && ln -s ../../outside target/deep/er && "
                   "chmod 0755 outside && touch -d 2001-01-01 outside");
    restore(f, &fileset, NULL);
    assert_true(findings_of(f, "in-the-way") >= 5);
    assert_int_equal(findings_count(&f->findings, FINDING_ERROR), findings_of(f, "in-the-way"));
    run_in(f->dir, "test \"$(ls outside)\" = victim && test \"$(cat outside/victim)\" = untouched && "
                   "test $(stat -c %Y outside) = $(date -d 2001-01-01 +%s) && test -L target/dir && test -L "
                   "target/plain && test -L target/hard && test ! -e target/deep/er/file");
    fileset_done(&fileset);
}

static void another_type_is_in_the_way(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    put_text(f->source, "file", "x");
    put_text(f->source, "dir/in", "x");
    run_in(f->source, "ln -s x link; mkfifo fifo");
    backup(f, NULL, &fileset);
    run_in(f->dir, "mkdir -p target/file target/link target/fifo && echo kept >target/dir");
    FilesetRestoreStats stats = restore(f, &fileset, NULL);
    assert_int_equal(findings_of(f, "in-the-way"), 5);
    assert_int_equal(stats.written, 0);
    run_in(f->dir, "test \"$(cat target/dir)\" = kept");
    fileset_done(&fileset);
}

static void only_what_is_asked_for(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    StrVec include = {0};
    put_everything(f->source);
    put_text(f->source, "x/y/z/wanted.txt", "wanted");
    put_text(f->source, "x/y/other.txt", "other");
    run_in(f->source, "chmod 0710 x/y; touch -d 2002-02-02 x x/y x/y/z");
    backup(f, NULL, &fileset);
    strvec_push(&include, "**/wanted.txt");
    strvec_push(&include, "/small/");
    FilesetRestoreStats stats = restore(f, &fileset, &include);
    /* small/zz-hard is a further name of hello.txt, which nobody asked for. */
    assert_int_equal(findings_of(f, "restore-failed"), 1);
    assert_int_equal(stats.written, 3);
    run_in(f->dir,
           "test \"$(cd target && find . | LC_ALL=C sort | tr '\\n' ' ')\" = '. ./small ./small/one ./small/two "
           "./x ./x/y ./x/y/z ./x/y/z/wanted.txt ' && test $(stat -c %a target/x/y) = 710 && "
           "test $(stat -c %Y target/x/y) = $(date -d 2002-02-02 +%s)");
    strvec_done(&include);
    fileset_done(&fileset);
}

/* A damaged pack loses the file that was hit, not its neighbours. */
static void damage_is_seen_and_contained(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    char key[96];
    put_text(f->source, "a", "one");
    put_text(f->source, "b", "two");
    put_text(f->source, "c", "three");
    backup(f, NULL, &fileset);
    IndexEntry entry = entry_of(f, &fileset, "b");
    Buf pack = BUF_INIT(BLOB_STORED_MAX);
    assert_int_equal(blob_get(f->repo, &entry.parts[0].blob, &pack, NULL), 0);
    pack.data[entry.parts[0].offset] ^= 1;
    blob_key(f->repo, &entry.parts[0].blob, key);
    assert_int_equal(store_put(f->store, key, pack.data, pack.len, false, NULL), 0);
    FilesetRestoreStats stats = restore(f, &fileset, NULL);
    assert_int_equal(stats.written, 2);
    assert_int_equal(findings_of(f, "content-damaged"), 1);
    assert_non_null(strstr(f->findings.v[0].message, "\"b\""));
    run_in(f->target, "test \"$(ls -A | tr '\\n' ' ')\" = 'a c '"); /* no temporary file either */

    assert_int_equal(store_delete(f->store, key, NULL), 0);
    run_in(f->target, "rm a");
    stats = restore(f, &fileset, NULL);
    assert_int_equal(stats.kept, 1);
    assert_int_equal(findings_of(f, "content-damaged"), 2);
    index_entry_done(&entry);
    buf_done(&pack);
    fileset_done(&fileset);
}

static int count_bytes(void *ctx, const void *data, size_t len, Error *err)
{
    *(uint64_t *)ctx += len;
    return 0;
}

static int refuse(void *ctx, const void *data, size_t len, Error *err)
{
    return error_set(err, ERR_FAILED, "no more");
}

static void an_entry_can_be_read_alone(void **state)
{
    Fixture *f = *state;
    Error err = ERROR_INIT;
    ManifestFileset fileset;
    uint64_t bytes = 0;
    put_everything(f->source);
    backup(f, NULL, &fileset);
    IndexEntry entry = entry_of(f, &fileset, "three-chunks");
    assert_int_equal(read_entry(f, &entry, count_bytes, &bytes, &err), 0);
    assert_int_equal(bytes, 33 * 1024 * 1024);
    assert_int_equal(read_entry(f, &entry, refuse, NULL, &err), -1);
    assert_int_equal(err.code, ERR_FAILED);
    entry.hash[0] = entry.hash[0] == '0' ? '1' : '0';
    assert_int_equal(read_entry(f, &entry, count_bytes, &bytes, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    index_entry_done(&entry);
    fileset_done(&fileset);
}

/* Hard links are made to what was restored, not to what happens to be there. */
static void a_hostile_hard_link_gets_nothing(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset = {.name = xstrdup("media"), .files = 1, .n_index = 1};
    const char *line =
        "{\"path\":\"public\",\"type\":\"h\",\"mode\":\"0644\",\"uid\":0,\"gid\":0,\"mtime\":\"5.000000000\","
        "\"target\":\".env\",\"size\":6,\"hash\":"
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}\n";
    Buf packed = BUF_INIT(10000);
    fileset.index = xcalloc(1, sizeof *fileset.index);
    assert_int_equal(repo_compress(f->repo, line, strlen(line), &packed, NULL), 0);
    assert_int_equal(blob_put(f->repo, BLOB_ZSTD, packed.data, packed.len, fileset.index, NULL, NULL), 0);
    buf_done(&packed);
    put_text(f->dir, "target/.env", "secret");
    restore(f, &fileset, NULL);
    assert_int_equal(findings_of(f, "restore-failed"), 1);
    assert_false(exists(f->target, "public"));
    fileset_done(&fileset);
}

static void without_owners_no_set_user_id(void **state)
{
    Fixture *f = *state;
    Error err = ERROR_INIT;
    ManifestFileset fileset;
    FilesetRestoreStats stats;
    FilesetRestoreOptions options = {.jobs = 1};
    put_text(f->source, "tool", "x");
    run_in(f->source, "chmod 6755 tool");
    backup(f, NULL, &fileset);
    forget_findings(f);
    assert_int_equal(fileset_restore(f->repo, &fileset, f->target, &options, &stats, &f->findings, NULL, &err), 0);
    run_in(f->target, "test $(stat -c %a tool) = 755");
    fileset_done(&fileset);
}

static void owners_go_by_name(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    if (geteuid() != 0)
        skip();
    put_text(f->source, "named", "x");
    put_text(f->source, "nameless", "x");
    run_in(f->source, "chown daemon:mail named; chown 54321:54322 nameless; ln -s named link; chown -h daemon link");
    backup(f, NULL, &fileset);
    IndexEntry entry = entry_of(f, &fileset, "named");
    assert_string_equal(entry.user, "daemon");
    assert_string_equal(entry.group, "mail");
    index_entry_done(&entry);
    entry = entry_of(f, &fileset, "nameless");
    assert_null(entry.user);
    index_entry_done(&entry);
    restore(f, &fileset, NULL);
    run_in(f->target,
           "test \"$(stat -c %U:%G named)\" = daemon:mail && test $(stat -c %u:%g nameless) = 54321:54322 && "
           "test $(stat -c %U link) = daemon");
    fileset_done(&fileset);
}

static void the_directory_is_made(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    put_text(f->source, "x", "x");
    backup(f, NULL, &fileset);
    free(f->target);
    f->target = in(f->dir, "not/yet/there/");
    restore(f, &fileset, NULL);
    assert_true(exists(f->dir, "not/yet/there/x"));
    free(f->target);
    f->target = in(f->dir, "not/yet/there");
    fileset_done(&fileset);
}

/* A pack that several of the files need is read once, one that few small files need is not read as a whole. */
static void many_small_files_come_back(void **state)
{
    Fixture *f = *state;
    ManifestFileset first, second;
    for (unsigned i = 0; i < 3000; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u/%u", i % 17, i);
        put_noise(f->source, name, 100 + i * 7, i);
    }
    backup(f, NULL, &first);
    for (unsigned i = 0; i < 3000; i += 10) {
        char name[32];
        snprintf(name, sizeof name, "%u/%u", i % 17, i);
        put_noise(f->source, name, 200 + i * 7, i + 5000);
    }
    backup(f, &first, &second);
    restore(f, &second, NULL);
    assert_int_equal(f->findings.n, 0);
    assert_same_tree(f->source, f->target);
    FilesetRestoreStats stats = restore(f, &first, NULL);
    assert_int_equal(stats.written, 300);
    assert_int_equal(stats.kept, 2700);
    fileset_done(&first);
    fileset_done(&second);
}

/* Its chunks are one blob, which must not be fetched for each of them. */
static void a_hole_is_fetched_once(void **state)
{
    Fixture *f = *state;
    ManifestFileset fileset;
    uint64_t bytes = 0;
    run_in(f->source, "truncate -s 500M sparse && printf tail | dd of=sparse bs=1 seek=250M conv=notrunc status=none");
    backup(f, NULL, &fileset);
    IndexEntry entry = entry_of(f, &fileset, "sparse");
    assert_int_equal(entry.n_parts, 32);

    enum { HOLE_BEFORE_AND_BEHIND = 2, TAIL = 1, SHORT_LAST = 1, WANTED = HOLE_BEFORE_AND_BEHIND + TAIL + SHORT_LAST };
    gets();
    restore(f, &fileset, NULL);
    assert_int_equal(gets(), WANTED + 2 * fileset.n_index);
    assert_int_equal(f->findings.n, 0);
    run_in(f->dir, "cmp source/sparse target/sparse && test $(stat -c %b target/sparse) -lt 1000");
    assert_int_equal(read_entry(f, &entry, count_bytes, &bytes, NULL), 0);
    assert_int_equal(gets(), WANTED);
    assert_int_equal(bytes, 500 * 1024 * 1024);
    index_entry_done(&entry);
    fileset_done(&fileset);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_round_trip_is_exact),
        TEST(what_is_right_is_kept),
        TEST(a_file_is_replaced_not_overwritten),
        TEST(a_further_name_elsewhere_is_not_touched),
        TEST(links_lead_nowhere),
        TEST(another_type_is_in_the_way),
        TEST(only_what_is_asked_for),
        TEST(damage_is_seen_and_contained),
        TEST(an_entry_can_be_read_alone),
        TEST(a_hostile_hard_link_gets_nothing),
        TEST(the_directory_itself),
        TEST(without_owners_no_set_user_id),
        TEST(owners_go_by_name),
        TEST(the_directory_is_made),
        TEST(many_small_files_come_back),
        TEST(a_hole_is_fetched_once),
#define REMOTE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup_remote, fixture_teardown)
        REMOTE_TEST(a_round_trip_is_exact),
        REMOTE_TEST(damage_is_seen_and_contained),
        REMOTE_TEST(an_entry_can_be_read_alone),
        REMOTE_TEST(many_small_files_come_back),
        REMOTE_TEST(a_hole_is_fetched_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
